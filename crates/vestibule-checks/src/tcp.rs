//! `tcp`: somebody accepts.
//!
//! Owns the weakest question of all: a kernel accepts for a process that hangs. Must never send a byte.

use vestibule::check::{Check, CheckFuture, Saw, Stage, Trouble};

use crate::options::{Flaw, Key, Options, Wants};
use crate::socket::dial;

/// The keys of this kind.
pub const KEYS: &[Key] = &[Key { name: "url", wants: Wants::Text, about: "tcp://HOST:PORT" }];

/// Somebody accepts at this address.
#[derive(Debug)]
pub struct Tcp {
    host: String,
    port: u16,
}

impl Tcp {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let flaw = || vec![Flaw::new("url", "use tcp://HOST:PORT")];
        let url = options.text("url").ok_or_else(flaw)?;
        let url = url::Url::parse(url).map_err(|_| flaw())?;
        match (url.scheme(), url.host_str(), url.port()) {
            ("tcp", Some(host), Some(port)) => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Self { host, port })
            }
            _ => Err(flaw()),
        }
    }
}

impl Check for Tcp {
    fn kind(&self) -> &'static str {
        "tcp"
    }

    fn target(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            let stream = dial(&self.host, self.port, stage).await?;
            let peer = stream.peer_addr().map_or_else(|_| self.target(), |peer| peer.to_string());
            Ok(Saw::new(format!("{peer} accepts")))
        })
    }
}
