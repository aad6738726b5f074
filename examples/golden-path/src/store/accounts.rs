//! Users, sessions and keys.
//!
//! Owns that a name is one user's, and that a refresh token is good once. Must never see a password or a token: only
//! their hashes.

use uuid::Uuid;

use super::work::{Row, Work, values};
use super::{KeyRow, Rotation, Store, StoreError, User};
use crate::clock::now_ms;
use crate::event::{SessionId, UserId};

impl Store {
    /// Makes a user; `None` if the name is taken.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn create_user(&self, name: &str, hash: &str) -> Result<Option<User>, StoreError> {
        let id = Uuid::new_v4();
        let mut work = self.database.writing().await?;
        let made = work.change(
            "INSERT INTO users (id, name, password_hash, made_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO NOTHING",
            values![id, name, hash, now_ms()],
        );
        let is_new = made.await? == 1;
        work.commit().await?;
        Ok(is_new.then(|| User { id, name: name.to_owned() }))
    }

    /// The user of this name, with the password's hash.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let mut work = self.database.reading().await?;
        let found =
            work.row("SELECT id, name, password_hash FROM users WHERE name = $1", values![name]);
        let Some(row) = found.await? else { return Ok(None) };
        Ok(Some((user(&row)?, row.get("password_hash")?)))
    }

    /// Begins a session with its first refresh token, of which only the hash is known here.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn begin_session(
        &self,
        user: UserId,
        token_hash: &[u8; 32],
        until_ms: i64,
    ) -> Result<SessionId, StoreError> {
        let session = Uuid::new_v4();
        let mut work = self.database.writing().await?;
        let begin = "INSERT INTO sessions (id, user_id, until_ms) VALUES ($1, $2, $3)";
        work.change(begin, values![session, user, until_ms]).await?;
        add_token(&mut work, session, token_hash).await?;
        work.commit().await?;
        Ok(session)
    }

    /// Takes a refresh token for a new one. Of two at the same time one wins; the other is a reuse.
    ///
    /// The session lasts until `until_ms` then. Sessions of the same user that are over are forgotten.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn rotate(
        &self,
        old_hash: &[u8; 32],
        new_hash: &[u8; 32],
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Rotation, StoreError> {
        let mut work = self.database.writing().await?;
        // Changing the session's row makes whoever else shows one of its tokens wait for our end.
        let held = work.row(
            "UPDATE sessions SET until_ms = $3
             WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1)
               AND revoked_ms IS NULL AND until_ms > $2
             RETURNING id, user_id",
            values![&old_hash[..], now_ms, until_ms],
        );
        let Some(row) = held.await? else { return Ok(Rotation::Void) };
        let session: SessionId = row.get("id")?;
        let whose: UserId = row.get("user_id")?;
        let used = work.change(
            "UPDATE refresh_tokens SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL",
            values![&old_hash[..], now_ms],
        );
        if used.await? == 0 {
            end_session(&mut work, session, now_ms).await?;
            work.commit().await?;
            return Ok(Rotation::Reused { session });
        }
        add_token(&mut work, session, new_hash).await?;
        forget_sessions(&mut work, whose, now_ms).await?;
        let found = work.row("SELECT id, name FROM users WHERE id = $1", values![whose]);
        let user = user(&found.await?.ok_or_else(no_user)?)?;
        work.commit().await?;
        Ok(Rotation::Rotated { session, user })
    }

    /// Ends a session: none of its tokens is good any more.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn revoke(&self, session: SessionId) -> Result<(), StoreError> {
        let mut work = self.database.writing().await?;
        end_session(&mut work, session, now_ms()).await?;
        work.commit().await
    }

    /// Whether a session is neither revoked nor over.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn is_live(&self, session: SessionId, now_ms: i64) -> Result<bool, StoreError> {
        let mut work = self.database.reading().await?;
        let found = work.row(
            "SELECT id FROM sessions WHERE id = $1 AND revoked_ms IS NULL AND until_ms > $2",
            values![session, now_ms],
        );
        Ok(found.await?.is_some())
    }

    /// The keys, oldest first.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let mut work = self.database.reading().await?;
        let all = "SELECT kid, private, made_ms FROM signing_keys ORDER BY made_ms, kid";
        work.rows(all, []).await?.iter().map(key).collect()
    }

    /// Adds a key unless another instance has added one made after `unless_after_ms`, and removes those made
    /// before `forget_before_ms`. Returns whether it was added.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn add_key(
        &self,
        key: &KeyRow,
        unless_after_ms: i64,
        forget_before_ms: i64,
    ) -> Result<bool, StoreError> {
        let mut work = self.database.writing().await?;
        // One instance at a time: two that look at once would each see no key.
        work.change("UPDATE turns SET taken = taken + 1 WHERE name = 'signing_keys'", []).await?;
        let newer = "SELECT kid FROM signing_keys WHERE made_ms > $1 LIMIT 1";
        let is_first = work.row(newer, values![unless_after_ms]).await?.is_none();
        if is_first {
            work.change(
                "INSERT INTO signing_keys (kid, private, made_ms) VALUES ($1, $2, $3)",
                values![&*key.kid, &*key.private, key.made_ms],
            )
            .await?;
        }
        let forget = "DELETE FROM signing_keys WHERE made_ms < $1";
        work.change(forget, values![forget_before_ms]).await?;
        work.commit().await?;
        Ok(is_first)
    }
}

async fn add_token(work: &mut Work, session: SessionId, hash: &[u8; 32]) -> Result<(), StoreError> {
    let add = "INSERT INTO refresh_tokens (hash, session_id) VALUES ($1, $2)";
    work.change(add, values![&hash[..], session]).await?;
    Ok(())
}

async fn end_session(work: &mut Work, session: SessionId, now_ms: i64) -> Result<(), StoreError> {
    let end = "UPDATE sessions SET revoked_ms = $2 WHERE id = $1 AND revoked_ms IS NULL";
    work.change(end, values![session, now_ms]).await?;
    Ok(())
}

/// Removes a user's sessions that are over, or they would grow for ever.
async fn forget_sessions(work: &mut Work, user: UserId, now_ms: i64) -> Result<(), StoreError> {
    work.change(
        "DELETE FROM refresh_tokens WHERE session_id IN
           (SELECT id FROM sessions WHERE user_id = $1 AND until_ms <= $2)",
        values![user, now_ms],
    )
    .await?;
    let forget = "DELETE FROM sessions WHERE user_id = $1 AND until_ms <= $2";
    work.change(forget, values![user, now_ms]).await?;
    Ok(())
}

fn user(row: &Row) -> Result<User, StoreError> {
    Ok(User { id: row.get("id")?, name: row.get("name")? })
}

fn key(row: &Row) -> Result<KeyRow, StoreError> {
    Ok(KeyRow { kid: row.get("kid")?, private: row.get("private")?, made_ms: row.get("made_ms")? })
}

fn no_user() -> StoreError {
    StoreError::Misunderstood("a session without its user".into())
}
