//! What a gRPC server's answers mean.
//!
//! Owns the table from its statuses and errors to our reasons, and the first bytes that came back, by which
//! something else is known. Must never call anything but SERVING a success.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use vestibule::check::{Reason, Trouble};

use crate::socket;

/// As many bytes of a strange answer are shown.
const SHOWN: usize = 64;

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
pub(super) fn of_error(status: &Status, first: &First) -> Trouble {
    if let Some(trouble) = status.source().and_then(|source| behind(source, first)) {
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
pub(super) fn behind(error: &(dyn Error + 'static), first: &First) -> Option<Trouble> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(first.strange().unwrap_or_else(|| socket::trouble_of(error)));
        }
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return Some(first.strange().unwrap_or_else(|| of_http2(error)));
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_closed() || error.is_canceled() || error.is_incomplete_message())
        {
            let closed = || Trouble::new(Reason::Reset, "it closed the connection");
            return Some(first.strange().unwrap_or_else(closed));
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

/// The first bytes that came back.
#[derive(Clone, Default)]
pub(super) struct First(Arc<Mutex<Vec<u8>>>);

impl First {
    /// An HTTP/2 server begins with a SETTINGS frame (RFC 9113, section 3.4): type 4 on stream 0.
    fn strange(&self) -> Option<Trouble> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_settings = bytes.len() < 9 || (bytes[3] == 4 && bytes[5..9] == [0; 4]);
        let is_text =
            bytes.starts_with(b"HTTP/") || bytes.first().is_some_and(u8::is_ascii_graphic);
        if bytes.is_empty() || (is_settings && !is_text) {
            return None;
        }
        Some(Trouble::new(Reason::Protocol, format!("no HTTP/2: \"{}\"", bytes.escape_ascii())))
    }

    fn note(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SHOWN.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(&bytes[..room]);
    }
}

/// A stream whose first bytes are kept.
pub(super) struct Heard<S> {
    stream: S,
    first: First,
}

impl<S> Heard<S> {
    pub(super) const fn new(stream: S, first: First) -> Self {
        Self { stream, first }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.first.note(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
