//! Addresses that must differ.
//!
//! Owns telling when two of them are one: a door that is its own upstream would send every request to
//! itself for ever. Must never bind one, or look up a name: what only the machine knows shows later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use vestibule_front::listener::Listen;
use vestibule_front::upstream::dial::Upstream;

/// What is said of an address that the door has.
pub(super) const IS_THE_DOOR: &str =
    "that is where clients connect; use another, or another listen";

/// Whether only one of the two can be bound.
pub(super) fn meet(one: &Listen, other: &Listen) -> bool {
    match (one, other) {
        (Listen::Unix(one), Listen::Unix(other)) => one == other,
        _ => match (bound(one), bound(other)) {
            (Some(one), Some(other)) => {
                let is_same = covers(one.ip(), other.ip()) || covers(other.ip(), one.ip());
                // The kernel chooses what is 0, each time another.
                is_same && one.port() == other.port() && one.port() != 0
            }
            _ => false,
        },
    }
}

/// Whether what is sent to `upstream` surely comes to `listen`.
pub(super) fn leads_to(listen: &Listen, upstream: &Upstream) -> bool {
    let here = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let arrives = |addresses: &[IpAddr], port: u16| {
        bound(listen).is_some_and(|ours| {
            // Whose another machine's address is can't be told from its form.
            let is_ours = |ip: &IpAddr| *ip == ours.ip() || ip.is_loopback();
            let covered = |ip: &IpAddr| is_ours(ip) && covers(ours.ip(), *ip);
            ours.port() == port && addresses.iter().any(covered)
        })
    };
    match upstream {
        Upstream::Unix(theirs) => matches!(listen, Listen::Unix(ours) if ours == theirs),
        Upstream::Loopback(port) => arrives(&here, *port),
        Upstream::Host(host, port) if host.eq_ignore_ascii_case("localhost") => {
            arrives(&here, *port)
        }
        Upstream::Host(host, port) => match host.parse::<IpAddr>() {
            // Dialled, it is this machine.
            Ok(ip) if ip.is_unspecified() => arrives(&here, *port),
            Ok(ip) => arrives(&[ip], *port),
            Err(_) => false,
        },
    }
}

/// The port that is bound, if its number is known.
pub(crate) fn port(listen: &Listen) -> Option<u16> {
    bound(listen).map(|address| address.port()).filter(|port| *port != 0)
}

/// The address that is bound; none for a Unix socket, which the file system guards.
pub(crate) const fn bound(listen: &Listen) -> Option<SocketAddr> {
    match listen {
        Listen::Everywhere(port) => Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), *port)),
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) => None,
    }
}

/// Whether a socket bound to `ours` gets what is sent to `ip`. The unspecified address of IPv6 stands
/// for IPv4 as well (ipv6(7), `IPV6_V6ONLY`).
fn covers(ours: IpAddr, ip: IpAddr) -> bool {
    let stands_for = ours.is_unspecified() && (ours.is_ipv6() || ip.is_ipv4());
    ours == ip || stands_for
}

#[cfg(test)]
mod tests {
    //! Breaks the comparison with every spelling of one place, and with places that only look alike.
    use super::*;

    #[test]
    fn an_upstream_that_is_the_door_is_known_and_no_other_is() {
        let rows = [
            (":9000", "9000", true),
            (":9000", "localhost:9000", true),
            (":9000", "LOCALHOST:9000", true),
            (":9000", "127.0.0.2:9000", true),
            (":9000", "[::1]:9000", true),
            (":9000", "0.0.0.0:9000", true),
            ("0.0.0.0:9000", "127.0.0.1:9000", true),
            ("0.0.0.0:9000", "[::1]:9000", false),
            ("10.0.0.1:9000", "10.0.0.1:9000", true),
            ("10.0.0.1:9000", "9000", false),
            ("127.0.0.1:9000", "127.0.0.2:9000", false),
            (":9000", "10.0.0.1:9000", false),
            (":9000", "app:9000", false),
            (":9000", "9001", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("unix:/a", "9000", false),
        ];
        for (listen, upstream, wanted) in rows {
            let is_it = leads_to(&listen.parse().unwrap(), &upstream.parse().unwrap());
            assert_eq!(is_it, wanted, "{listen} and {upstream}");
        }
    }

    #[test]
    fn two_that_can_not_both_be_bound_are_known_and_no_others_are() {
        let rows = [
            (":9000", "127.0.0.1:9000", true),
            (":9000", "[::1]:9000", true),
            ("0.0.0.0:9000", "[::1]:9000", false),
            ("127.0.0.1:9000", "127.0.0.1:9000", true),
            ("127.0.0.1:9000", "127.0.0.2:9000", false),
            (":0", "127.0.0.1:0", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", ":9000", false),
        ];
        for (one, other, wanted) in rows {
            let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(meet(&one, &other), wanted, "{one} and {other}");
            assert_eq!(meet(&other, &one), wanted, "{other} and {one}");
        }
    }
}
