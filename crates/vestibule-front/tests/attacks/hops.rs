//! A11, A12: fields of one hop, and fields that say who the client is.

use super::play::play;
use super::row::{Row, Sees, get};

pub(crate) const PROTECTED: &[Row] = &[
    get("a11 Host", "Connection: Host||").refused("connection_protected"),
    get("a11 Content-Length", "Connection: Content-Length|Content-Length: 3||abc")
        .refused("connection_protected"),
    get("a11 Transfer-Encoding", "Connection: transfer-encoding|Transfer-Encoding: chunked||0||")
        .refused("connection_protected"),
    get("a11 X-Forwarded-For", "Connection: X-Forwarded-For||").refused("connection_protected"),
    get("a11 x-forwarded-for", "connection: close, x-forwarded-for||")
        .refused("connection_protected"),
    get("a11 X-FORWARDED-ANY", "Connection: X-FORWARDED-ANY||").refused("connection_protected"),
    get("a11 Forwarded", "Connection: forwarded||").refused("connection_protected"),
    get("a11 X-Real-IP", "Connection: a,X-Real-IP,b||").refused("connection_protected"),
    get("a11 Authorization", "Connection: Authorization|Authorization: Basic x||")
        .refused("connection_protected"),
    get("a11 Cookie", "Connection: keep-alive|Connection: Cookie|Cookie: a=b||")
        .refused("connection_protected"),
    get("a11 Origin", "Connection: Origin|Origin: https://evil.test||")
        .refused("connection_protected"),
    get("a11 Sec-WebSocket-Key", "Connection: Sec-WebSocket-Key||").refused("connection_protected"),
    get("a11 sec-websocket-version", "Connection: sec-websocket-version||")
        .refused("connection_protected"),
    get("a11 Sec-Fetch-Site", "Connection: Sec-Fetch-Site||").refused("connection_protected"),
    get("a11 no token", "Connection: close; x||").refused("connection_invalid"),
    get("a11 quoted", "Connection: \"close\"||").refused("connection_invalid"),
    get("a11 two words", "Connection: close x||").refused("connection_invalid"),
    get("a11 Kelvin sign", "Connection: \u{212a}eep-Alive||").refused("connection_invalid"),
    get("a11 forty options", "Connection: {40*a,}||").refused("connection_invalid"),
];

pub(crate) const STRIPPED: &[Row] = &[
    get("a11 a named field", "Connection: X-Secret|X-Secret: evil|X-End: 1||")
        .seen(&["x-end: 1\r\n"])
        .never(&["evil", "x-secret"]),
    get("a11 a named field in another case", "x-secret: evil|Connection: X-SECRET||")
        .never(&["evil", "x-secret"]),
    get("a11 named on a second line", "Connection: keep-alive|Connection: ,, x-b|X-B: evil||")
        .never(&["evil", "x-b"]),
    get("a11 Keep-Alive", "Connection: Keep-Alive|Keep-Alive: evil||")
        .never(&["keep-alive", "evil"]),
    get("a11 Proxy-Connection", "Proxy-Connection: evil||").never(&["evil"]),
    get("a11 Proxy-Authorization", "Proxy-Authorization: evil||").never(&["evil"]),
    get("a11 TE", "Connection: TE|TE: trailers||").never(&["trailers"]),
    get("a05 HTTP2-Settings", "Connection: HTTP2-Settings|HTTP2-Settings: AAMAAABk||")
        .never(&["http2-settings"]),
    get("a05 h2c", "Connection: Upgrade, HTTP2-Settings|Upgrade: h2c|HTTP2-Settings: AAMAAABk||")
        .upgraded(Sees::Refused("upgrade_list"))
        .never(&["h2c", "http2-settings", "upgrade"]),
    get("a05 Upgrade that Connection does not name", "Upgrade: websocket||")
        .upgraded(Sees::Refused("upgrade_list"))
        .never(&["upgrade"]),
    get("a05 Upgrade to TLS", "Connection: Upgrade|Upgrade: TLS/1.3||")
        .upgraded(Sees::Refused("upgrade_list"))
        .never(&["tls"]),
    get("a14 Expect in a request without a body", "Expect: 100-continue||")
        .upgraded(Sees::Refused("handshake_expectation"))
        .never(&["expect"]),
];

pub(crate) const FORGED: &[Row] = &[
    get("a12 X-Forwarded-For", "X-Forwarded-For: 6.6.6.6||")
        .seen(&["x-forwarded-for: 127.0.0.1\r\n"])
        .never(&["6.6.6.6"]),
    get("a12 X-Forwarded-For twice", "X-Forwarded-For: 6.6.6.6|x-forwarded-for: 6.6.6.6||")
        .seen(&["x-forwarded-for: 127.0.0.1\r\n"])
        .never(&["6.6.6.6"]),
    get("a12 X-Forwarded-Proto", "X-Forwarded-Proto: https||")
        .seen(&["x-forwarded-proto: http\r\n"])
        .never(&["https"]),
    get("a12 X-Forwarded-Host", "X-Forwarded-Host: evil.test||")
        .seen(&["x-forwarded-host: a.test\r\n"])
        .never(&["evil"]),
    get("a12 X-Forwarded-User", "X-Forwarded-User: evil||").never(&["evil"]),
    get("a12 X-Forwarded-Port", "X-Forwarded-Port: evil||").never(&["evil"]),
    get("a12 X-Forwarded-Prefix", "X-FORWARDED-PREFIX: /evil||").never(&["evil"]),
    get("a12 X-Forwarded", "X-Forwarded: for=evil||").never(&["evil"]),
    get("a12 Forwarded", "Forwarded: for=6.6.6.6;host=evil.test||").never(&["evil", "6.6.6.6"]),
    get("a12 X-Real-IP", "X-Real-IP: 6.6.6.6||").never(&["6.6.6.6"]),
    get("a12 twin with underscores", "X_Forwarded_User: evil||").never(&["evil"]),
    get("a12 twin with one underscore", "X-Forwarded_For: 6.6.6.6||").never(&["6.6.6.6"]),
    get("a12 twin with dots", "X.Forwarded.For: 6.6.6.6||").never(&["6.6.6.6"]),
    get("a12 twin of a handshake's field", "Sec_WebSocket_Key: evil||").never(&["evil"]),
    get("a12 twin of Host", "HOST_: evil.test||").never(&["evil"]),
    get("a12 httpoxy", "Proxy: http://evil.test||").never(&["evil"]),
    get("a12 two Authorization", "Authorization: a|authorization: b||").refused("field_repeated"),
    get("a12 two Origin", "Origin: https://a.test|Origin: https://evil.test||")
        .refused("field_repeated"),
    get("a12 two Content-Type", "Content-Type: a/b|Content-Type: c/d||").refused("field_repeated"),
    get(
        "a12 by a proxy that is trusted",
        "X-Forwarded-For: 6.6.6.6|X-Forwarded-Proto: https|X-Real-IP: 6.6.6.6||",
    )
    .by_proxy()
    .seen(&[
        "x-forwarded-for: 6.6.6.6, 127.0.0.1\r\n",
        "x-forwarded-proto: https\r\n",
        "x-real-ip: 6.6.6.6\r\n",
    ]),
    get(
        "a12 twins by a proxy that is trusted",
        "X_Forwarded_User: evil|X.Real.IP: evil|Proxy: evil||",
    )
    .by_proxy()
    .never(&["evil"]),
];

#[tokio::test]
async fn a11_connection_takes_nothing_away_that_the_service_relies_on() {
    play(PROTECTED).await;
}

#[tokio::test]
async fn a05_a11_a14_fields_of_one_hop_end_here() {
    play(STRIPPED).await;
}

#[tokio::test]
async fn a12_nobody_says_who_the_client_is_but_us_and_whom_we_trust() {
    play(FORGED).await;
}
