//! Whether, and when, a child that ended is started again.
//!
//! Owns the policy and its backoff. Must never start anything.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use vestibule::backoff::Backoff;

use crate::process::exit::Exit;

/// What happens when the child ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// We end too, with its status.
    #[default]
    Never,
    /// It is started again, unless it ended with status 0.
    OnFailure,
}

/// As many ends within [`WINDOW`] are a crash loop: the platform should see it.
const ENDS_MAX: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// The ends so far, and what follows from them.
#[derive(Debug)]
pub struct Restarts {
    policy: Policy,
    ends: VecDeque<Instant>,
    backoff: Backoff,
}

impl Restarts {
    /// None so far.
    pub fn new(policy: Policy) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        Self { policy, ends: VecDeque::new(), backoff }
    }

    /// The pause before the next start; `None` when there is none. The first restart comes at
    /// once but for 0.1 s, and each further one within a minute waits longer.
    pub fn after(&mut self, exit: Exit, now: Instant, random: f64) -> Option<Duration> {
        if self.policy == Policy::Never || exit == Exit::Code(0) {
            return None;
        }
        self.ends.retain(|end| now - *end < WINDOW);
        let earlier = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.ends.push_back(now);
        (self.ends.len() < ENDS_MAX).then(|| self.backoff.delay(earlier, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn f04_a_crash_loop_ends_and_success_is_never_restarted() {
        let now = Instant::now();
        let mut restarts = Restarts::new(Policy::OnFailure);
        assert_eq!(restarts.after(Exit::Code(0), now, 0.5), None);
        let starts = (0..100).take_while(|_| restarts.after(Exit::Code(1), now, 0.5).is_some());
        assert_eq!(starts.count(), ENDS_MAX - 1);
        let later = now + WINDOW;
        assert!(restarts.after(Exit::Code(1), later, 0.5).is_some());
        assert_eq!(Restarts::new(Policy::Never).after(Exit::Code(1), now, 0.5), None);
    }
}
