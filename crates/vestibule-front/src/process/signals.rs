//! What is sent to us, as one typed stream.
//!
//! Owns the list of signals that mean something to the front. Must never act on one. Rust ignores
//! `SIGPIPE` from the start, and [`child`](super::child) gives the service the default back.

use std::fmt;
use std::io;
use std::task::{Context, Poll};

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// A signal that the front understands or passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `SIGTERM`: drain and end.
    Terminate,
    /// `SIGINT`: the same, from a terminal.
    Interrupt,
    /// `SIGHUP`: reload.
    Hangup,
    /// `SIGQUIT`: show the state.
    Quit,
    /// `SIGUSR1`: the service's own.
    User1,
    /// `SIGUSR2`: the service's own.
    User2,
    /// `SIGWINCH`: the terminal changed its size; the service's own.
    WindowChange,
}

impl Signal {
    /// Every one, the most urgent first: two that arrive together are reported in this order.
    pub const ALL: [Self; 7] = [
        Self::Terminate,
        Self::Interrupt,
        Self::Quit,
        Self::Hangup,
        Self::User1,
        Self::User2,
        Self::WindowChange,
    ];

    /// The number on this platform, signal(7).
    pub fn as_raw(self) -> i32 {
        self.as_rustix().as_raw()
    }

    /// The name as in signal(7).
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Hangup => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
            Self::WindowChange => "SIGWINCH",
        }
    }

    pub(super) fn as_rustix(self) -> rustix::process::Signal {
        use rustix::process::Signal as Raw;
        match self {
            Self::Terminate => Raw::TERM,
            Self::Interrupt => Raw::INT,
            Self::Hangup => Raw::HUP,
            Self::Quit => Raw::QUIT,
            Self::User1 => Raw::USR1,
            Self::User2 => Raw::USR2,
            Self::WindowChange => Raw::WINCH,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The stream. From [`Signals::install`] on, none of these signals ends the process by itself, and
/// that holds for the rest of the process's life, even after this value is dropped.
#[derive(Debug)]
pub struct Signals {
    streams: Vec<(Signal, Stream)>,
}

impl Signals {
    /// Takes the signals over. Call it before the first child is started: a signal that arrives
    /// earlier ends the process as the kernel sees fit, which then leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses a handler, or outside a runtime that drives I/O.
    pub fn install() -> io::Result<Self> {
        let streams = Signal::ALL
            .into_iter()
            .map(|kind| Ok((kind, signal(SignalKind::from_raw(kind.as_raw()))?)))
            .collect::<io::Result<_>>()?;
        Ok(Self { streams })
    }

    /// The next signal. Those of one kind that arrive before it is called count as one.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Signal> {
        // A stream that ended (`Ready(None)`) cannot be; were it so, it would never be ready again.
        for (kind, stream) in &mut self.streams {
            if let Poll::Ready(Some(())) = stream.poll_recv(context) {
                return Poll::Ready(*kind);
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    //! Sends real signals to our own process and expects each one back, once and under its name.
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[test]
    fn names_are_those_of_the_numbers() {
        for kind in Signal::ALL {
            assert_eq!(crate::process::exit::signal_name(kind.as_raw()), Some(kind.name()));
        }
    }

    #[tokio::test]
    async fn f36_each_signal_arrives_once_under_its_name() {
        let mut signals = Signals::install().unwrap();
        let own = rustix::process::getpid();
        for kind in Signal::ALL.into_iter().rev() {
            rustix::process::kill_process(own, kind.as_rustix()).unwrap();
        }
        let mut seen = Vec::new();
        while seen.len() < Signal::ALL.len() {
            seen.push(timeout(Duration::from_secs(5), signals.next()).await.unwrap());
        }
        seen.sort_by_key(|kind| Signal::ALL.iter().position(|known| known == kind));
        assert_eq!(seen, Signal::ALL);
        assert!(timeout(Duration::from_millis(50), signals.next()).await.is_err());
    }
}
