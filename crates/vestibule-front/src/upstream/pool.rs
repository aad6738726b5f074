//! Connections to the upstream for plain requests.
//!
//! Owns idle keep-alive connections, newest first. Must never hold one longer than a server
//! would keep it, never lend one twice, and never see a handshake.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::stream::Stream;
use crate::upstream::dial::Dial;
use crate::upstream::patient::Patient;
use crate::upstream::upload::Upload;

/// Shorter than the 5 s after which uvicorn and Node close an idle connection, so that we never
/// write into one that is just being closed.
const IDLE_MAX: Duration = Duration::from_secs(4);
/// Dials in flight at most: held requests are released together, and an accept queue is short.
const DIALS_MAX: usize = 32;
/// Idle connections kept at most.
pub const KEPT_MAX: usize = 256;
/// Head of an answer; hyper refuses a larger one.
const ANSWER_HEAD_MAX: usize = 64 * 1024;
/// Fields of an answer.
const ANSWER_FIELDS_MAX: usize = 200;

/// The idle connections.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<VecDeque<Idle>>,
    dials: Semaphore,
}

impl Default for Pool {
    fn default() -> Self {
        Self { idle: Mutex::default(), dials: Semaphore::new(DIALS_MAX) }
    }
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Upload>,
    since: Instant,
}

/// A connection lent for one request.
#[derive(Debug)]
pub struct Lent {
    /// Sends the request.
    pub sender: SendRequest<Upload>,
    /// It served a request before, and so may have died unseen.
    pub reused: bool,
}

impl Pool {
    /// Lends an idle connection.
    pub async fn idle(&self, now: Instant) -> Option<Lent> {
        while let Some(mut sender) = self.pop(now) {
            if sender.ready().await.is_ok() {
                return Some(Lent { sender, reused: true });
            }
        }
        None
    }

    /// Takes a connection back whose answer was read to its end.
    pub fn give_back(&self, sender: SendRequest<Upload>, now: Instant) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() == KEPT_MAX {
            idle.pop_front();
        }
        idle.push_back(Idle { sender, since: now });
    }

    fn pop(&self, now: Instant) -> Option<SendRequest<Upload>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| now - kept.since < IDLE_MAX && !kept.sender.is_closed());
        idle.pop_back().map(|kept| kept.sender)
    }

    /// Dials a fresh connection, a few at a time.
    ///
    /// # Errors
    /// What the dial said; hyper's own handshake does no I/O.
    pub async fn connect<D: Dial>(&self, dial: &D) -> io::Result<Lent> {
        let turn = self.dials.acquire().await.map_err(io::Error::other)?;
        let stream = dial.dial().await?;
        drop(turn);
        handshake(stream).await
    }
}

async fn handshake<S: Stream>(stream: S) -> io::Result<Lent> {
    let (sender, connection) = http1::Builder::new()
        .max_header_size(ANSWER_HEAD_MAX)
        .max_headers(ANSWER_FIELDS_MAX)
        .handshake(TokioIo::new(Patient::new(stream)))
        .await
        .map_err(io::Error::other)?;
    // Ends with its connection: when the sender is dropped or the upstream closes.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection for plain requests ended");
        }
    });
    Ok(Lent { sender, reused: false })
}
