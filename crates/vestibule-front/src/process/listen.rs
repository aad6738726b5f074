//! Who listens where.
//!
//! Owns the reading of `/proc/net/tcp` and `/proc/net/tcp6` (proc_net(5), kernel `get_tcp4_sock`).
//! Must never connect anywhere; it serves a log line, and knows nothing where `/proc` is missing.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::family;

/// `TCP_LISTEN` of the kernel's `tcp_states.h`, as the table prints it.
const LISTEN: &str = "0A";

/// Most descriptors looked at in one process.
const DESCRIPTORS_MAX: usize = 65_536;

/// Where the child, its group and its descendants listen for TCP, sorted. Reads much of `/proc`:
/// call it when something is to be explained, and not on the way of a request.
pub fn listening_ports(child: u32) -> Vec<SocketAddr> {
    let mut listeners = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        listeners.extend(
            fs::read_to_string(table).map(|text| parse_listeners(&text)).unwrap_or_default(),
        );
    }
    let held: BTreeSet<u64> =
        family::family(child).iter().flat_map(|stat| sockets(stat.pid)).collect();
    let found: BTreeSet<SocketAddr> = listeners
        .into_iter()
        .filter(|(_, inode)| held.contains(inode))
        .map(|(address, _)| address)
        .collect();
    found.into_iter().collect()
}

/// The inodes of a process's sockets.
fn sockets(pid: u32) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .take(DESCRIPTORS_MAX)
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|target| {
            target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        })
        .collect()
}

/// Lines of `sl local_address rem_address st … inode …`, the first of them a heading.
fn parse_listeners(text: &str) -> Vec<(SocketAddr, u64)> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            (fields.get(3) == Some(&LISTEN)).then_some(())?;
            Some((parse_address(fields.get(1)?)?, fields.get(9)?.parse().ok()?))
        })
        .collect()
}

/// `0100007F:1F90`: words of the address as the machine's own integers, and the port.
fn parse_address(field: &str) -> Option<SocketAddr> {
    let (address, port) = field.split_once(':')?;
    let word = |index: usize| {
        let digits = address.get(index * 8..index * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut octets = [0; 16];
            for (index, four) in octets.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(index)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    //! Real lines of a kernel's table, and lines that are none.
    use super::*;

    #[test]
    fn only_listeners_are_found_with_address_port_and_inode() {
        let text = "  sl local_address rem_address st tx:rx tr:tm retr uid timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 4242 1 0 100\n\
            1: 0100007F:1F90 0100007F:9C40 01 0:0 00:0 0 0 0 4343 1 0 20\n\
            2: 00000000000000000000000001000000:0050 0:0000 0A 0:0 0:0 0 0 0 77 1\n\
            3: 0100007F:XXXX 00000000:0000 0A\n4: é0100007:1F90 0 0A 0 0 0 0 0 1 1\n";
        let found = parse_listeners(text);
        let expected =
            [("127.0.0.1:8080".parse().unwrap(), 4242), ("[::1]:80".parse().unwrap(), 77)];
        assert_eq!(found, expected);
    }
}
