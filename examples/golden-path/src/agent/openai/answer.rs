//! The answer of an endpoint, event by event.
//!
//! Owns the putting together of calls, which come in parts. Must never take an answer that broke off for a whole one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::agent::{ModelError, Piece};

/// How many calls an answer may have, and how long the input of one may be, in bytes.
const CALLS_MAX: usize = 32;
const INPUT_MAX: usize = 64 * 1024;

/// An answer that is coming.
#[derive(Debug, Default)]
pub(super) struct Answer {
    calls: BTreeMap<usize, Call>,
    /// What it is thinking about; told when it begins to speak, as one sentence.
    thought: String,
    is_finished: bool,
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    // Servers use one of the two, or both for the same.
    reasoning: Option<String>,
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Deserialize)]
struct CallPart {
    #[serde(default)]
    index: usize,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<String>,
}

/// The longest thought that is told, in bytes.
const THOUGHT_MAX: usize = 2000;

impl Answer {
    /// Adds what an event brings.
    pub(super) fn event(&mut self, data: &[u8], pieces: &mut Vec<Piece>) -> Result<(), ModelError> {
        let chunk: Chunk =
            serde_json::from_slice(data).map_err(|_| misunderstood("an event that is no chunk"))?;
        if chunk.error.is_some() {
            return Err(ModelError::Unavailable("it broke the answer off".into()));
        }
        // One choice was asked for.
        let choice = chunk.choices.unwrap_or_default().into_iter().next();
        let Some(Choice { delta, finish_reason }) = choice else { return Ok(()) };
        let delta = delta.unwrap_or_default();
        if let Some(thought) = delta.reasoning.or(delta.reasoning_content) {
            let room = THOUGHT_MAX.saturating_sub(self.thought.len()).min(thought.len());
            self.thought
                .push_str(thought.get(..thought.floor_char_boundary(room)).unwrap_or_default());
        }
        if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
            pieces.extend(self.thought());
            pieces.push(Piece::Text(text));
        }
        for part in delta.tool_calls.unwrap_or_default() {
            self.call(part)?;
        }
        match finish_reason.as_deref() {
            None => {}
            Some("length") => return Err(misunderstood("its answer was cut for its length")),
            Some("content_filter") => return Err(misunderstood("its answer was filtered")),
            Some(_) => self.is_finished = true,
        }
        Ok(())
    }

    /// Whether it has said that it is whole.
    pub(super) const fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Adds what is left at its end: calls are whole only now.
    pub(super) fn finish(&mut self, pieces: &mut Vec<Piece>) -> Result<(), ModelError> {
        pieces.extend(self.thought());
        for (_, Call { id, name, arguments }) in std::mem::take(&mut self.calls) {
            // Nothing at all stands for an empty object.
            let arguments = if arguments.trim().is_empty() { "{}" } else { &arguments };
            let input = serde_json::from_str(arguments)
                .map_err(|_| misunderstood("a call whose input is no JSON"))?;
            if name.is_empty() {
                return Err(misunderstood("a call without a name"));
            }
            let call = if id.is_empty() { uuid::Uuid::new_v4().to_string() } else { id };
            pieces.push(Piece::Call { call, tool: name, input });
        }
        Ok(())
    }

    fn thought(&mut self) -> Option<Piece> {
        let thought = std::mem::take(&mut self.thought);
        (!thought.trim().is_empty()).then(|| Piece::Thinking(thought.trim().to_owned()))
    }

    fn call(&mut self, part: CallPart) -> Result<(), ModelError> {
        if part.index >= CALLS_MAX {
            return Err(misunderstood("too many calls"));
        }
        let call = self.calls.entry(part.index).or_default();
        // Some servers say the id and the name again with each part.
        if call.id.is_empty() {
            call.id = part.id.unwrap_or_default();
        }
        if let Some(FunctionPart { name, arguments }) = part.function {
            call.name.push_str(&name.filter(|name| *name != call.name).unwrap_or_default());
            call.arguments.push_str(&arguments.unwrap_or_default());
        }
        if call.id.len() + call.name.len() + call.arguments.len() > INPUT_MAX {
            return Err(misunderstood("a call without an end"));
        }
        Ok(())
    }
}

fn misunderstood(said: &str) -> ModelError {
    ModelError::Misunderstood(said.to_owned())
}
