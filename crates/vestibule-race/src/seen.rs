//! What one client saw, in words a person can act on.
//!
//! Owns the outcomes, their names and which of them mean a lost user. Pure.

use std::time::Duration;

use crate::evidence::Readiness;

/// How one client's attempt ended.
///
/// The order is the order of rows in a report: the good one first, then by how far the client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// Got its 101 and a conversation: an answer, or a socket still open after the settle window.
    Ok,
    /// Nobody listened on the port.
    Refused,
    /// The address cannot be reached, or this machine has no socket left for it.
    Unreachable,
    /// The connection was accepted, then ended without an answer to the handshake.
    Reset,
    /// The handshake was answered with this HTTP status in place of 101.
    Status(u16),
    /// Got its 101, then lost the socket: the code of RFC 6455 section 7.4.1 that came in the
    /// Close, 1005 for a Close without a code, 1006 for an end without a Close.
    Closed(u16),
    /// No 101 within the client's own timeout, or no reply where one was required.
    TimedOut,
    /// An answer that is neither HTTP nor WebSocket, or a wrong accept value.
    ProtocolError,
}

impl Seen {
    /// Whether a user behind this client would have seen a failure.
    #[must_use]
    pub fn is_lost(self) -> bool {
        self != Self::Ok
    }

    /// The short name used in reports: `ok`, `refused`, `503`, `closed 1011`, `timed out`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Ok => "ok".into(),
            Self::Refused => "refused".into(),
            Self::Unreachable => "unreachable".into(),
            Self::Reset => "reset".into(),
            Self::Status(status) => format!("status {status}"),
            Self::Closed(code) => format!("closed {code}"),
            Self::TimedOut => "timed out".into(),
            Self::ProtocolError => "protocol error".into(),
        }
    }

    /// The same as a stable key for machines: the label with `_` for each space.
    #[must_use]
    pub fn key(self) -> String {
        self.label().replace(' ', "_")
    }
}

/// One client's visit. All moments are counted from the start of the race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's number, in order of arrival, from 0.
    pub number: usize,
    /// When it began to dial.
    pub arrived: Duration,
    /// When it had read its whole 101.
    pub at_101: Option<Duration>,
    /// When the first message came from the service.
    pub first_reply: Option<Duration>,
    /// When it was done, one way or the other.
    pub ended: Duration,
    /// How it ended.
    pub seen: Seen,
}

impl Client {
    /// The lag in microseconds: from readiness to this client's 101, or from its arrival where it
    /// came after readiness.
    ///
    /// Negative when the service sent the 101 before it was ready. `None` without a 101.
    #[must_use]
    pub fn lag_us(&self, ready: &Readiness) -> Option<i64> {
        let from = ready.at.max(self.arrived);
        self.at_101.map(|at| micros(at) - micros(from))
    }

    /// Whether it came before the service was ready.
    #[must_use]
    pub fn came_early(&self, ready: &Readiness) -> bool {
        self.arrived < ready.at
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;

    fn client(arrived_ms: u64, at_101_ms: Option<u64>) -> Client {
        Client {
            number: 0,
            arrived: Duration::from_millis(arrived_ms),
            at_101: at_101_ms.map(Duration::from_millis),
            first_reply: None,
            ended: Duration::from_secs(9),
            seen: Seen::Ok,
        }
    }

    // Breaks the lag's arithmetic on each side of readiness, which is at 2.5 s.
    #[test]
    fn lag_counts_from_readiness_or_from_a_later_arrival() {
        let ready = Readiness { at: Duration::from_millis(2500), source: Source::Stamp };
        assert_eq!(client(100, Some(2512)).lag_us(&ready), Some(12_000));
        assert_eq!(client(3000, Some(3004)).lag_us(&ready), Some(4_000));
        assert_eq!(client(600, Some(601)).lag_us(&ready), Some(-1_899_000));
        assert_eq!(client(600, None).lag_us(&ready), None);
        assert!(client(2499, None).came_early(&ready));
        assert!(!client(2500, None).came_early(&ready));
    }

    #[test]
    fn only_ok_is_not_lost() {
        let all = [
            Seen::Refused,
            Seen::Unreachable,
            Seen::Reset,
            Seen::Status(503),
            Seen::Closed(1000),
            Seen::TimedOut,
            Seen::ProtocolError,
        ];
        assert!(all.iter().all(|seen| seen.is_lost()));
        assert!(!Seen::Ok.is_lost());
        assert_eq!(Seen::Closed(1011).key(), "closed_1011");
    }
}
