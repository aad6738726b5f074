//! `redis`: a PING is answered by PONG.
//!
//! Owns the questions of one connection: who we are, which database, are you there, do you take writes. The
//! library writes commands and reads answers; the connection is ours, since its own client replaces the codes
//! that tell a Redis which loads from a wrong password (`redis::aio` answers both by "authentication failed").
//! `trouble` has the words for what comes back. Must never show a user, a password, or a server's message,
//! which repeats them.

mod trouble;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redis::{Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, Value, cmd};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_rustls::rustls::ClientConfig;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::capped::Capped;
use crate::options::{Flaw, Key, Options, Wants};
use crate::{socket, tls};

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key {
        name: "url",
        wants: Wants::Text,
        about: "redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// for TLS, redis+unix:///SOCKET",
    },
    Key {
        name: "ca_file",
        wants: Wants::Text,
        about: "certificates to trust, PEM; by default the system's",
    },
    Key { name: "writable", wants: Wants::Switch, about: "whether a replica fails" },
];

const USAGE: &str = "use redis://USER:PASSWORD@HOST:PORT/DATABASE, with / ? # @ : in user and \
    password written as %2F %3F %23 %40 %3A";

/// No answer that is asked for is longer: ROLE names each replica, in some 50 bytes.
const ANSWER_MAX: usize = 16 * 1024;

/// A Redis that must answer a PING.
pub struct Redis {
    place: Place,
    tls: Option<Arc<ClientConfig>>,
    login: RedisConnectionInfo,
    writable: bool,
}

#[derive(Debug)]
enum Place {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Redis {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let flaw = |key, message: &str| vec![Flaw::new(key, message)];
        let url = options.text("url").ok_or_else(|| flaw("url", USAGE))?;
        // The library knows the schemes with TLS only if it may bring TLS of its own.
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| flaw("url", USAGE))?;
        // A password with one of these in it would end there, and become a host and a port, which are shown.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !authority.is_empty() && !authority.contains('@') && rest.contains('@') {
            return Err(flaw("url", USAGE));
        }
        let scheme = scheme.to_ascii_lowercase();
        let plain = match scheme.as_str() {
            "rediss" => "redis",
            "valkeys" => "valkey",
            other => other,
        };
        let read = format!("{plain}://{rest}").into_connection_info();
        let info = read.map_err(|_its_message_repeats_values| flaw("url", USAGE))?;
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Place::Tcp(host.clone(), *port),
            ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
            _ => return Err(flaw("url", USAGE)),
        };
        let ca_file = options.text("ca_file").map(Path::new);
        let tls = match (plain == scheme, ca_file) {
            (true, None) => None,
            (true, Some(_)) => return Err(flaw("ca_file", "only rediss:// has TLS")),
            (false, file) => Some(tls::client(file).map_err(|why| flaw("ca_file", &why))?),
        };
        let login = info.redis_settings().clone();
        Ok(Self { place, tls, login, writable: options.switch("writable") })
    }

    async fn ask(&self, stage: &Stage) -> Result<Saw, Trouble> {
        match (&self.place, &self.tls) {
            (Place::Tcp(host, port), None) => {
                self.talk(
                    Capped::within(socket::dial(host, *port, stage).await?, ANSWER_MAX),
                    stage,
                )
                .await
            }
            (Place::Tcp(host, port), Some(tls)) => {
                let stream = Capped::new(socket::dial(host, *port, stage).await?);
                let session = tls::session(stream, host, Arc::clone(tls), stage).await?;
                self.talk(Capped::within(session, ANSWER_MAX), stage).await
            }
            (Place::Unix(path), _) => {
                stage.waits(Reason::ConnectTimeout, "a connection");
                let stream = UnixStream::connect(path).await;
                let stream = stream.map_err(|error| socket::trouble_of_unix(&error))?;
                self.talk(Capped::within(stream, ANSWER_MAX), stage).await
            }
        }
    }

    async fn talk<S>(&self, stream: S, stage: &Stage) -> Result<Saw, Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut line = Line { stream, unread: Vec::new() };
        if let Some(password) = self.login.password() {
            stage.waits(Reason::Silent, "the answer to AUTH");
            let mut auth = cmd("AUTH");
            auth.arg(self.login.username()).arg(password);
            line.ask(&auth).await?;
        }
        if self.login.db() != 0 {
            stage.waits(Reason::Silent, "the answer to SELECT");
            line.ask(cmd("SELECT").arg(self.login.db())).await?;
        }
        stage.waits(Reason::Silent, "the answer to PING");
        let answer = line.ask(&cmd("PING")).await?;
        if answer != Value::SimpleString("PONG".to_owned()) {
            return Err(Trouble::new(Reason::Protocol, "it answers a PING by something else"));
        }
        if self.writable {
            stage.waits(Reason::Silent, "the answer to ROLE");
            takes_writes(&line.ask(&cmd("ROLE")).await?)?;
        }
        // What becomes of the connection now changes nothing.
        let _ = line.stream.shutdown().await;
        Ok(Saw::new(if self.writable { "PONG, of a primary" } else { "PONG" }))
    }
}

/// Whether this answer to ROLE is a primary's.
fn takes_writes(role: &Value) -> Result<(), Trouble> {
    let word = match role {
        Value::Array(fields) => fields.first(),
        _ => None,
    };
    match word {
        Some(Value::BulkString(word)) if word == b"master" => Ok(()),
        Some(Value::BulkString(word)) if word == b"slave" => {
            Err(Trouble::new(Reason::ReadOnly, "it is a replica"))
        }
        Some(Value::BulkString(word)) if word == b"sentinel" => {
            Err(Trouble::new(Reason::Protocol, "it is a Sentinel, which holds no data"))
        }
        _ => Err(Trouble::new(Reason::Protocol, "it answers ROLE by something else")),
    }
}

/// A connection on which one command at a time is asked.
struct Line<S> {
    stream: S,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// The answer, which is no error.
    async fn ask(&mut self, command: &Cmd) -> Result<Value, Trouble> {
        // A server that is full says so unasked and closes: writing may fail while its word waits to be read.
        let written = self.stream.write_all(&command.get_packed_command()).await;
        let flushed = self.stream.flush().await;
        match self.answer().await {
            Ok(Value::ServerError(error)) => Err(trouble::of(&error)),
            Ok(answer) => Ok(answer),
            Err(trouble) => {
                written.and(flushed).map_err(|error| socket::trouble_of(&error))?;
                Err(trouble)
            }
        }
    }

    async fn answer(&mut self) -> Result<Value, Trouble> {
        loop {
            // Every answer ends with a line's end: what does not is not looked at yet.
            if self.unread.ends_with(b"\n") {
                match redis::parse_redis_value(&self.unread) {
                    Ok(answer) => {
                        self.unread.clear();
                        return Ok(answer);
                    }
                    Err(error) if error.is_io_error() => {}
                    Err(_) => return Err(trouble::foreign(&self.unread)),
                }
            }
            let read = self.stream.read_buf(&mut self.unread).await;
            match read.map_err(|error| socket::trouble_of(&error))? {
                0 if self.unread.is_empty() => {
                    let detail = "it closed the connection without a word";
                    return Err(Trouble::new(Reason::Reset, detail));
                }
                _ if !trouble::may_be_redis(&self.unread) => {
                    return Err(trouble::foreign(&self.unread));
                }
                0 => return Err(Trouble::new(Reason::Reset, "it broke off amid an answer")),
                _ => {}
            }
        }
    }
}

impl Check for Redis {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn target(&self) -> String {
        let place = match &self.place {
            Place::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
            Place::Tcp(host, port) => format!("{host}:{port}"),
            Place::Unix(path) => path.display().to_string(),
        };
        match self.login.db() {
            0 => place,
            database => format!("{place}/{database}"),
        }
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(self.ask(stage))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("target", &self.target()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
