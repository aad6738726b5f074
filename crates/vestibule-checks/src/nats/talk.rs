//! One conversation with one NATS server.
//!
//! Owns its order: INFO, TLS where either side wants it, CONNECT, PING, and JetStream's answers. Must never read
//! more than the cap in all, and never go on behind bytes that came in the clear before TLS.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use vestibule::check::{Reason, Saw, Stage, Trouble};

use super::access::Access;
use super::ops::{self, Answer, Info, Read, Said};
use super::servers::Server;
use super::words;
use crate::capped::{ANSWER_MAX, Capped};
use crate::{socket, tls};

/// As many bytes of a strange answer are shown.
const SHOWN: usize = 64;

/// Bytes asked for in one read.
const CHUNK: usize = 4 * 1024;

/// What more than an answer is wanted.
pub(super) struct Wanted {
    pub(super) jetstream: bool,
    pub(super) stream: Option<String>,
}

/// Asks one server; `trusted` says whom we trust, if that is needed.
pub(super) async fn ask<F>(
    server: &Server,
    access: &Access,
    wanted: &Wanted,
    trusted: impl FnOnce() -> F,
    stage: &Stage,
) -> Result<Saw, Trouble>
where
    F: Future<Output = Result<Arc<ClientConfig>, Trouble>>,
{
    let stream = socket::dial(&server.host, server.port, stage).await?;
    let mut talk = Talk::new(Capped::new(stream));
    stage.waits(Reason::Silent, "its INFO");
    let info = talk.greeting().await?;
    if info.lame_duck {
        return Err(lame_duck());
    }
    if !(server.tls || info.tls_required) {
        return signed_in(talk, &info, access, wanted, false, stage).await;
    }
    let stream = secured(talk, server, &info, trusted, stage).await?;
    signed_in(Talk::new(stream), &info, access, wanted, true, stage).await
}

/// The same connection under TLS.
async fn secured<S, F>(
    talk: Talk<S>,
    server: &Server,
    info: &Info,
    trusted: impl FnOnce() -> F,
    stage: &Stage,
) -> Result<TlsStream<S>, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Result<Arc<ClientConfig>, Trouble>>,
{
    if !(info.tls_required || info.tls_available) {
        return Err(Trouble::new(Reason::TlsFailed, "the server offers no TLS"));
    }
    if !talk.heard.is_empty() {
        // Whoever sits between could have put them there, to be taken for the server's own.
        return Err(Trouble::new(Reason::Protocol, "it goes on in the clear where TLS begins"));
    }
    let config = trusted().await?;
    tls::session(talk.stream, &server.host, config, stage).await
}

/// Says who we are, and asks what is wanted.
async fn signed_in<S: AsyncRead + AsyncWrite + Unpin>(
    mut talk: Talk<S>,
    info: &Info,
    access: &Access,
    wanted: &Wanted,
    tls: bool,
    stage: &Stage,
) -> Result<Saw, Trouble> {
    let connect = access.connect(info, tls).await?;
    stage.waits(Reason::Silent, "its PONG");
    talk.say(&connect).await;
    while talk.hears().await? != Said::Pong {}
    let version: String = info.version.chars().take(40).collect();
    let mut saw = format!("NATS {version}");
    if wanted.jetstream || wanted.stream.is_some() {
        stage.waits(Reason::Silent, "JetStream's answer");
        talk.request("$JS.API.INFO").await?;
        saw.push_str(", JetStream");
    }
    if let Some(stream) = &wanted.stream {
        stage.waits(Reason::Silent, "JetStream's word of the stream");
        talk.request(&format!("$JS.API.STREAM.INFO.{stream}")).await?;
        saw.push_str(", stream ");
        saw.push_str(stream);
    }
    talk.said_already()?;
    Ok(Saw::new(saw))
}

fn lame_duck() -> Trouble {
    Trouble::new(Reason::LameDuck, "it is in lame duck mode and asks its clients to leave")
}

/// A connection and what was heard on it but not read yet.
struct Talk<S> {
    stream: S,
    heard: Vec<u8>,
    /// No line ends within as many bytes.
    searched: usize,
    requests: u32,
    /// Whether it could repeat what we said.
    spoken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    const fn new(stream: S) -> Self {
        Self { stream, heard: Vec::new(), searched: 0, requests: 0, spoken: false }
    }

    /// What a server says first.
    async fn greeting(&mut self) -> Result<Info, Trouble> {
        match self.next().await? {
            Said::Info(info) => Ok(*info),
            Said::Error(words) => Err(words::trouble_of(&words)),
            _ => Err(Trouble::new(Reason::Protocol, "it does not begin with INFO")),
        }
    }

    /// Sends; that nobody reads is found by the answer, which may be there already.
    async fn say(&mut self, text: &str) {
        self.spoken = true;
        if self.stream.write_all(text.as_bytes()).await.is_ok() {
            let _ = self.stream.flush().await;
        }
    }

    /// What is said next, errors and lame duck mode made troubles, and a PING answered.
    async fn hears(&mut self) -> Result<Said, Trouble> {
        loop {
            match judged(self.next().await?)? {
                Said::Ping => self.say("PONG\r\n").await,
                said => return Ok(said),
            }
        }
    }

    /// Judges what has come without waiting for more: behind its last answer a server may have said that it is
    /// leaving.
    fn said_already(&mut self) -> Result<(), Trouble> {
        while let Read::Said(said, used) = ops::read(&self.heard, 0) {
            self.heard.drain(..used);
            judged(said)?;
        }
        Ok(())
    }

    /// Asks JetStream; an answer that says that nothing is wrong.
    async fn request(&mut self, subject: &str) -> Result<(), Trouble> {
        self.requests += 1;
        let (number, id) = (self.requests, fastrand::u64(..));
        let inbox = format!("_INBOX.vestibule.{id:016x}.{number}");
        let asked = format!("SUB {inbox} {number}\r\nPUB {subject} {inbox} 0\r\n\r\n");
        self.say(&asked).await;
        loop {
            match self.hears().await? {
                Said::Message { subject, answer } if subject == inbox => {
                    return match answer {
                        Answer::Words(words) => words::refused(&words),
                        Answer::Nobody => {
                            let text = "nobody answers for JetStream in this account";
                            Err(Trouble::new(Reason::NoJetStream, text))
                        }
                    };
                }
                _ => {}
            }
        }
    }

    /// The next operation.
    async fn next(&mut self) -> Result<Said, Trouble> {
        loop {
            match ops::read(&self.heard, self.searched) {
                Read::Said(said, used) => {
                    self.heard.drain(..used);
                    self.searched = 0;
                    return Ok(said);
                }
                Read::Garbage => return Err(self.strange()),
                Read::Unended => {
                    self.searched = self.heard.len();
                    self.hear(self.searched + 1).await?;
                }
                Read::Wants(bytes) if bytes > ANSWER_MAX => return Err(too_large()),
                Read::Wants(bytes) => self.hear(bytes).await?,
            }
        }
    }

    /// Reads until there are as many bytes.
    async fn hear(&mut self, bytes: usize) -> Result<(), Trouble> {
        while self.heard.len() < bytes {
            self.heard.reserve(CHUNK);
            let mut room = (&mut self.stream).take(CHUNK as u64);
            let read = room.read_buf(&mut self.heard).await;
            if read.map_err(|error| socket::trouble_of(&error))? == 0 {
                return Err(Trouble::new(Reason::Reset, "it closed the connection"));
            }
        }
        Ok(())
    }

    fn strange(&self) -> Trouble {
        if self.spoken {
            return Trouble::new(Reason::Protocol, "no NATS behind its INFO");
        }
        let first = &self.heard[..self.heard.len().min(SHOWN)];
        Trouble::new(Reason::Protocol, format!("no NATS: \"{}\"", first.escape_ascii()))
    }
}

fn judged(said: Said) -> Result<Said, Trouble> {
    match said {
        Said::Error(words) => Err(words::trouble_of(&words)),
        Said::Info(info) if info.lame_duck => Err(lame_duck()),
        said => Ok(said),
    }
}

fn too_large() -> Trouble {
    Trouble::new(Reason::TooLarge, format!("more than {ANSWER_MAX} bytes"))
}
