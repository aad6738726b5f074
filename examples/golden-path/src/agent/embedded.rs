//! The embedded model: no network, no chance, and yet an answer.
//!
//! Owns its rules. The same conversation and the same tools' answers give the same answer. Must never say anything that
//! neither the user nor a tool has said.

mod answers;
mod intent;

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde_json::{Value, json};
use tokio::time::sleep;

use self::intent::Intent;
use crate::agent::{Model, ModelError, Piece, Said, Turn};

/// The embedded model.
#[derive(Clone, Debug)]
pub struct Embedded {
    pace: Duration,
}

impl Embedded {
    /// One that takes so long between two pieces.
    pub fn new(pace: Duration) -> Self {
        Self { pace }
    }
}

impl Model for Embedded {
    fn name(&self) -> &str {
        "embedded"
    }

    fn respond(&self, turn: Turn) -> BoxStream<'static, Result<Piece, ModelError>> {
        let pace = self.pace;
        stream::iter(pieces(&turn))
            .then(move |piece| async move {
                sleep(pace).await;
                Ok(piece)
            })
            .boxed()
    }
}

/// What it says next: thinks and calls a tool first, and answers once the tool has.
fn pieces(turn: &Turn) -> Vec<Piece> {
    let since = turn.conversation.iter().rposition(|said| matches!(said, Said::User(_)));
    let (text, answered) = match since.and_then(|at| turn.conversation.get(at..)) {
        Some([Said::User(text), answered @ ..]) => (text.as_str(), answered),
        _ => ("", &[][..]),
    };
    let intent = Intent::of(text);
    let tools = answered.iter().filter_map(|said| match said {
        Said::Tool { tool, output, .. } => Some((tool.as_str(), output)),
        _ => None,
    });
    let tools: Vec<(&str, &Value)> = tools.collect();
    let wanted = wanted(&intent);
    let has_tool = |name: &str| turn.tools.iter().any(|tool| tool.name == name);
    let next = wanted
        .iter()
        .find(|(name, _)| has_tool(name) && !tools.iter().any(|(answered, _)| answered == name));
    if let Some((name, input)) = next {
        let call = Piece::Call {
            call: format!("call-{}", tools.len() + 1),
            tool: (*name).to_owned(),
            input: input.clone(),
        };
        return vec![Piece::Thinking(intent.plan().to_owned()), call];
    }
    let answer = answers::answer(&intent, &turn.conversation, &tools);
    words(&answer).map(|text| Piece::Text(text.to_owned())).collect()
}

/// Which tools an intent needs, in order.
fn wanted(intent: &Intent) -> Vec<(&'static str, Value)> {
    match intent {
        Intent::State => vec![("service_state", json!({}))],
        Intent::Threads | Intent::Other => vec![("my_threads", json!({}))],
        Intent::Search { query } => vec![("search_my_messages", json!({ "query": query }))],
        Intent::Summary => vec![("my_threads", json!({}))],
        Intent::Help => vec![("service_state", json!({})), ("my_threads", json!({}))],
    }
}

/// An answer in pieces of a few words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // Every fourth space ends a piece; it belongs to it, so that the pieces make up the text.
        let end = rest.match_indices(' ').nth(3).map_or(rest.len(), |(at, _)| at + 1);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests;
