//! A9: bodies whose end two servers could see in two places.

use super::play::play;
use super::row::{Row, Sees, get, post, raw};

pub(crate) const TWO_READINGS: &[Row] = &[
    post("a09 CL then TE", "Content-Length: 6|Transfer-Encoding: chunked||0||G")
        .refused("framing_conflict"),
    post("a09 TE then CL", "Transfer-Encoding: chunked|Content-Length: 4||5c||0||")
        .refused("framing_conflict"),
    post("a09 CL 0 and TE", "Content-Length: 0|Transfer-Encoding: chunked||0||")
        .refused("framing_conflict"),
    post("a09 CL and TE in other cases", "CONTENT-LENGTH: 3|transfer-encoding: CHUNKED||0||")
        .refused("framing_conflict"),
    post("a09 CL and a TE that is none", "Content-Length: 3|Transfer-Encoding: x||abc")
        .refused("framing_conflict"),
    post("a09 CL and an empty TE", "Content-Length: 3|Transfer-Encoding:||abc")
        .refused("framing_conflict"),
    post("a09 two CL", "Content-Length: 3|Content-Length: 30||abc")
        .refused("content_length_invalid"),
    post("a09 two equal CL", "Content-Length: 3|Content-Length: 3||abc")
        .refused("content_length_invalid"),
    post("a09 list of equal CL", "Content-Length: 3, 3||abc").refused("content_length_invalid"),
    post("a09 list of CL", "Content-Length: 3, 30||abc").refused("content_length_invalid"),
    post("a09 CL with a comma", "Content-Length: 3,||abc").refused("content_length_invalid"),
    post("a09 CL with plus", "Content-Length: +3||abc").refused("content_length_invalid"),
    post("a09 CL with minus", "Content-Length: -1||abc").refused("content_length_invalid"),
    post("a09 CL minus 0", "Content-Length: -0||").refused("content_length_invalid"),
    post("a09 hexadecimal CL", "Content-Length: 0x3||abc").refused("content_length_invalid"),
    post("a09 empty CL", "Content-Length:||").refused("content_length_invalid"),
    post("a09 CL of two words", "Content-Length: 3 0||abc").refused("content_length_invalid"),
    post("a09 CL with a letter", "Content-Length: 3a||abc").refused("content_length_invalid"),
    post("a09 CL with a parameter", "Content-Length: 3;a||abc").refused("content_length_invalid"),
    post("a09 CL in scientific notation", "Content-Length: 1e1||abc")
        .refused("content_length_invalid"),
    post("a09 CL with a fraction", "Content-Length: 3.0||abc").refused("content_length_invalid"),
    post("a09 quoted CL", "Content-Length: \"3\"||abc").refused("content_length_invalid"),
    post("a09 CL with an underscore", "Content-Length: 1_0||abc").refused("content_length_invalid"),
    post("a09 CL in Arabic digits", "Content-Length: \u{663}||abc")
        .refused("content_length_invalid"),
    post("a09 CL in wide digits", "Content-Length: \u{ff13}||abc")
        .refused("content_length_invalid"),
    post("a09 CL of 65 bits", "Content-Length: 18446744073709551616||abc")
        .refused("content_length_invalid"),
    post("a09 CL of forty digits", "Content-Length: {40*9}||abc").refused("content_length_invalid"),
    post("a09 TE identity", "Transfer-Encoding: identity||abc")
        .refused("transfer_encoding_invalid"),
    post("a09 TE gzip", "Transfer-Encoding: gzip||abc").refused("transfer_encoding_invalid"),
    post("a09 TE gzip, chunked", "Transfer-Encoding: gzip, chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE chunked, identity", "Transfer-Encoding: chunked, identity||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE chunked, chunked", "Transfer-Encoding: chunked, chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 two TE", "Transfer-Encoding: chunked|Transfer-Encoding: chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 two TE, one of them none", "Transfer-Encoding: identity|Transfer-Encoding: chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 two TE, one of them empty", "Transfer-Encoding:|Transfer-Encoding: chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE xchunked", "Transfer-Encoding: xchunked||0||").refused("transfer_encoding_invalid"),
    post("a09 TE chunkedx", "Transfer-Encoding: chunkedx||0||").refused("transfer_encoding_invalid"),
    post("a09 TE with a parameter", "Transfer-Encoding: chunked;a=b||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 quoted TE", "Transfer-Encoding: \"chunked\"||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 empty TE", "Transfer-Encoding:||0||").refused("transfer_encoding_invalid"),
    post("a09 TE with a comma", "Transfer-Encoding: chunked,||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE behind a comma", "Transfer-Encoding: ,chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE of two words", "Transfer-Encoding: chunked\tx||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE with a no-break space", "Transfer-Encoding: \u{a0}chunked||0||")
        .refused("transfer_encoding_invalid"),
    post("a09 TE with a Kelvin sign", "Transfer-Encoding: chun\u{212a}ed||0||")
        .refused("transfer_encoding_invalid"),
    raw("a09 TE in HTTP/1.0", "POST /r HTTP/1.0|Host: a.test|Transfer-Encoding: chunked||0||")
        .refused("transfer_encoding_invalid"),
    raw("a09 TE in HTTP/1.0 that stays", "POST /r HTTP/1.0|Host: a.test|Connection: keep-alive|Transfer-Encoding: chunked||0||GET /smuggled HTTP/1.1|Host: a.test||")
        .refused("transfer_encoding_invalid"),
    raw("a09 TE and CL in HTTP/1.0", "POST /r HTTP/1.0|Host: a.test|Transfer-Encoding: chunked|Content-Length: 5||0||")
        .refused("framing_conflict"),
    get("a09 GET with CL and TE", "Content-Length: 3|Transfer-Encoding: chunked||0||")
        .refused("framing_conflict"),
];

const BODY: Sees = Sees::Refused("handshake_body");

/// Bodies that have one end, and what could be taken for another request behind or in them.
pub(crate) const ONE_READING: &[Row] = &[
    post("a09 CL with zeros is written anew", "Content-Length: 003||abc")
        .seen(&["content-length: 3\r\n", "\r\n\r\nabc"])
        .never(&["003"]),
    post("a09 TE in capitals is written anew", "Transfer-Encoding: CHUNKED||3|abc|0||")
        .seen(&["transfer-encoding: chunked\r\n", "abc"]),
    post("a09 TE behind a tab", "Transfer-Encoding:\tchunked\t||3|abc|0||")
        .seen(&["transfer-encoding: chunked\r\n"]),
    post("a09 twins of framing frame nothing", "Transfer_Encoding: chunked|Content_Length: 30|Content-Length: 3||abc")
        .seen(&["content-length: 3\r\n"])
        .never(&["transfer_encoding", "content_length"]),
    post("a09 dotted twins of framing", "Transfer.Encoding: chunked|Content-Length: 3||abc")
        .never(&["transfer.encoding"]),
    post("a09 a request in a body", "Content-Length: 43||GET /smuggled HTTP/1.1|Host: evil.test||")
        .seen(&["post /r http/1.1\r\n", "get /smuggled"]),
    post("a09 a request in a chunk", "Transfer-Encoding: chunked||2b|GET /smuggled HTTP/1.1|Host: evil.test|||0||")
        .seen(&["post /r http/1.1\r\n", "get /smuggled"]),
    get("a09 a request in the body of a GET", "Content-Length: 43||GET /smuggled HTTP/1.1|Host: evil.test||")
        .upgraded(BODY)
        .seen(&["connection: close\r\n"]),
    get("a09 a request in a chunk of a GET", "Transfer-Encoding: chunked||2b|GET /smuggled HTTP/1.1|Host: evil.test|||0||")
        .upgraded(BODY)
        .seen(&["connection: close\r\n"]),
    raw("a09 a request in the body of a HEAD", "HEAD /r HTTP/1.1|Host: a.test|Content-Length: 43||GET /smuggled HTTP/1.1|Host: evil.test||")
        .seen(&["connection: close\r\n"]),
    raw("a09 a request in the body of a DELETE", "DELETE /r HTTP/1.1|Host: a.test|Content-Length: 43||GET /smuggled HTTP/1.1|Host: evil.test||")
        .seen(&["connection: close\r\n"]),
    post("a09 CL 0 and the next request", "Content-Length: 0||GET /next HTTP/1.1|Host: a.test||")
        .served(2)
        .seen(&["get /next"]),
    post("a09 chunks and the next request", "Transfer-Encoding: chunked||3|abc|0||GET /next HTTP/1.1|Host: a.test||")
        .served(2)
        .seen(&["get /next"]),
    get("a09 two requests", "|GET /next HTTP/1.1|Host: a.test||")
        .served(2)
        .upgraded(Sees::Refused("early_bytes"))
        .seen(&["get /next"]),
    get("a09 words behind a request", "|XYZ||")
        .then_refused("malformed_head")
        .upgraded(Sees::Refused("early_bytes"))
        .never(&["xyz"]),
    get("a09 a body that was not announced", "|GPOST /smuggled HTTP/1.1|Host: a.test|Content-Length: 1|Content-Length: 2||")
        .then_refused("content_length_invalid")
        .upgraded(Sees::Refused("early_bytes"))
        .never(&["smuggled"]),
    raw("a09 HTTP/1.0 has no next request", "GET /r HTTP/1.0|Host: a.test||GET /smuggled HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Refused("handshake_http_version"))
        .never(&["smuggled"]),
    get("a09 close has no next request", "Connection: close||GET /smuggled HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Refused("early_bytes"))
        .never(&["smuggled"]),
];

#[tokio::test]
async fn a09_a_body_that_could_end_in_two_places_is_refused() {
    play(TWO_READINGS).await;
}

#[tokio::test]
async fn a09_a_body_with_one_end_never_becomes_a_second_request() {
    play(ONE_READING).await;
}
