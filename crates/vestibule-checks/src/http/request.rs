//! What is asked, as declared.
//!
//! Owns reading a URL and header lines, with every mistake told. Must never show a header's value, a query, or
//! a user.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio_rustls::rustls::ClientConfig;
use url::{Host, Url};

use crate::options::{Flaw, Options};
use crate::tls;

/// Headers that frame a message or steer its connection; they are ours.
const OURS: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE];

/// A request that can be asked again and again.
pub(crate) struct Request {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) unix: Option<PathBuf>,
}

impl Request {
    /// The request of `url`, `method`, `headers`, `host`, `unix` and `ca_file`.
    pub(crate) fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let url = url(options).map_err(|flaw| flaws.push(flaw)).ok();
        let headers = headers(options).map_err(|flaw| flaws.push(flaw)).ok();
        let method = match options.text("method").unwrap_or("GET") {
            "GET" => Method::GET,
            "HEAD" => Method::HEAD,
            _ => {
                flaws
                    .push(Flaw::new("method", "use GET or HEAD: a check must not change anything"));
                Method::GET
            }
        };
        let ca_file = options.text("ca_file").map(Path::new);
        let secure = url.as_ref().is_some_and(|url| url.scheme() == "https");
        let mut tls = None;
        if secure {
            tls = tls::client(ca_file).map_err(|why| flaws.push(Flaw::new("ca_file", why))).ok();
        } else if url.is_some() && ca_file.is_some() {
            flaws.push(Flaw::new("ca_file", "only https has a certificate"));
        }
        let unix = options.text("unix").map(PathBuf::from);
        match (url, headers) {
            (Some(url), Some(headers)) if flaws.is_empty() => {
                Ok(Self { url, method, headers, tls, unix })
            }
            _ => Err(flaws),
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The same with this path, if the URL names none.
    #[cfg(feature = "jwks")]
    pub(crate) fn or_path(mut self, path: &str) -> Self {
        if self.url.path() == "/" {
            self.url.set_path(path);
        }
        self
    }

    /// Where it asks, without user and query.
    pub(crate) fn target(&self) -> String {
        plain(&self.url)
    }

    /// The host without brackets, and the port.
    pub(super) fn place(&self) -> (String, u16) {
        let host = match self.url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        (host, self.url.port_or_known_default().unwrap_or_default())
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Request").field(&self.target()).finish()
    }
}

/// A URL without what may be a secret.
pub(super) fn plain(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

fn url(options: &Options) -> Result<Url, Flaw> {
    let flaw = |message: &str| Flaw::new("url", message);
    let usage = "use http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH";
    let text = options.text("url").ok_or_else(|| flaw(usage))?;
    let mut url = Url::parse(text).map_err(|_| flaw(usage))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(flaw(usage));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(flaw("no user or password here: use headers = [\"Authorization: …\"]"));
    }
    url.set_fragment(None);
    Ok(url)
}

fn headers(options: &Options) -> Result<HeaderMap, Flaw> {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    headers.insert("user-agent", HeaderValue::from_static("vestibule-check"));
    for (at, line) in options.words("headers").iter().enumerate() {
        let flaw = |what: &str| Flaw::new("headers", format!("entry {}: {what}", at + 1));
        let usage = || flaw("use \"Name: value\"");
        let (name, value) = line.split_once(':').ok_or_else(usage)?;
        let name: HeaderName = name.trim().parse().map_err(|_| usage())?;
        if OURS.contains(&name) {
            return Err(flaw(&format!("{name} is not for you to set (see host)")));
        }
        let mut value: HeaderValue = value.trim().parse().map_err(|_| usage())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let host = match options.text("host") {
        Some(host) => host.to_owned(),
        None => match options.text("url").and_then(|text| Url::parse(text).ok()) {
            Some(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}{port}", url.host_str().unwrap_or_default())
            }
            None => String::new(),
        },
    };
    let host = HeaderValue::from_str(&host).map_err(|_| Flaw::new("host", "this is no host"))?;
    headers.insert(HOST, host);
    Ok(headers)
}
