//! Passwords.
//!
//! Owns their hashes, and how many are computed at once: each takes 19 MiB and a processor. Must never tell by its time
//! whether there is such a user.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Memory in KiB, passes and lanes (OWASP, "Password Storage Cheat Sheet", Argon2id).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// How many are computed at once: a flood of log-ins must leave something for those who are in. Each has a thread of
/// its own. On whichever threads a runtime has, the allocator would keep the memory of a few for each of them: 600 MB
/// after 300 log-ins, where an instance may have 512.
const AT_ONCE: usize = 2;
/// How many may wait for their turn: at about 50 a second the last of them is served within [`TURN_WITHIN`], and more
/// would only wait in vain.
const WAITING: usize = 256;
/// How long one waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// The hashing of passwords. Clones share its threads, which end with the last of them.
#[derive(Clone)]
pub(super) struct Passwords {
    jobs: mpsc::Sender<Job>,
    /// The hash of no password that anybody has, for names that nobody has.
    nobody: Arc<str>,
}

type Job = Box<dyn FnOnce() + Send>;

/// Too many passwords wait, or the hash can't be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl Passwords {
    /// Begins its threads and computes the hash of nobody's password.
    pub(super) async fn open() -> Result<Self, Busy> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..AT_ONCE {
            begin_thread(Arc::clone(&waiting)).map_err(|_| Busy)?;
        }
        let mut passwords = Self { jobs, nobody: "".into() };
        passwords.nobody = passwords.hash(&uuid::Uuid::new_v4().to_string()).await?.into();
        Ok(passwords)
    }

    /// The hash of a password, with a salt of its own, in the PHC string format.
    pub(super) async fn hash(&self, password: &str) -> Result<String, Busy> {
        let password = password.to_owned();
        let hash = move || Some(argon2()?.hash_password(password.as_bytes()).ok()?.to_string());
        self.in_turn(hash).await?.ok_or(Busy)
    }

    /// Whether a password is the one of this hash. Without a hash, as for a name that nobody has, the work is the same.
    pub(super) async fn is_right(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        let is_somebody = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let password = password.to_owned();
        let verify = move || {
            let parsed = PasswordHash::new(&hash).ok()?;
            Some(argon2()?.verify_password(password.as_bytes(), &parsed).is_ok())
        };
        let is_right = self.in_turn(verify).await?.unwrap_or(false);
        Ok(is_right && is_somebody)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (done, answer) = oneshot::channel();
        let job = move || {
            // Whoever asked may be gone by now.
            if !done.is_closed() {
                let _ = done.send(work());
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| Busy)?;
        timeout(TURN_WITHIN, answer).await.map_err(|_| Busy)?.map_err(|_| Busy)
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let free = self.jobs.capacity();
        f.debug_struct("Passwords").field("free_places", &free).finish_non_exhaustive()
    }
}

/// A thread that does one job after another, as long as anybody may have one.
fn begin_thread(waiting: Arc<Mutex<mpsc::Receiver<Job>>>) -> io::Result<()> {
    let work = move || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(job) = next else { return };
            // A job that panics ends itself alone: who asked sees that its answer is gone.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    };
    std::thread::Builder::new().name("passwords".into()).spawn(work).map(drop)
}

fn argon2() -> Option<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if a flood of log-ins makes a queue without end, or if it still stands when the flood is over.
    #[tokio::test]
    async fn who_finds_no_place_to_wait_is_told_at_once() {
        let passwords = Passwords::open().await.expect("a hash");
        let taken = passwords.jobs.reserve_many(WAITING).await.expect("places");
        assert_eq!(passwords.is_right("correct horse", None).await, Err(Busy));
        drop(taken);
        assert_eq!(passwords.is_right("correct horse", None).await, Ok(false));
    }

    /// Breaks if a job that panics ends a thread: after two of them nobody could log in.
    #[tokio::test]
    async fn a_job_that_panics_ends_itself_alone() {
        let passwords = Passwords::open().await.expect("a hash");
        for _ in 0..=AT_ONCE {
            let broken: Result<(), Busy> = passwords.in_turn(|| panic!("on purpose")).await;
            assert_eq!(broken, Err(Busy));
        }
        assert_eq!(passwords.is_right("correct horse", None).await, Ok(false));
    }

    /// Breaks if a wrong password is right, or if the hash is not argon2id with the cost that we say.
    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = Passwords::open().await.expect("a hash");
        let hash = passwords.hash("correct horse").await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.expect("another salt"));
        assert_eq!(passwords.is_right("correct horse", Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.is_right("correct hors", Some(hash)).await, Ok(false));
        assert_eq!(passwords.is_right("correct horse", None).await, Ok(false));
        assert_eq!(passwords.is_right("correct horse", Some("broken".into())).await, Ok(false));
    }
}
