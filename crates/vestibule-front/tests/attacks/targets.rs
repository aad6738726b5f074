//! A13, A5: hosts and targets that name two places.

use super::play::play;
use super::row::{Row, Sees, get, raw};

const NO_GET: Sees = Sees::Refused("handshake_method");

pub(crate) const HOSTS: &[Row] = &[
    raw("a13 no Host", "GET /r HTTP/1.1|A: b||").refused("host_missing"),
    raw("a13 a twin is no Host", "GET /r HTTP/1.1|H_st: a.test||").refused("host_missing"),
    get("a13 two Hosts", "Host: evil.test||").refused("host_repeated"),
    get("a13 two equal Hosts", "host: a.test||").refused("host_repeated"),
    raw("a13 empty Host", "GET /r HTTP/1.1|Host:||").refused("host_invalid"),
    raw("a13 list of hosts", "GET /r HTTP/1.1|Host: a.test, evil.test||").refused("host_invalid"),
    raw("a13 two words", "GET /r HTTP/1.1|Host: a.test evil.test||").refused("host_invalid"),
    raw("a13 userinfo", "GET /r HTTP/1.1|Host: a.test@evil.test||").refused("host_invalid"),
    raw("a13 path", "GET /r HTTP/1.1|Host: a.test/evil||").refused("host_invalid"),
    raw("a13 query", "GET /r HTTP/1.1|Host: a.test?evil||").refused("host_invalid"),
    raw("a13 fragment", "GET /r HTTP/1.1|Host: a.test#evil||").refused("host_invalid"),
    raw("a13 backslash", "GET /r HTTP/1.1|Host: a.test\\evil||").refused("host_invalid"),
    raw("a13 empty label", "GET /r HTTP/1.1|Host: A..B||").refused("host_invalid"),
    raw("a13 first dot", "GET /r HTTP/1.1|Host: .a.test||").refused("host_invalid"),
    raw("a13 percent", "GET /r HTTP/1.1|Host: a%2etest||").refused("host_invalid"),
    raw("a13 beyond ASCII", "GET /r HTTP/1.1|Host: \u{e4}.test||").refused("host_invalid"),
    raw("a13 wide dot", "GET /r HTTP/1.1|Host: a\u{3002}test||").refused("host_invalid"),
    raw("a13 label of 64 bytes", "GET /r HTTP/1.1|Host: {64*a}.test||").refused("host_invalid"),
    raw("a13 name of 300 bytes", "GET /r HTTP/1.1|Host: {100*ab.}test||").refused("host_invalid"),
    raw("a13 port of 17 bits", "GET /r HTTP/1.1|Host: a.test:65536||").refused("host_invalid"),
    raw("a13 empty port", "GET /r HTTP/1.1|Host: a.test:||").refused("host_invalid"),
    raw("a13 two ports", "GET /r HTTP/1.1|Host: a.test:80:81||").refused("host_invalid"),
    raw("a13 a word as the port", "GET /r HTTP/1.1|Host: a.test:x@evil||").refused("host_invalid"),
    raw("a13 only a port", "GET /r HTTP/1.1|Host: :80||").refused("host_invalid"),
    raw("a13 half an address", "GET /r HTTP/1.1|Host: 127.1||").refused("host_invalid"),
    raw("a13 hexadecimal address", "GET /r HTTP/1.1|Host: 0x7f000001||").refused("host_invalid"),
    raw("a13 octal address", "GET /r HTTP/1.1|Host: 0177.0.0.1||").refused("host_invalid"),
    raw("a13 address without brackets", "GET /r HTTP/1.1|Host: ::1||").refused("host_invalid"),
    raw("a13 open bracket", "GET /r HTTP/1.1|Host: [::1||").refused("host_invalid"),
    raw("a13 words behind brackets", "GET /r HTTP/1.1|Host: [::1].evil.test||")
        .refused("host_invalid"),
    raw("a13 name in brackets", "GET /r HTTP/1.1|Host: [a.test]||").refused("host_invalid"),
    raw("a13 zone", "GET /r HTTP/1.1|Host: [fe80::1%25eth0]||").refused("host_invalid"),
];

pub(crate) const TARGETS: &[Row] = &[
    raw("a13 other authority", "GET http://evil.test/ HTTP/1.1|Host: a.test||")
        .refused("authority_mismatch"),
    raw("a13 other port", "GET http://a.test:81/ HTTP/1.1|Host: a.test||")
        .refused("authority_mismatch"),
    raw("a13 metadata server", "GET http://169.254.169.254/latest HTTP/1.1|Host: a.test||")
        .refused("authority_mismatch"),
    raw("a13 metadata server by ws", "GET ws://169.254.169.254/ HTTP/1.1|Host: a.test||")
        .refused("authority_mismatch"),
    raw("a13 absolute without Host", "GET http://a.test/ HTTP/1.0|A: b||")
        .refused("authority_mismatch"),
    raw("a13 userinfo in the target", "GET http://a.test@evil.test/ HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 userinfo and the right host", "GET http://x:y@a.test/ HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 backslash in the authority", "GET http://a.test\\@evil.test/ HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 no authority", "GET http:///r HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 one slash", "GET http:/evil.test/ HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 other scheme", "GET gopher://a.test/ HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 file", "GET file:///etc/passwd HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 authority-form", "GET evil.test:80 HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 no slash", "GET r HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 at sign first", "GET @evil.test/ HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 query first", "GET ?r HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 asterisk", "GET * HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a13 fragment in the target", "GET /r#/../evil HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 backslash in the path", "GET /r\\..\\evil HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a13 target beyond ASCII", "GET /\u{e4} HTTP/1.1|Host: a.test||").refused("target_invalid"),
    raw("a16 markup in the target", "GET /<script>evil HTTP/1.1|Host: a.test||")
        .refused("target_invalid"),
    raw("a05 CONNECT", "CONNECT evil.test:443 HTTP/1.1|Host: evil.test:443||")
        .refused("method_not_served"),
    raw("a05 CONNECT to a path", "CONNECT /r HTTP/1.1|Host: a.test||").refused("method_not_served"),
    raw("a05 connect", "connect /r HTTP/1.1|Host: a.test||").refused("method_not_served"),
    raw("a05 TRACE", "TRACE /r HTTP/1.1|Host: a.test|Cookie: evil||").refused("method_not_served"),
];

pub(crate) const ONE_PLACE: &[Row] = &[
    raw("a13 absolute-form becomes origin-form", "GET http://A.test/r?q HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Tunnel)
        .seen(&["get /r?q http/1.1\r\nhost: a.test\r\n"]),
    raw("a13 no path becomes a slash", "GET ws://a.test HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Tunnel)
        .seen(&["get / http/1.1\r\n"]),
    raw("a13 two slashes stay a path", "GET //evil.test/r HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Tunnel)
        .seen(&["get //evil.test/r http/1.1\r\nhost: a.test\r\n"]),
    raw("a13 dots stay as they are", "GET /a/../r/%2e%2e/%00 HTTP/1.1|Host: a.test||")
        .upgraded(Sees::Tunnel)
        .seen(&["get /a/../r/%2e%2e/%00 http/1.1\r\n"]),
    raw("a13 last dot and port", "GET /r HTTP/1.1|Host: a.test.:8080||")
        .upgraded(Sees::Tunnel)
        .seen(&["host: a.test.:8080\r\n"]),
    raw("a13 address in brackets", "GET /r HTTP/1.1|Host: [::1]:80||")
        .upgraded(Sees::Tunnel)
        .seen(&["host: [::1]:80\r\n"]),
    raw("a13 OPTIONS for the server", "OPTIONS * HTTP/1.1|Host: a.test||")
        .upgraded(NO_GET)
        .seen(&["options * http/1.1\r\n"]),
    raw(
        "a16 line ends in the target stay encoded",
        "GET /%0d%0aSet-Cookie:%20evil HTTP/1.1|Host: a.test||",
    )
    .upgraded(Sees::Tunnel)
    .seen(&["get /%0d%0aset-cookie:%20evil http/1.1\r\n"]),
];

#[tokio::test]
async fn a13_a_host_that_could_be_two_is_refused() {
    play(HOSTS).await;
}

#[tokio::test]
async fn a05_a13_a16_a_target_that_could_be_two_is_refused() {
    play(TARGETS).await;
}

#[tokio::test]
async fn a13_a_target_goes_up_as_a_path_and_to_us_alone() {
    play(ONE_PLACE).await;
}
