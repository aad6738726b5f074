//! What a NATS server says, one operation at a time.
//!
//! Owns reading the protocol (docs.nats.io, "NATS Protocol") as a pure function over bytes. Must never look at a
//! byte twice because more came, and never wait for what can't become an operation any more.

use serde::Deserialize;

/// One operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Info(Box<Info>),
    Ping,
    Pong,
    Fine,
    Error(String),
    Message { subject: String, answer: Answer },
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Words(Vec<u8>),
    /// Status 503 in the headers: nobody listens at that subject.
    Nobody,
}

/// What a server says of itself.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) version: String,
    pub(super) tls_required: bool,
    pub(super) tls_available: bool,
    pub(super) headers: bool,
    pub(super) nonce: String,
    #[serde(rename = "ldm")]
    pub(super) lame_duck: bool,
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// An operation, and how many bytes it took.
    Said(Said, usize),
    /// Nothing yet: the line has no end.
    Unended,
    /// Nothing yet: with fewer bytes than this it stays so.
    Wants(usize),
    /// Nothing that NATS says.
    Garbage,
}

/// The words that begin an operation of a server.
const VERBS: [&[u8]; 7] = [b"INFO", b"PING", b"PONG", b"+OK", b"-ERR", b"MSG", b"HMSG"];

/// Longest word of [`VERBS`].
const VERB_MAX: usize = 4;

/// Reads one operation. No line ends within the first `searched` bytes.
pub(super) fn read(bytes: &[u8], searched: usize) -> Read {
    if !may_begin(bytes) {
        return Read::Garbage;
    }
    let from = searched.saturating_sub(1).min(bytes.len());
    let Some(end) = bytes[from..].windows(2).position(|pair| pair == b"\r\n") else {
        return Read::Unended;
    };
    let (line, after) = (&bytes[..from + end], from + end + 2);
    let Ok(line) = std::str::from_utf8(line) else {
        return Read::Garbage;
    };
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let rest = rest.trim();
    match verb {
        "PING" => Read::Said(Said::Ping, after),
        "PONG" => Read::Said(Said::Pong, after),
        "+OK" => Read::Said(Said::Fine, after),
        "-ERR" => Read::Said(Said::Error(rest.trim_matches('\'').to_owned()), after),
        "INFO" => match serde_json::from_str(rest) {
            Ok(info) => Read::Said(Said::Info(Box::new(info)), after),
            Err(_) => Read::Garbage,
        },
        "MSG" => message(bytes, rest, after, false),
        "HMSG" => message(bytes, rest, after, true),
        _ => Read::Garbage,
    }
}

/// Whether these bytes, which may be the first of many, can begin an operation.
fn may_begin(bytes: &[u8]) -> bool {
    let begun = &bytes[..bytes.len().min(VERB_MAX)];
    VERBS.iter().any(|verb| {
        let common = begun.len().min(verb.len());
        begun[..common] == verb[..common]
    })
}

/// `MSG subject sid [reply] size`, `HMSG subject sid [reply] head size`, and as many bytes behind it.
fn message(bytes: &[u8], line: &str, after: usize, has_head: bool) -> Read {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let fixed = if has_head { 4 } else { 3 };
    if words.len() != fixed && words.len() != fixed + 1 {
        return Read::Garbage;
    }
    let number = |from_end: usize| words[words.len() - from_end].parse::<usize>().ok();
    let size = number(1);
    let head = if has_head { number(2) } else { Some(0) };
    let (Some(size), Some(head)) = (size, head) else {
        return Read::Garbage;
    };
    let Some(end) = after.checked_add(size).and_then(|end| end.checked_add(2)) else {
        return Read::Garbage;
    };
    if head > size {
        return Read::Garbage;
    }
    if bytes.len() < end {
        return Read::Wants(end);
    }
    if &bytes[end - 2..end] != b"\r\n" {
        return Read::Garbage;
    }
    let (head, body) = bytes[after..end - 2].split_at(head);
    let answer = if head.starts_with(b"NATS/1.0 503") {
        Answer::Nobody
    } else {
        Answer::Words(body.to_vec())
    };
    Read::Said(Said::Message { subject: words[0].to_owned(), answer }, end)
}

#[cfg(test)]
mod tests {
    //! Breaks the reader with bytes of any kind, cut anywhere, and with sizes that no memory holds.

    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> Said {
        match read(text.as_bytes(), 0) {
            Read::Said(said, used) if used == text.len() => said,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn every_operation_is_read() {
        assert_eq!(said("PING\r\n"), Said::Ping);
        assert_eq!(said("PONG\r\n"), Said::Pong);
        assert_eq!(said("+OK\r\n"), Said::Fine);
        let words = "Authorization Violation";
        assert_eq!(said(&format!("-ERR '{words}'\r\n")), Said::Error(words.to_owned()));
        assert_eq!(said("-ERR\r\n"), Said::Error(String::new()));
        let Said::Info(info) = said("INFO {\"version\":\"2.9.10\",\"ldm\":true,\"new\":[1]} \r\n")
        else {
            panic!("no info")
        };
        assert_eq!((info.version.as_str(), info.lame_duck, info.headers), ("2.9.10", true, false));
        let answer = Answer::Words(b"{}".to_vec());
        let subject = "_INBOX.a".to_owned();
        assert_eq!(said("MSG _INBOX.a 1 2\r\n{}\r\n"), Said::Message { subject, answer });
        let subject = "_INBOX.a".to_owned();
        let none = "HMSG _INBOX.a 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n";
        assert_eq!(said(none), Said::Message { subject, answer: Answer::Nobody });
    }

    #[test]
    fn f28_what_is_not_nats_is_known_by_its_first_bytes() {
        for text in [
            "HT",
            "SSH-2.0-x",
            "\0\0",
            "INFX",
            "-ERX",
            "PONGO\r\n",
            "INFO {\r\n",
            "INFO \u{e9}\r\n",
        ] {
            assert_eq!(read(text.as_bytes(), 0), Read::Garbage, "{text:?}");
        }
        assert_eq!(read(b"INFO \xff\r\n", 0), Read::Garbage);
        for text in ["", "I", "+", "-ERR", "INFO {\r"] {
            assert_eq!(read(text.as_bytes(), 0), Read::Unended, "{text:?}");
        }
    }

    #[test]
    fn a25_sizes_that_nobody_holds_are_told_before_a_byte_is_kept() {
        let line = b"MSG a 1 1000000\r\n";
        assert_eq!(read(line, 0), Read::Wants(line.len() + 1_000_002));
        for size in [usize::MAX.to_string(), "-1".to_owned(), "1e9".to_owned(), "9".repeat(40)] {
            assert_eq!(read(format!("MSG a 1 {size}\r\n").as_bytes(), 0), Read::Garbage, "{size}");
        }
        assert_eq!(read(b"HMSG a 1 9 2\r\n{}\r\n", 0), Read::Garbage);
        assert_eq!(read(b"MSG a 1\r\n", 0), Read::Garbage);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, verb in 0..VERBS.len(), searched: usize) {
            let whole = [VERBS[verb], b" ", &bytes, b"\r\n"].concat();
            for text in [&whole, &bytes] {
                match read(text, 0) {
                    Read::Said(_, used) => prop_assert!(used <= text.len()),
                    Read::Wants(more) => prop_assert!(more > text.len()),
                    Read::Unended => prop_assert!(!text.windows(2).any(|pair| pair == b"\r\n")),
                    Read::Garbage => {}
                }
                let _ = read(text, searched);
            }
        }

        #[test]
        fn a_cut_changes_nothing(cut in 0_usize..60) {
            let whole = b"HMSG _INBOX.a 1 _INBOX.b 12 14\r\nNATS/1.0\r\n\r\n{}\r\n";
            let cut = cut.min(whole.len());
            let is_whole = matches!(read(&whole[..cut], 0), Read::Said(_, _));
            prop_assert_eq!(is_whole, cut == whole.len());
            prop_assert_ne!(read(&whole[..cut], 0), Read::Garbage);
            prop_assert_eq!(read(whole, 0), read(whole, cut.min(30)));
        }
    }
}
