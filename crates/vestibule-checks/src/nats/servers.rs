//! Where NATS servers are.
//!
//! Owns reading `nats://user:password@host:port, …`, with what others accept in it. Must never repeat any of it
//! in a mistake.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use super::access::Access;
use crate::options::Flaw;

/// The port of clients where a URL names none.
const PORT: u16 = 4222;

/// No more servers are read from one list.
const SERVERS_MAX: usize = 16;

/// One server.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether TLS is wanted, whatever the server says of it.
    pub(super) tls: bool,
    /// Who we are there; if none, who we are everywhere.
    pub(super) access: Option<Access>,
}

/// Fit to be shown.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        let host = &self.host;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{}", self.port)
        } else {
            write!(f, "{scheme}://{host}:{}", self.port)
        }
    }
}

/// The servers of a list; a scheme may be left out, as NATS clients allow.
pub(super) fn parse(list: &str) -> Result<Vec<Server>, Flaw> {
    let texts: Vec<_> = list.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    if texts.is_empty() || texts.len() > SERVERS_MAX {
        let message =
            format!("use nats://HOST:PORT, at most {SERVERS_MAX} of them with commas between");
        return Err(Flaw::new("url", message));
    }
    texts.into_iter().map(server).collect()
}

fn server(text: &str) -> Result<Server, Flaw> {
    let flaw =
        || Flaw::new("url", "use nats://HOST:PORT or tls://HOST:PORT, several with commas between");
    let url = if text.contains("://") { text.to_owned() } else { format!("nats://{text}") };
    let url = Url::parse(&url).map_err(|_| flaw())?;
    let tls = match url.scheme() {
        "nats" => false,
        "tls" => true,
        _ => return Err(flaw()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(flaw)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_bare =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !is_bare {
        return Err(Flaw::new("url", "a NATS server has no path and no query"));
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let access = match (url.username(), url.password()) {
        ("", None) => None,
        (token, None) => Some(Access::Token(decoded(token))),
        (user, Some(password)) => Some(Access::User(decoded(user), decoded(password))),
    };
    Ok(Server { host, port: url.port().unwrap_or(PORT), tls, access })
}

/// Whether a name may stand in a subject of JetStream: what nats-server allows, less what ends a line.
pub(super) fn is_stream_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c);
    !name.is_empty() && name.len() <= 255 && !name.contains(forbidden)
}
