//! One public connection: its heads, one after the other.
//!
//! Owns reading heads and the way each takes. Must never ask a second parser: what this reader
//! says a request is, is what it is.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::after::After;
use crate::ending::{Ending, Party, Phase};
use crate::farewell::{self, Reason};
use crate::handover::hand_over;
use crate::head::policy::{self, PolicyContext, Request};
use crate::head::{Head, HeadReader, Plain};
use crate::hold::{self, Came};
use crate::journal::{About, Journal};
use crate::proxy::exchange;
use crate::shared::Shared;
use crate::stream::scratch::read_once;
use crate::stream::{Peer, Stream};
use crate::upstream::dial::Dial;
use crate::wellness;

/// How long a connection whose head is not whole is sure of its place. Heads of honest clients come with
/// their first packets; behind a crowd that sends none, they would otherwise wait for the crowd's deadlines.
const HEAD_GRACE: Duration = Duration::from_secs(1);
/// How much of a head is read at once: most fit.
const READ_SIZE: usize = 4096;

/// Serves a connection to its end. Its first head must be whole `settings.head_timeout` after it
/// was accepted; later heads have as long from their first byte, and `settings.client_idle`
/// before it.
pub async fn serve<S: Stream, D: Dial>(front: Arc<Shared<D>>, mut client: S, peer: Peer) {
    let mut reader = HeadReader::new(front.settings().head);
    let mut deadline = Instant::now() + front.settings().head_timeout;
    loop {
        let head = match read_head(&front, &mut client, &mut reader, deadline).await {
            Ok(head) => head,
            Err(Unread::Over(by)) => return front.journal.over(Ending::new(by, Phase::Head)),
            Err(Unread::Refuse(reason)) => {
                return refuse(&front.journal, &mut client, &reason).await;
            }
        };
        let came = Came { at: Instant::now(), over: peer };
        let settings = front.settings();
        let context = PolicyContext { peer, trust: &settings.trust };
        let plain = match policy::judge(&head, &context) {
            Ok(Request::Plain(plain)) => plain,
            Ok(Request::Handshake(handshake)) => {
                let early = !reader.is_empty();
                drop((head, reader));
                // A task of its own, so that a held client costs its hold and no more.
                tokio::spawn(hand_over(front, client, Box::new(handshake), early, came));
                return;
            }
            Err(error) => {
                return refuse(&front.journal, &mut client, &Reason::Head(error)).await;
            }
        };
        drop(head);
        reader.shrink();
        let is_head = plain.method == Method::HEAD;
        let about = About::plain(came.at, plain.trace());
        // A drain waits until the client has its answer, a refusal too.
        let seat = front.drain.seat();
        match Box::pin(plain_request(&front, &mut client, &mut reader, plain, came)).await {
            After::Keep => {}
            After::Broken(ending) => {
                front.journal.broke_off(ending, about);
                client.break_off();
                return;
            }
            After::Over(ending) => {
                match ending.by {
                    Party::Client => return front.journal.left(ending, about),
                    Party::Upstream => front.journal.broke_off(ending, about),
                    // It only wanted no further request.
                    Party::Door => front.journal.over(ending),
                }
                return farewell::leave(&mut client).await;
            }
            After::Refuse(reason, ending) => {
                front.journal.refused(&reason, ending, about);
                if is_head {
                    farewell::over_http_to_head(&mut client, &reason).await;
                } else {
                    farewell::over_http(&mut client, &reason).await;
                }
                return;
            }
        }
        drop(seat);
        deadline = match next_head(&front, &mut client, &mut reader).await {
            Ok(deadline) => deadline,
            Err(by) => return front.journal.over(Ending::new(by, Phase::Head)),
        };
    }
}

/// Why there is no head.
enum Unread {
    /// Nothing is owed to anybody.
    Over(Party),
    Refuse(Reason),
}

async fn read_head<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    reader: &mut HeadReader,
    deadline: Instant,
) -> Result<Head, Unread> {
    let sure_of_its_place = Instant::now() + HEAD_GRACE;
    let mut wanted = pin!(async {
        sleep_until(sure_of_its_place).await;
        front.places.is_wanted().await;
    });
    loop {
        match reader.take_head() {
            Ok(Some(head)) => return Ok(head),
            Ok(None) => {}
            Err(error) => return Err(Unread::Refuse(Reason::Head(error))),
        }
        let read = read_once(client, READ_SIZE, |bytes| reader.feed(bytes));
        let read = tokio::select! {
            biased;
            read = timeout_at(deadline, read) => read,
            // Without a word: an answer would keep the place for as long as it takes to be read.
            () = &mut wanted => return Err(Unread::Over(Party::Door)),
        };
        match read {
            Ok(Ok(count)) if count > 0 => {}
            Ok(_) => return Err(Unread::Over(Party::Client)),
            // A connection that never spoke (a probe, a browser's spare) is owed no answer.
            Err(_elapsed) if reader.is_empty() => return Err(Unread::Over(Party::Door)),
            Err(_elapsed) => return Err(Unread::Refuse(Reason::HeadTimeout)),
        }
    }
}

/// Waits for the first byte of a next head, and answers when that head must be whole, or who ended
/// the connection.
async fn next_head<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    reader: &mut HeadReader,
) -> Result<Instant, Party> {
    if reader.is_empty() {
        reader.shrink();
        let mut leaving = front.drain.leaving();
        let idle_end = Instant::now() + front.settings().client_idle;
        let read = read_once(client, READ_SIZE, |bytes| reader.feed(bytes));
        let read = tokio::select! {
            // Whoever speaks in the moment in which its place is wanted keeps it.
            biased;
            read = timeout_at(idle_end, read) => read,
            () = front.places.is_wanted() => return Err(Party::Door),
            () = leaving.begun() => return Err(Party::Door),
        };
        match read {
            Ok(Ok(count)) if count > 0 => {}
            Ok(_) => return Err(Party::Client),
            Err(_elapsed) => return Err(Party::Door),
        }
    }
    Ok(Instant::now() + front.settings().head_timeout)
}

async fn plain_request<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    reader: &mut HeadReader,
    plain: Plain,
    came: Came,
) -> After {
    if let Some(after) = wellness::answer(front, client, &plain).await {
        return after;
    }
    front.arrives(came.at);
    let arrival = hold::of_plain(front, &plain, came);
    let admitted = tokio::select! {
        biased;
        admitted = front.gate.admit(arrival) => admitted,
        // Its body stays unread, so leaving is watched without reading.
        () = client.left() => return After::Over(Ending::new(Party::Client, Phase::Held)),
    };
    match admitted {
        Ok(permit) => {
            front.journal.plain_admitted(permit.waited(Instant::now()));
            exchange(front, client, reader, plain, permit).await
        }
        Err(refusal) => After::Refuse(Reason::Gate(refusal), Ending::new(Party::Door, Phase::Held)),
    }
}

async fn refuse<S: Stream>(journal: &Journal, client: &mut S, reason: &Reason) {
    journal.refused(reason, Ending::new(Party::Client, Phase::Head), About::unread());
    farewell::over_http(client, reason).await;
}
