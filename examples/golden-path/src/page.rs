//! The page: one HTML file with its style and script, in the binary.
//!
//! Owns its headers. Must never refer to another host.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const HTML: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/style.css");
const SCRIPT: &str = include_str!("../page/app.js");
const ICON: &str = include_str!("../page/icon.svg");

/// What the page may do: its own script and style, its own service, and nothing else. `'self'` is the same host over
/// WebSocket, too (CSP Level 3 section 6.7.2.8).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`, and what it needs.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|headers| async move { file(&headers, "text/html; charset=utf-8", HTML) }))
        .route(
            "/style.css",
            get(|headers| async move { file(&headers, "text/css; charset=utf-8", STYLE) }),
        )
        .route(
            "/app.js",
            get(|headers| async move { file(&headers, "text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route("/icon.svg", get(|headers| async move { file(&headers, "image/svg+xml", ICON) }))
}

/// A file with its tag (RFC 9110 section 8.8.3): a browser asks each time, and is told if nothing has changed.
fn file(asked: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let short = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{short}\"");
    let is_known =
        asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
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
