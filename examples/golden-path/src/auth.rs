//! Who a user is: passwords, tokens, keys, sessions.
//!
//! Owns every secret. Must never log, store or echo one in clear, and must never tell a wrong name from a wrong
//! password, in words or in time.

use std::time::Duration;

use serde_json::Value;

use crate::event::{SessionId, UserId};
use crate::store::{Store, StoreError};

/// The door to accounts. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Auth {}

/// What tokens say and how long they last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSettings {
    /// `iss` of access tokens (RFC 7519 section 4.1.1).
    pub issuer: String,
    /// `aud` of access tokens (RFC 7519 section 4.1.3).
    pub audience: String,
    /// How long an access token lasts.
    pub access_for: Duration,
    /// How long a session lasts without a refresh.
    pub session_for: Duration,
    /// How long a key signs before the next takes its place.
    pub key_for: Duration,
}

/// What a client gets for a name and a password, or for a refresh token.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For `Authorization: Bearer`, and for a socket.
    pub access: String,
    /// When the access token ends, in milliseconds since 1970.
    pub until_ms: i64,
    /// Good once, for the next pair.
    pub refresh: String,
}

/// Who shows an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub user: UserId,
    /// The log-in.
    pub session: SessionId,
    /// When the token ends, in milliseconds since 1970.
    pub until_ms: i64,
}

/// Why somebody is not let in. Its words may be shown to the client.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The name or the password breaks a rule; the text says which.
    #[error("{0}")]
    Unfit(&'static str),
    /// Somebody has this name.
    #[error("this name is taken")]
    Taken,
    /// Name and password do not go together.
    #[error("wrong name or password")]
    Wrong,
    /// Too often, for this name or from this address.
    #[error("too many attempts; try again in {} s", .0.as_secs().max(1))]
    TooOften(Duration),
    /// The token is not good: not ours, over, revoked, or used before.
    #[error("log in again: this token is not good any more")]
    Token,
    /// The database: try again.
    #[error("not now; try again")]
    Store(#[source] StoreError),
}

impl Auth {
    /// Reads the keys, or makes the first.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn open(_store: Store, _settings: AuthSettings) -> Result<Self, StoreError> {
        Err(StoreError::Unavailable("not built yet".into()))
    }

    /// Makes a user and logs in.
    ///
    /// # Errors
    ///
    /// See [`AuthError`].
    pub async fn sign_up(&self, _name: &str, _password: &str) -> Result<Tokens, AuthError> {
        Err(AuthError::Token)
    }

    /// Logs in. `from` is the client's address as far as it can be known: attempts are limited for it and for the name.
    ///
    /// # Errors
    ///
    /// See [`AuthError`].
    pub async fn log_in(
        &self,
        _name: &str,
        _password: &str,
        _from: &str,
    ) -> Result<Tokens, AuthError> {
        Err(AuthError::Token)
    }

    /// The next pair for a refresh token. One shown twice ends its session.
    ///
    /// # Errors
    ///
    /// See [`AuthError`]. With [`AuthError::Token`] the session, if it is known, is told in `revoked`.
    pub async fn refresh(&self, _token: &str) -> Result<Tokens, AuthError> {
        Err(AuthError::Token)
    }

    /// Ends a session: all of its tokens.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn log_out(&self, _session: SessionId) -> Result<(), AuthError> {
        Err(AuthError::Token)
    }

    /// Who shows this access token: signature, algorithm, issuer, audience, time, and that the session lives.
    ///
    /// # Errors
    ///
    /// [`AuthError::Token`], or the database.
    pub async fn verify(&self, _access: &str) -> Result<Claims, AuthError> {
        Err(AuthError::Token)
    }

    /// The public keys (RFC 7517 section 5).
    pub fn jwks(&self) -> Value {
        Value::Null
    }
}
