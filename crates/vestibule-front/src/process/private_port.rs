//! The port that the child is given.
//!
//! Owns the choice. Must never keep the port: the child binds it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::ops::RangeInclusive;

/// Where Linux keeps the range from which it takes ports for those who dial (ip-sysctl, "IP variables").
const KERNELS_OWN: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Fewer would soon be taken, and two doors on one machine would choose the same.
const ROOM_MIN: u16 = 1_000;

/// Below it are ports for root.
const FIRST: u16 = 1_024;

/// How many are tried before the kernel is asked for any.
const TRIES_MAX: usize = 64;

/// A port on loopback that nobody has now; on IPv6's where there is no other.
///
/// It lies outside the range of outgoing connections. Inside, somebody's dial can be given it in the
/// moment before the child binds it, and the child would end with its port taken.
///
/// # Errors
/// No port is free, or none may be bound.
pub fn free_private_port() -> io::Result<u16> {
    if let Some(outside) = outside(fs::read_to_string(KERNELS_OWN).as_deref().unwrap_or_default()) {
        let mut tried = (0..TRIES_MAX).map(|_| fastrand::u16(outside.clone()));
        if let Some(free) = tried.find_map(|port| bind(port).ok()) {
            return Ok(free);
        }
    }
    bind(0)
}

fn bind(port: u16) -> io::Result<u16> {
    let bound = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv6Addr::LOCALHOST, port)).map_err(|_second| error)
        }
        bound => bound,
    };
    Ok(bound?.local_addr()?.port())
}

/// Above the kernel's own range, where hardly any service has its usual port; where there is no room, just below.
fn outside(kernels_own: &str) -> Option<RangeInclusive<u16>> {
    let mut ends = kernels_own.split_ascii_whitespace().map(str::parse::<u16>);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else {
        return None;
    };
    if u16::MAX - last >= ROOM_MIN {
        return Some(last + 1..=u16::MAX);
    }
    let below = first.checked_sub(ROOM_MIN)?.max(FIRST);
    (first - below >= ROOM_MIN).then(|| below..=first - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_none_that_the_kernel_gives_to_those_who_dial() {
        assert_eq!(outside("32768\t60999\n"), Some(61_000..=65_535), "Linux");
        assert_eq!(outside("16000\t65535\n"), Some(15_000..=15_999), "gVisor");
        assert_eq!(outside("1024\t65000\n"), None, "no room on either side");
        assert_eq!(outside("0 65535"), None);
        for nonsense in ["", "32768", "a b", "70000 80000"] {
            assert_eq!(outside(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn one_that_is_taken_is_not_given() {
        let port = free_private_port().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_eq!(bind(port).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
