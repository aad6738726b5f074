//! What a socket does, without the socket.
//!
//! Owns one connection's state: its place, its patience, its token, what the client asked for. It takes frames, signals,
//! answers and `now`, and gives out frames, questions, orders and a goodbye. Must never read a clock, and must never
//! keep more than a bounded number of anything: where a queue is full, the client is not read.

mod words;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

pub(super) use self::words::{Answer, Done, Frame, Incoming, Order, Question, Start};
use super::frames::{FromClient, Refused, RefusedFrame, ToClient};
use super::goodbye::Goodbye;
use super::place::{Brought, PAGE, Place};
use crate::bus::{Heard, Signal};
use crate::chat::TEXT_MAX;
use crate::event::{SessionId, ThreadId, UserId};

/// How many frames that can't be read are answered before the socket is closed.
pub(super) const MISTAKES_MAX: u32 = 10;
/// How many of our own frames wait to be written before the client is not read.
const ANSWERS_MAX: usize = 32;
/// How many orders wait to be done before the client is not read.
const ORDERS_MAX: usize = 8;
/// How long the store rests after an answer without news: whatever doubts come, it is asked ten times a second at most.
const REST: Duration = Duration::from_millis(100);
/// How long it rests after it did not answer, at most.
const REST_MAX: Duration = Duration::from_secs(5);
/// How many revoked sessions are remembered while a token is looked at.
const REVOKED_MAX: usize = 64;

/// A connection's state.
pub(super) struct Session {
    user: UserId,
    session: SessionId,
    /// When the token ends.
    until: Instant,
    place: Place,
    /// What is to be written before the next event.
    answers: VecDeque<Frame>,
    orders: VecDeque<Order>,
    work: Work,
    /// Sessions that were revoked while a token was looked at, which may be theirs.
    revoked: Vec<SessionId>,
    mistakes: u32,
    heartbeat: Duration,
    next_beat: Instant,
    /// When the client last said anything.
    heard_at: Instant,
    /// When the store may be asked next, and how long it rested last.
    read_at: Instant,
    rest: Duration,
    /// Whether the session's life is to be looked at, too.
    is_doubted: bool,
    stage: Stage,
}

/// Whether an order is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Idle,
    Busy { with_token: bool },
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What was missed is being told.
    CatchingUp,
    /// It was told.
    Open,
    /// It is over.
    Over(Goodbye),
}

impl Session {
    /// Begins, with the greeting as its first frame.
    pub(super) fn begin(start: &Start, now: Instant) -> Self {
        let hello = ToClient::Hello {
            last_event_id: start.last,
            heartbeat_ms: u64::try_from(start.heartbeat.as_millis()).unwrap_or(u64::MAX),
            instance: &start.instance,
            correlation: &start.correlation,
        };
        Self {
            user: start.user,
            session: start.session,
            until: start.until,
            place: Place::behind(start.last),
            answers: VecDeque::from([Frame::Text { text: hello.to_json(), ends: None }]),
            orders: VecDeque::new(),
            work: Work::Idle,
            revoked: Vec::new(),
            mistakes: 0,
            heartbeat: start.heartbeat,
            next_beat: now + start.heartbeat,
            heard_at: now,
            read_at: now,
            rest: REST,
            // Since its token was looked at, its session may have been revoked.
            is_doubted: true,
            stage: Stage::CatchingUp,
        }
    }

    /// The bus says something.
    pub(super) fn heard(&mut self, heard: &Heard) {
        let Heard::Signal(signal) = heard else {
            self.doubt();
            return;
        };
        match &**signal {
            Signal::Event { user, event, correlation } if *user == self.user => {
                self.place.heard(event, correlation);
            }
            Signal::Revoked { session } => self.is_revoked(*session),
            Signal::Event { .. } | Signal::Cancel { .. } | Signal::Echo { .. } => {}
        }
    }

    /// The store answers a [`Question`], or not.
    pub(super) fn answered(&mut self, answer: Option<Answer>, now: Instant) {
        let Some(answer) = answer else {
            self.place.no_page();
            self.is_doubted = true;
            self.read_at = now + self.rest;
            self.rest = (self.rest * 2).min(REST_MAX);
            return;
        };
        if answer.dead == Some(self.session) {
            self.over(Goodbye::Revoked);
        }
        self.rest = REST;
        self.read_at = match self.place.page(&answer.events) {
            Brought::News => now,
            Brought::Nothing => now + REST,
        };
    }

    /// The client sent something.
    pub(super) fn incoming(&mut self, incoming: &Incoming<'_>, now: Instant) {
        self.heard_at = now;
        match incoming {
            Incoming::Sign => {}
            Incoming::Binary => self.over(Goodbye::Binary),
            Incoming::Text(text) => match serde_json::from_str(text) {
                Ok(FromClient::Ping) => self.say(&ToClient::Pong),
                Ok(FromClient::Pong) => {}
                Ok(FromClient::Token { access }) => self.orders.push_back(Order::Renew { access }),
                Ok(FromClient::Cancel { run }) => self.orders.push_back(Order::Cancel { run }),
                Ok(FromClient::Message { thread, message, text }) => {
                    self.message(thread, message, text);
                }
                Err(_) => self.mistake(RefusedFrame::Frame, "no frame that is known here"),
            },
        }
    }

    /// An order was done.
    pub(super) fn done(&mut self, done: Done) {
        self.work = Work::Idle;
        match done {
            Done::Well => {}
            Done::BadToken => self.mistake(RefusedFrame::Token, "this token is not good"),
            Done::Refused(refused) => self.say(&ToClient::Refused(refused)),
            Done::Renewed { user, session, until } => self.renew(user, session, until),
        }
        self.revoked.clear();
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Instant) {
        if !self.listens() {
            // Whom we don't read can't be heard. A write that takes too long ends it.
            self.heard_at = now;
        }
        if now >= self.until {
            self.over(Goodbye::Expired);
        } else if now >= self.silent_at() {
            self.over(Goodbye::Silent);
        } else if now >= self.next_beat {
            self.next_beat = now + self.heartbeat;
            // A reader that is slow has enough to read.
            if !self.answers.contains(&Frame::Ping) {
                self.answers.push_back(Frame::Ping);
                self.say(&ToClient::Ping);
            }
            self.doubt();
        }
    }

    /// Until when nothing happens by itself.
    pub(super) fn wake_at(&self) -> Instant {
        let next = self.until.min(self.silent_at()).min(self.next_beat);
        if self.place.is_curious() { next.min(self.read_at) } else { next }
    }

    /// Closes it.
    pub(super) fn over(&mut self, goodbye: Goodbye) {
        if !matches!(self.stage, Stage::Over(_)) {
            self.stage = Stage::Over(goodbye);
        }
    }

    /// Why it is over, if it is: then nothing else is to be done.
    pub(super) fn goodbye(&self) -> Option<Goodbye> {
        match self.stage {
            Stage::Over(goodbye) => Some(goodbye),
            Stage::CatchingUp | Stage::Open => None,
        }
    }

    /// Whether the client is to be read.
    pub(super) fn listens(&self) -> bool {
        self.answers.len() < ANSWERS_MAX && self.orders.len() < ORDERS_MAX
    }

    /// Whether [`Self::frame`] has one.
    pub(super) fn has_frame(&self) -> bool {
        !self.answers.is_empty() || self.place.has_next()
    }

    /// The next to be written.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        if let Some(frame) = self.answers.pop_front() {
            return Some(frame);
        }
        self.place.next().map(|told| Frame::Text { text: told.text, ends: told.ends })
    }

    /// The next to be done; [`Self::done`] says that it was.
    pub(super) fn order(&mut self) -> Option<Order> {
        if self.work != Work::Idle {
            return None;
        }
        let order = self.orders.pop_front()?;
        self.work = Work::Busy { with_token: matches!(order, Order::Renew { .. }) };
        Some(order)
    }

    /// The next to be asked; [`Self::answered`] says what came.
    pub(super) fn question(&mut self, now: Instant) -> Option<Question> {
        if now < self.read_at {
            return None;
        }
        let after = self.place.question()?;
        let session = self.is_doubted.then_some(self.session);
        self.is_doubted = false;
        Some(Question { after, limit: PAGE, session })
    }

    /// True once: when what was missed is written.
    pub(super) fn has_caught_up(&mut self) -> bool {
        let yes =
            self.stage == Stage::CatchingUp && self.answers.is_empty() && self.place.is_caught_up();
        if yes {
            self.stage = Stage::Open;
        }
        yes
    }

    fn silent_at(&self) -> Instant {
        self.heard_at + self.heartbeat.mul_f64(2.5)
    }

    /// The bus may have lost something: an event, or that the session was revoked.
    fn doubt(&mut self) {
        self.place.doubt();
        self.is_doubted = true;
    }

    fn is_revoked(&mut self, session: SessionId) {
        if session == self.session {
            self.over(Goodbye::Revoked);
        } else if self.work == (Work::Busy { with_token: true }) && self.revoked.len() < REVOKED_MAX
        {
            self.revoked.push(session);
        }
    }

    fn message(&mut self, thread: ThreadId, message: uuid::Uuid, text: String) {
        // Said here as well as by the chat: a text that is too long must not wait in line.
        if text.is_empty() || text.chars().nth(TEXT_MAX).is_some() {
            let reason = crate::chat::ChatError::Unfit.to_string();
            self.say(&ToClient::Refused(Refused::message(message, reason)));
        } else {
            self.orders.push_back(Order::Say { thread, message, text });
        }
    }

    fn renew(&mut self, user: UserId, session: SessionId, until: Instant) {
        if user != self.user {
            self.mistake(RefusedFrame::Token, "this token is another user's");
        } else if self.revoked.contains(&session) || self.revoked.len() >= REVOKED_MAX {
            self.mistake(RefusedFrame::Token, "the session of this token has ended");
        } else if until > self.until {
            (self.session, self.until) = (session, until);
        }
    }

    fn mistake(&mut self, what: RefusedFrame, reason: impl Into<Cow<'static, str>>) {
        self.mistakes += 1;
        if self.mistakes > MISTAKES_MAX {
            self.over(Goodbye::Mistakes);
        } else {
            self.say(&ToClient::Refused(Refused::new(what, reason)));
        }
    }

    fn say(&mut self, words: &ToClient<'_>) {
        self.answers.push_back(Frame::Text { text: words.to_json(), ends: None });
    }
}

#[cfg(test)]
mod tests;
