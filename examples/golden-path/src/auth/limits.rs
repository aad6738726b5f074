//! How often a name or an address may try to log in.
//!
//! Owns the counts. Must never take more memory because more is tried.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// The part of an IPv6 address that one household or one server has (RFC 6177 section 2): counted for each address, a
/// limit would be none.
const NETWORK: u128 = u128::MAX << 64;

/// The counts of names, or of addresses. Clones are handles to the same ones.
///
/// There are 65,536 at most: who shares one by the chance of a secret hash shares its limit, too.
#[derive(Clone)]
pub(super) struct Limit {
    counts: Arc<DefaultKeyedRateLimiter<u16>>,
    /// With a key of its own, so that nobody can choose whose count to use up.
    hash: RandomState,
}

impl Limit {
    /// So many in a minute; all at once if they like.
    pub(super) fn a_minute(attempts: NonZeroU32) -> Self {
        let counts = Arc::new(RateLimiter::keyed(Quota::per_minute(attempts)));
        Self { counts, hash: RandomState::new() }
    }

    /// Counts an attempt; how long to wait, if there were too many.
    pub(super) fn count(&self, whose: &str) -> Result<(), Duration> {
        let [first, second, ..] = self.hash.hash_one(whose).to_ne_bytes();
        self.counts
            .check_key(&u16::from_ne_bytes([first, second]))
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Counts an attempt from an address, or from its network.
    pub(super) fn count_from(&self, address: &str) -> Result<(), Duration> {
        match address.parse() {
            Ok(IpAddr::V6(v6)) => {
                self.count(&Ipv6Addr::from_bits(v6.to_bits() & NETWORK).to_string())
            }
            _ => self.count(address),
        }
    }
}

impl std::fmt::Debug for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").field("counted", &self.counts.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(attempts: u32) -> Limit {
        Limit::a_minute(NonZeroU32::new(attempts).expect("not zero"))
    }

    /// Breaks if whoever has a network has as many tries as it has addresses.
    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let limit = limit(1);
        assert_eq!(limit.count_from("2001:db8::1"), Ok(()));
        assert!(limit.count_from("2001:db8::2").is_err());
        assert!(limit.count_from("2001:db8::ffff:1:2:3").is_err());
        assert_eq!(limit.count_from("2001:db8:0:1::1"), Ok(()));
        assert_eq!(limit.count_from("203.0.113.7"), Ok(()));
        assert_eq!(limit.count_from("203.0.113.8"), Ok(()));
    }

    /// Breaks if every new name takes more memory, or if one that tries too often is forgotten for them.
    #[test]
    fn a_flood_of_names_takes_no_more_memory() {
        let limit = limit(2);
        assert_eq!(limit.count("ann"), Ok(()));
        assert_eq!(limit.count("ann"), Ok(()));
        for number in 0..100_000 {
            let _ = limit.count(&format!("name-{number}"));
        }
        assert!(limit.counts.len() <= 1 << 16, "{}", limit.counts.len());
        let wait = limit.count("ann").expect_err("too often");
        assert!(wait <= Duration::from_secs(60), "{wait:?}");
    }
}
