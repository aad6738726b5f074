//! A plain request that has passed the policy, in the types of the `http` crate.
//!
//! Owns what the proxy needs to send it on and to read its body.
//! Must never hold a hop-by-hop field or print a value.

use std::{fmt, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, uri::PathAndQuery};

use super::{HeadError, TraceContext, Version, policy::Reading};
use crate::body::RequestFraming;

/// User agents of known probers: Kubernetes, Google Cloud load balancers, AWS load balancers.
const PROBERS: [&[u8]; 3] = [b"kube-probe/", b"GoogleHC/", b"ELB-HealthChecker/"];

/// A valid request that is no handshake.
pub struct Plain {
    /// The method; never CONNECT or TRACE.
    pub method: Method,
    /// Path and query in origin-form, or `*` for OPTIONS.
    pub target: PathAndQuery,
    /// End-to-end fields, forwarded fields set. Host is kept, absent only in HTTP/1.0; framing is not here.
    pub fields: HeaderMap,
    /// How the body behind the head is delimited.
    pub framing: RequestFraming,
    /// The client waits for `100 Continue` before it sends a body.
    pub expects_continue: bool,
    /// The client wants to use the connection again.
    pub keep_alive: bool,
    /// The client's version: decides how it can be answered.
    pub version: Version,
    /// A platform's prober: answered at once, never held.
    pub is_prober: bool,
    /// The client's address as far as it can be believed.
    pub client: Option<IpAddr>,
}

impl Plain {
    pub(super) fn from_reading(reading: &Reading<'_>) -> Result<Self, HeadError> {
        let head = reading.head;
        let (version, framing) = (head.version(), reading.framing);
        let mut fields = HeaderMap::new();
        if let Some(host) = reading.host {
            let value = HeaderValue::from_str(host).map_err(|_| HeadError::HostInvalid)?;
            fields.append(header::HOST, value);
        }
        for (name, value) in reading.end_to_end() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeadError::Malformed)?;
            fields.append(name, HeaderValue::from_bytes(value).map_err(|_| HeadError::Malformed)?);
        }
        let agent = head.values("user-agent").next().unwrap_or_default();
        // RFC 9110 §10.1.1: an expectation of HTTP/1.0 is ignored, and none makes sense without a body.
        let has_body = !matches!(framing, RequestFraming::None | RequestFraming::Length(0));
        Ok(Self {
            method: Method::from_bytes(head.method().as_bytes())
                .map_err(|_| HeadError::Malformed)?,
            target: reading.target.clone(),
            fields,
            framing,
            expects_continue: reading.expects_continue && has_body && version == Version::Http11,
            keep_alive: keeps_alive(reading),
            version,
            is_prober: PROBERS.iter().any(|prober| agent.starts_with(prober)),
            client: reading.forwarding.client(),
        })
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// The trace this request belongs to, for log lines.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::read(|name| {
            super::list::only(self.fields.get_all(name).iter().map(HeaderValue::as_bytes))
        })
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain")
            .field("fields", &self.fields.len())
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

/// RFC 9112 §9.3.
fn keeps_alive(reading: &Reading<'_>) -> bool {
    match reading.head.version() {
        Version::Http11 => !reading.connection.lists("close"),
        Version::Http10 => {
            reading.connection.lists("keep-alive") && !reading.connection.lists("close")
        }
    }
}
