//! Who a user is: passwords, tokens, keys, sessions.
//!
//! Owns every secret. Must never log, store or echo one in clear, and must never tell a wrong name from a wrong
//! password, in words or in time.

mod keys;
mod limits;
mod passwords;
mod tokens;

use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::Value;

use self::keys::Keys;
use self::limits::Limit;
use self::passwords::{Busy, Passwords};
use crate::clock::now_ms;
use crate::event::{SessionId, UserId};
use crate::store::{Rotation, Store, StoreError};

/// The door to accounts. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Auth {
    store: Store,
    settings: AuthSettings,
    keys: Keys,
    passwords: Passwords,
    names: Limit,
    addresses: Limit,
}

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
    /// How often a name may try to log in, in a minute.
    pub name_attempts: NonZeroU32,
    /// How often an address may try to sign up, log in or refresh, in a minute.
    pub address_attempts: NonZeroU32,
}

/// What a client gets for a name and a password, or for a refresh token. Without `Debug`: it has secrets in it.
#[derive(Clone)]
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
    /// The token is not good: not ours, over, or revoked.
    #[error("log in again: this token is not good any more")]
    Token,
    /// The refresh token was used before: somebody has a copy, so its session was revoked just now.
    #[error("log in again: this token is not good any more")]
    Reused(SessionId),
    /// Too many passwords wait to be looked at.
    #[error("not now; try again")]
    Busy,
    /// The database: try again.
    #[error("not now; try again")]
    Store(#[source] StoreError),
}

/// How long a name may be, in characters.
const NAME: std::ops::RangeInclusive<usize> = 3..=64;
/// How long a password may be, in characters (NIST SP 800-63B section 3.1.1.2 asks for at least 8, and at least 64 to be
/// allowed).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;

impl Auth {
    /// Reads the keys, or makes the first.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn open(store: Store, settings: AuthSettings) -> Result<Self, StoreError> {
        let keys =
            Keys::open(store.clone(), settings.key_for, settings.access_for, now_ms()).await?;
        let passwords = Passwords::open()
            .await
            .map_err(|Busy| StoreError::Misunderstood("a password can't be hashed".into()))?;
        let names = Limit::a_minute(settings.name_attempts);
        let addresses = Limit::a_minute(settings.address_attempts);
        Ok(Self { store, settings, keys, passwords, names, addresses })
    }

    /// Makes a user and logs in. `from` is the client's address as far as it can be known.
    ///
    /// # Errors
    ///
    /// See [`AuthError`].
    pub async fn sign_up(
        &self,
        name: &str,
        password: &str,
        from: &str,
    ) -> Result<Tokens, AuthError> {
        self.addresses.count_from(from).map_err(AuthError::TooOften)?;
        let name = fit_name(name)?;
        if !PASSWORD.contains(&password.chars().count()) {
            return Err(AuthError::Unfit("a password has 8 to 128 characters"));
        }
        let hash = self.passwords.hash(password).await?;
        let user = self.store.create_user(&name, &hash).await?.ok_or(AuthError::Taken)?;
        self.begin_session(user.id).await
    }

    /// Logs in. `from` is the client's address as far as it can be known: attempts are limited for it and for the name.
    ///
    /// # Errors
    ///
    /// See [`AuthError`].
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        from: &str,
    ) -> Result<Tokens, AuthError> {
        self.addresses.count_from(from).map_err(AuthError::TooOften)?;
        // A name or password that nobody can have is as wrong as any other.
        let name = fit_name(name).map_err(|_| AuthError::Wrong)?;
        if password.chars().count() > *PASSWORD.end() {
            return Err(AuthError::Wrong);
        }
        self.names.count(&name).map_err(AuthError::TooOften)?;
        let (user, hash) = self.store.user_by_name(&name).await?.unzip();
        let is_right = self.passwords.is_right(password, hash).await?;
        match user.filter(|_| is_right) {
            Some(user) => self.begin_session(user.id).await,
            None => Err(AuthError::Wrong),
        }
    }

    /// The next pair for a refresh token. One shown twice ends its session.
    ///
    /// # Errors
    ///
    /// See [`AuthError`].
    pub async fn refresh(&self, token: &str, from: &str) -> Result<Tokens, AuthError> {
        self.addresses.count_from(from).map_err(AuthError::TooOften)?;
        let next = new_secret()?;
        let now = now_ms();
        let until = now.saturating_add(millis(self.settings.session_for));
        match self.store.rotate(&hash(token), &hash(&next), now, until).await? {
            Rotation::Rotated { session, user } => self.tokens(user.id, session, next).await,
            Rotation::Reused { session } => Err(AuthError::Reused(session)),
            Rotation::Void => Err(AuthError::Token),
        }
    }

    /// Ends a session: all of its tokens.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn log_out(&self, session: SessionId) -> Result<(), AuthError> {
        Ok(self.store.revoke(session).await?)
    }

    /// Who shows this access token: signature, algorithm, issuer, audience, time, and that the session lives.
    ///
    /// # Errors
    ///
    /// [`AuthError::Token`], or the database.
    pub async fn verify(&self, access: &str) -> Result<Claims, AuthError> {
        let now = now_ms();
        let kid = tokens::kid(access).ok_or(AuthError::Token)?;
        let key = self.keys.named(&kid, now).await?.ok_or(AuthError::Token)?;
        let said = tokens::verify(access, &key, &self.settings).ok_or(AuthError::Token)?;
        if !self.store.is_live(said.sid, now).await? {
            return Err(AuthError::Token);
        }
        Ok(Claims { user: said.sub, session: said.sid, until_ms: said.exp.saturating_mul(1000) })
    }

    /// The public keys (RFC 7517 section 5), as they were some seconds ago at most.
    pub async fn jwks(&self) -> Value {
        self.keys.jwks(now_ms()).await
    }

    async fn begin_session(&self, user: UserId) -> Result<Tokens, AuthError> {
        let refresh = new_secret()?;
        let until = now_ms().saturating_add(millis(self.settings.session_for));
        let session = self.store.begin_session(user, &hash(&refresh), until).await?;
        self.tokens(user, session, refresh).await
    }

    async fn tokens(
        &self,
        user: UserId,
        session: SessionId,
        refresh: String,
    ) -> Result<Tokens, AuthError> {
        let now = now_ms();
        let key = self.keys.signing(now).await?;
        let (access, until_ms) =
            tokens::sign(&key, &self.settings, user, session, now).ok_or(AuthError::Busy)?;
        Ok(Tokens { access, until_ms, refresh })
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Busy> for AuthError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// A name as it is stored: in lower case.
fn fit_name(name: &str) -> Result<String, AuthError> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@');
    if NAME.contains(&name.len()) && name.bytes().all(is_plain) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(AuthError::Unfit("a name has 3 to 64 of the characters a-z, 0-9, . - _ @"))
    }
}

/// 256 random bits.
fn new_secret() -> Result<String, AuthError> {
    let mut bits = [0; 32];
    SystemRandom::new().fill(&mut bits).map_err(|_| AuthError::Busy)?;
    Ok(URL_SAFE_NO_PAD.encode(bits))
}

/// What is stored of a refresh token. It has 256 random bits: a fast hash is enough.
fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    hash.copy_from_slice(digest.as_ref());
    hash
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 8)
}
