//! Interim (1xx) answers on their way down.
//!
//! Owns their bound. Must never let a service keep us busy with them: hyper skips as many as come.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, Notify, mpsc};

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
    waiting: Mutex<mpsc::Receiver<Vec<u8>>>,
}

impl Interims {
    /// None yet.
    pub(super) fn new() -> Self {
        let (heads, waiting) = mpsc::channel(WAITING_MAX);
        Self {
            came: AtomicUsize::new(0),
            flood: Notify::new(),
            heads,
            waiting: Mutex::new(waiting),
        }
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

    /// The next for the client; pending while there is none.
    pub(super) async fn next(&self) -> Option<Vec<u8>> {
        self.waiting.lock().await.recv().await
    }

    /// What waits now.
    pub(super) fn waiting(&self) -> Option<Vec<u8>> {
        self.waiting.try_lock().ok()?.try_recv().ok()
    }

    /// Resolves when there were more than can be meant.
    pub(super) async fn flooded(&self) {
        self.flood.notified().await;
    }
}
