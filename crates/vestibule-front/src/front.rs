//! The front at work: accepts connections and serves each.
//!
//! Owns the accept loop, the only place that knows all rooms. Must never hold policy of its own.

use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use vestibule::gate::Releases;

use crate::connection;
use crate::crowd::Crowd;
use crate::listener::Listener;
use crate::listener::pauses::Pauses;
use crate::process::memory;
pub use crate::shared::{Settings, Shared};
use crate::stream::placed::Place;
use crate::upstream::dial::Dial;

/// Between two looks at whether a crowd has left.
const LOOKS_APART: Duration = Duration::from_secs(2);

/// Accepts and serves connections until it is dropped; those already accepted go on.
pub async fn accept<L: Listener, D: Dial>(front: Arc<Shared<D>>, mut listener: L) {
    let releases = front.gate.on_release();
    front.journal.watch_pauses(listener.pauses());
    let mut looks = interval(LOOKS_APART);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (pauses, crowd) = (Pauses::default(), Crowd::default());
    let mut aside = Aside { front: &front, releases, pauses, looks, crowd, gave_back: None };
    loop {
        let (stream, peer) = aside.until(listener.accept()).await;
        front.journal.accepted();
        // What is served needs more descriptors than its own. One may wait for its place unread, so that nobody
        // gives way to a newcomer that does not exist; all others wait in the kernel.
        let place = aside.place().await;
        tokio::spawn(connection::serve(Arc::clone(&front), place.seat(stream), peer));
    }
}

/// Ends `accepting`, and resolves once its listener is closed and the socket's file is gone.
pub async fn shut(accepting: JoinHandle<()>) {
    accepting.abort();
    // It says that it was ended, which we know.
    let _ = accepting.await;
}

/// What happens beside accepting, and is told.
struct Aside<'a, D: Dial> {
    front: &'a Arc<Shared<D>>,
    releases: watch::Receiver<Releases>,
    pauses: Pauses,
    looks: Interval,
    crowd: Crowd,
    /// The readiness behind which was given back what the start had needed.
    gave_back: Option<Instant>,
}

impl<D: Dial> Aside<'_, D> {
    /// The place of the next connection.
    async fn place(&mut self) -> Place {
        let places = &self.front.places;
        if let Some(place) = places.take_or_pause() {
            return place;
        }
        if let Some(spell) = self.pauses.begin(Instant::now()) {
            self.front.journal.full(places.occupancy(), spell.pauses);
        }
        let place = self.until(places.take()).await;
        self.pauses.go_on(Instant::now());
        place
    }

    /// Waits for `what`, and tells what happens meanwhile.
    async fn until<T>(&mut self, what: impl Future<Output = T>) -> T {
        let mut what = pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return done,
                Ok(()) = self.releases.changed() => self.released(),
                () = self.pauses.over() => self.goes_on(),
                _ = self.looks.tick() => self.look(),
            }
        }
    }

    fn released(&mut self) {
        self.front.dial.clear();
        if let Some(release) = self.releases.borrow_and_update().last {
            self.front.journal.released(release);
        }
    }

    fn look(&mut self) {
        let crowd_left = self.crowd.has_left(self.front.places.occupancy().open);
        if crowd_left || self.start_is_over() {
            // A thread of its own: walking the heap takes longer than a request may wait.
            tokio::task::spawn_blocking(memory::give_back);
        }
    }

    /// Whether the service has been ready for a while, for the first time that somebody asks since then.
    fn start_is_over(&mut self) -> bool {
        let ready = self.front.service.last_ready();
        let is_over = ready.is_some_and(|ready| ready.elapsed() >= LOOKS_APART);
        is_over && mem::replace(&mut self.gave_back, ready) != ready
    }

    fn goes_on(&mut self) {
        if let Some(spell) = self.pauses.end() {
            self.front.journal.has_room(spell.lasted(Instant::now()), spell.pauses);
        }
    }
}
