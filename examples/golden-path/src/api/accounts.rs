//! Accounts over HTTP.
//!
//! Owns the routes that sign up, log in and log out, and the cookie of the refresh token. Must never send a refresh
//! token to a page that its origin does not allow.

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;

use super::credentials::claims;
use super::forwarded::client;
use super::refusal::Refusal;
use super::{App, origin};
use crate::auth::{AuthError, Tokens};
use crate::bus::Signal;

/// The largest body, in bytes: the longest name and password, each character escaped.
const BODY_MAX: usize = 16 * 1024;
/// The cookie of the refresh token.
const COOKIE: &str = "refresh";

/// `POST /api/signup`, `/api/login`, `/api/refresh` and `/api/logout`, `GET /api/me`, `GET /.well-known/jwks.json`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/signup", post(sign_up))
        .route("/api/login", post(log_in))
        .route("/api/refresh", post(refresh))
        .route("/api/logout", post(log_out))
        .route("/api/me", get(me))
        .route("/.well-known/jwks.json", get(jwks))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// Without `Debug`: it has a secret in it.
#[derive(Deserialize)]
struct Account {
    name: String,
    password: String,
    #[serde(default)]
    keep: Keep,
}

/// Where a client keeps its refresh token.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keep {
    /// Where its own code keeps it: it comes in the body.
    #[default]
    Body,
    /// In a cookie that a page's scripts can't read.
    Cookie,
}

#[derive(Default, Deserialize)]
struct Refresh {
    refresh: Option<String>,
}

async fn sign_up(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Account>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(Account { name, password, keep }) = body?;
    let tokens = app.auth.sign_up(&name, &password, &client(&headers, peer)).await?;
    Ok((StatusCode::CREATED, given(&app, tokens, keep)).into_response())
}

async fn log_in(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Account>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(Account { name, password, keep }) = body?;
    let from = client(&headers, peer);
    match app.auth.log_in(&name, &password, &from).await {
        Ok(tokens) => Ok(given(&app, tokens, keep)),
        Err(error) => {
            tracing::info!(from, reason = %error, "a log-in was refused");
            Err(error.into())
        }
    }
}

async fn refresh(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Json<Refresh>, JsonRejection>,
) -> Result<Response, Refusal> {
    // JSON in any case: a form of another page can't send it (with its cookie) without asking first.
    let Json(Refresh { refresh }) = body?;
    let (token, keep) = match refresh {
        Some(token) => (token, Keep::Body),
        None => (cookie(&app, &headers)?, Keep::Cookie),
    };
    match app.auth.refresh(&token, &client(&headers, peer)).await {
        Ok(tokens) => Ok(given(&app, tokens, keep)),
        Err(AuthError::Reused(session)) => {
            tracing::warn!(%session, "a refresh token was shown twice: its session is revoked");
            app.bus.publish(Signal::Revoked { session });
            Err(Refusal::BadToken)
        }
        Err(error) => Err(error.into()),
    }
}

async fn log_out(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let session = claims(&app, &headers, query.as_deref()).await?.session;
    app.auth.log_out(session).await?;
    app.bus.publish(Signal::Revoked { session });
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(&app, "", 0)?);
    Ok(response)
}

async fn me(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let claims = claims(&app, &headers, query.as_deref()).await?;
    let body = Json(json!({ "user": claims.user, "until_ms": claims.until_ms }));
    Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response())
}

async fn jwks(State(app): State<App>) -> Response {
    // Shorter than a key is published before it signs.
    ([(header::CACHE_CONTROL, "public, max-age=15")], Json(app.auth.jwks().await)).into_response()
}

/// Tokens as a client gets them.
fn given(app: &App, tokens: Tokens, keep: Keep) -> Response {
    let Tokens { access, until_ms, refresh } = tokens;
    let mut body = json!({ "access": access, "until_ms": until_ms });
    let mut cookie = None;
    match keep {
        Keep::Body => body["refresh"] = refresh.into(),
        Keep::Cookie => {
            let seconds = app.settings.auth.session_for.as_secs();
            match set_cookie(app, &refresh, seconds) {
                Ok(value) => cookie = Some(value),
                Err(refusal) => return refusal.into_response(),
            }
        }
    }
    let mut response = ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The refresh token of the cookie, if the page that sends it may.
fn cookie(app: &App, headers: &HeaderMap) -> Result<String, Refusal> {
    // Every browser names the origin of a POST: who sends none has no business with cookies.
    if !headers.contains_key(header::ORIGIN) || !origin::is_allowed(headers, &app.settings) {
        return Err(Refusal::Origin);
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut tokens = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
        .filter(|token| !token.is_empty());
    let token = tokens.next().ok_or(Refusal::NoToken)?;
    if tokens.next().is_some() { Err(Refusal::ManyTokens) } else { Ok(token.to_owned()) }
}

/// The field that keeps or forgets the cookie (RFC 6265 section 4.1).
fn set_cookie(app: &App, token: &str, seconds: u64) -> Result<HeaderValue, Refusal> {
    let secure = if app.settings.https_only { "; Secure" } else { "" };
    let value = format!(
        "{COOKIE}={token}; Path=/api; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::try_from(value).map_err(|_| Refusal::NotNow)
}
