//! A private port for the target.
//!
//! Owns the choice. Must never keep the port: the target binds it.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// How many ports are tried before the kernel is asked for any.
const TRIES_MAX: usize = 64;

/// A port that nobody listens on, below the range the kernel takes outgoing ports from.
///
/// The range matters: a client that dials an unbound port of the kernel's own range may be given
/// that very port as its source and so connect to itself, a connection nobody accepted. Below
/// 32768, where Linux begins (`net.ipv4.ip_local_port_range`), this cannot happen.
///
/// # Errors
/// When the system gives no port at all.
pub(crate) fn free_port() -> io::Result<u16> {
    for _ in 0..TRIES_MAX {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return Ok(port);
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(listener.local_addr()?.port())
}
