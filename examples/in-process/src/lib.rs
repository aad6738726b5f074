//! What both examples need around the door: a port, and a database that takes its time.
//!
//! Owns nothing of the library's; a real service has its own of each.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use vestibule::StartupError;
use vestibule::environment::{EnvSource, Process};

/// Where to listen: `PORT`, by default 8080.
///
/// # Errors
///
/// `PORT` is no port.
pub fn address() -> Result<SocketAddr, StartupError> {
    let port = Process.get("PORT").unwrap_or_else(|| "8080".into()).parse()?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// Says where the service listens: `PORT=0` takes any free port.
///
/// # Errors
///
/// Nobody reads what we say.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    writeln!(io::stdout(), "listening on {address}")
}

/// A database that answers after `COLD_START_MS`, by default 3,000; not at all with `DATABASE=down`.
///
/// # Errors
///
/// It is down.
pub async fn connect_to_database() -> Result<(), StartupError> {
    let cold = Process.get("COLD_START_MS").unwrap_or_else(|| "3000".into()).parse()?;
    tokio::time::sleep(Duration::from_millis(cold)).await;
    match Process.get("DATABASE").as_deref() {
        Some("down") => Err("no answer from postgres://chat:secret@db".into()),
        _ => Ok(()),
    }
}
