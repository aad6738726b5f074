//! Interim (1xx) answers on their way down.
//!
//! Owns their bound. Must never let a service keep us busy with them: hyper skips as many as come.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, mpsc};

/// Interim answers of one request (RFC 9110 section 15.2 sets no bound). A service that says 102 every
/// ten seconds reaches it after a quarter of an hour.
const INTERIM_MAX: usize = 100;
/// Of these, so many wait for the client; more are dropped.
const WAITING_MAX: usize = 16;

/// What has come of interim answers for one request.
pub(super) struct Interims {
    came: AtomicUsize,
    flood: Notify,
    heads: mpsc::Sender<Vec<u8>>,
}

impl Interims {
    /// None yet; the heads for the client come out of the other end.
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Vec<u8>>) {
        let (heads, waiting) = mpsc::channel(WAITING_MAX);
        let interims = Self { came: AtomicUsize::new(0), flood: Notify::new(), heads };
        (Arc::new(interims), waiting)
    }

    /// One more came; `head` if the client shall have it.
    pub(super) fn came(&self, head: Option<Vec<u8>>) {
        if self.came.fetch_add(1, Ordering::Relaxed) == INTERIM_MAX {
            self.flood.notify_one();
        }
        if let Some(head) = head {
            let _ = self.heads.try_send(head);
        }
    }

    /// Resolves when there were more than can be meant.
    pub(super) async fn flooded(&self) {
        self.flood.notified().await;
    }
}
