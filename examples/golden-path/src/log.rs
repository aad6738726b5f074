//! The log: one line of JSON for each step of the golden path.
//!
//! Owns the names of steps, and the lines' form. Must never be given a secret, or what a user said.

use tracing::level_filters::LevelFilter;

/// A step of the golden path. The same correlation goes from the handshake to `agent_completed`.
///
/// ```text
/// {"level":"INFO","message":"golden path","step":"message_stored","correlation":"…","user":"…",…}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A WebSocket handshake came.
    Handshake,
    /// Its token is good.
    Authenticated,
    /// The socket is open, and has what it missed.
    Opened,
    /// A message came.
    MessageReceived,
    /// It is stored.
    MessageStored,
    /// An event of the run is stored, by its name: `agent_started` to `agent_completed`.
    Event(&'static str),
    /// The run was taken over from an instance that died.
    TakenOver,
    /// `agent_completed` was written to a socket.
    Delivered,
    /// The socket is closed.
    Closed,
}

impl Step {
    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Authenticated => "authenticated",
            Self::Opened => "opened",
            Self::MessageReceived => "message_received",
            Self::MessageStored => "message_stored",
            Self::Event(name) => name,
            Self::TakenOver => "taken_over",
            Self::Delivered => "delivered",
            Self::Closed => "closed",
        }
    }

    /// Writes its line.
    pub fn log(self, correlation: &str) {
        tracing::info!(target: "golden_path", step = self.name(), correlation, "golden path");
    }
}

/// Begins to log: JSON, one line for each event, on standard error.
pub fn start(level: LevelFilter) {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
}
