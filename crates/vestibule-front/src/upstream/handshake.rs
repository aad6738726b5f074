//! One try of a hand-over: dial, send the head, read and verify the answer, let it settle.
//!
//! Owns one fresh upstream connection for one handshake. Must never send a client's byte other
//! than the verified head, never pool, and never try twice: the caller asks again.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::body::Framing;
use crate::ending::Phase;
use crate::head::Handshake;
use crate::head::upgrade::{
    self, Answer, AnswerError, AnswerReader, UpstreamDefect, Verdict, Verified,
};
use crate::stream::scratch::read_once;
use crate::upstream::dial::{Dial, nobody_listens};
use crate::upstream::requests::{Kind, Requests};
use crate::upstream::settle::{self, StatusRules, Unsettled};
use crate::upstream::shortage::Shortage;

/// How much of an answer is read at once.
const READ_SIZE: usize = 16 * 1024;

/// How one try is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Dial and answer must be done by then.
    pub deadline: Instant,
    /// The service is young: this is how long the hand-over must survive. `None`: it is not.
    pub settle: Option<Duration>,
    /// Which statuses count as "not now".
    pub rules: StatusRules,
    /// Where the head is counted before it is sent.
    pub requests: &'a Requests,
}

/// What a try came to.
#[derive(Debug)]
pub enum Tried<S> {
    /// A verified 101 that settled: the tunnel can be made of it.
    Open {
        /// The upstream's connection.
        upstream: S,
        /// The proof, and the head for the client.
        verified: Verified,
        /// What the upstream sent behind its 101.
        words: Vec<u8>,
    },
    /// Another final answer, which goes to the client as it is.
    Answered(Answered<S>),
    /// "Not now", with the answer if there was one.
    Unsettled(Unsettled, Option<Answered<S>>),
    /// The upstream broke the protocol.
    Defect(Defect),
}

/// How the upstream broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Its answer can't be read.
    #[error(transparent)]
    Unreadable(#[from] AnswerError),
    /// Its answer says what it must not.
    #[error(transparent)]
    Unfit(#[from] UpstreamDefect),
}

/// An upstream's ordinary answer to a handshake, its body still to be read.
#[derive(Debug)]
pub struct Answered<S> {
    /// The upstream's connection.
    pub upstream: S,
    /// The answer's status.
    pub status: u16,
    /// The answer's head, as the client gets it.
    pub head: Vec<u8>,
    /// How its body ends.
    pub framing: Framing,
    /// The part of its body that came with the head.
    pub words: Vec<u8>,
}

/// How far a try has come, for whoever watches it from outside.
#[derive(Debug, Default)]
pub struct Stage {
    is_dialled: AtomicBool,
    is_answered: AtomicBool,
}

impl Stage {
    /// Dialling, or settling: the upstream's kernel has taken the connection.
    pub fn phase(&self) -> Phase {
        if self.is_dialled.load(Ordering::Relaxed) { Phase::Settling } else { Phase::Dialling }
    }

    /// The upstream's kernel has taken the connection, and no whole head of an answer has come.
    pub fn is_silent(&self) -> bool {
        self.phase() == Phase::Settling && !self.is_answered.load(Ordering::Relaxed)
    }
}

/// Makes one try. `stage` follows how far it came.
pub async fn try_once<D: Dial>(
    dial: &D,
    handshake: &Handshake,
    terms: Terms<'_>,
    stage: &Stage,
) -> Tried<D::Stream> {
    let mut upstream = match timeout_at(terms.deadline, dial.dial()).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Tried::Unsettled(of_dial(&error), None),
        Err(_elapsed) => return Tried::Unsettled(Unsettled::Silent, None),
    };
    stage.is_dialled.store(true, Ordering::Relaxed);
    terms.requests.begin(Kind::Handshake);
    let asked = timeout_at(terms.deadline, ask(&mut upstream, handshake.outbound())).await;
    let (answer, mut words) = match asked {
        Ok(Ok(answered)) => answered,
        Ok(Err(Failure::Io)) => return Tried::Unsettled(Unsettled::BrokeOff, None),
        Ok(Err(Failure::Defect(defect))) => return Tried::Defect(defect),
        Err(_elapsed) => return Tried::Unsettled(Unsettled::Silent, None),
    };
    stage.is_answered.store(true, Ordering::Relaxed);
    let verified = match upgrade::verify(handshake, answer) {
        Ok(verified) => verified,
        Err(Verdict::Defect(defect)) => return Tried::Defect(defect.into()),
        Err(Verdict::NotSwitching(answer)) => {
            let status = answer.status();
            let (head, framing) = match answer.relayed_head(true) {
                Ok(relayed) => relayed,
                Err(defect) => return Tried::Defect(defect.into()),
            };
            let answered = Answered { upstream, status, head, framing, words };
            let young = terms.settle.is_some();
            return if settle::status_is_unsettled(status, young, terms.rules) {
                Tried::Unsettled(Unsettled::Status(status), Some(answered))
            } else {
                Tried::Answered(answered)
            };
        }
    };
    if let Some(window) = terms.settle.filter(|window| !window.is_zero()) {
        let until = Instant::now() + window;
        if let Err(unsettled) = settle::watch(&mut upstream, &mut words, until).await {
            return Tried::Unsettled(unsettled, None);
        }
    }
    Tried::Open { upstream, verified, words }
}

enum Failure {
    Io,
    Defect(Defect),
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

async fn ask<S>(upstream: &mut S, head: &[u8]) -> Result<(Answer, Vec<u8>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    upstream.write_all(head).await?;
    let mut reader = AnswerReader::new();
    loop {
        if read_once(upstream, READ_SIZE, |bytes| reader.feed(bytes)).await? == 0 {
            return Err(Failure::Io);
        }
        match reader.take_answer() {
            Ok(Some(answer)) => return Ok((answer, reader.take_pending())),
            Ok(None) => {}
            Err(error) => return Err(Failure::Defect(error.into())),
        }
    }
}

fn of_dial(error: &io::Error) -> Unsettled {
    match Shortage::of(error) {
        Some(shortage) => Unsettled::Short(shortage),
        None if nobody_listens(error) => Unsettled::Refused,
        None => Unsettled::BrokeOff,
    }
}
