//! What happens in a user's chats, in words that a client reads.
//!
//! Owns their JSON, the same in the store, on the bus and on a socket. Must never change what an old name means:
//! stored events are read for ever.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A user; never shown to another one.
pub type UserId = Uuid;
/// A thread of messages, which belongs to one user.
pub type ThreadId = Uuid;
/// One answer of the agent, from its start to its end.
pub type RunId = Uuid;
/// A log-in and all tokens that came of it.
pub type SessionId = Uuid;

/// Something that happened, numbered for its user: 1, 2, 3 and so on, without a gap, over all of the user's threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number. A client that comes again says the last that it has.
    pub id: i64,
    /// The thread that it belongs to.
    pub thread: ThreadId,
    /// The run that said it; none for what the user said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunId>,
    /// When it was stored: milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// The user's message was stored. That it is here is its acknowledgement.
    UserMessage {
        /// The client's own number for it: sent again, it is stored once.
        message: Uuid,
        /// What the user said.
        text: String,
    },
    /// A run begins.
    AgentStarted {
        /// Which model answers.
        model: String,
    },
    /// The agent says what it is about to do.
    AgentThinking {
        /// In a sentence.
        text: String,
    },
    /// A tool is called.
    ToolExecuting {
        /// Which call: [`What::ToolCompleted`] has the same.
        call: String,
        /// The tool's name.
        tool: String,
        /// What it was given.
        input: Value,
    },
    /// The tool has answered.
    ToolCompleted {
        /// Which call.
        call: String,
        /// The tool's name.
        tool: String,
        /// Whether it did what it was asked.
        ok: bool,
        /// What it answered, or why it did not.
        output: Value,
    },
    /// A part of the answer.
    AgentText {
        /// Where it begins in the answer, in characters (Unicode scalar values). What stood from there on is void:
        /// a run that another instance took over may have to say something anew.
        offset: usize,
        /// The part.
        text: String,
    },
    /// The run has ended. Nothing of it comes after this.
    AgentCompleted {
        /// How.
        outcome: Outcome,
        /// The whole answer, as far as it came; why there is none, if it failed.
        text: String,
    },
}

impl What {
    /// Its name in JSON, in the log and in tests.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UserMessage { .. } => "user_message",
            Self::AgentStarted { .. } => "agent_started",
            Self::AgentThinking { .. } => "agent_thinking",
            Self::ToolExecuting { .. } => "tool_executing",
            Self::ToolCompleted { .. } => "tool_completed",
            Self::AgentText { .. } => "agent_text",
            Self::AgentCompleted { .. } => "agent_completed",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer is whole.
    Completed,
    /// Its user ended it.
    Cancelled,
    /// The model or a limit ended it.
    Failed,
}
