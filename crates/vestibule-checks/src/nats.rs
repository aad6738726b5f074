//! `nats`: a NATS server answers, takes who we are, and has JetStream where that is wanted.
//!
//! Owns one conversation: INFO, CONNECT, PING, and a question or two to JetStream. The client library can't be
//! asked in this way: it reads a line without an end for as long as it comes, logs addresses with their
//! passwords, and reconnects in tasks of its own. So the few words are spoken here, on one bounded connection.
//! Must never send who we are before TLS where TLS is wanted, and never show it.

mod access;
mod credentials;
mod ops;
mod servers;
mod talk;
mod words;

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use self::access::Access;
use self::servers::Server;
use self::talk::Wanted;
use crate::options::{Flaw, Key, Options, Wants};
use crate::tls;

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key {
        name: "url",
        wants: Wants::Text,
        about: "nats://HOST:PORT or tls://HOST:PORT, several with commas",
    },
    Key { name: "token", wants: Wants::Text, about: "the token, if the URL has none" },
    Key { name: "user", wants: Wants::Text, about: "the user, if the URL has none" },
    Key { name: "password", wants: Wants::Text, about: "the user's password" },
    Key { name: "credentials_file", wants: Wants::Text, about: "a .creds file, read at each try" },
    Key {
        name: "ca_file",
        wants: Wants::Text,
        about: "certificates to trust, in PEM; else the system's",
    },
    Key { name: "jetstream", wants: Wants::Switch, about: "whether JetStream must answer" },
    Key { name: "stream", wants: Wants::Text, about: "a stream that must exist" },
];

/// From one server to the next while none has answered.
const STAGGER: Duration = Duration::from_millis(250);

/// A NATS server answers.
pub struct Nats {
    servers: Vec<Server>,
    access: Access,
    wanted: Wanted,
    ca_file: Option<PathBuf>,
    /// Whom we trust; read when it is first needed, since most servers inside a network speak no TLS.
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Nats {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let servers = servers::parse(options.text("url").unwrap_or_default());
        let servers = servers.unwrap_or_else(|flaw| {
            flaws.push(flaw);
            Vec::new()
        });
        let access = Access::declared(options).unwrap_or_else(|flaw| {
            flaws.push(flaw);
            Access::Nobody
        });
        let stream = options.text("stream").map(str::to_owned);
        if stream.as_deref().is_some_and(|name| !servers::is_stream_name(name)) {
            flaws.push(Flaw::new("stream", "a stream's name has no spaces, dots, slashes, * or >"));
        }
        let ca_file = options.text("ca_file").map(PathBuf::from);
        let mut tls = OnceCell::new();
        if ca_file.is_some() || servers.iter().any(|server| server.tls) {
            match tls::client(ca_file.as_deref()) {
                Ok(config) => tls = OnceCell::new_with(Some(config)),
                Err(error) => flaws.push(Flaw::new("ca_file", error)),
            }
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let jetstream = options.switch("jetstream");
        Ok(Self { servers, access, wanted: Wanted { jetstream, stream }, ca_file, tls })
    }

    /// The first server that passes; else the trouble that tells most.
    async fn any(&self, stage: &Stage) -> Result<Saw, Trouble> {
        let mut waiting = self.servers.iter();
        let mut running = Vec::new();
        let mut troubles = Vec::new();
        loop {
            if let Some(server) = waiting.next() {
                running.push(Box::pin(self.one(server, stage)));
            }
            if running.is_empty() {
                return Err(telling(troubles));
            }
            let pause = if waiting.len() > 0 { STAGGER } else { Duration::MAX };
            match timeout(pause, ended(&mut running)).await {
                Ok(Ok(saw)) => return Ok(saw),
                Ok(Err(trouble)) => troubles.push(trouble),
                Err(_still) => {}
            }
        }
    }

    async fn one(&self, server: &Server, stage: &Stage) -> Result<Saw, Trouble> {
        let access = server.access.as_ref().unwrap_or(&self.access);
        let asked = talk::ask(server, access, &self.wanted, || self.trusted(), stage).await;
        asked.map_err(|trouble| access.without_secrets(trouble))
    }

    async fn trusted(&self) -> Result<Arc<ClientConfig>, Trouble> {
        let read = || async {
            let ca_file = self.ca_file.clone();
            let read = tokio::task::spawn_blocking(move || tls::client(ca_file.as_deref())).await;
            read.unwrap_or_else(|error| Err(error.to_string()))
        };
        let config = self.tls.get_or_try_init(read).await;
        config.cloned().map_err(|error| Trouble::new(Reason::TlsFailed, error))
    }
}

impl Check for Nats {
    fn kind(&self) -> &'static str {
        "nats"
    }

    fn target(&self) -> String {
        let shown: Vec<_> = self.servers.iter().map(ToString::to_string).collect();
        shown.join(", ")
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(self.any(stage))
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("target", &self.target()).finish_non_exhaustive()
    }
}

/// The first of those under way that ends.
async fn ended<F: Future>(running: &mut Vec<Pin<Box<F>>>) -> F::Output {
    std::future::poll_fn(|context| {
        for at in 0..running.len() {
            if let Poll::Ready(output) = running[at].as_mut().poll(context) {
                drop(running.swap_remove(at));
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

/// What a server said outweighs that another was not there.
fn telling(troubles: Vec<Trouble>) -> Trouble {
    let is_absence = |reason: Reason| {
        matches!(reason, Reason::Refused | Reason::Unreachable | Reason::NameNotFound)
    };
    let count = troubles.len();
    let first = troubles.into_iter().min_by_key(|trouble| is_absence(trouble.reason()));
    match first {
        Some(trouble) if count > 1 => {
            let text = format!("{} (none of {count} servers passed)", trouble.detail());
            Trouble::new(trouble.reason(), text)
        }
        Some(trouble) => trouble,
        None => Trouble::new(Reason::Other, "no server to ask"),
    }
}

#[cfg(test)]
mod tests;
