//! A user who wants an answer to each of its messages, whatever becomes of the instance.
//!
//! Owns what it has heard. It comes again with the number of the last event that it has, and says again what it has no
//! receipt for, under the same number.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::stage::account::Account;
use crate::stage::talk::{Refusal, Talk, open};

/// How often a user comes again before it gives up.
const COMES_MAX: usize = 400;
/// How long it waits before it does.
const AGAIN: Duration = Duration::from_millis(100);

/// Where instances are, at any time.
pub(crate) type Addresses = Arc<Mutex<Vec<String>>>;

/// A user on its way.
pub(crate) struct User {
    account: Account,
    thread: String,
    addresses: Addresses,
    /// Which instance it goes to next.
    turn: usize,
    /// Its messages, each with its own number.
    pub(crate) messages: Vec<String>,
    /// All events that it has heard, in order.
    pub(crate) heard: Vec<Value>,
    /// How often its socket ended before it had what it wanted.
    pub(crate) losses: usize,
}

impl User {
    /// Signs up and makes a thread.
    pub(crate) async fn new(addresses: &Addresses, turn: usize, messages: usize) -> Self {
        let address = {
            let known = addresses.lock().unwrap();
            known[turn % known.len()].clone()
        };
        let account = crate::stage::account::Http::of(&address).sign_up().await;
        let thread = account.thread("one of many").await;
        let messages = (0..messages).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        let addresses = Arc::clone(addresses);
        Self { account, thread, addresses, turn, messages, heard: Vec::new(), losses: 0 }
    }

    /// Its name, as it is stored.
    pub(crate) fn name(&self) -> &str {
        &self.account.name
    }

    /// The same user at the next instance.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            account: self.account.clone(),
            thread: self.thread.clone(),
            addresses: Arc::clone(&self.addresses),
            turn: self.turn + 1,
            messages: Vec::new(),
            heard: Vec::new(),
            losses: 0,
        }
    }

    /// Says nothing, and hears all up to the end of so many runs.
    pub(crate) async fn look_on(mut self, runs: usize) -> Vec<Value> {
        for comes in 0..COMES_MAX {
            sleep(AGAIN * u32::from(comes > 0)).await;
            let Ok(mut talk) = self.come().await else { continue };
            while let Ok(event) = talk.next().await {
                self.heard.push(event);
                if self.count("agent_completed") >= runs {
                    return self.heard;
                }
            }
        }
        panic!("{} sees no end: {:#?}", self.name(), self.heard.last());
    }

    /// Opens a socket behind what it has.
    async fn come(&self) -> Result<Talk, Refusal> {
        let after = self.heard.last().map_or(0, |event| event["id"].as_i64().unwrap());
        let address = {
            let known = self.addresses.lock().unwrap();
            known[self.turn % known.len()].clone()
        };
        open(&self.account.at(&address), Some(after), &[]).await
    }

    /// Says each message once it has the answer to the one before; `told` hears of each answer.
    pub(crate) async fn chat(mut self, told: impl Fn()) -> Self {
        for comes in 0..COMES_MAX {
            sleep(AGAIN * u32::from(comes > 0)).await;
            if let Ok(mut talk) = self.come().await
                && self.go_on(&mut talk, &told).await
            {
                return self;
            }
            self.losses += 1;
            self.turn += 1;
        }
        panic!("{} gets no answer: {:#?}", self.name(), self.heard.last());
    }

    /// Talks until all is answered (true) or the socket ends.
    async fn go_on(&mut self, talk: &mut Talk, told: &impl Fn()) -> bool {
        let mut said = None;
        loop {
            let answered = self.count("agent_completed");
            if answered >= self.messages.len() {
                return true;
            }
            let next = self.messages[answered].clone();
            let is_stored = self.heard.iter().any(|event| event["message"] == *next);
            if !is_stored && said != Some(answered) {
                said = Some(answered);
                let text = format!("Which threads do I have? ({answered})");
                if talk.say_as(&self.thread, &text, &next).await.is_err() {
                    return false;
                }
            }
            match talk.next().await {
                // Not now: it comes again, and says it again.
                Ok(frame) if frame["type"] == "refused" => return false,
                Ok(event) => {
                    if event["type"] == "agent_completed" {
                        told();
                    }
                    self.heard.push(event);
                }
                Err(_) => return false,
            }
        }
    }

    fn count(&self, kind: &str) -> usize {
        self.heard.iter().filter(|event| event["type"] == kind).count()
    }
}
