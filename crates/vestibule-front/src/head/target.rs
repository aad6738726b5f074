//! Where a request wants to go: its target and its Host, reduced to one reading.
//!
//! Owns the accepted forms of RFC 9112 §3.2 and the characters of a host.
//! Must never choose an upstream address: that comes from configuration alone.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::uri::PathAndQuery;

use super::{Head, HeadError, Version, list};

/// Bytes of a DNS name without the root's dot (RFC 1035 §2.3.4).
const NAME_MAX: usize = 253;
/// Bytes of one label of it.
const LABEL_MAX: usize = 63;

/// The Host of a head. HTTP/1.1 needs exactly one; HTTP/1.0 may have none.
pub(super) fn host(head: &Head) -> Result<Option<&str>, HeadError> {
    let mut values = head.values("host");
    let Some(value) = values.next() else {
        return if head.version() == Version::Http11 {
            Err(HeadError::HostMissing)
        } else {
            Ok(None)
        };
    };
    if values.next().is_some() {
        return Err(HeadError::HostRepeated);
    }
    let text = std::str::from_utf8(list::trim(value)).map_err(|_| HeadError::HostInvalid)?;
    if is_host(text) { Ok(Some(text)) } else { Err(HeadError::HostInvalid) }
}

/// The target in origin-form (or `*`), whichever form it came in.
pub(super) fn origin_form(head: &Head, host: Option<&str>) -> Result<PathAndQuery, HeadError> {
    let target = head.target();
    if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(HeadError::Target);
    }
    let options = head.method() == "OPTIONS";
    if target.starts_with('/') {
        return path_and_query(target);
    }
    if target == "*" {
        return if options { path_and_query(target) } else { Err(HeadError::Target) };
    }
    let rest = absolute_rest(target, host)?;
    match rest.as_bytes().first() {
        // RFC 9112 §3.2.4: an OPTIONS for the whole server, in absolute-form.
        None if options => path_and_query("*"),
        None => path_and_query("/"),
        Some(b'/') => path_and_query(rest),
        Some(_) => path_and_query(&format!("/{rest}")),
    }
}

/// What follows the authority of an absolute-form target, whose authority must be the Host.
fn absolute_rest<'t>(target: &'t str, host: Option<&str>) -> Result<&'t str, HeadError> {
    let (scheme, behind) = target.split_once("://").ok_or(HeadError::Target)?;
    if !["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(HeadError::Target);
    }
    let (authority, rest) = behind.split_at(behind.find(['/', '?']).unwrap_or(behind.len()));
    if !is_host(authority) {
        return Err(HeadError::Target);
    }
    match host {
        Some(host) if host.eq_ignore_ascii_case(authority) => Ok(rest),
        _ => Err(HeadError::AuthorityMismatch),
    }
}

fn path_and_query(text: &str) -> Result<PathAndQuery, HeadError> {
    let parsed = PathAndQuery::try_from(text).map_err(|_| HeadError::Target)?;
    // Browsers turn a backslash of a path into a slash, some servers too: no one reading is right.
    if parsed.path().contains('\\') {
        return Err(HeadError::Target);
    }
    Ok(parsed)
}

/// `host [":" port]`: a DNS name or IPv4 address, or an IPv6 address in brackets. Narrower than
/// RFC 3986 §3.2.2: sub-delims and percent-encoding are in no name that resolves.
fn is_host(text: &str) -> bool {
    let (name_valid, port) = match text.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((address, behind)) => (address.parse::<Ipv6Addr>().is_ok(), behind),
            None => return false,
        },
        None => {
            let end = text.find(':').unwrap_or(text.len());
            (is_name(&text[..end]), &text[end..])
        }
    };
    name_valid && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Labels between dots, none of them empty but that of the root behind the last dot (RFC 1035 §2.3.1
/// and §2.3.4, with the underscore that names inside container networks have).
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    if is_number(last) {
        // Who reads `127.1`, `0x7f.1` or `1.2.3.04` as an address reads another one than who does not.
        return text.len() == name.len() && name.parse::<Ipv4Addr>().is_ok();
    }
    let fits = name.len() <= NAME_MAX;
    fits && name.split('.').all(|label| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= LABEL_MAX && label.bytes().all(allowed)
    })
}

/// Whether browsers take a last label for a part of an IPv4 address (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let digits = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    digits || hexadecimal.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_port(digits: &str) -> bool {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits && !digits.starts_with('0') && digits.parse::<u16>().is_ok()
}
