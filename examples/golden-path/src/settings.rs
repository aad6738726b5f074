//! What the service is told by its environment.
//!
//! Owns the names, defaults and mistakes of all variables. Must never be read by anything but `main`, and must never
//! repeat the value of one that may have a secret in it.

mod read;

use std::net::IpAddr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use vestibule::environment::{self, EnvSource};
use vestibule::startup::Phase;

pub use self::read::Mistake;
use self::read::Reader;
use crate::auth::AuthSettings;
use crate::socket::SocketSettings;

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen: `BIND`, by default 127.0.0.1, and `PORT`, by default 8080.
    pub bind: (IpAddr, u16),
    /// `DATABASE_URL`; by default `sqlite:golden-path.db`.
    pub database: String,
    /// `BUS_URL`; by default the bus is in process.
    pub bus: Option<String>,
    /// Which origins may open a socket or call the API from a page: `ORIGINS`, separated by commas. By default the
    /// service's own, as `Host` gives it.
    pub origins: Vec<String>,
    /// Who answers: `MODEL_URL`, `MODEL_NAME`, `MODEL_API_KEY`; by default the embedded model.
    pub model: Option<Endpoint>,
    /// How long the embedded model takes before each piece: `MODEL_PACE`, by default 40 ms.
    pub pace: Duration,
    /// How long each phase is made to last at least: `COLD_START`, such as `database=2s,websocket=500ms`, or one time
    /// for all of them together.
    pub cold_start: Vec<(Phase, Duration)>,
    /// How long the start may try: `START_WITHIN`, by default 240 s, the most that Cloud Run's startup probe waits
    /// (Cloud Run, "Configure container health checks").
    pub start_within: Duration,
    /// Whether the port is open only at the end: `BIND_LATE=1`. By default it is open at once, and whoever comes
    /// before the end of the start is answered as [`Early`] says.
    pub bind_late: bool,
    /// How sockets are answered that come too early: `EARLY`, `1011` by default.
    pub early: Early,
    /// Whether pages and tokens go only over HTTPS, as `X-Forwarded-Proto` says: `HTTPS_ONLY`, by default in
    /// production on a platform that ends TLS.
    pub https_only: bool,
    /// Tokens: `ACCESS_FOR`, `SESSION_FOR`, `KEY_FOR`, `NAME_ATTEMPTS`, `ADDRESS_ATTEMPTS`.
    pub auth: AuthSettings,
    /// Sockets: `HEARTBEAT`, `WRITE_WITHIN`, `SOCKETS_MAX`, `MESSAGES_A_MINUTE`.
    pub socket: SocketSettings,
    /// How long a run stays ours without a word: `LEASE`, by default 5 s.
    pub lease: Duration,
    /// What is logged: `LOG`, `error` to `trace`, by default `info`.
    pub log: LevelFilter,
}

/// How a service answers sockets that come before the end of its start. Plain requests get 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// `1011`: they are accepted and closed with that code, as in most frameworks, where the handler that meets the
    /// missing part is behind the handshake.
    Closed,
    /// `503`: they are answered like requests, as where a router or a proxy stands before the handler.
    Unavailable,
}

/// An endpoint that speaks OpenAI's streamed chat completions.
#[derive(Clone)]
pub struct Endpoint {
    /// Up to and with `/v1`.
    pub url: url::Url,
    /// The model's name there.
    pub name: String,
    /// The key, if it wants one.
    pub key: Option<String>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The phases of a start, in order; [`Phase::COMPLETE`] is what they lead to.
pub const PHASES: [Phase; 7] = [
    Phase::INIT,
    Phase::DEPENDENCIES,
    Phase::DATABASE,
    Phase::CACHE,
    Phase::SERVICES,
    Phase::WEBSOCKET,
    Phase::FINALIZE,
];

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// All mistakes at once.
    pub fn read(source: &dyn EnvSource) -> Result<Self, Vec<Mistake>> {
        let mut read = Reader::new(source);
        let surroundings = environment::detect(source);
        let in_production = surroundings.name == environment::Name::Production;
        let https_only = read.flag("HTTPS_ONLY", in_production && surroundings.platform.is_cloud());
        let settings = Self {
            bind: (
                read.parsed("BIND", "an IP address", [127, 0, 0, 1].into()),
                read.parsed("PORT", "a port", 8080),
            ),
            database: read.text("DATABASE_URL").unwrap_or_else(|| "sqlite:golden-path.db".into()),
            bus: read.text("BUS_URL"),
            origins: read.origins("ORIGINS", https_only),
            model: read.endpoint(),
            pace: read.time("MODEL_PACE", Duration::from_millis(40)),
            cold_start: read.cold_start("COLD_START"),
            start_within: read.time("START_WITHIN", Duration::from_secs(240)),
            bind_late: read.flag("BIND_LATE", false),
            early: read.choice("EARLY", &[("1011", Early::Closed), ("503", Early::Unavailable)]),
            https_only,
            auth: auth(&mut read),
            socket: SocketSettings {
                heartbeat: read.some_time("HEARTBEAT", Duration::from_secs(20)),
                write_within: read.some_time("WRITE_WITHIN", Duration::from_secs(10)),
                sockets_max: read.count("SOCKETS_MAX", 8).get() as usize,
                messages_a_minute: read.count("MESSAGES_A_MINUTE", 60).get(),
            },
            lease: read.some_time("LEASE", Duration::from_secs(5)),
            log: read.parsed("LOG", "error, warn, info, debug or trace", LevelFilter::INFO),
        };
        read.finish(settings)
    }
}

fn auth(read: &mut Reader<'_>) -> AuthSettings {
    AuthSettings {
        issuer: "golden-path".into(),
        audience: "golden-path".into(),
        access_for: read.some_time("ACCESS_FOR", Duration::from_secs(15 * 60)),
        session_for: read.some_time("SESSION_FOR", Duration::from_secs(30 * 24 * 3600)),
        key_for: read.some_time("KEY_FOR", Duration::from_secs(24 * 3600)),
        name_attempts: read.count("NAME_ATTEMPTS", 10),
        address_attempts: read.count("ADDRESS_ATTEMPTS", 60),
    }
}
