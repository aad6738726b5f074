//! Times in which accepting pauses, told as one.
//!
//! Owns when a pause is worth a line in the log, and when it is over. A door that is full pauses before each
//! newcomer: a line for each would be a flood, and none would be silence. Must never write the line itself.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Accepting goes on once it has gone on for so long.
const QUIET: Duration = Duration::from_secs(1);
/// How often it may be said that it still pauses again and again.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// The pauses of one cause.
#[derive(Debug, Default)]
pub struct Pauses(Option<Spell>);

/// Pauses that followed each other closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    began: Instant,
    said: Instant,
    goes_on_since: Option<Instant>,
    /// How many there were.
    pub pauses: u64,
}

impl Pauses {
    /// Accepting pauses. Answers what is to be said of it, if that is news.
    pub fn begin(&mut self, now: Instant) -> Option<Spell> {
        let spell =
            self.0.get_or_insert(Spell { began: now, said: now, goes_on_since: None, pauses: 0 });
        spell.pauses += 1;
        spell.goes_on_since = None;
        let is_news = spell.pauses == 1 || now - spell.said >= SAID_EVERY;
        if is_news {
            spell.said = now;
        }
        is_news.then_some(*spell)
    }

    /// Accepting goes on, for now.
    pub const fn go_on(&mut self, now: Instant) {
        if let Some(spell) = &mut self.0 {
            spell.goes_on_since = Some(now);
        }
    }

    /// Resolves when accepting has gone on for a while: then [`Self::end`] is to be said. Cancel-safe.
    pub async fn over(&self) {
        match self.0.as_ref().and_then(|spell| spell.goes_on_since) {
            Some(since) => sleep_until(since + QUIET).await,
            None => pending().await,
        }
    }

    /// What is over.
    pub const fn end(&mut self) -> Option<Spell> {
        self.0.take()
    }
}

impl Spell {
    /// From the first pause to the end of the last.
    pub fn lasted(&self, now: Instant) -> Duration {
        self.goes_on_since.unwrap_or(now) - self.began
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the log with a door that pauses a thousand times, and with one that pauses once.

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn f15_a_thousand_pauses_are_a_few_lines_and_their_end_is_said_once() {
        let mut pauses = Pauses::default();
        let began = Instant::now();
        let mut said = Vec::new();
        for _ in 0..1_000 {
            said.extend(pauses.begin(Instant::now()).map(|spell| spell.pauses));
            tokio::time::advance(Duration::from_millis(5)).await;
            pauses.go_on(Instant::now());
            tokio::time::advance(Duration::from_millis(6)).await;
        }
        assert_eq!(said, [1, 456, 911]);
        let went_on = began + Duration::from_millis(11 * 999 + 5);
        pauses.over().await;
        assert_eq!(Instant::now(), went_on + QUIET);
        let spell = pauses.end().unwrap();
        assert_eq!((spell.pauses, spell.lasted(Instant::now())), (1_000, went_on - began));
        assert_eq!(pauses.end(), None);
        assert_eq!(pauses.begin(Instant::now()).map(|spell| spell.pauses), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_lasts_is_not_over() {
        let mut pauses = Pauses::default();
        let never = Duration::from_secs(999);
        assert!(tokio::time::timeout(never, pauses.over()).await.is_err());
        pauses.begin(Instant::now());
        assert!(tokio::time::timeout(never, pauses.over()).await.is_err());
    }
}
