//! Which pages may open a socket or call the API.
//!
//! Owns the comparison of origins (RFC 6454). Must never compare by beginning or end, and must never guess.

use axum::http::{HeaderMap, HeaderValue, header};
use url::{Origin, Url};

use crate::settings::Settings;

/// Whether this request may come from where it comes from. Who sends no origin is no browser, and has only its token.
pub(crate) fn is_allowed(headers: &HeaderMap, settings: &Settings) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin
            .to_str()
            .ok()
            .and_then(parse)
            .is_some_and(|origin| is_listed(&origin, headers, settings)),
        (Some(_), Some(_)) => false,
    }
}

fn is_listed(origin: &Origin, headers: &HeaderMap, settings: &Settings) -> bool {
    if !settings.origins.is_empty() {
        return settings.origins.iter().any(|listed| parse(listed).as_ref() == Some(origin));
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next())
    else {
        return false;
    };
    schemes(headers, settings)
        .iter()
        .any(|scheme| parse(&format!("{scheme}://{host}")).as_ref() == Some(origin))
}

/// Over which schemes a page of our own may have come: the one that a proxy names. Whoever can write that field is no
/// page (a page's own fields are asked for first), so any may be believed here. Without a word of it either is ours,
/// since a proxy may keep it for itself; over HTTPS alone where nothing else is served.
fn schemes(headers: &HeaderMap, settings: &Settings) -> &'static [&'static str] {
    let said = headers.get("x-forwarded-proto").map(HeaderValue::as_bytes);
    match said {
        _ if settings.https_only => &["https"],
        Some(b"https") => &["https"],
        Some(b"http") => &["http"],
        _ => &["https", "http"],
    }
}

/// An origin as browsers write it: a scheme, a host, perhaps a port, all in lower case, and nothing else.
fn parse(text: &str) -> Option<Origin> {
    let (scheme, rest) = text.split_once("://")?;
    let is_plain = |b: u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || matches!(b, b'.' | b'-' | b':' | b'[' | b']')
    };
    if !matches!(scheme, "http" | "https") || !rest.bytes().all(is_plain) || rest.ends_with('.') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let port = if scheme == "https" { ":443" } else { ":80" };
    // What is written in another way than we would is not from a browser: 0x7f.1 for 127.0.0.1, or an empty port.
    let is_canonical =
        url.origin().ascii_serialization() == text.strip_suffix(port).unwrap_or(text);
    is_canonical.then(|| url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if a page of another origin passes by looking like one of ours.
    #[test]
    fn origins_are_compared_whole() {
        let ours = parse("https://chat.example");
        assert!(ours.is_some());
        assert_eq!(parse("https://chat.example:443"), ours);
        let others = [
            "http://chat.example",
            "https://chat.example:444",
            "https://chat.example.evil.test",
            "https://evil-chat.example",
            "https://chat.example.",
            "https://chat.example/",
            "https://chat.example:",
            "https://chat.example:0443",
            "https://chat.example:443:443",
            "https://xn--chat-.example",
            "https://a@chat.example",
            "https://CHAT.example",
            "HTTPS://chat.example",
            "https://chat.example#",
            "null",
            "",
            "file://",
            "chat.example",
        ];
        for other in others {
            assert_ne!(parse(other), ours, "{other}");
        }
        assert_eq!(parse("http://0x7f.1"), None);
        assert!(parse("http://[::1]:8080").is_some());
        assert_ne!(parse("null"), Some(Origin::new_opaque()));
    }
}
