//! A handshake, from its head to its tunnel.
//!
//! Owns the order of holding, trying and giving an answer. Must never let a client's byte reach
//! the upstream before a verified 101, and never end without exactly one answer.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use vestibule::gate::{GiveUp, Permit, Refusal};

use crate::drain::Seat;
use crate::ending::{Ending, Party, Phase};
use crate::farewell::{self, Reason, Style};
use crate::head::Handshake;
use crate::head::upgrade::Verified;
use crate::hold::{self, Came};
use crate::journal::About;
use crate::relay::{self, Behind, Kept};
use crate::shared::Shared;
use crate::stream::Stream;
use crate::stream::scratch::read_once;
use crate::stream::steady::Steady;
use crate::tunnel::{self, Detail, Ended, Tunnel};
use crate::upstream::dial::Dial;
use crate::upstream::handshake::{Answered, Stage, Terms, Tried, try_once};
use crate::upstream::retry;
use crate::upstream::settle::{Unsettled, close_is_unsettled};

/// A service that has had a handshake for so long is thinking, and could take another one meanwhile.
const THINKS_AFTER: Duration = Duration::from_secs(1);
/// A young service may have a scout in silence for this part of a first try, before another one goes beside it:
/// the gate's bounds count on it.
const SILENT_PART: u32 = 4;
/// And never for less: a busy machine is no hanging route.
const SILENT_LEAST: Duration = Duration::from_millis(25);

/// How a handshake that did not become a tunnel ends.
enum Out<S> {
    /// Nobody is there to be told.
    Left(Phase),
    /// The client is told this.
    Refuse(Reason, Phase),
    /// The client gets the upstream's own answer, still being read.
    Relay(Answered<S>),
    /// The client gets the upstream's own answer, kept from an earlier try.
    RelayKept(Kept),
}

/// An upstream that passed, and what it said.
struct Open<S> {
    upstream: S,
    verified: Verified,
    words: Vec<u8>,
    permit: Permit,
}

/// Holds a handshake, hands it over, and gives the tunnel a task of its own. `early` says that
/// bytes came behind the head.
pub async fn hand_over<S: Stream, D: Dial>(
    front: Arc<Shared<D>>,
    mut client: S,
    handshake: Box<Handshake>,
    early: bool,
    came: Came,
) {
    let about = About::handshake(came.at, handshake.trace());
    // Held, handed over or refused: a drain waits until the client has its answer.
    let seat = front.drain.seat();
    let opened = if early {
        Err(Out::Refuse(Reason::EarlyBytes, Phase::Held))
    } else {
        open(&front, &mut client, &handshake, came).await
    };
    match opened {
        Ok(open) => {
            let lag = front.service.lag(came.at, Instant::now());
            front.journal.admitted(about, open.permit.tries(), lag);
            begin_tunnel(front, client, open, seat, about);
        }
        Err(out) => Box::pin(end(&front, client, &handshake, out, about)).await,
    }
}

async fn open<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    handshake: &Handshake,
    came: Came,
) -> Result<Open<D::Stream>, Out<D::Stream>> {
    front.arrives(came.at);
    let admitted = front.gate.admit(hold::of_handshake(front, handshake, came));
    let permit = tokio::select! {
        admitted = admitted => admitted.map_err(refused)?,
        breach = breach(client) => return Err(breach.out(Phase::Held)),
    };
    // Boxed, so that a client that only waits does not pay for trying.
    Box::pin(try_until_answered(front, client, handshake, permit)).await
}

async fn try_until_answered<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    client: &mut S,
    handshake: &Handshake,
    mut permit: Permit,
) -> Result<Open<D::Stream>, Out<D::Stream>> {
    let (mut kept, mut silences) = (None, 0);
    let silent_max = (front.settings().try_timeout / SILENT_PART).clamp(SILENT_LEAST, THINKS_AFTER);
    let mut leaving = front.drain.leaving();
    // Bounded by the client's deadline, at which the gate refuses.
    loop {
        let stage = Stage::default();
        let deadline = permit.deadline();
        let tried = tokio::select! {
            // A hand-over that has been verified is finished, even in the moment of a drain.
            biased;
            tried = attempt(front, handshake, silences, deadline, &stage) => tried,
            () = leaving.begun() => return Err(refused(Refusal::Draining)),
            breach = breach(client) => return Err(breach.out(stage.phase())),
            never = give_way(&mut permit, silent_max, &stage) => match never {},
        };
        let phase = stage.phase();
        let cause = match tried {
            Tried::Open { upstream, verified, words } => {
                return Ok(Open { upstream, verified, words, permit });
            }
            Tried::Answered(answered) => {
                permit.answered();
                return Err(Out::Relay(answered));
            }
            Tried::Defect(defect) => {
                tracing::warn!(%defect, "the service's answer to a handshake was not passed on");
                permit.answered();
                return Err(Out::Refuse(Reason::UpstreamDefect, phase));
            }
            Tried::Unsettled(cause, answered) => {
                if let Some(answered) = answered {
                    kept = relay::keep(answered).await;
                }
                cause
            }
        };
        silences += u32::from(cause == Unsettled::Silent);
        tracing::debug!(%cause, tries = permit.tries(), "a hand-over did not settle");
        if cause == Unsettled::Refused {
            front.service.lost("it refuses connections", Instant::now());
        } else if let Unsettled::Short(shortage) = cause {
            // Nothing was sent: whoever ends meanwhile leaves us what is lacking.
            front.shortages.tell(shortage, Instant::now());
        } else if front.settings().settle.is_zero() {
            // Its head was sent, and may have spent a ticket that is good for one time.
            permit.answered();
            return Err(last_answer(GiveUp::LastAnswer, kept, cause, phase));
        }
        let again = tokio::select! {
            again = permit.retry() => again,
            breach = breach(client) => return Err(breach.out(Phase::Held)),
        };
        permit = again.map_err(|given_up| last_answer(given_up, kept.take(), cause, phase))?;
    }
}

/// What a client gets that gets no further try.
fn last_answer<S>(given_up: GiveUp, kept: Option<Kept>, cause: Unsettled, phase: Phase) -> Out<S> {
    match (given_up, kept) {
        (GiveUp::Refused(refusal), _) => refused(refusal),
        (GiveUp::LastAnswer, Some(kept)) => Out::RelayKept(kept),
        (GiveUp::LastAnswer, None) => Out::Refuse(
            match cause {
                Unsettled::Short(shortage) => Reason::Short(shortage),
                cause => Reason::Unsettled(cause),
            },
            phase,
        ),
    }
}

async fn attempt<D: Dial>(
    front: &Arc<Shared<D>>,
    handshake: &Handshake,
    silences: u32,
    client_deadline: Instant,
    stage: &Stage,
) -> Tried<D::Stream> {
    let settings = front.settings();
    let settle = front.service.settle(settings.settle);
    let deadline = retry::deadline(
        Instant::now(),
        silences,
        settle.is_some(),
        settings.try_timeout,
        client_deadline,
    );
    let terms = Terms {
        deadline,
        settle,
        rules: settings.status_rules,
        requests: &front.upstream_requests,
    };
    try_once(&front.dial, handshake, terms, stage).await
}

/// Lets the next in line go once the service thinks over this one; a scout, that is silent for `silent_max`,
/// lets another scout go. Not while it is being dialled: the service's accept queue is full then.
async fn give_way(permit: &mut Permit, silent_max: Duration, stage: &Stage) -> Infallible {
    let look_again = if permit.is_scout() { silent_max } else { THINKS_AFTER };
    loop {
        sleep(look_again).await;
        if stage.is_silent() && permit.give_way() {
            return std::future::pending().await;
        }
    }
}

fn refused<S>(refusal: Refusal) -> Out<S> {
    Out::Refuse(Reason::Gate(refusal), Phase::Held)
}

/// What a client did that ends its hold.
enum Breach {
    Left,
    Early,
}

impl Breach {
    fn out<S>(self, phase: Phase) -> Out<S> {
        match self {
            Self::Left => Out::Left(phase),
            Self::Early => Out::Refuse(Reason::EarlyBytes, phase),
        }
    }
}

/// Resolves when a waiting client leaves, half-closes or speaks: a client may do none of these
/// before its handshake is answered.
async fn breach<S: AsyncRead + Unpin>(client: &mut S) -> Breach {
    match read_once(client, 1, |_| ()).await {
        Ok(count) if count > 0 => Breach::Early,
        _ => Breach::Left,
    }
}

fn begin_tunnel<S: Stream, D: Dial>(
    front: Arc<Shared<D>>,
    client: S,
    open: Open<D::Stream>,
    seat: Seat,
    about: About,
) {
    let Open { upstream, verified, words, permit } = open;
    front.service.survived(permit, Instant::now());
    front.service.tunnel_began();
    let mut preload = verified.relayed_head();
    let head_len = preload.len();
    preload.extend_from_slice(&words);
    let tunnel = Tunnel::new(preload, head_len, Vec::new());
    // A task of its own is as small as a tunnel; that of the handshake ends here.
    tokio::spawn(run_tunnel(front, tunnel, client, upstream, seat, about));
}

#[expect(clippy::manual_async_fn, reason = "an async fn keeps each argument twice")]
fn run_tunnel<S: Stream, D: Dial>(
    front: Arc<Shared<D>>,
    tunnel: Tunnel,
    client: S,
    upstream: D::Stream,
    mut seat: Seat,
    about: About,
) -> impl Future<Output = ()> + Send {
    async move {
        let ended = {
            // Lent, not given: each hand that it goes through would keep room for it.
            let turn = pin!(async {
                let code = seat.leaving.turn().await;
                (code, front.settings().drain_reason.clone())
            });
            tunnel::drive(tunnel, client, upstream, turn).await
        };
        front.service.tunnel_ended(restarted(&ended));
        front.journal.tunnel_ended(&ended, about);
        drop(seat);
    }
}

/// Whether a tunnel's end shows that the service goes away: it vanished, or closed with a code
/// that says so.
fn restarted(ended: &Ended) -> bool {
    match ended.detail {
        Detail::UpstreamEof | Detail::UpstreamReset => true,
        Detail::CloseForwarded(Some(code)) => {
            ended.ending.by == Party::Upstream && (code == 1001 || close_is_unsettled(code))
        }
        _ => false,
    }
}

async fn end<S: Stream, D: Dial>(
    front: &Arc<Shared<D>>,
    mut client: S,
    handshake: &Handshake,
    out: Out<D::Stream>,
    about: About,
) {
    let its_answer = Ending::new(Party::Upstream, Phase::Settling);
    match out {
        Out::Left(phase) => {
            front.journal.left(Ending::new(Party::Client, phase), about);
        }
        Out::Refuse(reason, phase) => {
            let by = match reason {
                Reason::EarlyBytes => Party::Client,
                Reason::Gate(_) | Reason::Short(_) => Party::Door,
                _ => Party::Upstream,
            };
            front.journal.refused(&reason, Ending::new(by, phase), about);
            match (&reason, front.settings().refusal) {
                (Reason::Gate(refusal), Style::Close) => {
                    farewell::over_websocket(&mut client, handshake, refusal).await;
                }
                _ => farewell::over_http(&mut client, &reason).await,
            }
        }
        Out::Relay(answered) => {
            front.journal.answered(answered.status, its_answer, about);
            if relay::live(answered, &client).await == Behind::End {
                farewell::leave(&mut client).await;
            }
        }
        Out::RelayKept(kept) => {
            front.journal.answered(kept.status, its_answer, about);
            if Steady::new(&mut client).write_all(&kept.bytes).await.is_ok() {
                farewell::leave(&mut client).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Measures what a client costs that waits, and one that has its tunnel.

    use super::*;
    use crate::stream::Socket;
    use crate::stream::placed::Placed;
    use crate::upstream::dial::Upstream;

    type Client = Placed<Socket>;

    fn of_hold<A, B, C, E, G, F>(_: impl Fn(A, B, C, E, G) -> F) -> usize {
        size_of::<F>()
    }

    fn of_tunnel<A, B, C, E, G, H, F>(_: impl Fn(A, B, C, E, G, H) -> F) -> usize {
        size_of::<F>()
    }

    /// Each has a task as large as its future: what is large and rare is boxed.
    #[test]
    fn a_hold_and_a_tunnel_are_small() {
        let (hold, tunnel) =
            (of_hold(hand_over::<Client, Upstream>), of_tunnel(run_tunnel::<Client, Upstream>));
        assert!(hold <= 1_408 && tunnel <= 1_280, "{hold} {tunnel}");
    }
}
