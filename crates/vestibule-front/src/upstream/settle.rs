//! What makes a hand-over settled.
//!
//! Owns the judgement of an upstream's first answer and first bytes. Must never decide who
//! tries again: it says what was seen, and the gate counts.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::tunnel::frames::Follower;
use crate::upstream::probe::Evidence;
use crate::upstream::shortage::Shortage;

/// What a server that speaks first may send before its hand-over has settled.
pub const FIRST_WORDS_MAX: usize = 64 * 1024;

/// Why a try did not settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// Nobody listens at the upstream's address.
    #[error("the upstream refused the connection")]
    Refused,
    /// We lack what a connection needs; of the service nothing was learnt.
    #[error("the door could not dial: {0}")]
    Short(Shortage),
    /// The connection broke before the handshake was answered.
    #[error("the upstream broke off before it answered")]
    BrokeOff,
    /// No answer came within the try's time.
    #[error("the upstream did not answer in time")]
    Silent,
    /// The answer's status says "not now".
    #[error("the upstream answered {0}")]
    Status(u16),
    /// It switched protocols and at once sent a Close that means "not now".
    #[error("the upstream accepted and closed with {0}")]
    Close(u16),
    /// It switched protocols and at once was gone without a Close.
    #[error("the upstream accepted and was gone")]
    Gone,
}

/// Which of the less certain statuses count as "not now".
#[derive(Clone, Copy, Debug, Default)]
pub struct StatusRules {
    /// 403 and 404 do too: for services that mount their routes late.
    pub forbidden_and_not_found: bool,
}

/// The settle window for a first hand-over: the whole of `settle` unless the evidence of
/// readiness is better than an open port. A service that said `READY=1` gets a fiftieth of it,
/// a ready path that had said no before it said yes a fifth: both were seen to tell the truth.
pub fn window(settle: Duration, evidence: Evidence) -> Duration {
    match evidence {
        Evidence::Notified => settle / 50,
        Evidence::Answered { refused_before: true } => settle / 5,
        Evidence::Answered { refused_before: false } | Evidence::Connected => settle,
    }
}

/// Whether an answer other than 101 means "not now". A young service's 500 does too.
pub fn status_is_unsettled(status: u16, young: bool, rules: StatusRules) -> bool {
    match status {
        502..=504 => true,
        500 => young,
        403 | 404 => rules.forbidden_and_not_found,
        _ => false,
    }
}

/// Whether a Close of a service that just switched protocols means "not now": an internal error,
/// a restart, or "try again later" (RFC 6455 section 7.4.1 and the IANA registry).
pub fn close_is_unsettled(code: u16) -> bool {
    matches!(code, 1011..=1013)
}

/// Watches the first bytes of a switched connection until `until`. `words` holds what came with
/// the 101; what else comes is appended, up to [`FIRST_WORDS_MAX`].
///
/// # Errors
/// Why the hand-over did not settle. A Close with any other code settles: it is the service's
/// answer, and goes to the client as it is.
pub async fn watch<S>(stream: &mut S, words: &mut Vec<u8>, until: Instant) -> Result<(), Unsettled>
where
    S: AsyncRead + Unpin,
{
    let mut follower = Follower::new();
    let mut seen = 0;
    loop {
        follower.follow(&words[seen..]);
        seen = words.len();
        if let Some(close) = follower.close_seen() {
            match close.code {
                Some(code) if close_is_unsettled(code) => return Err(Unsettled::Close(code)),
                Some(_) => return Ok(()),
                // Its code has not arrived; without one it is a plain goodbye.
                None if follower.at_boundary() => return Ok(()),
                None => {}
            }
        }
        let room = FIRST_WORDS_MAX.saturating_sub(words.len());
        if room == 0 {
            tokio::time::sleep_until(until).await;
            return Ok(());
        }
        match timeout_at(until, stream.take(room as u64).read_buf(words)).await {
            Err(_elapsed) => return Ok(()),
            Ok(Ok(count)) if count > 0 => {}
            Ok(Ok(_) | Err(_)) => return Err(Unsettled::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    const WINDOW: Duration = Duration::from_millis(100);

    /// Feeds `script` (bytes, or `None` to hang up) and says what the window made of it.
    async fn judged(script: &[Option<&[u8]>]) -> (Result<(), Unsettled>, Vec<u8>) {
        let (mut door, mut service) = duplex(1 << 20);
        let mut words = Vec::new();
        let until = Instant::now() + WINDOW;
        let speak = async {
            for step in script {
                match step {
                    Some(bytes) => service.write_all(bytes).await.unwrap(),
                    None => {
                        drop(service);
                        return None;
                    }
                }
            }
            Some(service)
        };
        let (service, judged) = tokio::join!(speak, watch(&mut door, &mut words, until));
        drop(service);
        (judged, words)
    }

    #[tokio::test(start_paused = true)]
    async fn f07_a_close_that_means_not_now_does_not_settle_and_others_do() {
        for (code, settles) in
            [(1011, false), (1012, false), (1013, false), (1000, true), (4401, true)]
        {
            let close = [&[0x88, 2][..], &u16::to_be_bytes(code)].concat();
            let (judged, words) = judged(&[Some(&close)]).await;
            assert_eq!(judged.is_ok(), settles, "{code}");
            assert_eq!(words, close);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_speaks_first_keeps_its_words_and_settles() {
        let (judged, words) = judged(&[Some(b"\x81\x05hello")]).await;
        assert_eq!(judged, Ok(()));
        assert_eq!(words, b"\x81\x05hello");
    }

    #[tokio::test(start_paused = true)]
    async fn words_followed_by_a_close_or_by_silence_for_ever_are_told_apart() {
        let (closed, _) = judged(&[Some(b"\x81\x02hi"), Some(b"\x88\x02\x03\xf3")]).await;
        assert_eq!(closed, Err(Unsettled::Close(1011)));
        let (gone, _) = judged(&[Some(b"\x81\x02hi"), None]).await;
        assert_eq!(gone, Err(Unsettled::Gone));
        let (silent, _) = judged(&[]).await;
        assert_eq!(silent, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn first_words_are_bounded() {
        let flood = vec![0x82; FIRST_WORDS_MAX + 10];
        let (judged, words) = judged(&[Some(&flood)]).await;
        assert_eq!(judged, Ok(()));
        assert_eq!(words.len(), FIRST_WORDS_MAX);
    }

    #[test]
    fn only_a_young_service_is_forgiven_a_500() {
        let rules = StatusRules::default();
        assert!(status_is_unsettled(500, true, rules));
        assert!(!status_is_unsettled(500, false, rules));
        assert!(status_is_unsettled(503, false, rules));
        assert!(!status_is_unsettled(404, true, rules));
        assert!(status_is_unsettled(404, true, StatusRules { forbidden_and_not_found: true }));
        assert!(!status_is_unsettled(401, true, rules));
    }
}
