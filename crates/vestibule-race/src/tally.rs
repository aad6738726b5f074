//! The count of what clients saw.
//!
//! Owns the arithmetic. Pure, and exact: percentiles are values that some client had.

use std::collections::BTreeMap;

use crate::{
    evidence::Readiness,
    seen::{Client, Seen},
};

/// Counts and lags of one race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// All clients.
    pub clients: usize,
    /// Those that were ok.
    pub ok: usize,
    /// All others.
    pub lost: usize,
    /// How many saw what; only what was seen is here.
    pub seen: BTreeMap<Seen, usize>,
    /// Clients that got a 101 before the service was ready, whatever became of them.
    pub accepted_early: usize,
    /// Lags of all clients that were ok.
    pub lag: Option<Lag>,
    /// Lags of those that came before readiness: how long it took to reach them afterwards.
    pub lag_early: Option<Lag>,
    /// Lags of those that came after readiness: what the handshake itself takes.
    pub lag_late: Option<Lag>,
}

/// A summary of lags, in microseconds. Negative is before readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// How many clients it is about.
    pub clients: usize,
    /// The least.
    pub min_us: i64,
    /// The median, by nearest rank.
    pub p50_us: i64,
    /// The 99th percentile, by nearest rank.
    pub p99_us: i64,
    /// The greatest.
    pub max_us: i64,
}

impl Tally {
    /// Counts one race.
    #[must_use]
    pub fn count(clients: &[Client], ready: Option<&Readiness>) -> Self {
        let mut seen = BTreeMap::new();
        for client in clients {
            *seen.entry(client.seen).or_insert(0) += 1;
        }
        let ok = seen.get(&Seen::Ok).copied().unwrap_or(0);
        let (mut early, mut late) = (Vec::new(), Vec::new());
        let mut accepted_early = 0;
        for client in clients {
            let lag = ready.and_then(|ready| Some((ready, client.lag_us(ready)?)));
            let Some((ready, lag_us)) = lag else { continue };
            accepted_early += usize::from(lag_us < 0);
            match (client.seen, client.came_early(ready)) {
                (Seen::Ok, true) => early.push(lag_us),
                (Seen::Ok, false) => late.push(lag_us),
                _ => {}
            }
        }
        let all = early.iter().chain(&late).copied().collect();
        Self {
            clients: clients.len(),
            ok,
            lost: clients.len() - ok,
            seen,
            accepted_early,
            lag: Lag::of(all),
            lag_early: Lag::of(early),
            lag_late: Lag::of(late),
        }
    }

    /// How many saw `seen`.
    #[must_use]
    pub fn of(&self, seen: Seen) -> usize {
        self.seen.get(&seen).copied().unwrap_or(0)
    }
}

impl Lag {
    /// Summarises lags in any order; `None` of none.
    #[must_use]
    pub fn of(mut lags_us: Vec<i64>) -> Option<Self> {
        lags_us.sort_unstable();
        Some(Self {
            clients: lags_us.len(),
            min_us: *lags_us.first()?,
            p50_us: nearest_rank(&lags_us, 50)?,
            p99_us: nearest_rank(&lags_us, 99)?,
            max_us: *lags_us.last()?,
        })
    }
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;
    use proptest::prelude::*;
    use std::time::Duration;

    fn client(number: usize, arrived_ms: u64, at_101_ms: Option<u64>, seen: Seen) -> Client {
        Client {
            number,
            arrived: Duration::from_millis(arrived_ms),
            at_101: at_101_ms.map(Duration::from_millis),
            first_reply: None,
            ended: Duration::from_secs(5),
            seen,
        }
    }

    // Breaks the count with one client of each kind around a readiness at 2 s.
    #[test]
    fn every_client_is_counted_once_and_only_ok_ones_have_lags() {
        let clients = [
            client(0, 100, None, Seen::Refused),
            client(1, 600, Some(601), Seen::Closed(1011)),
            client(2, 700, Some(2010), Seen::Ok),
            client(3, 800, Some(2030), Seen::Ok),
            client(4, 2500, Some(2503), Seen::Ok),
        ];
        let ready = Readiness { at: Duration::from_secs(2), source: Source::Stamp };
        let tally = Tally::count(&clients, Some(&ready));
        assert_eq!((tally.clients, tally.ok, tally.lost), (5, 3, 2));
        assert_eq!(tally.of(Seen::Closed(1011)), 1);
        assert_eq!(tally.of(Seen::TimedOut), 0);
        assert_eq!(tally.accepted_early, 1);
        let early = tally.lag_early.unwrap();
        assert_eq!((early.clients, early.p50_us, early.max_us), (2, 10_000, 30_000));
        assert_eq!(tally.lag_late.unwrap().max_us, 3_000);
        let all = tally.lag.unwrap();
        assert_eq!((all.min_us, all.p50_us, all.p99_us), (3_000, 10_000, 30_000));
    }

    #[test]
    fn without_readiness_there_is_no_lag() {
        let tally = Tally::count(&[client(0, 1, Some(2), Seen::Ok)], None);
        assert_eq!((tally.ok, tally.lag), (1, None));
        assert_eq!(Tally::count(&[], None).clients, 0);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let lag = Lag::of((1..=200).rev().collect()).unwrap();
        assert_eq!((lag.min_us, lag.p50_us, lag.p99_us, lag.max_us), (1, 100, 198, 200));
        assert_eq!(Lag::of(vec![7]).unwrap().p99_us, 7);
        assert_eq!(Lag::of(Vec::new()), None);
    }

    proptest! {
        // Breaks the order of the summary's values, and asks that each is a real one.
        #[test]
        fn a_summary_is_made_of_real_values(lags in prop::collection::vec(-1_000_000i64..1_000_000, 1..400)) {
            let lag = Lag::of(lags.clone()).unwrap();
            prop_assert!(lag.min_us <= lag.p50_us && lag.p50_us <= lag.p99_us && lag.p99_us <= lag.max_us);
            for value in [lag.min_us, lag.p50_us, lag.p99_us, lag.max_us] {
                prop_assert!(lags.contains(&value));
            }
            let not_above = lags.iter().filter(|&&value| value <= lag.p99_us).count();
            prop_assert!(not_above * 100 >= lags.len() * 99);
        }
    }
}
