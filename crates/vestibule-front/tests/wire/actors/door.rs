//! The real front, on a port of its own in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use vestibule::check::Checked;
use vestibule::environment::{Name, Platform};
use vestibule::gate::{Arrival, Kind, Limits};
use vestibule::startup::Phases;
use vestibule::timeouts::Factors;
use vestibule::validation::Validation;
use vestibule_front::drain;
use vestibule_front::farewell::Style;
use vestibule_front::front::{Settings, Shared, accept};
use vestibule_front::head::HeadLimits;
use vestibule_front::head::forwarded::Trust;
use vestibule_front::listener::{Listen, PublicListener};
use vestibule_front::process::signals::Signals;
use vestibule_front::supervise::Patience;
use vestibule_front::supervise::serve::serve;
use vestibule_front::tunnel::close::CloseCode;
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::{Evidence, Readiness};
use vestibule_front::upstream::settle::StatusRules;

use super::{PLACE_FREED_WITHIN, client::Client, comes_true, until};

/// A front that accepts.
pub(crate) struct Door {
    pub(crate) front: Arc<Shared<Upstream>>,
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Door {
    /// A front before the service on `port`, not ready.
    pub(crate) fn before(port: u16) -> Self {
        Self::with(port, |_| ())
    }

    /// The same with other settings.
    pub(crate) fn with(port: u16, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let front = Shared::new(settings, Upstream::Loopback(port));
        let listener = PublicListener::bind(&Listen::Tcp(([127, 0, 0, 1], 0).into())).unwrap();
        let address = listener.local().parse().unwrap();
        let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
        Self { front, address, accepting }
    }

    /// A front that probes the service on `port` by itself, and asks these checks.
    #[allow(dead_code, reason = "not every suite has checks")]
    pub(crate) fn serving(
        port: u16,
        checks: Vec<Checked>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let factors = Factors::derive(Name::Local, Platform::LocalHost);
        let validation = Validation::new(checks, factors);
        let front = Shared::checked(settings, Upstream::Loopback(port), validation);
        let listener = PublicListener::bind(&Listen::Tcp(([127, 0, 0, 1], 0).into())).unwrap();
        let address = listener.local().parse().unwrap();
        let (shared, signals) = (Arc::clone(&front), Signals::install().unwrap());
        let accepting = tokio::spawn(async move {
            serve(shared, listener, Readiness::Tcp, signals).await;
        });
        Self { front, address, accepting }
    }

    /// A front that was told that the service is ready.
    pub(crate) fn ready_before(port: u16) -> Self {
        let door = Self::before(port);
        door.ready();
        door
    }

    /// A front before a service that has proved itself, so that no hand-over must settle.
    pub(crate) fn warm_before(port: u16) -> Self {
        let door = Self::ready_before(port);
        door.warms();
        door
    }

    /// The service was seen to listen.
    pub(crate) fn ready(&self) {
        self.front.service.found(Evidence::Connected, Instant::now());
    }

    /// A hand-over survived.
    pub(crate) fn warms(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let arrival =
            Arrival { kind: Kind::Handshake { route: 0 }, bytes: 0, deadline, client: None };
        let mut admitted = std::pin::pin!(self.front.gate.admit(arrival));
        let Poll::Ready(Ok(permit)) =
            admitted.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("a ready door sends its first scout at once");
        };
        self.front.service.survived(permit, Instant::now());
    }

    pub(crate) fn held(&self) -> usize {
        self.front.gate.counts().held
    }

    pub(crate) async fn holds(&self, count: usize) {
        until("so many are held", || self.held() == count).await;
    }

    /// Asserts that every place is free within the time that A4 allows.
    pub(crate) async fn frees_every_place(&self) {
        let freed = comes_true(PLACE_FREED_WITHIN, || self.held() == 0).await;
        assert!(freed, "{} places were not freed in time", self.held());
    }

    /// A client of this front that says `words`.
    pub(crate) async fn client(&self, words: impl AsRef<[u8]>) -> Client {
        Client::saying(self.address, words).await
    }

    /// Refuses whoever comes and closes what is open, as after SIGTERM.
    pub(crate) fn drains(&self, window: Duration) {
        let now = Instant::now();
        self.front.service.refuse_draining(now);
        self.front.drain.begin(self.front.settings().drain_code, window, now);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What every front here begins with.
pub(crate) fn settings() -> Settings {
    Settings {
        head: HeadLimits::default(),
        head_timeout: Duration::from_secs(10),
        client_idle: Duration::from_secs(30),
        hold: Duration::from_secs(15),
        request_timeout: None,
        platform_queues: false,
        limits: Limits::default(),
        dial_ahead: 0,
        connections_max: usize::MAX,
        settle: Duration::from_millis(150),
        try_timeout: Duration::from_secs(5),
        status_rules: StatusRules::default(),
        refusal: Style::Http,
        public_health: None,
        ready_path: None,
        trust: Trust::Nobody,
        drain_code: CloseCode::RESTARTING,
        drain_reason: drain::REASON.to_owned(),
        patience: Patience {
            startup: Duration::from_secs(60),
            lame_duck: Duration::ZERO,
            drain: Duration::from_secs(8),
            child_grace: Duration::from_secs(2),
        },
        phases: Phases::default(),
    }
}
