//! The upstream's answer to a plain request, as the client gets it.
//!
//! Owns the head that we write and the framing of its body. Must never copy a hop-by-hop field,
//! nor pass an answer whose framing could be read two ways.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::body::parse_length;
use crate::head::{Version, is_hop_by_hop};

/// How the body of an answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyWay {
    /// There is none.
    None,
    /// As many bytes as its head says.
    Length,
    /// In chunks, trailers behind.
    Chunked,
    /// Until the connection ends: for HTTP/1.0 clients.
    UntilEnd,
}

/// Why an answer can't be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Both a length and chunks (RFC 9112 section 6.1), or one of them twice.
    #[error("the answer has more than one of Content-Length and Transfer-Encoding")]
    TwoFramings,
    /// A length that is no number.
    #[error("the answer's Content-Length is not a number")]
    Length,
    /// A 101 that nobody asked for.
    #[error("the answer switches protocols unasked")]
    Unsolicited101,
    /// A transfer coding other than chunked: hyper would hand us its coded form.
    #[error("the answer has a transfer coding other than chunked")]
    TransferCoding,
}

/// How the answer's body goes to a client that asked with `method`.
///
/// # Errors
/// The answer can't be passed on.
pub fn way(parts: &Parts, method: &Method, version: Version) -> Result<BodyWay, Unfit> {
    let count = |name| parts.headers.get_all(name).iter().count();
    let length = count(CONTENT_LENGTH) > 0;
    let coding = parts.headers.get(TRANSFER_ENCODING);
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Unfit::Unsolicited101);
    }
    // Two lengths, even equal ones, are two framings: who is behind us may join them.
    if (length && coding.is_some()) || count(CONTENT_LENGTH) > 1 || count(TRANSFER_ENCODING) > 1 {
        return Err(Unfit::TwoFramings);
    }
    let digits = parts.headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    if digits.is_some_and(|digits| parse_length(digits).is_none()) {
        return Err(Unfit::Length);
    }
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(Unfit::TransferCoding);
    }
    let bodyless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    Ok(if bodyless || *method == Method::HEAD {
        BodyWay::None
    } else if length {
        BodyWay::Length
    } else if version == Version::Http11 {
        BodyWay::Chunked
    } else {
        BodyWay::UntilEnd
    })
}

/// The head as the client gets it. `keep` says whether the connection lives on.
pub fn head(parts: &Parts, way: BodyWay, keep: bool, version: Version) -> Vec<u8> {
    let mut bytes = status_line(parts);
    let listed = listed_in_connection(&parts.headers);
    for (name, value) in &parts.headers {
        // RFC 9110 section 8.6: a 204 has no length, and a client may believe the one it gets.
        let lies = *name == CONTENT_LENGTH && parts.status == StatusCode::NO_CONTENT;
        if ends_here(name) || listed.contains(name) || lies {
            continue;
        }
        put(&mut bytes, name.as_str(), value.as_bytes());
    }
    if way == BodyWay::Chunked {
        put(&mut bytes, "transfer-encoding", b"chunked");
    }
    match (keep, version) {
        (false, _) => put(&mut bytes, "connection", b"close"),
        (true, Version::Http10) => put(&mut bytes, "connection", b"keep-alive"),
        (true, Version::Http11) => {}
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The head of an interim (1xx) answer.
pub fn interim(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    let listed = listed_in_connection(headers);
    let passes = |name: &HeaderName| !ends_here(name) && !listed.contains(name);
    for (name, value) in headers.iter().filter(|(name, _)| passes(name)) {
        put(&mut bytes, name.as_str(), value.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn status_line(parts: &Parts) -> Vec<u8> {
    let reason = parts.extensions.get::<ReasonPhrase>().map_or_else(
        || parts.status.canonical_reason().unwrap_or_default().as_bytes(),
        |reason| reason.as_bytes(),
    );
    let mut bytes = format!("HTTP/1.1 {} ", parts.status.as_u16()).into_bytes();
    bytes.extend_from_slice(reason);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn put(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

fn listed_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

/// What ends at us, the framing included, which is written anew.
fn ends_here(name: &HeaderName) -> bool {
    *name == TRANSFER_ENCODING || is_hop_by_hop(name.as_str())
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn parts(fields: &[(&str, &str)], status: u16) -> Parts {
        let mut response = Response::builder().status(status);
        for (name, value) in fields {
            response = response.header(*name, *value);
        }
        response.body(()).unwrap().into_parts().0
    }

    #[test]
    fn each_answer_gets_one_framing_and_doubtful_ones_none() {
        let length = ("content-length", "3");
        let chunked = ("transfer-encoding", "chunked");
        let get = Method::GET;
        let rows: [(&[_], u16, &Method, _, _); 9] = [
            (&[length], 200, &get, Version::Http11, Ok(BodyWay::Length)),
            (&[chunked], 200, &get, Version::Http11, Ok(BodyWay::Chunked)),
            (&[chunked], 200, &get, Version::Http10, Ok(BodyWay::UntilEnd)),
            (&[], 200, &get, Version::Http11, Ok(BodyWay::Chunked)),
            (&[length], 200, &Method::HEAD, Version::Http11, Ok(BodyWay::None)),
            (&[], 204, &get, Version::Http11, Ok(BodyWay::None)),
            (&[length, chunked], 200, &get, Version::Http11, Err(Unfit::TwoFramings)),
            (&[], 101, &get, Version::Http11, Err(Unfit::Unsolicited101)),
            (
                &[("transfer-encoding", "gzip")],
                200,
                &get,
                Version::Http11,
                Err(Unfit::TransferCoding),
            ),
        ];
        for (fields, status, method, version, wanted) in rows {
            assert_eq!(way(&parts(fields, status), method, version), wanted, "{fields:?} {status}");
        }
    }

    #[test]
    fn hop_by_hop_fields_and_those_that_connection_names_stay_behind() {
        let fields =
            [("connection", "x-hop, close"), ("x-hop", "1"), ("keep-alive", "1"), ("x-end", "2")];
        let head = head(&parts(&fields, 200), BodyWay::Chunked, true, Version::Http11);
        let wanted = "HTTP/1.1 200 OK\r\nx-end: 2\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), wanted);
    }
}
