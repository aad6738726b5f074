//! What tools may look at.
//!
//! Owns the reading of a user's threads for them. Must never look at another user's.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::agent::Sight;
use crate::event::{Event, Outcome, ThreadId, UserId, What};
use crate::store::{Store, StoreError, Thread};

/// How many of a user's newest events are looked at.
const EVENTS: i64 = 1000;

/// The service and the threads in its store.
pub(super) struct View {
    pub(super) store: Store,
    pub(super) service: Arc<dyn Fn() -> Value + Send + Sync>,
}

impl Sight for View {
    fn service(&self) -> Value {
        (self.service)()
    }

    fn threads(&self, user: UserId) -> BoxFuture<'_, Result<Value, String>> {
        async move { self.read(user).await.map_err(|_| "the database does not answer now".into()) }
            .boxed()
    }
}

impl View {
    async fn read(&self, user: UserId) -> Result<Value, StoreError> {
        let threads = self.store.threads(user).await?;
        let behind = self.store.last_event(user).await? - EVENTS;
        let events = self.store.events_after(user, behind.max(0), EVENTS).await?;
        Ok(told(&threads, &events))
    }
}

fn told(threads: &[Thread], events: &[Event]) -> Value {
    let mut messages: BTreeMap<ThreadId, Vec<Value>> = BTreeMap::new();
    for event in events {
        let (by, text) = match &event.what {
            What::UserMessage { text, .. } => ("user", text),
            What::AgentCompleted { outcome: Outcome::Completed, text } => ("agent", text),
            _ => continue,
        };
        let message = json!({ "by": by, "text": text, "at_ms": event.at_ms });
        messages.entry(event.thread).or_default().push(message);
    }
    let thread = |thread: &Thread| {
        let messages = messages.get(&thread.id).cloned().unwrap_or_default();
        json!({ "title": thread.title, "messages": messages })
    };
    threads.iter().map(thread).collect()
}
