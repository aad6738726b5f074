//! The front at work: accepts connections and serves each.
//!
//! Owns the accept loop, the only place that knows all rooms. Must never hold policy of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection;
use crate::journal;
use crate::listener::Listener;
pub use crate::shared::{Settings, Shared};
use crate::stream::placed::Places;
use crate::upstream::dial::Dial;

/// How often the log may say that newcomers wait in the kernel.
const FULL_SAID_EVERY: Duration = Duration::from_secs(5);

/// Accepts and serves connections until it is dropped; those already accepted go on.
pub async fn accept<L: Listener, D: Dial>(front: Arc<Shared<D>>, mut listener: L) {
    let mut releases = front.gate.on_release();
    let places = Places::new(front.settings().connections_max);
    let mut full = Full::default();
    loop {
        let next = async {
            // Taken first: what is accepted has a descriptor, and what is admitted needs another.
            full.look(&places, Instant::now());
            let place = places.take().await;
            let (stream, peer) = listener.accept().await;
            (place.seat(stream), peer)
        };
        tokio::select! {
            (stream, peer) = next => {
                tokio::spawn(connection::serve(Arc::clone(&front), stream, peer));
            }
            Ok(()) = releases.changed() => {
                front.dial.clear();
                if let Some(release) = releases.borrow_and_update().last {
                    journal::released(release);
                }
            }
        }
    }
}

/// Says that every place is taken, and not more often than one can read.
#[derive(Default)]
struct Full {
    said: Option<Instant>,
}

impl Full {
    fn look(&mut self, places: &Places, now: Instant) {
        let is_news = self.said.is_none_or(|said| now - said >= FULL_SAID_EVERY);
        if is_news && places.are_taken() {
            self.said = Some(now);
            tracing::warn!("as many connections as may be are open: newcomers wait in the kernel");
        }
    }
}
