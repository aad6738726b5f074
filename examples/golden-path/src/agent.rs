//! The agent: a model that answers with the help of tools.
//!
//! Owns what a model and a tool are. Must never store or send anything: `chat` does.

pub mod embedded;
pub mod openai;
pub mod registry;
pub mod tools;

mod sse;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use serde_json::Value;

use self::embedded::Embedded;
use self::openai::{OpenAi, Patience};
use crate::event::UserId;
use crate::settings::Endpoint;

/// Something that answers.
pub trait Model: Send + Sync + 'static {
    /// Its name, as clients see it.
    fn name(&self) -> &str;

    /// Goes on with a conversation. After the last piece, if some were calls, it is asked again with their results.
    /// Dropping the stream ends it.
    fn respond(&self, turn: Turn) -> BoxStream<'static, Result<Piece, ModelError>>;
}

/// The model of this endpoint; without one the embedded model, which takes `pace` before each piece.
///
/// # Errors
///
/// The endpoint can't be used as it is set up.
pub fn model(endpoint: Option<Endpoint>, pace: Duration) -> Result<Arc<dyn Model>, ModelError> {
    match endpoint {
        Some(endpoint) => Ok(Arc::new(OpenAi::new(endpoint, Patience::default())?)),
        None => Ok(Arc::new(Embedded::new(pace))),
    }
}

/// Chooses the cryptography of TLS for this process: `ring`. To be called before any connection.
pub fn prepare_tls() {
    // Who chose before has chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// What was said so far, oldest first; the last is a user's word or a tool's.
    pub conversation: Vec<Said>,
    /// The tools that it may call.
    pub tools: Vec<ToolSpec>,
}

/// One word of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The user's.
    User(String),
    /// The agent's answer, as it came.
    Agent(String),
    /// The agent called a tool, which answered.
    Tool {
        /// Which call.
        call: String,
        /// The tool's name.
        tool: String,
        /// What it was given.
        input: Value,
        /// What it answered, or why it did not.
        output: Value,
    },
}

/// A tool, as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name: `[a-z0-9_]`, unique.
    pub name: String,
    /// What it is good for, in a sentence.
    pub description: String,
    /// Its input, as JSON Schema.
    pub input: Value,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// What it is about to do, in a sentence.
    Thinking(String),
    /// The next part of the answer.
    Text(String),
    /// It wants this tool called.
    Call {
        /// Which call, unique in its run.
        call: String,
        /// The tool's name.
        tool: String,
        /// What to give it.
        input: Value,
    },
}

/// Why a model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It is set up wrongly (address, key, name): whoever runs the service must change it.
    #[error("the model is set up wrongly: {0}")]
    Setup(String),
    /// It does not answer, or not now.
    #[error("the model does not answer: {0}")]
    Unavailable(String),
    /// It answered what can't be read.
    #[error("the model answered what can't be read: {0}")]
    Misunderstood(String),
}

/// Who a tool works for. It sees nothing of anybody else.
#[derive(Clone)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// What a tool may look at.
    pub sight: Arc<dyn Sight>,
}

/// What tools may look at: the service's own state, and one user's threads.
pub trait Sight: Send + Sync + 'static {
    /// The state of the service as `/health` tells it.
    fn service(&self) -> Value;

    /// A user's threads with the messages in them, newest thread first, as JSON: `[{"title", "messages": [{"by",
    /// "text", "at_ms"}]}]`.
    fn threads(&self, user: UserId) -> futures_util::future::BoxFuture<'_, Result<Value, String>>;
}

/// Something that a model may call.
pub trait Tool: Send + Sync + 'static {
    /// What the model is told of it.
    fn spec(&self) -> ToolSpec;

    /// Does it. What it returns goes to the model and to the user.
    ///
    /// # Errors
    ///
    /// Why it could not be done, for the model and the user to read.
    fn call(
        &self,
        caller: Caller,
        input: Value,
    ) -> futures_util::future::BoxFuture<'_, Result<Value, String>>;
}
