//! A1, A3 to A6, A14: handshakes with a defect, with something behind them, or for something else.

use super::play::play;
use super::row::{Row, ask, get, post, raw};

pub(crate) const REFUSED: &[Row] = &[
    ask("a01 a request behind the handshake", "{WS}|GET /smuggled HTTP/1.1|Host: a.test||")
        .refused_once("early_bytes"),
    ask("a04 one byte behind the handshake", "{WS}|G")
        .refused_once("early_bytes"),
    ask("a04 a frame behind the handshake", "{WS}|\u{1}\u{5}hello")
        .refused_once("early_bytes"),
    ask("a04 an empty line behind the handshake", "{WS}||")
        .refused_once("early_bytes"),
    ask("a04 200 KB behind the handshake", "{WS}|{200000*x}")
        .refused_once("early_bytes"),
    ask("a03 CL 0", "{WS}Content-Length: 0||")
        .refused_once("handshake_body"),
    ask("a03 CL 43 and a request", "{WS}Content-Length: 43||GET /smuggled HTTP/1.1|Host: evil.test||")
        .refused_once("handshake_body"),
    ask("a03 chunks", "{WS}Transfer-Encoding: chunked||0||")
        .refused_once("handshake_body"),
    ask("a03 an expectation", "{WS}Expect: 100-continue||")
        .refused_once("handshake_expectation"),
    ask("a05 websocket beside h2c", "Connection: Upgrade, HTTP2-Settings|Upgrade: websocket, h2c|HTTP2-Settings: AAMAAABk|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("upgrade_list"),
    ask("a05 websocket twice", "Connection: Upgrade|Upgrade: websocket|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("upgrade_list"),
    ask("a06 no version", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_version"),
    ask("a06 version 8", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 8|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_version"),
    ask("a06 version 013", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 013|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_version"),
    ask("a06 list of versions", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13, 8|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_version"),
    ask("a06 two versions", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_version"),
    ask("a06 no key", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13||")
        .refused_once("websocket_key"),
    ask("a06 two keys", "{WS}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==||")
        .refused_once("websocket_key"),
    ask("a06 key of 15 bytes", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j||")
        .refused_once("websocket_key"),
    ask("a06 key that is no base64", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=||")
        .refused_once("websocket_key"),
    raw("a06 HTTP/1.0", "GET /r HTTP/1.0|Host: a.test|{WS}|")
        .refused_once("handshake_http_version"),
    raw("a06 get", "get /r HTTP/1.1|Host: a.test|{WS}|")
        .refused_once("handshake_method"),
    ask("a06 subprotocol that is no token", "{WS}Sec-WebSocket-Protocol: a b||")
        .refused_once("subprotocol_invalid"),
    ask("a06 extension that cannot be read", "{WS}Sec-WebSocket-Extensions: a;;b||")
        .refused_once("extensions_invalid"),
    post("a14 unknown expectation", "Expect: 200-ok|Content-Length: 3||abc").refused("expectation_failed"),
    post("a14 two expectations", "Expect: 100-continue|Expect: 100-continue|Content-Length: 3||abc")
        .refused("expectation_failed"),
];

pub(crate) const SERVED: &[Row] = &[
    ask("a06 a handshake without a defect", "Connection: keep-alive, Upgrade|Upgrade: WebSocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Protocol: chat|Sec-WebSocket-Extensions: permessage-deflate||")
        .tunnels()
        .seen(&["connection: upgrade\r\nupgrade: websocket\r\n", "sec-websocket-protocol: chat\r\n"])
        .never(&["keep-alive"]),
    ask("a06 an answer among the questions", "{WS}Sec-WebSocket-Accept: evil||")
        .tunnels()
        .never(&["evil"]),
    get("a05 fields of a handshake, and no Upgrade", "Sec-WebSocket-Version: 13|Sec-WebSocket-Accept: evil||")
        .upgraded(super::row::Sees::Refused("websocket_version"))
        .never(&["evil"]),
    post("a14 an expectation with its body", "Expect: 100-continue|Content-Length: 3||abc")
        .seen(&["\r\n\r\nabc"])
        .never(&["expect"]),
];

#[tokio::test]
async fn a01_a03_a04_a05_a06_a14_a_handshake_with_a_defect_is_refused_before_it_takes_a_place() {
    play(REFUSED).await;
}

#[tokio::test]
async fn a05_a06_a14_what_is_sound_goes_up_without_what_is_not() {
    play(SERVED).await;
}
