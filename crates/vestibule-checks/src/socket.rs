//! Connections for one try.
//!
//! Owns dialling a host (`names` asks the resolver, `eyeballs` tries the addresses), and the words for what can
//! go wrong on the way. Must never keep a connection, nor block a thread of the runtime.

mod eyeballs;
mod names;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use tokio::net::TcpStream;
use vestibule::check::{Reason, Stage, Trouble};

pub use self::names::addresses;

/// Where platforms keep an instance's credentials (Google, AWS, Azure: "instance metadata service").
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// No chain of errors is followed further.
const CAUSES_MAX: usize = 16;

/// A connection to the first of the host's addresses that takes one. The host may be a name, or an address
/// without brackets.
///
/// # Errors
///
/// The trouble with the name, or with its addresses.
pub async fn dial(host: &str, port: u16, stage: &Stage) -> Result<TcpStream, Trouble> {
    let addresses = addresses(host, port, stage).await?;
    forbidden(host, &addresses)?;
    stage.waits(Reason::ConnectTimeout, "a connection");
    let stream = eyeballs::first(&addresses, TcpStream::connect).await;
    let stream = stream.map_err(|failed| none_of(host, port, &failed))?;
    // A question is one small packet, and its answer is waited for. Without the option it is only slower.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whoever answers for a name must not send us to the platform's metadata, where credentials are. Who means it
/// names its address, or Google's own name for it.
fn forbidden(host: &str, addresses: &[SocketAddr]) -> Result<(), Trouble> {
    let named = host.parse::<IpAddr>().is_ok() || host == "metadata.google.internal";
    if named || !addresses.iter().any(|address| METADATA.contains(&address.ip().to_canonical())) {
        return Ok(());
    }
    let detail = format!("{host} leads to the platform's metadata server, which is not dialled");
    Err(Trouble::new(Reason::Unreachable, detail))
}

/// Which of several failures tells most: no way to an address of a family that this machine does not have
/// says less than what an address of the other family answered.
fn none_of(host: &str, port: u16, failed: &[(SocketAddr, io::Error)]) -> Trouble {
    let troubles = failed.iter().map(|(address, error)| (address, trouble_of(error)));
    let telling = troubles.min_by_key(|(_, trouble)| trouble.reason() == Reason::Unreachable);
    let Some((address, trouble)) = telling else {
        return Trouble::new(Reason::NameNotFound, format!("{host}:{port}: no address to dial"));
    };
    let more = match failed.len() - 1 {
        0 => String::new(),
        1 => " (and 1 more address)".to_owned(),
        more => format!(" (and {more} more addresses)"),
    };
    Trouble::new(trouble.reason(), format!("{address}: {}{more}", trouble.detail()))
}

/// The trouble behind an error of a socket; one of TLS inside it is found.
#[must_use]
pub fn trouble_of(error: &io::Error) -> Trouble {
    if let Some(trouble) = error.get_ref().and_then(|inner| trouble_behind(inner)) {
        return trouble;
    }
    let reason = match (error.kind(), error.raw_os_error().map(Errno::from_raw_os_error)) {
        (_, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
        | (ErrorKind::AddrNotAvailable | ErrorKind::OutOfMemory, _) => Reason::OutOfResources,
        (ErrorKind::ConnectionRefused, _) => Reason::Refused,
        (
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
            | ErrorKind::WriteZero,
            _,
        ) => Reason::Reset,
        (
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::PermissionDenied,
            _,
        ) => Reason::Unreachable,
        (ErrorKind::TimedOut, _) => Reason::ConnectTimeout,
        (ErrorKind::FileTooLarge, _) => Reason::TooLarge,
        (ErrorKind::InvalidData, _) => Reason::Protocol,
        // So says tokio-util's codec, under h2, of an end amid a frame.
        (ErrorKind::Other, _) if error.to_string() == "bytes remaining on stream" => Reason::Reset,
        _ => Reason::Other,
    };
    Trouble::new(reason, in_words(error))
}

/// The same for a socket in the file system, whose file may not be there yet.
#[must_use]
pub fn trouble_of_unix(error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::NotFound => Trouble::new(Reason::Refused, "no such socket yet"),
        ErrorKind::PermissionDenied => {
            Trouble::new(Reason::Unreachable, "this user may not use the socket")
        }
        _ => trouble_of(error),
    }
}

/// The trouble of a socket or of TLS somewhere behind an error of a client library; none if it is only its own.
#[must_use]
pub fn trouble_behind(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let mut at = Some(error);
    for _ in 0..CAUSES_MAX {
        let error = at?;
        #[cfg(feature = "tls")]
        if let Some(error) = error.downcast_ref::<tokio_rustls::rustls::Error>() {
            return Some(crate::tls::trouble_of(error));
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(trouble_of(error));
        }
        at = error.source();
    }
    None
}

/// The system's words without its number.
pub(crate) fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
