//! `grpc`: a server says by the gRPC health protocol that it serves.
//!
//! Owns one Check in one try, on a connection of its own, and a Watch for as long as somebody waits for a change.
//! Must never run anything behind either: what hyper would spawn is polled here.

mod inside;
mod link;
mod meaning;
mod watch;

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;
use tonic_health::pb::HealthCheckRequest;
use url::Url;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use self::link::Link;
use self::watch::Watch;
use crate::options::{Flaw, Key, Options, Wants};
use crate::tls;

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key { name: "url", wants: Wants::Text, about: "grpc://HOST:PORT, grpcs://HOST[:PORT]" },
    Key {
        name: "service",
        wants: Wants::Text,
        about: "the service asked about; else the whole server",
    },
    Key {
        name: "ca_file",
        wants: Wants::Text,
        about: "certificates to trust, in PEM; else the system's",
    },
    Key {
        name: "watch",
        wants: Wants::Switch,
        about: "whether the server tells changes by itself",
    },
];

/// A server says that it serves.
#[derive(Debug)]
pub struct Grpc {
    at: At,
    service: String,
    watch: Option<Watch>,
}

/// Where a server is.
struct At {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

impl Grpc {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let (host, port, secure) =
            address(options.text("url").unwrap_or_default()).map_err(|flaw| vec![flaw])?;
        let ca_file = options.text("ca_file").map(Path::new);
        let tls = match (secure, ca_file) {
            (true, ca_file) => {
                let config = tls::client(ca_file);
                let config = config.map_err(|error| vec![Flaw::new("ca_file", error)])?;
                Some(http2(&config))
            }
            (false, Some(_)) => {
                return Err(vec![Flaw::new(
                    "ca_file",
                    "without TLS nobody is trusted: use grpcs://",
                )]);
            }
            (false, None) => None,
        };
        let service = options.text("service").unwrap_or_default().to_owned();
        let watch = options.switch("watch").then(Watch::default);
        Ok(Self { at: At { host, port, tls }, service, watch })
    }

    async fn ask(&self, stage: &Stage) -> Result<Saw, Trouble> {
        let mut link = Link::open(&self.at, stage).await?;
        stage.waits(Reason::Silent, "the answer of its health service");
        let asked = link.check(self.request()).await?;
        meaning::of_status(asked).map(|()| Saw::new(self.serving()))
    }

    fn request(&self) -> HealthCheckRequest {
        HealthCheckRequest { service: self.service.clone() }
    }

    fn serving(&self) -> String {
        match self.service.as_str() {
            "" => "gRPC, serving".to_owned(),
            service => format!("gRPC, {service} serving"),
        }
    }
}

impl Check for Grpc {
    fn kind(&self) -> &'static str {
        "grpc"
    }

    fn target(&self) -> String {
        self.at.to_string()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            let result = self.ask(stage).await;
            if let Some(watch) = &self.watch {
                watch.asked(result.is_ok());
            }
            result
        })
    }

    fn changed(&self) -> CheckFuture<'_, ()> {
        match &self.watch {
            Some(watch) => {
                Box::pin(watch.changed(|| Link::open_and_watch(&self.at, self.request())))
            }
            None => Box::pin(std::future::pending()),
        }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls.is_some() { "grpcs" } else { "grpc" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl std::fmt::Debug for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Host, port, and whether there is TLS.
fn address(url: &str) -> Result<(String, u16, bool), Flaw> {
    let flaw = || Flaw::new("url", "use grpc://HOST:PORT, or grpcs:// for TLS");
    let url = Url::parse(url).map_err(|_| flaw())?;
    let (secure, port) = match url.scheme() {
        "grpc" => (false, None),
        "http" => (false, Some(80)),
        "grpcs" | "https" => (true, Some(443)),
        _ => return Err(flaw()),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Flaw::new("url", "the health protocol takes no user and no password"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(Flaw::new("url", "the name of the service goes to the key service"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(flaw)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((host, url.port().or(port).ok_or_else(flaw)?, secure))
}

/// The same client, which speaks HTTP/2 alone.
fn http2(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[cfg(test)]
mod tests;
