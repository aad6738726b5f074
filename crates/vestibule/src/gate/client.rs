//! Who a client is, as far as its places are counted.
//!
//! Owns the one way from an address to a [`ClientKey`]. Must never judge whether the address can be believed:
//! whoever read it knows.

use std::net::IpAddr;

/// The addresses that count as one client: an IPv4 address, or an IPv6 network of 64 bits.
///
/// A host has a whole /64 to choose its address from (RFC 4291, section 2.5.4; RFC 8981 has it change), so that
/// a limit for each IPv6 address would be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(Network);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for ClientKey {
    /// An IPv4 address mapped into IPv6 counts as IPv4.
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Network::V4(v4.to_bits()),
            IpAddr::V6(v6) => {
                let [a, b, c, d, e, f, g, h, ..] = v6.octets();
                Network::V6(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the key with addresses that one client may choose from, and with neighbours that must not share one.

    use super::*;

    fn key(address: &str) -> ClientKey {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_client_is_an_ipv4_address_or_an_ipv6_network() {
        let same = [
            ("192.0.2.7", "::ffff:192.0.2.7"),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"),
        ];
        for (one, other) in same {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        let others = [
            ("192.0.2.7", "192.0.2.8"),
            ("2001:db8:0:1::1", "2001:db8:0:2::1"),
            ("0.0.0.1", "::1"),
            ("0.0.0.0", "::"),
        ];
        for (one, other) in others {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }
}
