//! The judge of transcripts.
//!
//! Owns the comparison of what each user has heard with what is in the database, which it reads by SQL of its own. It
//! knows nothing of the service but the form of its events.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::user::User;

/// What is stored: for each name the events in order, each with its number.
pub(crate) type Stored = BTreeMap<String, Vec<(i64, Value)>>;

/// The question for all of it; each row is one JSON text.
pub(crate) const QUESTION: &str =
    "SELECT json_build_array(users.name, events.id, events.what::json)
    FROM events JOIN users ON users.id = events.user_id ORDER BY users.name, events.id";

/// Reads the rows of [`QUESTION`].
pub(crate) fn stored(rows: &str) -> Stored {
    let mut stored = Stored::new();
    for row in rows.lines().filter(|row| !row.is_empty()) {
        let (name, id, what): (String, i64, Value) = serde_json::from_str(row).unwrap();
        stored.entry(name).or_default().push((id, what));
    }
    stored
}

/// Fails unless a user has heard all that is stored for it, in order and once, and unless all of it makes sense.
pub(crate) fn judge(user: &User, stored: &Stored) {
    let name = user.name();
    let stored = &stored[name];
    let numbers: Vec<i64> = stored.iter().map(|(id, _)| *id).collect();
    assert!(
        numbers.iter().copied().eq(1..=i64::try_from(numbers.len()).unwrap()),
        "{name}: {numbers:?}"
    );
    assert_eq!(user.heard.len(), stored.len(), "{name} has not heard all of it, or more");
    for (heard, (id, what)) in user.heard.iter().zip(stored) {
        assert_eq!(heard["id"], *id, "{name}");
        for (field, value) in what.as_object().unwrap() {
            assert_eq!(heard[field], *value, "{name}: {field} of event {id}");
        }
    }
    judge_messages(user, stored);
    judge_runs(user);
}

/// Each message is stored once.
fn judge_messages(user: &User, stored: &[(i64, Value)]) {
    for message in &user.messages {
        let count = stored.iter().filter(|(_, what)| what["message"] == **message).count();
        assert_eq!(count, 1, "{}: message {message}", user.name());
    }
}

/// Each run begins once, ends once and in the end, and its words make up its answer.
fn judge_runs(user: &User) {
    let mut runs: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in &user.heard {
        if let Some(run) = event["run"].as_str() {
            runs.entry(run).or_default().push(event);
        }
    }
    assert_eq!(runs.len(), user.messages.len(), "{}", user.name());
    for (run, events) in runs {
        let said = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
        let kinds = [
            "agent_started",
            "agent_thinking",
            "tool_executing",
            "tool_completed",
            "agent_completed",
        ];
        assert_eq!(kinds.map(said), [1; 5], "{}: run {run}: {events:#?}", user.name());
        assert_eq!(
            (&events[0]["type"], &events.last().unwrap()["type"]),
            (&"agent_started".into(), &"agent_completed".into())
        );
        let end = events.last().unwrap();
        assert_eq!(end["outcome"], "completed", "{}: run {run}", user.name());
        let whole: Vec<Value> = events.iter().map(|event| (*event).clone()).collect();
        assert_eq!(end["text"], *crate::stage::talk::told(&whole), "{}: run {run}", user.name());
    }
}
