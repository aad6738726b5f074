//! Ports that nobody listens on.

use std::net::{Ipv4Addr, TcpListener};

/// One below the range of which the kernel takes ports for those who dial: a port that is dialled before its server is
/// there must not be connected to itself.
pub(crate) fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}
