//! The keys that sign access tokens.
//!
//! Owns their turn: a key is published before it signs, and stays until its last token is over. Must never give a
//! private key to anybody.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::store::{KeyRow, Store, StoreError};

/// How often at most the keys are read, whatever unknown keys are shown, and however often that fails.
const READ_MIN: Duration = Duration::from_secs(2);
/// A key is published so long before it signs: every instance and every cache has it by then.
const LEAD: Duration = Duration::from_secs(60);

/// The keys of all instances. Clones are handles to the same ones.
#[derive(Clone)]
pub(super) struct Keys {
    store: Store,
    times: Times,
    ring: Arc<RwLock<Arc<[Key]>>>,
    /// When they were last read; who reads has the lock.
    reading: Arc<Mutex<Option<Reading>>>,
}

/// When the keys were read, and whether that went well.
#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    is_good: bool,
}

/// How long keys are good for what, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// After which the next takes its place.
    key_for: i64,
    lead: i64,
    /// How long a token lasts that a key has signed.
    token_for: i64,
}

/// A key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) signs: EncodingKey,
    pub(super) verifies: DecodingKey,
    /// The public key, as a JWK has it.
    x: String,
    made_ms: i64,
}

impl Keys {
    /// Reads the keys, or makes the first.
    pub(super) async fn open(
        store: Store,
        key_for: Duration,
        token_for: Duration,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 8);
        let times = Times {
            key_for: millis(key_for),
            lead: millis(LEAD.min(key_for / 4)),
            token_for: millis(token_for),
        };
        let ring = Arc::new(RwLock::new(Arc::from([])));
        let keys = Self { store, times, ring, reading: Arc::default() };
        keys.read(keys.reading.lock().await, Duration::ZERO, now_ms).await?;
        Ok(keys)
    }

    /// The key to sign with.
    pub(super) async fn signing(&self, now_ms: i64) -> Result<Key, StoreError> {
        self.keep_fresh(now_ms).await;
        self.times
            .signing(&self.ring(), now_ms)
            .cloned()
            .ok_or_else(|| StoreError::Misunderstood("no key that can sign".into()))
    }

    /// The key of this name, if there is one; the store is asked at most every few seconds. A key that was taken out
    /// of the store is not known for long.
    pub(super) async fn named(&self, kid: &str, now_ms: i64) -> Result<Option<Key>, StoreError> {
        self.keep_fresh(now_ms).await;
        let find = || self.ring().iter().find(|key| key.kid == kid).cloned();
        if let Some(key) = find() {
            return Ok(Some(key));
        }
        self.read(self.reading.lock().await, self.times.read_min(), now_ms).await?;
        Ok(find())
    }

    /// The public keys (RFC 7517 section 5, RFC 8037 section 2).
    pub(super) async fn jwks(&self, now_ms: i64) -> Value {
        self.keep_fresh(now_ms).await;
        let ring = self.ring();
        let jwk = |key: &Key| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                "kid": key.kid, "x": key.x,
            })
        };
        json!({ "keys": ring.iter().map(jwk).collect::<Vec<_>>() })
    }

    fn ring(&self) -> Arc<[Key]> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys if that is due and nobody else does. The known ones go on if it fails.
    async fn keep_fresh(&self, now_ms: i64) {
        if let Ok(reading) = self.reading.try_lock() {
            let _ = self.read(reading, self.times.read_every(), now_ms).await;
        }
    }

    /// Reads the keys if that was longer ago than `every`, and makes the next when its time has come.
    async fn read(
        &self,
        mut reading: MutexGuard<'_, Option<Reading>>,
        every: Duration,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        match *reading {
            Some(Reading { at, is_good: true }) if at.elapsed() < every => return Ok(()),
            // "There is no such key" would be a guess, and would send users to the log-in.
            Some(Reading { at, is_good: false }) if at.elapsed() < self.times.read_min() => {
                return Err(StoreError::Unavailable("keys could not be read just now".into()));
            }
            _ => {}
        }
        let outcome = self.read_now(now_ms).await;
        if let Err(error) = &outcome {
            tracing::warn!(reason = %error, "keys can't be read now: the known ones go on");
        }
        *reading = Some(Reading { at: Instant::now(), is_good: outcome.is_ok() });
        outcome
    }

    async fn read_now(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut rows = self.store.keys().await?;
        let newest_ms = rows.last().map(|row| row.made_ms);
        if newest_ms.is_none_or(|made_ms| made_ms + self.times.key_for <= now_ms) {
            let made_ms: Vec<i64> = rows.iter().map(|row| row.made_ms).collect();
            let over_ms = self.times.over(&made_ms, now_ms);
            self.store.add_key(&new_key(now_ms)?, now_ms - self.times.key_for, over_ms).await?;
            rows = self.store.keys().await?;
        }
        let ring: Vec<Key> = rows.iter().filter_map(key).collect();
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring.into();
        Ok(())
    }
}

impl Times {
    /// The newest key that was published long enough ago; the oldest where none was.
    fn signing<'k>(&self, ring: &'k [Key], now_ms: i64) -> Option<&'k Key> {
        let is_known = |key: &&Key| key.made_ms + self.lead <= now_ms;
        ring.iter().rev().find(is_known).or_else(|| ring.first())
    }

    /// Keys made before this have signed nothing that still counts. A key signs until its follower is known
    /// everywhere, and its last token lasts from then; once more the lead, for clocks that are apart.
    fn over(&self, made_ms: &[i64], now_ms: i64) -> i64 {
        let is_over = |follower: i64| follower + 2 * self.lead + self.token_for <= now_ms;
        let over = made_ms.windows(2).filter_map(|pair| match pair {
            [old, follower] if is_over(*follower) => Some(old + 1),
            _ => None,
        });
        over.max().unwrap_or(i64::MIN)
    }

    /// How often the keys are read again: some times while a new one is published and does not sign.
    fn read_every(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.lead / 3).unwrap_or(0))
    }

    /// How often at most.
    fn read_min(&self) -> Duration {
        READ_MIN.min(self.read_every())
    }
}

fn new_key(now_ms: i64) -> Result<KeyRow, StoreError> {
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| StoreError::Misunderstood("no random numbers for a key".into()))?;
    let kid = uuid::Uuid::now_v7().to_string();
    Ok(KeyRow { kid, private: private.as_ref().to_vec(), made_ms: now_ms })
}

/// What can't be read was made by another version: it verifies nothing here.
fn key(row: &KeyRow) -> Option<Key> {
    let pair = Ed25519KeyPair::from_pkcs8(&row.private).ok()?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    Some(Key {
        kid: row.kid.clone(),
        signs: EncodingKey::from_ed_der(&row.private),
        verifies: DecodingKey::from_ed_components(&x).ok()?,
        x,
        made_ms: row.made_ms,
    })
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("count", &self.ring().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Breaks if a key signs before everybody knows it.
    #[test]
    fn a_key_is_published_before_it_signs() {
        let times = Times { key_for: 24 * HOUR, lead: 60_000, token_for: HOUR };
        let made = |made_ms| key(&new_key(made_ms).expect("a key")).expect("a key");
        let first = [made(0)];
        assert_eq!(times.signing(&first, 0).map(|key| key.made_ms), Some(0));
        let two = [made(0), made(24 * HOUR)];
        let signs = |now| times.signing(&two, now).map(|key| key.made_ms);
        assert_eq!(signs(24 * HOUR + 59_999), Some(0));
        assert_eq!(signs(24 * HOUR + 60_000), Some(24 * HOUR));
        assert!(times.signing(&[], 0).is_none());
    }

    /// Breaks if a key goes while a token that it has signed is good, or stays in the store for ever.
    #[test]
    fn a_key_goes_when_its_last_token_is_over() {
        let times = Times { key_for: 24 * HOUR, lead: 60_000, token_for: HOUR };
        let followed = 24 * HOUR;
        let last_token_ends = followed + 60_000 + HOUR;
        assert_eq!(times.over(&[0, followed], last_token_ends), i64::MIN);
        assert_eq!(times.over(&[0, followed], last_token_ends + 60_000), 1);
        // However long nobody came: what has no follower may have signed just now.
        assert_eq!(times.over(&[0], 1000 * HOUR), i64::MIN);
        assert_eq!(times.over(&[0, followed, 1000 * HOUR], 1000 * HOUR), 1);
        assert_eq!(times.over(&[], 0), i64::MIN);
    }
}
