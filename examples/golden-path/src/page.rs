//! The page: one HTML file with its style and scripts, in the binary.
//!
//! Owns its headers. Must never refer to another host.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Each file: where it is, what it is, what is in it.
const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("../page/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../page/style.css")),
    ("/app.js", SCRIPT, include_str!("../page/app.js")),
    ("/account.js", SCRIPT, include_str!("../page/account.js")),
    ("/link.js", SCRIPT, include_str!("../page/link.js")),
    ("/story.js", SCRIPT, include_str!("../page/story.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../page/icon.svg")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page may do: its own script and style, its own service, and nothing else. `'self'` is the same host over
/// WebSocket, too (CSP Level 3 section 6.7.2.8).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`, and what it needs.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |routes, &(path, kind, text)| {
        routes.route(path, get(async move |headers: HeaderMap| file(&headers, kind, text)))
    })
}

/// A file with its tag (RFC 9110 section 8.8.3): a browser asks each time, and is told if nothing has changed.
fn file(asked: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let short = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{short}\"");
    let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|known| {
        // Compared weakly (section 13.1.2): a proxy that compresses makes a tag weak.
        known.to_str().is_ok_and(|known| {
            known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
        })
    });
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { text.into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if the page asks another host for anything, runs a script of its own text, or inserts a text as more
    /// than text.
    #[test]
    fn the_page_refers_to_nobody_else_and_inserts_nothing_but_text() {
        for (path, kind, text) in FILES {
            let without_names = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!without_names.contains("://"), "{path} refers to another host");
            for unsafe_way in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(unsafe_way), "{path} uses {unsafe_way}");
            }
            let is_inline =
                *kind != SCRIPT && (text.contains("<script>") || text.contains(" style="));
            assert!(!is_inline, "{path} has script or style in it, which the policy forbids");
        }
    }

    /// Breaks if a browser that has the file gets it again, or if one that has an older file keeps that.
    #[test]
    fn a_known_file_is_not_sent_again() {
        let mut asked = HeaderMap::new();
        let fresh = file(&asked, SCRIPT, "one");
        assert_eq!(fresh.status(), StatusCode::OK);
        let tag = fresh.headers().get(header::ETAG).cloned().expect("a tag");
        asked.insert(header::IF_NONE_MATCH, tag);
        assert_eq!(file(&asked, SCRIPT, "one").status(), StatusCode::NOT_MODIFIED);
        assert_eq!(file(&asked, SCRIPT, "two").status(), StatusCode::OK);
        assert!(fresh.headers().get(header::CONTENT_SECURITY_POLICY).is_some_and(|policy| {
            policy.to_str().is_ok_and(|policy| policy.starts_with("default-src 'none';"))
        }));
    }
}
