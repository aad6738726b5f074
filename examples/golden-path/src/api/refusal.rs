//! Why a request is not served, before there is a socket.
//!
//! Owns the answers as problem+json (RFC 9457). Must never repeat anything of a request.

use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::AuthError;
use crate::store::StoreError;

/// Why a request is not served. Its words are shown to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// A token or what looks like one stands in the query, where logs and histories keep it.
    #[error("a token must not stand in an address: send it by Authorization, or by subprotocol")]
    TokenInQuery,
    /// RFC 6750 section 2: one way at a time.
    #[error("send exactly one token")]
    ManyTokens,
    /// No token.
    #[error("send an access token by Authorization: Bearer, or by the subprotocol bearer.TOKEN")]
    NoToken,
    /// A token that is not good.
    #[error("log in again: this token is not good any more")]
    BadToken,
    /// `last_event_id` is no number, or there are several.
    #[error("last_event_id is one number that is not negative")]
    Place,
    /// A number of the query is none, or out of its bounds.
    #[error("a number in the query is not one, or out of its bounds")]
    Query,
    /// Subprotocols were offered, and ours is not among them.
    #[error("the subprotocol golden-path.v1 is the only one here")]
    Subprotocol,
    /// A page of another origin.
    #[error("pages of this origin may not come here")]
    Origin,
    /// Not a handshake.
    #[error("this address speaks WebSocket (RFC 6455)")]
    NoHandshake,
    /// The body can't be read.
    #[error("the body is JSON of the documented form, with content-type application/json")]
    Body,
    /// The body is none of JSON.
    #[error("the body is JSON: say so by content-type application/json")]
    MediaType,
    /// The body is larger than any that makes sense.
    #[error("the body is too large")]
    TooLarge,
    /// A title that is empty or too long.
    #[error("a title has 1 to 200 characters, and no control characters")]
    Title,
    /// Not this user's, or nobody's: it looks the same.
    #[error("there is no such thread")]
    NoSuchThread,
    /// Not over HTTPS, where nothing else is served.
    #[error("this service is served over HTTPS only")]
    NotHttps,
    /// Only who comes to the instance itself may ask this.
    #[error("there is nothing here")]
    NothingHere,
    /// The start is not over.
    #[error("the service is still starting: try again")]
    Starting,
    /// A name or a password breaks a rule.
    #[error("{0}")]
    Unfit(&'static str),
    /// Somebody has this name.
    #[error("this name is taken")]
    Taken,
    /// Name and password do not go together.
    #[error("wrong name or password")]
    Wrong,
    /// Too often.
    #[error("too many attempts: try again later")]
    TooOften(Duration),
    /// The instance leaves.
    #[error("this instance leaves: try again")]
    Leaving,
    /// The database.
    #[error("not now; try again")]
    NotNow,
}

impl Refusal {
    /// Its status.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::NoToken | Self::BadToken | Self::Wrong => StatusCode::UNAUTHORIZED,
            Self::Origin | Self::NotHttps => StatusCode::FORBIDDEN,
            Self::NoSuchThread | Self::NothingHere => StatusCode::NOT_FOUND,
            Self::Taken => StatusCode::CONFLICT,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoHandshake => StatusCode::UPGRADE_REQUIRED,
            Self::Starting | Self::Leaving | Self::NotNow => StatusCode::SERVICE_UNAVAILABLE,
            Self::TokenInQuery
            | Self::ManyTokens
            | Self::Place
            | Self::Query
            | Self::Subprotocol
            | Self::Body
            | Self::Unfit(_)
            | Self::Title => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.to_string(),
        });
        let mut response = (status, problem.to_string()).into_response();
        let mut set = |name, value| {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, "application/problem+json");
        set(header::CACHE_CONTROL, "no-store");
        match self {
            // RFC 6750 section 3: without a token nothing is said of an error.
            Self::NoToken => set(header::WWW_AUTHENTICATE, r#"Bearer realm="golden-path""#),
            Self::BadToken => {
                set(
                    header::WWW_AUTHENTICATE,
                    r#"Bearer realm="golden-path", error="invalid_token""#,
                );
            }
            // RFC 9110 section 15.5.22: what to upgrade to.
            Self::NoHandshake => set(header::UPGRADE, "websocket"),
            Self::Starting | Self::Leaving | Self::NotNow => set(header::RETRY_AFTER, "1"),
            _ => {}
        }
        if let Self::TooOften(wait) = self {
            // Rounded up: who comes after so many whole seconds comes late enough.
            let seconds = wait.as_secs().saturating_add(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            _ => Self::Body,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::warn!(reason = %error, "a request can't be served now");
        Self::NotNow
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unfit(why) => Self::Unfit(why),
            AuthError::Taken => Self::Taken,
            AuthError::Wrong => Self::Wrong,
            AuthError::TooOften(wait) => Self::TooOften(wait),
            AuthError::Token | AuthError::Reused(_) => Self::BadToken,
            AuthError::Busy => Self::NotNow,
            AuthError::Store(error) => error.into(),
        }
    }
}
