//! One run: the model is asked, its tools are called, and what it says is said.
//!
//! Owns the bounds of a run. Must never end one without `agent_completed`, unless it is another's.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::ChatParts;
use super::sight::View;
use super::story::{Call, Story};
use super::voice::{Mute, Voice};
use crate::agent::{Caller, ModelError, Piece, Turn};
use crate::event::{Outcome, UserId, What};
use crate::store::{Lease, StoreError};

/// How often a model may be asked in a run.
const ROUNDS_MAX: usize = 8;
/// How many tools may be called in a run.
const CALLS_MAX: usize = 32;
/// How long a run may take.
const RUN_WITHIN: Duration = Duration::from_secs(600);
/// How long a tool may take.
const TOOL_WITHIN: Duration = Duration::from_secs(10);
/// The largest answer of a tool, in bytes of JSON.
const OUTPUT_MAX: usize = 16 * 1024;
/// The longest answer, in bytes: an event with it stays small enough for any bus.
const ANSWER_MAX: usize = 64 * 1024;
/// Text is told when so much has come, in bytes,
const TEXT_PIECE: usize = 200;
/// or when so long has passed.
const TEXT_EVERY: Duration = Duration::from_millis(50);
/// How many events before a message are read for the model.
const LOOK_BACK: i64 = 1000;
/// How many events are read at once.
const PAGE: i64 = 500;

/// Why a run ends before its answer is whole.
enum End {
    /// It is to say so.
    Ended(Outcome, String),
    /// It must say nothing more.
    Mute,
}

impl From<Mute> for End {
    fn from(mute: Mute) -> Self {
        match mute {
            Mute::Gone => Self::Mute,
            Mute::Refused => failed(BROKEN),
        }
    }
}

/// Carries a run to its end, or as far as it is ours.
pub(super) async fn carry(parts: ChatParts, lease: Lease, mut cancelled: watch::Receiver<bool>) {
    let (story, is_readable) = match read(&parts, &lease).await {
        Ok(story) => (story, true),
        Err(Mute::Refused) => (Story::default(), false),
        Err(Mute::Gone) => return,
    };
    if story.has_ended {
        return;
    }
    let (store, bus) = (parts.store.clone(), parts.bus.clone());
    let mut voice = Voice { store, bus, lease, story };
    let ended = if is_readable {
        let answering = AssertUnwindSafe(answer(&parts, &mut voice)).catch_unwind();
        tokio::select! {
            biased;
            Ok(_) = cancelled.wait_for(|yes| *yes) => {
                Err(End::Ended(Outcome::Cancelled, String::new()))
            }
            answered = timeout(RUN_WITHIN, answering) => match answered {
                Ok(answered) => answered.unwrap_or_else(|_panic| Err(failed(BROKEN))),
                Err(_late) => Err(failed("the answer took too long")),
            },
        }
    } else {
        Err(failed(BROKEN))
    };
    let (outcome, why) = match ended {
        Ok(()) => (Outcome::Completed, String::new()),
        Err(End::Ended(outcome, why)) => (outcome, why),
        Err(End::Mute) => return,
    };
    let text = if outcome == Outcome::Failed { why } else { voice.story.text().to_owned() };
    // Whether it is mute now makes no difference: it has nothing more to say.
    let _ = voice.say(What::AgentCompleted { outcome, text }).await;
}

/// What is said when the fault is ours.
const BROKEN: &str = "the answer broke off: something in the service failed";

const TOO_MANY: &str = "the agent called too many tools";

fn failed(why: impl Into<String>) -> End {
    End::Ended(Outcome::Failed, why.into())
}

/// What was said before, and of this run if another instance began it.
async fn read(parts: &ChatParts, lease: &Lease) -> Result<Story, Mute> {
    let mut after = (lease.answers - LOOK_BACK).max(0);
    let mut events = Vec::new();
    let mut tries: u32 = 0;
    loop {
        let page = parts.store.thread_events(lease.user, lease.thread, after, PAGE).await;
        match page {
            Ok(Some(page)) => {
                let is_last = i64::try_from(page.len()).is_ok_and(|count| count < PAGE);
                after = page.last().map_or(after, |event| event.id);
                events.extend(page);
                if is_last {
                    return Ok(Story::read(&events, lease.run, lease.answers));
                }
            }
            Err(error @ StoreError::Unavailable(_)) if tries < READS_MAX => {
                tracing::debug!(reason = %error, "a thread can't be read yet");
                tries += 1;
                tokio::time::sleep(READ_AGAIN).await;
            }
            // Whoever takes the run over reads it.
            Err(StoreError::Unavailable(_)) => return Err(Mute::Gone),
            Ok(None) => return Err(Mute::Refused),
            Err(error) => {
                tracing::error!(reason = %error, run = %lease.run, "a thread can't be read");
                return Err(Mute::Refused);
            }
        }
    }
}

/// How often a thread is tried to be read,
const READS_MAX: u32 = 120;
/// and how long between.
const READ_AGAIN: Duration = Duration::from_millis(500);

async fn answer(parts: &ChatParts, voice: &mut Voice) -> Result<(), End> {
    if !voice.story.is_started {
        let model = parts.model.name().to_owned();
        voice.say(What::AgentStarted { model }).await?;
    }
    for _ in 0..ROUNDS_MAX {
        complete_pending(parts, voice).await?;
        let calls = ask(parts, voice).await?;
        if calls.is_empty() {
            return Ok(());
        }
        for Call { call, tool, input } in calls {
            if voice.story.calls >= CALLS_MAX {
                return Err(failed(TOO_MANY));
            }
            voice.say(What::ToolExecuting { call, tool, input }).await?;
            complete_pending(parts, voice).await?;
        }
    }
    Err(failed("the agent came to no end"))
}

/// Asks the model once, and says what it says; the calls that it wants.
async fn ask(parts: &ChatParts, voice: &mut Voice) -> Result<Vec<Call>, End> {
    let before = voice.story.text().len();
    let offset = voice.story.rewind();
    if voice.story.text().len() < before {
        // Whoever takes the run over next must not take for settled what is void from here on.
        voice.say(What::AgentText { offset, text: String::new() }).await?;
    }
    let turn = Turn { conversation: voice.story.conversation(), tools: parts.tools.specs() };
    let mut pieces = parts.model.respond(turn);
    let mut text = Unsaid { offset, text: String::new(), since: None };
    let mut calls = Vec::new();
    while let Some(piece) = next(&mut pieces, voice, &mut text).await? {
        match piece.map_err(|error| failed(client_text(&error)))? {
            Piece::Thinking(thought) => {
                if !voice.story.has_thought {
                    voice.say(What::AgentThinking { text: thought }).await?;
                }
            }
            Piece::Text(more) => {
                if voice.story.text().len() + text.text.len() + more.len() > ANSWER_MAX {
                    return Err(failed("the answer is too long"));
                }
                text.add(&more);
                if text.text.len() >= TEXT_PIECE {
                    text.say(voice).await?;
                }
            }
            Piece::Call { .. } if calls.len() >= CALLS_MAX => return Err(failed(TOO_MANY)),
            Piece::Call { call, tool, input } => calls.push(Call { call, tool, input }),
        }
        // A model that always has a piece at hand must not keep a cancellation from being heard.
        tokio::task::consume_budget().await;
    }
    text.say(voice).await?;
    Ok(calls)
}

/// The next piece; while it is waited for, text that has waited long enough is said.
async fn next(
    pieces: &mut BoxStream<'static, Result<Piece, ModelError>>,
    voice: &mut Voice,
    text: &mut Unsaid,
) -> Result<Option<Result<Piece, ModelError>>, End> {
    loop {
        let Some(since) = text.since else {
            return Ok(pieces.next().await);
        };
        tokio::select! {
            piece = pieces.next() => return Ok(piece),
            () = sleep_until(since + TEXT_EVERY) => text.say(voice).await?,
        }
    }
}

/// Text that has come and is not said yet.
struct Unsaid {
    /// Where it begins in the answer, in characters.
    offset: usize,
    text: String,
    since: Option<Instant>,
}

impl Unsaid {
    fn add(&mut self, more: &str) {
        self.text.push_str(more);
        self.since = self.since.or_else(|| Some(Instant::now()));
    }

    async fn say(&mut self, voice: &mut Voice) -> Result<(), Mute> {
        self.since = None;
        if self.text.is_empty() {
            return Ok(());
        }
        let (offset, text) = (self.offset, std::mem::take(&mut self.text));
        self.offset += text.chars().count();
        voice.say(What::AgentText { offset, text }).await
    }
}

/// Calls the tool that is to be called, if any, and says what it answered.
async fn complete_pending(parts: &ChatParts, voice: &mut Voice) -> Result<(), Mute> {
    let Some(Call { call, tool, input }) = voice.story.pending().cloned() else {
        return Ok(());
    };
    let answer = use_tool(parts, voice.lease.user, &tool, input).await;
    let ok = answer.is_ok();
    let output = capped(answer.unwrap_or_else(|why| json!({ "error": why })));
    voice.say(What::ToolCompleted { call, tool, ok, output }).await
}

async fn use_tool(
    parts: &ChatParts,
    user: UserId,
    tool: &str,
    input: Value,
) -> Result<Value, String> {
    let found = parts.tools.get(tool).ok_or("there is no such tool")?;
    let view = View { store: parts.store.clone(), service: Arc::clone(&parts.service) };
    let caller = Caller { user, sight: Arc::new(view) };
    let work = AssertUnwindSafe(async { found.call(caller, input).await }).catch_unwind();
    match timeout(TOOL_WITHIN, work).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => Err("the tool failed".into()),
        Err(_late) => Err("the tool took too long".into()),
    }
}

/// An answer that is too large is cut, and says so.
fn capped(output: Value) -> Value {
    let text = output.to_string();
    if text.len() <= OUTPUT_MAX {
        return output;
    }
    // Half, since in JSON once more its quotes are escaped.
    let end = text.floor_char_boundary(OUTPUT_MAX / 2);
    json!({ "cut": true, "begins": text.get(..end) })
}

/// What the user is told of a model's failure; the log has the rest.
fn client_text(error: &ModelError) -> &'static str {
    tracing::warn!(reason = %error, "a model failed");
    match error {
        ModelError::Setup(_) => "the model is set up wrongly: tell whoever runs this service",
        ModelError::Unavailable(_) => "the model does not answer now: try again",
        ModelError::Misunderstood(_) => "the model answered what can't be read: try again",
    }
}
