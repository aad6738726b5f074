//! One open socket: the session's senses and hands.
//!
//! Owns the task of a connection. Must never decide: what happens is the session's matter; here it is carried to and
//! fro. Nothing waits for anything else: a slow write, a slow store and a slow chat stop only what needs them.

use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::crowd::Seat;
use super::frames::{Refused, RefusedFrame};
use super::goodbye::Goodbye;
use super::session::{Answer, Done, Incoming, Order, Question, Session, Start};
use super::writer::{Ended, Writer, let_end};
use crate::api::App;
use crate::auth::{AuthError, Claims};
use crate::bus::Subscription;
use crate::clock::now_ms;
use crate::event::UserId;
use crate::log::Step;
use crate::store::Store;

/// How long a client has to answer our Close before the connection ends (as long as the door gives it).
const LINGER: Duration = Duration::from_secs(2);
/// How long a Close has to arrive where the client can't be read any more: what is unread at the end resets the
/// connection, and may destroy the Close.
const PARTING: Duration = Duration::from_millis(250);

/// No token lasts longer than a year, in milliseconds: a clock can be added to it.
const WAIT_MAX_MS: i64 = 365 * 24 * 3600 * 1000;

/// Who was let in, before there is a socket.
pub(super) struct Guest {
    /// What the service works with.
    pub(super) app: App,
    /// Who.
    pub(super) claims: Claims,
    /// Behind which event.
    pub(super) last: i64,
    /// By what the connection is known in the log.
    pub(super) correlation: String,
    /// What was told since the handshake came.
    pub(super) heard: Subscription,
}

/// What is being done for a session.
#[derive(Default)]
struct Jobs {
    answer: Option<JoinHandle<Option<Answer>>>,
    /// With what is said if it panics.
    done: Option<(JoinHandle<Done>, Refused)>,
}

/// How a connection's loop ended.
enum Parting {
    /// We say goodbye.
    Ours(Goodbye),
    /// The same, but the client can't be read any more.
    Deaf(Goodbye),
    /// Writing has ended by itself.
    Unwritable(Writer, Ended),
    /// The client said goodbye, or is gone.
    Theirs,
}

impl Guest {
    /// Serves until either side has enough.
    pub(super) async fn serve(self, socket: WebSocket) {
        let correlation = self.correlation.clone();
        let settings = &self.app.settings.socket;
        match self.app.sockets.enter(self.claims.user, settings.sockets_max) {
            Some(seat) => self.sit(&seat, socket).await,
            None => dismiss(socket, &correlation).await,
        }
        Step::Closed.log(&correlation);
    }

    async fn sit(mut self, seat: &Seat, socket: WebSocket) {
        let mut session = self.begin();
        let (sink, mut client) = socket.split();
        let within = self.app.settings.socket.write_within;
        // One frame at a time: what waits longer waits in the session, where it is counted.
        let (frames, to_write) = mpsc::channel(1);
        let mut writing = pin!(Writer::new(sink, within, &self.correlation).write(to_write));
        let mut leaving = pin!(seat.turn_to_leave());
        let mut jobs = Jobs::default();
        let parting = loop {
            session.tick(Instant::now());
            if session.has_caught_up() {
                Step::Opened.log(&self.correlation);
            }
            if let Some(goodbye) = session.goodbye() {
                break Parting::Ours(goodbye);
            }
            self.begin_jobs(seat, &mut session, &mut jobs);
            tokio::select! {
                heard = self.heard.next() => session.heard(&heard),
                answer = next_answer(&mut jobs.answer) => session.answered(answer, Instant::now()),
                done = next_done(&mut jobs.done) => session.done(done),
                message = client.next(), if session.listens() => {
                    match receive(&mut session, message.as_ref()) {
                        Ok(()) => {}
                        Err(parting) => break parting,
                    }
                }
                Ok(place) = frames.reserve(), if session.has_frame() => {
                    if let Some(frame) = session.frame() {
                        place.send(frame);
                    }
                }
                (writer, ended) = &mut writing => break Parting::Unwritable(writer, ended),
                () = sleep_until(session.wake_at()) => {}
                () = &mut leaving => session.over(Goodbye::Restart),
            }
        };
        drop(frames);
        part(parting, writing, client).await;
    }

    fn begin(&self) -> Session {
        let start = Start {
            user: self.claims.user,
            session: self.claims.session,
            until: instant_of(self.claims.until_ms),
            last: self.last,
            heartbeat: self.app.settings.socket.heartbeat,
            instance: self.app.sockets.instance().into(),
            correlation: self.correlation.clone(),
        };
        Session::begin(&start, Instant::now())
    }

    /// Begins what the session wants asked or done, one of each kind at a time.
    fn begin_jobs(&self, seat: &Seat, session: &mut Session, jobs: &mut Jobs) {
        if let Some(question) = session.question(Instant::now()) {
            let asking = ask(self.app.store.clone(), self.claims.user, question);
            // A task of its own: a query that is dropped on its way may cost the store its connection.
            jobs.answer = Some(tokio::spawn(asking));
        }
        // At most as many as wait: each is done or refused.
        while let Some(order) = session.order() {
            if let Some(reason) = self.reason_against(seat, &order) {
                session.done(Done::Refused(order.refused(reason)));
                continue;
            }
            let refused = order.refused("not now; try again");
            let doing = carry_out(self.app.clone(), self.claims.user, order, &self.correlation);
            // A task of its own: what has come is done, though its socket may fall meanwhile. Its bounds are those
            // of the rooms that do it.
            jobs.done = Some((tokio::spawn(doing), refused));
        }
    }

    fn reason_against(&self, seat: &Seat, order: &Order) -> Option<&'static str> {
        let Order::Say { .. } = order else {
            return None;
        };
        Step::MessageReceived.log(&self.correlation);
        let may = seat.may_send(self.app.settings.socket.messages_a_minute);
        (!may).then_some("too many messages: wait a minute")
    }
}

/// Gives the session what the client sent.
fn receive(
    session: &mut Session,
    message: Option<&Result<Message, axum::Error>>,
) -> Result<(), Parting> {
    let incoming = match message {
        None | Some(Ok(Message::Close(_))) => return Err(Parting::Theirs),
        Some(Err(error)) if is_io(error) => return Err(Parting::Theirs),
        Some(Err(_)) => return Err(Parting::Deaf(Goodbye::Unreadable)),
        Some(Ok(Message::Text(text))) => Incoming::Text(text),
        Some(Ok(Message::Binary(_))) => Incoming::Binary,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Incoming::Sign,
    };
    session.incoming(&incoming, Instant::now());
    Ok(())
}

/// Whether the connection failed, and not what was said over it.
fn is_io(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    // An error has few causes; more than these is no chain.
    for _ in 0..8 {
        let Some(error) = cause else { break };
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

async fn next_answer(slot: &mut Option<JoinHandle<Option<Answer>>>) -> Option<Answer> {
    let Some(job) = slot else {
        return std::future::pending().await;
    };
    let answer = job.await;
    *slot = None;
    // Who panicked did not answer.
    answer.unwrap_or_default()
}

async fn next_done(slot: &mut Option<(JoinHandle<Done>, Refused)>) -> Done {
    let Some((job, _)) = slot else {
        return std::future::pending().await;
    };
    let done = job.await;
    let if_it_panicked = slot.take().map_or(Done::Well, |(_, refused)| Done::Refused(refused));
    // Who panicked did not do it, or not to its end: sent again it is done once.
    done.unwrap_or(if_it_panicked)
}

/// Asks the store.
async fn ask(store: Store, user: UserId, question: Question) -> Option<Answer> {
    let dead = match question.session {
        None => None,
        Some(session) => {
            let is_live = store.is_live(session, now_ms()).await.ok()?;
            (!is_live).then_some(session)
        }
    };
    let events = store.events_after(user, question.after, question.limit).await.ok()?;
    Some(Answer { events, dead })
}

/// Does what a client wants.
fn carry_out(
    app: App,
    user: UserId,
    order: Order,
    correlation: &str,
) -> impl Future<Output = Done> + Send + 'static {
    let correlation = correlation.to_owned();
    async move {
        match order {
            Order::Say { thread, message, text } => {
                let sent = app.chat.send(user, thread, message, &text, &correlation).await;
                if let Err(error) = sent {
                    return Done::Refused(Refused::message(message, error.to_string()));
                }
                Step::MessageStored.log(&correlation);
                Done::Well
            }
            Order::Cancel { run } => match app.chat.cancel(user, run).await {
                Ok(true) => Done::Well,
                Ok(false) => {
                    Done::Refused(Refused::cancel(run, "there is no such run, or it has ended"))
                }
                Err(error) => Done::Refused(Refused::cancel(run, error.to_string())),
            },
            Order::Renew { access } => match app.auth.verify(&access).await {
                Ok(Claims { user, session, until_ms }) => {
                    Done::Renewed { user, session, until: instant_of(until_ms) }
                }
                Err(error @ AuthError::Store(_)) => {
                    Done::Refused(Refused::new(RefusedFrame::Token, error.to_string()))
                }
                Err(_) => Done::BadToken,
            },
        }
    }
}

/// When a time of the wall clock comes, as far as can be said now.
fn instant_of(until_ms: i64) -> Instant {
    let left = until_ms.saturating_sub(now_ms()).clamp(0, WAIT_MAX_MS);
    Instant::now() + Duration::from_millis(left.unsigned_abs())
}

/// Ends a connection: the last word, and time for the client to take it.
async fn part(
    parting: Parting,
    writing: impl Future<Output = (Writer, Ended)>,
    client: SplitStream<WebSocket>,
) {
    match parting {
        Parting::Theirs => hear_out(client).await,
        Parting::Unwritable(mut writer, Ended::Slow) => {
            if writer.close(Goodbye::Slow).await {
                hear_out(client).await;
            }
        }
        Parting::Unwritable(_, Ended::Gone | Ended::Done) => {}
        Parting::Ours(goodbye) => {
            if let Some((mut writer, Ended::Done)) = let_end(writing).await
                && writer.close(goodbye).await
            {
                hear_out(client).await;
            }
        }
        Parting::Deaf(goodbye) => {
            if let Some((mut writer, Ended::Done)) = let_end(writing).await
                && writer.close(goodbye).await
            {
                sleep(PARTING).await;
            }
        }
    }
}

/// Reads until the client has said its last, and writes the answer to its Close.
async fn hear_out(mut client: SplitStream<WebSocket>) {
    let hearing = async { while let Some(Ok(_)) = client.next().await {} };
    let _ = timeout(LINGER, hearing).await;
}

/// Closes a socket that has no seat.
async fn dismiss(socket: WebSocket, correlation: &str) {
    let (sink, client) = socket.split();
    if Writer::new(sink, LINGER, correlation).close(Goodbye::TooMany).await {
        hear_out(client).await;
    }
}
