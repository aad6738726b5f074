//! One session, from the login to the goodbye.
//!
//! Owns what is asked, and that the two halves of the library, one that asks and one that reads and writes, live
//! and die in one future. Must never spawn, and must never leave a session without a goodbye unless it is cut
//! off.

use std::fmt;
use std::pin::pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::Severity;
use tokio_postgres::tls::{MakeTlsConnect, NoTls};
use tokio_postgres::{Client, Config, Connection, Error, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use vestibule::check::{Reason, Stage};

/// What it is, whether it follows another, and whether it takes writes. Every PostgreSQL since 9.0 knows these.
const STATE: &str = "SELECT pg_catalog.current_setting('server_version'), \
    pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')";

/// What was seen of a server that answered.
#[derive(Debug, Default)]
pub(super) struct Seen {
    version: Option<String>,
    in_recovery: bool,
    /// None where the server does not say.
    read_only: Option<bool>,
    /// Whether the session had TLS.
    pub(super) encrypted: bool,
}

impl Seen {
    /// Whether it says that it takes writes.
    pub(super) fn takes_writes(&self) -> bool {
        self.read_only == Some(false) && !self.in_recovery
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            // Behind the number stands the packager's.
            Some(version) => {
                let number = version.split(' ').next().unwrap_or_default();
                write!(f, "PostgreSQL {number}")?;
            }
            None => f.write_str("PostgreSQL")?,
        }
        f.write_str(if self.in_recovery { ", in recovery" } else { "" })?;
        f.write_str(match self.read_only {
            Some(true) => ", read-only",
            Some(false) => ", read-write",
            None => ", which does not say whether it takes writes",
        })
    }
}

/// Logs in over this stream, asks, and says goodbye.
pub(super) async fn ask<S>(
    config: &Config,
    stream: S,
    tls: Option<(MakeRustlsConnect, &str)>,
    query: &str,
    stage: &Stage,
) -> Result<Seen, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    stage.waits(Reason::Silent, "the answer to a login");
    let tls = tls.map(|(mut tls, host)| MakeTlsConnect::<S>::make_tls_connect(&mut tls, host));
    match tls {
        Some(Ok(tls)) => in_session(config.connect_raw(stream, tls).await?, query, stage).await,
        _ => {
            let mut config = config.clone();
            config.ssl_mode(SslMode::Disable);
            in_session(config.connect_raw(stream, NoTls).await?, query, stage).await
        }
    }
}

async fn in_session<S, T>(
    (client, connection): (Client, Connection<S, T>),
    query: &str,
    stage: &Stage,
) -> Result<Seen, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    stage.waits(Reason::TimedOut, "the answer to the query");
    let mut asking = pin!(questions(client, query));
    let mut carrying = pin!(carry(connection));
    let asked = tokio::select! {
        biased;
        asked = &mut asking => asked,
        carried = &mut carrying => {
            // What came before the end is still told, and more telling than the end.
            let asked = asking.await;
            return match (asked, carried) {
                (Err(asked), Err(carried)) if asked.as_db_error().is_none() => Err(carried),
                (asked, _) => asked,
            };
        }
    };
    stage.waits(Reason::TimedOut, "the end of the session");
    // The client is gone, which is what makes its other half say goodbye. Nothing that happens now is of interest.
    let _ = carrying.await;
    asked
}

/// The questions of one session; it drops the client at the end.
async fn questions(client: Client, query: &str) -> Result<Seen, Error> {
    client.simple_query(query).await?;
    let state = match client.simple_query(STATE).await {
        Ok(state) => state,
        // What only speaks the protocol (a pooler's console, a warehouse) need not know these.
        Err(error) if is_only_a_no(&error) => return Ok(Seen::default()),
        Err(error) => return Err(error),
    };
    let row = state.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let field = |at| row.and_then(|row| row.try_get(at).ok().flatten());
    Ok(Seen {
        version: field(0).map(str::to_owned),
        in_recovery: field(1) == Some("t"),
        read_only: field(2).map(|setting| setting == "on"),
        encrypted: false,
    })
}

/// Whether the session goes on behind this error.
fn is_only_a_no(error: &Error) -> bool {
    let severity = error.as_db_error().and_then(|error| error.parsed_severity());
    severity == Some(Severity::Error)
}

/// Reads and writes until the client is gone. Notices are not looked at: they may repeat anything.
async fn carry<S, T>(mut connection: Connection<S, T>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await
    {
        message?;
    }
    Ok(())
}
