//! The last word to a request that was not admitted.
//!
//! Owns every byte of it: constants chosen by an enum, and a number drawn from a range. Must never see the
//! request, nor carry the reason of a failure, which is for the operator's log.

use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};

use crate::gate::Refusal;

use super::asked::Asked;
use super::body::HeldBody;

/// gRPC's UNAVAILABLE: the one status after which clients try again by themselves.
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The gate refused it.
    Refused(Refusal),
    /// Its client did not wait for the 101 (RFC 6455, section 4.1).
    EarlyBytes,
}

/// The words of one reason: a problem document (RFC 9457) and a message for gRPC.
struct Words {
    problem: &'static str,
    message: &'static str,
}

macro_rules! words {
    ($status:literal, $title:literal, $code:literal, $detail:literal) => {
        Words {
            problem: concat!(
                r#"{"type":"about:blank","title":""#,
                $title,
                r#"","status":"#,
                $status,
                r#","code":""#,
                $code,
                r#"","detail":""#,
                $detail,
                r#""}"#
            ),
            message: $detail,
        }
    };
    ($code:literal, $detail:literal) => {
        words!("503", "Service Unavailable", $code, $detail)
    };
}

impl Ended {
    const fn words(&self) -> Words {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::EarlyBytes => {
                return words!(
                    "400",
                    "Bad Request",
                    "early_bytes",
                    "bytes came before the handshake was answered"
                );
            }
        };
        match refusal {
            Refusal::Deadline => words!("deadline", "the hold ended at its deadline"),
            Refusal::QueueFull => words!("queue_full", "the gate holds as many as it may"),
            Refusal::ClientShare => words!("client_share", "this client has its share of places"),
            Refusal::Failed(_) => words!("failed", "the service failed to start"),
            Refusal::BreakerOpen => words!("breaker_open", "a breaker is open"),
            Refusal::Draining => words!("draining", "the service is going away"),
        }
    }

    /// The answer. `random`, from `[0, 1)`, spreads the return of a crowd that was refused together.
    pub(super) fn answer<B>(
        &self,
        asked: Asked,
        version: Version,
        random: f64,
    ) -> Response<HeldBody<B>> {
        match (asked, self) {
            (Asked::Grpc, Self::Refused(refusal)) => self.call_answer(refusal, random),
            _ => self.problem(version, random),
        }
    }

    fn problem<B>(&self, version: Version, random: f64) -> Response<HeldBody<B>> {
        let words = self.words();
        let mut answer = Response::new(HeldBody::of_refusal(words.problem));
        let fields = answer.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // What comes behind a refused handshake was meant for a WebSocket, and is no request. From HTTP/2
        // on the field is an error (RFC 9113, section 8.2.2).
        if version <= Version::HTTP_11 {
            fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match self {
            Self::Refused(refusal) => {
                let seconds = milliseconds_away(refusal, random).div_ceil(1_000);
                fields.insert(RETRY_AFTER, seconds.into());
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            Self::EarlyBytes => *answer.status_mut() = StatusCode::BAD_REQUEST,
        }
        answer
    }

    /// Trailers only, in the head of a 200: what gRPC clients understand (gRPC over HTTP/2, "Responses"), with
    /// the server's push-back (gRFC A6).
    fn call_answer<B>(&self, refusal: &Refusal, random: f64) -> Response<HeldBody<B>> {
        let mut answer = Response::new(HeldBody::of_refusal(""));
        let fields: &mut HeaderMap = answer.headers_mut();
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        fields.insert(HeaderName::from_static("grpc-status"), UNAVAILABLE);
        let message = HeaderValue::from_static(self.words().message);
        fields.insert(HeaderName::from_static("grpc-message"), message);
        let push_back = milliseconds_away(refusal, random).into();
        fields.insert(HeaderName::from_static("grpc-retry-pushback-ms"), push_back);
        answer
    }
}

/// How long the client should stay away.
fn milliseconds_away(refusal: &Refusal, random: f64) -> u64 {
    let (least, most) = refusal.retry_after_range();
    let room = most.saturating_sub(least).mul_f64(random.clamp(0.0, 1.0));
    u64::try_from(least.saturating_add(room).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    //! Breaks the answers with a failure whose reason must not leak, and with every reason's form.

    use http_body::Body as _;

    use super::*;
    use crate::readiness::Failure;

    fn refusals() -> [Refusal; 6] {
        [
            Refusal::Deadline,
            Refusal::QueueFull,
            Refusal::ClientShare,
            Refusal::Failed(Failure::new("postgres://user:secret@db")),
            Refusal::BreakerOpen,
            Refusal::Draining,
        ]
    }

    #[test]
    fn a16_each_reason_has_one_constant_document_with_its_own_code() {
        for refusal in refusals() {
            let ended = Ended::Refused(refusal.clone());
            let problem = ended.words().problem;
            assert!(problem.contains(&format!(r#""code":"{}""#, refusal.code())), "{problem}");
            assert!(problem.contains(r#""status":503"#) && !problem.contains("secret"));
            let answer: Response<HeldBody<String>> =
                ended.answer(Asked::Handshake, Version::HTTP_11, 0.99);
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()[CONNECTION], "close");
            assert_eq!(answer.body().size_hint().exact(), Some(problem.len() as u64));
            let seconds: u64 = answer.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
            let (least, most) = refusal.retry_after_range();
            assert!((least.as_secs()..=most.as_secs()).contains(&seconds));
        }
    }

    #[test]
    fn a_refused_call_is_trailers_only_with_status_14() {
        for refusal in refusals() {
            let answer: Response<HeldBody<String>> =
                Ended::Refused(refusal).answer(Asked::Grpc, Version::HTTP_2, 0.5);
            assert_eq!(
                (answer.status(), &answer.headers()["grpc-status"]),
                (StatusCode::OK, &UNAVAILABLE)
            );
            assert!(answer.body().is_end_stream());
            let message = answer.headers()["grpc-message"].as_bytes();
            assert!(message.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'%'));
            let away: u64 =
                answer.headers()["grpc-retry-pushback-ms"].to_str().unwrap().parse().unwrap();
            assert!(away >= 1_000);
        }
    }

    #[test]
    fn only_what_has_connections_of_its_own_is_told_to_close_them() {
        let rows = [
            (Version::HTTP_10, true),
            (Version::HTTP_11, true),
            (Version::HTTP_2, false),
            (Version::HTTP_3, false),
        ];
        for (version, closes) in rows {
            let ended = Ended::Refused(Refusal::Draining);
            let answer: Response<HeldBody<String>> = ended.answer(Asked::Plain, version, 0.5);
            assert_eq!(answer.headers().contains_key(CONNECTION), closes, "{version:?}");
        }
    }

    #[test]
    fn early_bytes_are_the_clients_own_fault() {
        let answer: Response<HeldBody<String>> =
            Ended::EarlyBytes.answer(Asked::Handshake, Version::HTTP_11, 0.0);
        assert_eq!(answer.status(), 400);
        assert!(!answer.headers().contains_key(RETRY_AFTER));
    }
}
