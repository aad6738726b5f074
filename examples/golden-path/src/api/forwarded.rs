//! Who a request comes from, and how, as far as proxies in front of us tell.
//!
//! Owns whom they are believed. Must never believe a client that comes by itself.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::App;
use super::refusal::Refusal;

/// What keeps browsers on HTTPS for a year (RFC 6797 section 6.1).
const STAY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The client's address. A proxy is believed if it is on this machine, as the door is; of what it tells the right-most
/// counts that is not a proxy's own, since everything further left may have been written by the client.
pub(crate) fn client(headers: &HeaderMap, peer: SocketAddr) -> String {
    let peer = peer.ip().to_canonical();
    if !is_proxy(peer) {
        return peer.to_string();
    }
    let chain = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = chain.flat_map(|value| value.split(',')).map(str::trim).collect();
    let addresses = hops.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
    let client =
        addresses.map(|address| address.to_canonical()).find(|address| !is_proxy(*address));
    client.unwrap_or(peer).to_string()
}

/// Whether the client came over HTTPS, as the proxy on this machine tells.
fn is_https(headers: &HeaderMap, peer: SocketAddr) -> bool {
    let schemes =
        headers.get_all("x-forwarded-proto").iter().filter_map(|value| value.to_str().ok());
    let last = schemes.flat_map(|value| value.split(',')).map(str::trim).next_back();
    is_proxy(peer.ip().to_canonical())
        && last.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// This machine, or the platform's own network on it: Cloud Run's front end is link-local (docs/cloud-run-model.md).
fn is_proxy(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        // Any neighbour on a network has a link-local IPv6 address, and no platform's front end comes from one.
        IpAddr::V6(address) => address.is_loopback(),
    }
}

/// Where nothing but HTTPS is served, sends pages there and refuses everything else: by then a token has been sent in
/// clear.
pub(crate) async fn https_only(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if !app.settings.https_only {
        return next.run(request).await;
    }
    if !is_https(request.headers(), peer) {
        let is_page = request.uri().path() == "/" && request.method() == Method::GET;
        return match https_address(request.headers(), request.uri()).filter(|_| is_page) {
            Some(address) => Redirect::permanent(&address).into_response(),
            None => Refusal::NotHttps.into_response(),
        };
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, STAY);
    response
}

fn https_address(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    // A host and no more: what stands there was written by the client, and goes into an address.
    let is_host =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    (!host.is_empty() && host.bytes().all(is_host)).then(|| format!("https://{host}{}", uri.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, chain: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in chain {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        client(&headers, SocketAddr::new(peer.parse().expect("an address"), 1))
    }

    /// Breaks if a client can choose the address that its attempts are counted for.
    #[test]
    fn only_what_the_nearest_proxy_saw_counts() {
        assert_eq!(from("127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(from("127.0.0.1", &["198.51.100.1, 203.0.113.7, 169.254.1.1"]), "203.0.113.7");
        assert_eq!(from("127.0.0.1", &["198.51.100.1", "203.0.113.7"]), "203.0.113.7");
        assert_eq!(from("127.0.0.1", &["198.51.100.1, nonsense"]), "127.0.0.1");
        assert_eq!(from("fe80::1", &["198.51.100.1"]), "fe80::1");
        assert_eq!(from("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(from("::ffff:127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
    }
}
