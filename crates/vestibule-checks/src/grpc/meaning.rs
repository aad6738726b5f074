//! What a gRPC server's answers mean.
//!
//! Owns the table from its statuses and errors to our reasons, and the first bytes that came back, by which
//! something else is known. Must never call anything but SERVING a success.

use std::error::Error;
use std::io;

use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use vestibule::check::{Reason, Trouble};

use crate::opening::Heard;
use crate::socket;

/// What a status means.
pub(super) fn of_status(status: i32) -> Result<(), Trouble> {
    match ServingStatus::try_from(status) {
        Ok(ServingStatus::Serving) => Ok(()),
        Ok(ServingStatus::NotServing) => Err(Trouble::new(Reason::NotServing, "NOT_SERVING")),
        Ok(ServingStatus::Unknown) => Err(Trouble::new(Reason::NotServing, "UNKNOWN")),
        Ok(ServingStatus::ServiceUnknown) => {
            Err(Trouble::new(Reason::UnknownService, "SERVICE_UNKNOWN"))
        }
        Err(_) => {
            Err(Trouble::new(Reason::Protocol, format!("a status {status} that nobody knows")))
        }
    }
}

/// What an error of a call means: the socket's, TLS's or HTTP's if one is behind it, else the server's word.
pub(super) fn of_error(status: &Status, heard: &Heard) -> Trouble {
    if let Some(trouble) = status.source().and_then(|source| behind(source, heard)) {
        return trouble;
    }
    let reason = match status.code() {
        Code::Unimplemented => {
            return Trouble::new(Reason::Protocol, "it has no health service (UNIMPLEMENTED)");
        }
        Code::NotFound => Reason::UnknownService,
        Code::Unavailable => Reason::NotServing,
        Code::ResourceExhausted => Reason::Overloaded,
        Code::Unauthenticated => Reason::WrongCredentials,
        Code::PermissionDenied => Reason::NotPermitted,
        Code::DeadlineExceeded => Reason::Silent,
        Code::Cancelled | Code::Aborted => Reason::Reset,
        Code::OutOfRange => Reason::TooLarge,
        _ => Reason::Other,
    };
    Trouble::new(reason, format!("{:?}: {}", status.code(), status.message()))
}

/// What an error of a connection means, if it is one.
pub(super) fn behind(error: &(dyn Error + 'static), heard: &Heard) -> Option<Trouble> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(strange(heard).unwrap_or_else(|| socket::trouble_of(error)));
        }
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return Some(strange(heard).unwrap_or_else(|| of_http2(error)));
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_closed() || error.is_canceled() || error.is_incomplete_message())
        {
            let closed = || Trouble::new(Reason::Reset, "it closed the connection");
            return Some(strange(heard).unwrap_or_else(closed));
        }
        at = error.source();
    }
    None
}

/// What an error of HTTP/2 means (RFC 9113, section 7).
fn of_http2(error: &h2::Error) -> Trouble {
    if let Some(error) = error.get_io() {
        return socket::trouble_of(error);
    }
    let reason = match error.reason() {
        Some(h2::Reason::NO_ERROR) if error.is_remote() => Reason::ShuttingDown,
        Some(h2::Reason::ENHANCE_YOUR_CALM | h2::Reason::REFUSED_STREAM) => Reason::Overloaded,
        Some(h2::Reason::CANCEL) => Reason::Reset,
        _ => Reason::Protocol,
    };
    Trouble::new(reason, error.to_string())
}

/// Whether it can be an HTTP/2 server whose answer begins so: by a SETTINGS frame, shorter than 64 KiB, of type 4
/// on stream 0 (RFC 9113, section 3.4).
pub(super) fn is_settings(opening: &[u8]) -> bool {
    let known = |range: std::ops::Range<usize>| {
        let end = range.end.min(opening.len());
        opening.get(range.start..end).unwrap_or_default()
    };
    known(0..1).iter().all(|&byte| byte == 0)
        && known(3..4).iter().all(|&byte| byte == 4)
        && known(5..9).iter().all(|&byte| byte == 0)
}

/// The trouble with an answer that begins otherwise.
fn strange(heard: &Heard) -> Option<Trouble> {
    let strange = !is_settings(&heard.bytes());
    strange.then(|| Trouble::new(Reason::Protocol, format!("no HTTP/2: {}", heard.shown())))
}
