//! `postgres`: a query is answered.
//!
//! Owns one question in one session: log in, ask, say goodbye. `url` reads the address as the service's own
//! driver would, `trust` decides about certificates as libpq does, `session` asks, `trouble` has the words for
//! what comes back. Must never show a user, a password, a query, or a server's message, which repeats them; must
//! never hold a session behind a try.

mod session;
mod trouble;
mod trust;
mod url;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::capped::Capped;
use crate::opening::Opening;
use crate::options::{Flaw, Key, Options, Wants};
use crate::socket;

use self::session::Seen;
use self::url::{Declared, Place};

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key {
        name: "url",
        wants: Wants::Text,
        about: "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE, as the service has it",
    },
    Key {
        name: "ca_file",
        wants: Wants::Text,
        about: "certificates to trust, PEM; instead of sslrootcert in the URL",
    },
    Key {
        name: "query",
        wants: Wants::Text,
        about: "what must be answered, quickly and with few rows; SELECT 1 by default",
    },
    Key {
        name: "writable",
        wants: Wants::Switch,
        about: "whether a replica, or a database that is read-only, fails",
    },
];

/// Asked where nothing else is declared.
const QUERY: &str = "SELECT 1";

/// A query that a PostgreSQL must answer.
pub struct Postgres {
    config: Config,
    places: Vec<Place>,
    database: Option<String>,
    tls: Option<MakeRustlsConnect>,
    verified: bool,
    query: String,
    writable: bool,
    /// Of several places, where the next try begins.
    next: AtomicUsize,
}

impl Postgres {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let url = options.text("url").ok_or_else(|| vec![Flaw::new("url", url::USAGE)])?;
        let declared = Declared::parse(url).map_err(|message| vec![Flaw::new("url", message)])?;
        let query = options.text("query").unwrap_or(QUERY).trim();
        let mut flaws = Vec::new();
        if query.is_empty() {
            flaws.push(Flaw::new("query", "it is empty: leave it out for SELECT 1"));
        }
        let (file, key) = match options.text("ca_file") {
            Some(file) => (Some(file), "ca_file"),
            None => (declared.ca_file.as_deref(), "url"),
        };
        let tls = trust::client(declared.way, file.map(Path::new));
        let tls = tls.unwrap_or_else(|message| {
            flaws.push(Flaw::new(key, message));
            None
        });
        if !flaws.is_empty() {
            return Err(flaws);
        }
        Ok(Self {
            verified: trust::verifies(declared.way, file.is_some()),
            config: declared.config,
            places: declared.places,
            database: declared.database,
            tls,
            query: query.to_owned(),
            writable: declared.writable || options.switch("writable"),
            next: AtomicUsize::new(0),
        })
    }

    /// The first place that will have us; of several, a try that is cut off is not followed by one at the same.
    async fn ask(&self, stage: &Stage) -> Result<Saw, Trouble> {
        let first = self.next.load(Ordering::Relaxed);
        let mut trouble = Trouble::new(Reason::Other, "no place to ask");
        for at in (first..first + self.places.len()).map(|at| at % self.places.len()) {
            self.next.store((at + 1) % self.places.len(), Ordering::Relaxed);
            match self.ask_at(&self.places[at], stage).await {
                Ok(saw) => {
                    self.next.store(at, Ordering::Relaxed);
                    return Ok(saw);
                }
                Err(met) => trouble = met,
            }
        }
        Err(trouble)
    }

    async fn ask_at(&self, place: &Place, stage: &Stage) -> Result<Saw, Trouble> {
        let seen = match place {
            Place::Tcp { name, address, port } => {
                let stream = socket::dial(address, *port, stage).await?;
                self.talk(stream, self.tls.clone().map(|tls| (tls, name.as_str())), stage).await?
            }
            Place::Unix(path) => {
                stage.waits(Reason::ConnectTimeout, "a connection");
                let stream = UnixStream::connect(path).await;
                let stream = stream.map_err(|error| socket::trouble_of_unix(&error))?;
                self.talk(stream, None, stage).await?
            }
        };
        if self.writable && !seen.takes_writes() {
            return Err(Trouble::new(Reason::ReadOnly, seen.to_string()));
        }
        let unverified =
            if seen.encrypted && !self.verified { ", certificate not verified" } else { "" };
        Ok(Saw::new(format!("{seen}{unverified}")))
    }

    async fn talk<S>(
        &self,
        stream: S,
        tls: Option<(MakeRustlsConnect, &str)>,
        stage: &Stage,
    ) -> Result<Seen, Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let wants_tls = tls.is_some();
        let plausible = if wants_tls { trouble::may_offer_tls } else { trouble::is_message };
        let (stream, heard) = Opening::plausible(Capped::new(stream), plausible);
        let asked = session::ask(&self.config, stream, tls, &self.query, stage).await;
        let mut seen = asked.map_err(|error| trouble::of(&error, &heard, plausible))?;
        seen.encrypted = wants_tls && heard.bytes().first() == Some(&b'S');
        Ok(seen)
    }
}

impl Check for Postgres {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn target(&self) -> String {
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        match &self.database {
            Some(database) => format!("{}/{database}", places.join(",")),
            None => places.join(","),
        }
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(self.ask(stage))
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("target", &self.target()).finish_non_exhaustive()
    }
}
