//! Connections for one try.
//!
//! Owns dialling a host, and the words for what can go wrong on the way. Must never keep a connection.

use std::io::{self, ErrorKind};

use tokio::net::{TcpStream, lookup_host};
use vestibule::check::{Reason, Stage, Trouble};

/// A connection to the first of the host's addresses that takes one.
///
/// # Errors
///
/// The trouble with the name, or with the last address.
pub async fn dial(host: &str, port: u16, stage: &Stage) -> Result<TcpStream, Trouble> {
    stage.waits(Reason::DnsFailed, "the name's addresses");
    let addresses = lookup_host((host, port)).await.map_err(|error| name_trouble(&error))?;
    let mut last = Trouble::new(Reason::NameNotFound, format!("{host} has no address"));
    for address in addresses {
        stage.waits(Reason::ConnectTimeout, "a connection");
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = trouble_of(&error),
        }
    }
    Err(last)
}

fn name_trouble(error: &io::Error) -> Trouble {
    Trouble::new(Reason::NameNotFound, error.to_string())
}

/// The trouble behind an error of a socket.
#[must_use]
pub fn trouble_of(error: &io::Error) -> Trouble {
    let reason = match error.kind() {
        ErrorKind::ConnectionRefused => Reason::Refused,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            Reason::Reset
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Reason::Unreachable,
        ErrorKind::TimedOut => Reason::ConnectTimeout,
        ErrorKind::FileTooLarge => Reason::TooLarge,
        _ => Reason::Other,
    };
    Trouble::new(reason, error.to_string())
}
