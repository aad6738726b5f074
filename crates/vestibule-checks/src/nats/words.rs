//! What a NATS server's errors mean.
//!
//! Owns the table from its words to ours. Must never decide by a word that anybody could have chosen.

use serde::Deserialize;
use vestibule::check::{Reason, Trouble};

/// How errors of nats-server begin, in lower case (server/errors.go), and what they mean.
const ERRORS: [(&str, Reason); 17] = [
    ("authorization violation", Reason::WrongCredentials),
    ("user authentication expired", Reason::WrongCredentials),
    ("user authentication revoked", Reason::WrongCredentials),
    ("account authentication expired", Reason::WrongCredentials),
    ("authentication expired", Reason::WrongCredentials),
    ("permissions violation", Reason::NotPermitted),
    ("maximum connections exceeded", Reason::Overloaded),
    ("maximum account active connections exceeded", Reason::Overloaded),
    ("maximum subscriptions exceeded", Reason::Overloaded),
    ("server shutdown", Reason::ShuttingDown),
    ("stale connection", Reason::Busy),
    ("authentication timeout", Reason::Busy),
    ("secure connection - tls required", Reason::TlsFailed),
    ("attempted to connect to", Reason::Protocol),
    ("unknown protocol operation", Reason::Protocol),
    ("invalid client protocol", Reason::Protocol),
    ("parser error", Reason::Protocol),
];

/// The trouble behind `-ERR`.
pub(super) fn trouble_of(words: &str) -> Trouble {
    let lower = words.to_lowercase();
    let known = ERRORS.iter().find(|(begin, _)| lower.starts_with(begin));
    Trouble::new(known.map_or(Reason::Other, |(_, reason)| *reason), words)
}

/// What JetStream answers where something is wrong.
#[derive(Deserialize)]
struct Refused {
    error: Option<JetStreamError>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct JetStreamError {
    code: u16,
    err_code: u32,
    description: String,
}

/// What an answer of JetStream says is wrong (codes of nats-server, server/errors.json).
pub(super) fn refused(answer: &[u8]) -> Result<(), Trouble> {
    let Ok(Refused { error }) = serde_json::from_slice(answer) else {
        return Err(Trouble::new(Reason::Protocol, "JetStream's answer is no JSON"));
    };
    let Some(error) = error else {
        return Ok(());
    };
    let reason = match (error.err_code, error.code) {
        // JetStream not enabled: for the account, for the server, both also without the finer code.
        (10_039 | 10_076, _) => Reason::NoJetStream,
        (10_059, _) => Reason::NoSuchStream,
        (_, 401 | 403) => Reason::NotPermitted,
        (_, 404) => Reason::NoSuchStream,
        // No leader yet, or no quorum: it comes.
        (_, 503) => Reason::StartingUp,
        _ => Reason::Other,
    };
    Err(Trouble::new(reason, error.description))
}

#[cfg(test)]
mod tests {
    //! Holds the words of nats-server against ours, and breaks the reader of JetStream's answers.

    use super::*;

    #[test]
    fn f33_the_words_of_a_server_have_their_reasons() {
        for (words, reason) in [
            ("Authorization Violation", Reason::WrongCredentials),
            ("maximum connections exceeded", Reason::Overloaded),
            ("Permissions Violation for Publish to \"$JS.API.INFO\"", Reason::NotPermitted),
            ("Unknown Protocol Operation", Reason::Protocol),
            ("Something New", Reason::Other),
        ] {
            let trouble = trouble_of(words);
            assert_eq!((trouble.reason(), trouble.detail()), (reason, words));
        }
    }

    #[test]
    fn jetstreams_errors_have_their_reasons() {
        let answer = |code: u16, err_code: u32| {
            let text = format!("{{\"error\":{{\"code\":{code},\"err_code\":{err_code}}}}}");
            refused(text.as_bytes()).unwrap_err().reason()
        };
        assert_eq!(answer(503, 10_039), Reason::NoJetStream);
        assert_eq!(answer(503, 10_076), Reason::NoJetStream);
        assert_eq!(answer(503, 10_008), Reason::StartingUp);
        assert_eq!(answer(404, 10_059), Reason::NoSuchStream);
        assert_eq!(answer(400, 1), Reason::Other);
        assert_eq!(refused(b"{\"type\":\"x\"}"), Ok(()));
        assert_eq!(refused(b"<html>").unwrap_err().reason(), Reason::Protocol);
        assert_eq!(refused(b"[]").unwrap_err().reason(), Reason::Protocol);
    }
}
