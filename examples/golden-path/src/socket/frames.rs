//! What a client and we say to each other on a socket, apart from events.
//!
//! Owns the JSON. Must never repeat anything of what a client sent but its own numbers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{RunId, ThreadId};

/// What a client says. Without `Debug`: it has secrets in it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    /// A message for the agent.
    Message {
        /// In which thread.
        thread: ThreadId,
        /// Its number, made by the client: sent again it is stored once.
        message: Uuid,
        /// The words.
        text: String,
    },
    /// A run is to end.
    Cancel {
        /// Which.
        run: RunId,
    },
    /// A newer access token: the socket lasts as long as it does.
    Token {
        /// The token.
        access: String,
    },
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// What we say.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToClient<'a> {
    /// The first frame.
    Hello {
        /// Events after this number follow.
        last_event_id: i64,
        /// How often each side is to say something.
        heartbeat_ms: u64,
        /// Who answers.
        instance: &'a str,
        /// By what this connection is known in the log.
        correlation: &'a str,
    },
    /// Are you there?
    Ping,
    /// I am.
    Pong,
    /// Something was not done, and the socket goes on.
    Refused(Refused),
}

/// What was not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    /// Which kind of frame.
    pub(super) what: RefusedFrame,
    /// The message's own number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Uuid>,
    /// The run that was to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<RunId>,
    /// Why, for a person.
    pub(super) reason: Cow<'static, str>,
}

/// Which kind of frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefusedFrame {
    /// One that can't be read, or of no kind that we know.
    Frame,
    /// `message`.
    Message,
    /// `cancel`.
    Cancel,
    /// `token`.
    Token,
}

impl Refused {
    /// A frame without a number of its own.
    pub(super) fn new(what: RefusedFrame, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { what, message: None, run: None, reason: reason.into() }
    }

    /// A message.
    pub(super) fn message(message: Uuid, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { message: Some(message), ..Self::new(RefusedFrame::Message, reason) }
    }

    /// A cancellation.
    pub(super) fn cancel(run: RunId, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { run: Some(run), ..Self::new(RefusedFrame::Cancel, reason) }
    }
}

impl ToClient<'_> {
    /// Its JSON.
    pub(super) fn to_json(&self) -> String {
        // Names, numbers and texts: nothing here can fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if a frame changes its form: clients of other versions read it.
    #[test]
    fn frames_have_the_form_that_clients_read() {
        let hello = ToClient::Hello {
            last_event_id: 7,
            heartbeat_ms: 20_000,
            instance: "one",
            correlation: "c",
        };
        let expected = r#"{"type":"hello","last_event_id":7,"heartbeat_ms":20000,"instance":"one","correlation":"c"}"#;
        assert_eq!(hello.to_json(), expected);
        assert_eq!(ToClient::Ping.to_json(), r#"{"type":"ping"}"#);
        let refused = ToClient::Refused(Refused::message(Uuid::nil(), "no"));
        let expected = r#"{"type":"refused","what":"message","message":"00000000-0000-0000-0000-000000000000","reason":"no"}"#;
        assert_eq!(refused.to_json(), expected);
    }

    /// Breaks if a newer client's field ends its socket, or if two readings of one frame are possible.
    #[test]
    fn an_unknown_field_is_ignored_and_a_doubled_one_is_a_mistake() {
        assert!(serde_json::from_str::<FromClient>(r#"{"type":"ping","n":1}"#).is_ok());
        let doubled = r#"{"type":"token","access":"a","access":"b"}"#;
        assert!(serde_json::from_str::<FromClient>(doubled).is_err());
        assert!(serde_json::from_str::<FromClient>(r#"{"type":"ping"} {}"#).is_err());
    }
}
