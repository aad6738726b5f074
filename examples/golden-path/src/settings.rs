//! What the service is told by its environment.
//!
//! Owns the names, defaults and mistakes of all variables. Must never be read by anything but `main`.

use std::net::IpAddr;
use std::time::Duration;

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
    /// service's own, as `Host` and `X-Forwarded-Proto` give it.
    pub origins: Vec<String>,
    /// Who answers: `MODEL_URL`, `MODEL_NAME`, `MODEL_API_KEY`; by default the embedded model.
    pub model: Option<Endpoint>,
    /// How long the embedded model takes between two pieces: `MODEL_PACE`, by default 40 ms.
    pub pace: Duration,
    /// How long each phase is made to last at least: `COLD_START`, such as `database=2s,websocket=500ms`.
    pub cold_start: Vec<(String, Duration)>,
    /// Whether the port is open only at the end: `BIND_LATE=1`. By default it is open at once, and whoever comes
    /// before the end of the start is answered as most services do: 503, and sockets are closed with 1011.
    pub bind_late: bool,
    /// Whether we are in production: pages and tokens only over HTTPS, as `X-Forwarded-Proto` says.
    pub https_only: bool,
    /// Tokens: `ACCESS_FOR`, `SESSION_FOR`, `KEY_FOR`.
    pub auth: AuthSettings,
    /// Sockets: `HEARTBEAT`, `WRITE_WITHIN`, `SOCKETS_MAX`, `MESSAGES_A_MINUTE`.
    pub socket: SocketSettings,
    /// How long a run stays ours without a word: `LEASE`, by default 5 s.
    pub lease: Duration,
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
