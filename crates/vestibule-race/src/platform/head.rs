//! A request's head on its way through the platform.
//!
//! Owns which fields the platform takes away, keeps and adds. Pure. Must never be taken for the door's own
//! reading of heads: the platform's clients here are our own.

use std::net::IpAddr;

/// Fields of one head.
const FIELDS_MAX: usize = 100;
/// Between one hop and the next only; each side has its own ("Request headers" of Cloud Run functions).
const OF_ONE_HOP: [&str; 5] = ["connection", "keep-alive", "proxy-authorization", "te", "trailer"];
/// What a client may say and the platform says instead (seen in requests on Cloud Run; not documented).
const OUTRANKED: [&str; 3] = ["x-forwarded-for", "x-forwarded-proto", "forwarded"];
/// Names that belong to the platform ("Request headers" of Cloud Run functions).
const RESERVED: &str = "x-google-";

/// Where a head ends in `bytes`: behind its empty line.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The head as the instance gets it from a client at `client`; `None` if it is none of HTTP/1.1.
pub(super) fn forwarded(head: &[u8], client: IpAddr) -> Option<Vec<u8>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    if !request.parse(head).ok()?.is_complete() {
        return None;
    }
    let (method, path) = (request.method?, request.path?);
    let mut out = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    let mut chain = Vec::new();
    let mut upgrade = false;
    for field in request.headers.iter() {
        let name = field.name.to_ascii_lowercase();
        upgrade |= name == "upgrade" && field.value.eq_ignore_ascii_case(b"websocket");
        if name == "x-forwarded-for" {
            chain.push(String::from_utf8_lossy(field.value).into_owned());
        }
        let dropped = OF_ONE_HOP.contains(&&*name) || OUTRANKED.contains(&&*name);
        if dropped || name.starts_with(RESERVED) {
            continue;
        }
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(field.value);
        out.extend_from_slice(b"\r\n");
    }
    chain.push(client.to_string());
    // One request for each connection; TLS ends at the platform, so that the user's scheme is https.
    let connection = if upgrade { "Upgrade" } else { "close" };
    let added = format!(
        "X-Forwarded-For: {}\r\nX-Forwarded-Proto: https\r\nForwarded: for=\"{client}\";proto=https\r\n\
         Connection: {connection}\r\n\r\n",
        chain.join(", ")
    );
    out.extend_from_slice(added.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 0, 7));

    fn through(head: &str) -> Option<String> {
        forwarded(head.as_bytes(), CLIENT).map(|head| String::from_utf8(head).unwrap())
    }

    // Breaks the rewriting with a client that claims to be somebody else.
    #[test]
    fn a_handshake_goes_through_and_its_forwarded_fields_are_the_platforms() {
        let head = "GET /ws?a=1 HTTP/1.1\r\nHost: chat\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                    x-forwarded-for: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=evil\r\nX-Google-Id: 1\r\n\
                    Sec-WebSocket-Version: 13\r\n\r\n";
        assert_eq!(
            through(head).unwrap(),
            "GET /ws?a=1 HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             X-Forwarded-For: 10.0.0.1, 198.18.0.7\r\nX-Forwarded-Proto: https\r\n\
             Forwarded: for=\"198.18.0.7\";proto=https\r\nConnection: Upgrade\r\n\r\n"
        );
    }

    #[test]
    fn a_plain_request_is_the_last_of_its_connection() {
        let plain = through("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n").unwrap();
        assert!(plain.ends_with("\r\nConnection: close\r\n\r\n") && !plain.contains("keep-alive"));
    }

    #[test]
    fn what_is_no_head_goes_nowhere() {
        for bad in ["", "GET / HTTP/1.1\r\n", "\0\0\0\0\r\n\r\n", "GET\r\n\r\n"] {
            assert_eq!(through(bad), None, "{bad:?}");
        }
        assert_eq!(end(b"a\r\n\r\nb"), Some(5));
        assert_eq!(end(b"a\r\n"), None);
    }
}
