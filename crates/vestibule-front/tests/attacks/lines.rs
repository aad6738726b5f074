//! A10, A18: line ends, names, versions and sizes that two readers could see in two ways, or nobody should read.

use super::play::play;
use super::row::{Row, get, raw};

pub(crate) const REFUSED: &[Row] = &[
    raw("a10 LF alone", "GET /r HTTP/1.1\nHost: a.test\n\n").refused_once("bare_lf"),
    raw("a10 LF behind the request line", "GET /r HTTP/1.1\nHost: a.test||").refused("bare_lf"),
    get("a10 LF behind a field", "A: b\nC: d||").refused("bare_lf"),
    get("a10 LF as the empty line", "A: b|\n").refused("bare_lf"),
    get("a10 TE behind LF", "A: b\nTransfer-Encoding: chunked||0||").refused("bare_lf"),
    get("a10 CR in a value", "A: b\rC: d||").refused("bare_cr"),
    get("a10 TE behind CR", "A: b\rTransfer-Encoding: chunked||0||").refused("bare_cr"),
    get("a10 CR before a name", "\rA: b||").refused("bare_cr"),
    get("a10 CR CR LF", "A: b\r|C: d||").refused("bare_cr"),
    get("a10 CR at the end", "A: b|\rX").refused("bare_cr"),
    get("a10 folded line", "A: b| c||").refused("folded_line"),
    get("a10 line folded with a tab", "A: b|\tc||").refused("folded_line"),
    get("a10 TE in a folded line", "A: b| Transfer-Encoding: chunked||").refused("folded_line"),
    get("a10 folded CL", "Content-Length:| 3||abc").refused("folded_line"),
    raw("a10 space before the first field", "GET /r HTTP/1.1| Host: a.test||")
        .refused_once("folded_line"),
    get("a10 space before the colon", "Transfer-Encoding : chunked||0||").refused("malformed_head"),
    get("a10 tab before the colon", "Content-Length\t: 3||abc").refused("malformed_head"),
    get("a10 no-break space before the colon", "Content-Length\u{a0}: 3||abc")
        .refused("malformed_head"),
    get("a10 space in a name", "Content Length: 3||abc").refused("malformed_head"),
    get("a10 no name", ": b||").refused("malformed_head"),
    get("a10 no colon", "Host||").refused("malformed_head"),
    get("a10 name in brackets", "(A): b||").refused("malformed_head"),
    get("a10 quoted name", "\"A\": b||").refused("malformed_head"),
    get("a10 name with a slash", "A/B: c||").refused("malformed_head"),
    get("a10 name beyond ASCII", "\u{e4}: b||").refused("malformed_head"),
    get("a10 NUL in a name", "A\0: b||").refused("control_byte"),
    get("a10 NUL in a value", "A: \0||").refused("control_byte"),
    get("a10 NUL before a coding", "Transfer-Encoding: \0chunked||").refused("control_byte"),
    get("a10 vertical tab before a coding", "Transfer-Encoding: \u{b}chunked||")
        .refused("control_byte"),
    get("a10 form feed in a name", "A\u{c}: b||").refused("control_byte"),
    get("a10 escape in a value", "A: \u{1b}[2J||").refused("control_byte"),
    get("a10 DEL in a value", "A: \u{7f}||").refused("control_byte"),
    raw("a10 NUL in the target", "GET /r\0 HTTP/1.1|Host: a.test||").refused("control_byte"),
    raw("a10 escape in the target", "GET /\u{1b} HTTP/1.1|Host: a.test||").refused("control_byte"),
    raw("a10 two empty lines first", "||GET /r HTTP/1.1|Host: a.test||")
        .refused_once("malformed_head"),
    raw("a10 fifty empty lines first", "{50*|}GET /r HTTP/1.1|Host: a.test||")
        .refused_once("malformed_head"),
    raw("a10 LF first", "\nGET /r HTTP/1.1|Host: a.test||").refused("bare_lf"),
    raw("a10 space first", " GET /r HTTP/1.1|Host: a.test||").refused("malformed_head"),
    raw("a10 two spaces", "GET  /r HTTP/1.1|Host: a.test||").refused("malformed_head"),
    raw("a10 tab between", "GET\t/r HTTP/1.1|Host: a.test||").refused("malformed_head"),
    raw("a10 two spaces before the version", "GET /r  HTTP/1.1|Host: a.test||")
        .refused("http_version"),
    raw("a10 space behind the version", "GET /r HTTP/1.1 |Host: a.test||")
        .refused("malformed_head"),
    raw("a10 space in the target", "GET /r /smuggled HTTP/1.1|Host: a.test||")
        .refused("http_version"),
    raw("a10 HTTP/0.9 with fields", "GET /r|Host: a.test||").refused("malformed_head"),
    raw("a10 HTTP/1.2", "GET /r HTTP/1.2|Host: a.test||").refused("http_version"),
    raw("a10 HTTP/2.0", "GET /r HTTP/2.0|Host: a.test||").refused("http_version"),
    raw("a10 HTTP/1.10", "GET /r HTTP/1.10|Host: a.test||").refused("malformed_head"),
    raw("a10 HTTP/01.1", "GET /r HTTP/01.1|Host: a.test||").refused("http_version"),
    raw("a10 http/1.1", "GET /r http/1.1|Host: a.test||").refused("http_version"),
    raw("a10 two versions", "GET /r HTTP/1.0 HTTP/1.1|Host: a.test||").refused("malformed_head"),
    raw("a10 method with a bracket", "GE(T /r HTTP/1.1|Host: a.test||").refused("malformed_head"),
    raw("a10 TLS", "\u{16}\u{3}\u{1}{60*x}").refused_once("tls_on_plain_port"),
    raw("a18 method of 33 bytes", "{33*M} /r HTTP/1.1|Host: a.test||").refused("method_too_long"),
    raw("a18 method of 5,000 bytes", "{5000*M} /r HTTP/1.1|Host: a.test||")
        .refused("method_too_long"),
    raw("a18 target of 8 KiB and a byte", "GET /{8192*a} HTTP/1.1|Host: a.test||")
        .refused("target_too_long"),
    raw("a18 request line without an end", "GET /{40000*a}").refused_once("target_too_long"),
    get("a18 101 fields", "{100*A: b|}|").refused("too_many_fields"),
    get("a18 ten thousand fields", "{10000*A:|}|").refused("too_many_fields"),
    get("a18 head of 40 KB", "A: {40000*b}||").refused("head_too_large"),
    get("a18 name of 40 KB", "{40000*A}: b||").refused("head_too_large"),
];

pub(crate) const SERVED: &[Row] = &[
    raw("a10 one empty line first", "|GET /r HTTP/1.1|Host: a.test||")
        .seen(&["get /r http/1.1\r\nhost"]),
    raw("a10 HTTP/1.0", "GET /r HTTP/1.0||").seen(&["get /r http/1.1\r\n", "\r\nhost: \r\n"]),
    get("a10 a value beyond ASCII", "A: \u{e4}||").seen(&["a: \u{e4}\r\n"]),
    get("a10 white space around a value", "A:\t b \t||").seen(&["a: b\r\n"]),
    get("a10 an empty value", "A:||").seen(&["a: \r\n"]),
    get("a18 99 fields", "{95*A: b|}|").seen(&["a: b\r\n"]),
    raw("a18 target of 8 KiB", "GET /{8190*a} HTTP/1.1|Host: a.test||")
        .seen(&["aaaa http/1.1\r\n"]),
];

#[tokio::test]
async fn a10_a18_heads_that_two_readers_could_read_in_two_ways_are_refused() {
    play(REFUSED).await;
}

#[tokio::test]
async fn a10_what_goes_up_is_written_anew() {
    play(SERVED).await;
}
