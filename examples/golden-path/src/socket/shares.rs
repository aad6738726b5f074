//! How many sockets and messages each user may have of this instance.
//!
//! Owns the counts, as plain data that takes `now`. Must never keep a user of whom nothing is left to count.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::UserId;

/// The shares of all users.
#[derive(Debug, Default)]
pub(super) struct Shares {
    users: HashMap<UserId, Share>,
    /// When so many are known, those with nothing left to count are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Share {
    sockets: usize,
    /// When all messages so far are paid for: each costs its part of a minute. (The generic cell rate algorithm,
    /// ITU-T I.371 annex A, calls it the theoretical arrival time.)
    paid_at: Instant,
}

/// How few users are never worth a sweep.
const SWEEP_MIN: usize = 1024;
/// In which time so many messages may be sent.
const MINUTE: Duration = Duration::from_secs(60);

impl Shares {
    /// Counts one more socket of this user's, unless there are `max`.
    pub(super) fn enter(&mut self, user: UserId, max: usize, now: Instant) -> bool {
        if self.users.len() >= self.sweep_at.max(SWEEP_MIN) {
            self.users.retain(|_, share| share.counts(now));
            self.sweep_at = self.users.len() * 2;
        }
        let share = self.users.entry(user).or_insert(Share { sockets: 0, paid_at: now });
        let is_in = share.sockets < max;
        share.sockets += usize::from(is_in);
        is_in
    }

    /// Counts one socket less.
    pub(super) fn leave(&mut self, user: UserId, now: Instant) {
        let Some(share) = self.users.get_mut(&user) else {
            return;
        };
        share.sockets = share.sockets.saturating_sub(1);
        if !share.counts(now) {
            self.users.remove(&user);
        }
    }

    /// Counts one message more, unless there were `a_minute` in the last minute; all at once if they like.
    pub(super) fn may_send(&mut self, user: UserId, a_minute: u32, now: Instant) -> bool {
        if a_minute == 0 {
            return false;
        }
        let share = self.users.entry(user).or_insert(Share { sockets: 0, paid_at: now });
        let cost = MINUTE / a_minute;
        let paid_at = share.paid_at.max(now) + cost;
        // Without the rounding of `cost` the last of a minute's would be left out.
        let may = paid_at <= now + cost * a_minute;
        if may {
            share.paid_at = paid_at;
        }
        may
    }
}

impl Share {
    fn counts(&self, now: Instant) -> bool {
        self.sockets > 0 || self.paid_at > now
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Breaks if one user takes another's share, or if a share does not come back.
    #[test]
    fn each_user_has_a_share_of_sockets() {
        let (mut shares, now) = (Shares::default(), Instant::now());
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(shares.enter(one, 2, now) && shares.enter(one, 2, now));
        assert!(!shares.enter(one, 2, now));
        assert!(shares.enter(two, 2, now));
        shares.leave(one, now);
        assert!(shares.enter(one, 2, now));
    }

    /// Breaks if more than the share passes in a minute, or less, or if coming again makes it anew.
    #[test]
    fn each_user_has_a_share_of_messages() {
        let (mut shares, mut now) = (Shares::default(), Instant::now());
        let user = Uuid::from_u128(1);
        assert!(shares.enter(user, 2, now));
        assert_eq!((0..20).filter(|_| shares.may_send(user, 7, now)).count(), 7);
        shares.leave(user, now);
        assert!(shares.enter(user, 2, now));
        assert!(!shares.may_send(user, 7, now), "coming again pays nothing");
        now += MINUTE / 7;
        assert_eq!((0..20).filter(|_| shares.may_send(user, 7, now)).count(), 1);
    }

    /// Breaks if users who left are kept: the table would grow for ever.
    #[test]
    fn who_left_is_forgotten() {
        let (mut shares, mut now) = (Shares::default(), Instant::now());
        for number in 0..100_000 {
            let user = Uuid::from_u128(number);
            now += Duration::from_millis(100);
            assert!(shares.enter(user, 2, now) && shares.may_send(user, 60, now));
            shares.leave(user, now);
        }
        assert!(shares.users.len() <= 2 * SWEEP_MIN, "{}", shares.users.len());
    }
}
