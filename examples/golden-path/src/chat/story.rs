//! What was said so far, read from stored events.
//!
//! Owns how events become a conversation for a model, and where a run goes on that another instance began. Must never
//! read anything itself: it is given events in order.

use serde_json::Value;

use crate::agent::Said;
use crate::event::{Event, Outcome, RunId, What};

/// The most that a model is told of earlier messages, in characters.
const CONTEXT_MAX: usize = 24_000;

/// A run and what came before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Story {
    /// What was said before this run, oldest first.
    before: Vec<Said>,
    /// What this run has said, up to the last tool's answer.
    settled: Vec<Said>,
    /// This run's answer so far.
    text: String,
    /// How many bytes of it are settled. What stands behind is said anew by whoever takes the run over.
    settled_bytes: usize,
    /// The call that was begun and has no answer.
    pending: Option<Call>,
    /// How many calls were begun.
    pub(super) calls: usize,
    /// Whether the run has begun.
    pub(super) is_started: bool,
    /// Whether it has said what it is about to do since the last tool's answer.
    pub(super) has_thought: bool,
    /// Whether it has ended.
    pub(super) has_ended: bool,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) call: String,
    pub(super) tool: String,
    pub(super) input: Value,
}

impl Story {
    /// Reads the events of a thread, in order, for the run that answers the event `answers`.
    pub(super) fn read(events: &[Event], run: RunId, answers: i64) -> Self {
        let mut story = Self { before: before(events, answers), ..Self::default() };
        for event in events.iter().filter(|event| event.run == Some(run)) {
            story.heard(&event.what);
        }
        story
    }

    /// Takes in what the run has said.
    pub(super) fn heard(&mut self, what: &What) {
        match what {
            What::UserMessage { .. } => {}
            What::AgentStarted { .. } => self.is_started = true,
            What::AgentThinking { .. } => self.has_thought = true,
            What::AgentText { offset, text } => {
                self.text.truncate(byte_of(&self.text, *offset));
                self.text.push_str(text);
            }
            What::ToolExecuting { call, tool, input } => {
                self.settle();
                self.calls += 1;
                let (call, tool, input) = (call.clone(), tool.clone(), input.clone());
                self.pending = Some(Call { call, tool, input });
            }
            What::ToolCompleted { call, tool, output, .. } => {
                let input = self.pending.take().map_or(Value::Null, |pending| pending.input);
                let (call, tool, output) = (call.clone(), tool.clone(), output.clone());
                self.settled.push(Said::Tool { call, tool, input, output });
                self.has_thought = false;
            }
            What::AgentCompleted { .. } => self.has_ended = true,
        }
    }

    /// Forgets what is not settled: a model is asked again. Where its next text begins, in characters.
    pub(super) fn rewind(&mut self) -> usize {
        self.text.truncate(self.settled_bytes);
        self.text.chars().count()
    }

    /// The call that was begun and has no answer.
    pub(super) fn pending(&self) -> Option<&Call> {
        self.pending.as_ref()
    }

    /// The answer so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What a model is told.
    pub(super) fn conversation(&self) -> Vec<Said> {
        self.before.iter().chain(&self.settled).cloned().collect()
    }

    /// What stands before a call stays as it is.
    fn settle(&mut self) {
        let news = self.text.get(self.settled_bytes..).unwrap_or_default();
        if !news.is_empty() {
            self.settled.push(Said::Agent(news.to_owned()));
        }
        self.settled_bytes = self.text.len();
    }
}

/// Where a character begins; behind the last if there are not so many.
fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

/// The messages up to the one that is answered, and the answers that were whole by then.
fn before(events: &[Event], answers: i64) -> Vec<Said> {
    let said =
        events.iter().filter(|event| event.id <= answers).filter_map(|event| match &event.what {
            What::UserMessage { text, .. } => Some(Said::User(text.clone())),
            What::AgentCompleted { text, outcome } => {
                let is_answer = *outcome != Outcome::Failed && !text.is_empty();
                is_answer.then(|| Said::Agent(text.clone()))
            }
            _ => None,
        });
    newest(said.collect())
}

/// As many of the newest as a model is told.
fn newest(mut said: Vec<Said>) -> Vec<Said> {
    let mut room = CONTEXT_MAX;
    let length = |said: &Said| match said {
        Said::User(text) | Said::Agent(text) => text.chars().count(),
        Said::Tool { .. } => 0,
    };
    let fitting = said.iter().rev().take_while(|said| {
        let fits = room.checked_sub(length(said));
        room = fits.unwrap_or(0);
        fits.is_some()
    });
    // The message itself is told however long it is.
    let kept = fitting.count().max(1);
    said.drain(..said.len().saturating_sub(kept));
    said
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const RUN: RunId = Uuid::from_u128(7);

    fn events(whats: Vec<(Option<RunId>, What)>) -> Vec<Event> {
        (1..)
            .zip(whats)
            .map(|(id, (run, what))| Event { id, thread: Uuid::nil(), run, at_ms: 0, what })
            .collect()
    }

    fn asked(text: &str) -> (Option<RunId>, What) {
        (None, What::UserMessage { message: Uuid::nil(), text: text.into() })
    }

    fn text(offset: usize, text: &str) -> (Option<RunId>, What) {
        (Some(RUN), What::AgentText { offset, text: text.into() })
    }

    /// Breaks if a run that goes on elsewhere forgets a tool's answer, or keeps words that are said anew.
    #[test]
    fn a_run_goes_on_behind_the_last_answer_of_a_tool() {
        let call = |what| (Some(RUN), what);
        let executing = What::ToolExecuting { call: "a".into(), tool: "t".into(), input: 1.into() };
        let completed =
            What::ToolCompleted { call: "a".into(), tool: "t".into(), ok: true, output: 2.into() };
        let mut told = vec![asked("häh?"), call(What::AgentStarted { model: "m".into() })];
        told.extend([text(0, "Säge"), text(1, "o "), call(executing), call(completed.clone())]);
        told.push(text(3, "half a sen"));
        let mut story = Story::read(&events(told.clone()), RUN, 1);
        assert_eq!(story.text(), "So half a sen");
        assert_eq!(story.rewind(), 3);
        assert_eq!(story.text(), "So ");
        let tool =
            Said::Tool { call: "a".into(), tool: "t".into(), input: 1.into(), output: 2.into() };
        let conversation = vec![Said::User("häh?".into()), Said::Agent("So ".into()), tool];
        assert_eq!(story.conversation(), conversation);

        told.truncate(5);
        let story = Story::read(&events(told), RUN, 1);
        assert_eq!(story.pending().map(|call| &*call.call), Some("a"));
        assert!(story.is_started && !story.has_ended);
    }

    /// Breaks if a model is told of later messages, of failed answers, or of more than it can take.
    #[test]
    fn a_model_is_told_the_newest_words_up_to_the_message() {
        let done = |text: &str, outcome| {
            (Some(Uuid::from_u128(1)), What::AgentCompleted { outcome, text: text.into() })
        };
        let told = events(vec![
            asked(&"x".repeat(CONTEXT_MAX)),
            done("broken", Outcome::Failed),
            asked("one"),
            done("answer", Outcome::Completed),
            asked("two"),
            asked("three"),
        ]);
        let story = Story::read(&told, RUN, 5);
        let said = ["one", "two"].map(|text| Said::User(text.into()));
        let [one, two] = said;
        assert_eq!(story.conversation(), vec![one, Said::Agent("answer".into()), two]);
        let long = Story::read(&told, RUN, 1);
        assert_eq!(long.conversation().len(), 1);
    }
}
