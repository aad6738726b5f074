//! Who the client is, as told to the service, and whose word is taken for it.
//!
//! Owns [`Trust`] and the forwarded fields of every request that goes on.
//! Must never let a peer that is not trusted say anything about addresses, scheme or host.

use std::{fmt, net::IpAddr, str::FromStr};

use thiserror::Error;

use super::{Head, hop::starts_with_ignore_case, list};

/// Whose forwarded fields are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Nobody's: all are replaced.
    #[default]
    Nobody,
    /// The peer is the platform's own front end, as on Cloud Run and App Engine, where nothing else can
    /// connect. It vouches for the scheme and the chain of addresses, which it writes itself; all other
    /// forwarded fields it passes on from whoever asked, so they are replaced.
    Platform,
    /// Peers in these ranges.
    Proxies(Vec<Cidr>),
}

impl Trust {
    /// Whether this peer is believed. A peer without an address (a unix socket) is in no range.
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        match self {
            Self::Nobody => false,
            Self::Platform => true,
            Self::Proxies(ranges) => {
                peer.is_some_and(|peer| ranges.iter().any(|range| range.contains(peer)))
            }
        }
    }
}

/// Whether a field of this name speaks about the client's side of a proxy. Compared in any case.
pub(crate) fn is_forwarding_name(name: &str) -> bool {
    starts_with_ignore_case(name, "x-forwarded")
        || name.eq_ignore_ascii_case("forwarded")
        || name.eq_ignore_ascii_case("x-real-ip")
}

/// What is to be done with the forwarded fields of one head.
pub(super) struct Forwarding {
    /// All that a named proxy says goes on; of anyone else, nothing but what is set anew.
    keeps_all: bool,
    set: Vec<(&'static str, Vec<u8>)>,
    client: Option<IpAddr>,
}

impl Forwarding {
    /// Decides for a head that came from `peer`.
    pub(super) fn decide(
        head: &Head,
        host: Option<&str>,
        peer: Option<IpAddr>,
        trust: &Trust,
    ) -> Self {
        let peer = peer.map(|peer| peer.to_canonical());
        let trusted = trust.trusts(peer);
        let mut set = Vec::with_capacity(3);
        let mut chain: Vec<u8> = Vec::new();
        if trusted {
            chain = head.values("x-forwarded-for").collect::<Vec<_>>().join(&b", "[..]);
        }
        let client = client_address(&chain, peer, trust);
        if let Some(peer) = peer {
            let separator = if chain.is_empty() { "" } else { ", " };
            chain.extend_from_slice(format!("{separator}{peer}").as_bytes());
        }
        if !chain.is_empty() {
            set.push(("X-Forwarded-For", chain));
        }
        let keeps_all = trusted && matches!(trust, Trust::Proxies(_));
        let vouched = |name| keeps_all && head.values(name).next().is_some();
        if !vouched("x-forwarded-proto") {
            let said = head.values("x-forwarded-proto").last().filter(|_| trusted);
            let scheme: &[u8] = if said.is_some_and(is_https) { b"https" } else { b"http" };
            set.push(("X-Forwarded-Proto", scheme.to_vec()));
        }
        if let Some(host) = host.filter(|_| !vouched("x-forwarded-host")) {
            set.push(("X-Forwarded-Host", host.as_bytes().to_vec()));
        }
        Self { keeps_all, set, client }
    }

    /// Whether a field of the client stays as it is.
    pub(super) fn keeps(&self, name: &str) -> bool {
        if self.keeps_all {
            !name.eq_ignore_ascii_case("x-forwarded-for")
        } else {
            !is_forwarding_name(name)
        }
    }

    /// The fields that are ours to set.
    pub(super) fn set(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.set.iter().map(|(name, value)| (*name, value.as_slice()))
    }

    /// The nearest address that somebody trusted has seen; the peer's own without trust.
    pub(super) fn client(&self) -> Option<IpAddr> {
        self.client
    }
}

/// What the nearest hop said, which wrote last.
fn is_https(value: &[u8]) -> bool {
    let last = value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
    list::trim(last).eq_ignore_ascii_case(b"https")
}

/// Walks the chain from its right end, which the nearest hop wrote, past the trusted proxies.
fn client_address(chain: &[u8], peer: Option<IpAddr>, trust: &Trust) -> Option<IpAddr> {
    let mut client = peer;
    for element in chain.rsplit(|&byte| byte == b',') {
        let Some(address) = parse_address(element) else {
            return client;
        };
        client = Some(address);
        let Trust::Proxies(_) = trust else {
            return client;
        };
        if !trust.trusts(client) {
            return client;
        }
    }
    client
}

/// An address, or an address with a port as some load balancers write it.
fn parse_address(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let address = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<std::net::SocketAddr>().map(|pair| pair.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// A range of addresses, `10.0.0.0/8` or `2001:db8::/32`; an address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether the address is in the range. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                masked(address.to_canonical(), self.prefix) == self.network
            }
            _ => false,
        }
    }
}

/// Why a text is not a range of addresses.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CidrError {
    /// The part before the slash.
    #[error("not an IPv4 or IPv6 address")]
    Address,
    /// The part behind the slash.
    #[error("`/{found}` is not a prefix length between 0 and {max}")]
    Prefix {
        /// What was found there.
        found: String,
        /// The most that this kind of address allows.
        max: u8,
    },
    /// The address has bits outside its prefix, so that either may be the mistake.
    #[error("`{found}` has bits set behind its prefix; `{meant}` is the range around it")]
    HostBits {
        /// The range as it was written.
        found: String,
        /// The range that has no such bits.
        meant: Cidr,
    },
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address_text, prefix_text) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address_text.parse().map_err(|_| CidrError::Address)?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix_text {
            None => max,
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|&prefix| prefix <= max && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or_else(|| CidrError::Prefix { found: digits.to_owned(), max })?,
        };
        let network = masked(address, prefix);
        let range = match network.to_canonical() {
            // A mapped range is one of IPv4, 96 bits shorter.
            mapped @ IpAddr::V4(_) if max == 128 && prefix >= 96 => {
                Self { network: mapped, prefix: prefix - 96 }
            }
            _ => Self { network, prefix },
        };
        if network != address {
            return Err(CidrError::HostBits { found: text.to_owned(), meant: range });
        }
        Ok(range)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The address with every bit behind the prefix cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}
