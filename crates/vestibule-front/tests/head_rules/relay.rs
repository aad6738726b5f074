//! Breaks the relay of ordinary answers: hop-by-hop fields that slip through, lengths that can be read twice.

use vestibule_front::body::Framing;

use crate::answer::read;

/// The relayed head as text, and its framing, or the code of the defect.
fn relay(answer: &str, close: bool) -> (String, Result<Framing, &'static str>) {
    let answer = read(answer.as_bytes()).unwrap().expect("the row holds a whole answer");
    match answer.relayed_head(close) {
        Ok((head, framing)) => (String::from_utf8(head).unwrap(), Ok(framing)),
        Err(defect) => (String::new(), Err(defect.code())),
    }
}

#[test]
fn answers_are_framed_one_way_or_not_relayed() {
    let rows = [
        ("200 OK\r\nContent-Length: 5", Ok(Framing::Length(5))),
        ("200 OK\r\nTransfer-Encoding: chunked", Ok(Framing::Chunked)),
        ("200 OK\r\nTransfer-Encoding: CHUNKED", Ok(Framing::Chunked)),
        ("403 Forbidden", Ok(Framing::UntilEof)),
        ("204 No Content\r\nContent-Length: 5", Ok(Framing::None)),
        ("304 Not Modified\r\nContent-Length: 5", Ok(Framing::None)),
        ("200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", Err("answer_framing")),
        ("200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", Err("answer_framing")),
        ("200 OK\r\nContent-Length: 5\r\nContent-Length: 5", Err("answer_framing")),
        ("200 OK\r\nContent-Length: 5, 5", Err("answer_framing")),
        ("200 OK\r\nContent-Length: +5", Err("answer_framing")),
        ("200 OK\r\nContent-Length:", Err("answer_framing")),
        ("200 OK\r\nTransfer-Encoding: gzip, chunked", Err("answer_framing")),
        (
            "200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            Err("answer_framing"),
        ),
        (
            "204 No Content\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            Err("answer_framing"),
        ),
    ];
    for (lines, expected) in rows {
        assert_eq!(relay(&format!("HTTP/1.1 {lines}\r\n\r\n"), true).1, expected, "{lines}");
    }
    assert_eq!(
        relay("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true).1,
        Err("answer_framing")
    );
    assert_eq!(relay("HTTP/1.0 200 OK\r\n\r\n", true).1, Ok(Framing::UntilEof));
}

#[test]
fn hop_by_hop_fields_end_here_and_the_rest_is_kept() {
    let answer = "HTTP/1.1 403 <script>\r\nServer: x\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
                  Upgrade: h2c\r\nproxy-authenticate: Basic\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\nSet-Cookie: c=d\r\n\r\n";
    let fields = "Content-Length: 3\r\nServer: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n";
    assert_eq!(
        relay(answer, true).0,
        format!("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n{fields}")
    );
    assert_eq!(relay(answer, false).0, format!("HTTP/1.1 403 Forbidden\r\n{fields}"));
}

#[test]
fn an_answer_that_only_its_end_can_end_closes_the_connection() {
    assert_eq!(
        relay("HTTP/1.1 200 OK\r\n\r\n", false).0,
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn an_answer_that_requires_an_upgrade_keeps_saying_so() {
    let answer = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n";
    let expected = "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(relay(answer, true).0, expected);
}

#[test]
fn an_answer_prints_no_field() {
    let answer = read(b"HTTP/1.1 200 OK\r\nSet-Cookie: hunter2\r\n\r\n").unwrap();
    assert!(!format!("{answer:?}").contains("hunter2"));
}
