//! The body of a plain request on its way to the upstream.
//!
//! Owns the bounded way from the client's bytes to hyper's body. Must never let a body that
//! broke off look whole: only an explicit end is an end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::body::{BodyDecoder, BodyError, Decoded, RequestFraming};

/// Parts of a body that wait between the client's and the upstream's side.
const PARTS_WAITING_MAX: usize = 2;
/// How long a single piece of a body may take: a slow body must not keep the service's connection
/// for ever. Others wait as long (nginx: `client_body_timeout`, 60 s).
const PIECE_MAX: Duration = Duration::from_secs(60);
/// How much of a body is read at once.
const READ_SIZE: usize = 16 * 1024;

/// A request body, as hyper takes it.
#[derive(Debug)]
pub struct Upload {
    length: Option<u64>,
    parts: Option<mpsc::Receiver<Part>>,
}

#[derive(Debug)]
enum Part {
    Frame(Frame<Bytes>),
    End,
}

/// The client's side of an [`Upload`].
pub struct Source {
    parts: mpsc::Sender<Part>,
    decoder: BodyDecoder,
}

/// How an upload ended.
#[derive(Debug)]
pub enum Uploaded {
    /// The upstream has all of it.
    Whole,
    /// The upstream did not want the rest.
    Unwanted,
    /// The client left in the middle, or was silent for too long.
    Left,
    /// The client's framing broke.
    Broken(BodyError),
}

impl Upload {
    /// No body at all.
    pub const fn none() -> Self {
        Self { length: Some(0), parts: None }
    }

    /// A body that will come from the client with this framing; `None` when there is none.
    pub fn of(framing: RequestFraming) -> (Self, Option<Source>) {
        let length = match framing {
            RequestFraming::None | RequestFraming::Length(0) => return (Self::none(), None),
            RequestFraming::Length(length) => Some(length),
            RequestFraming::Chunked => None,
        };
        let (sender, receiver) = mpsc::channel(PARTS_WAITING_MAX);
        let source = Source { parts: sender, decoder: BodyDecoder::new(framing) };
        (Self { length, parts: Some(receiver) }, Some(source))
    }
}

impl Source {
    /// Moves the body from `client` to the upstream. `buffer` holds what came with the head,
    /// and keeps what comes behind the body.
    pub async fn pump<R>(mut self, client: &mut R, buffer: &mut BytesMut) -> Uploaded
    where
        R: AsyncRead + Unpin,
    {
        loop {
            let part = match self.decoder.decode(buffer) {
                Ok(Decoded::Data(data)) => Part::Frame(Frame::data(data)),
                Ok(Decoded::Trailers(fields)) => Part::Frame(Frame::trailers(fields)),
                Ok(Decoded::End) => Part::End,
                Ok(Decoded::NeedMore) => {
                    buffer.reserve(READ_SIZE);
                    match timeout(PIECE_MAX, client.read_buf(buffer)).await {
                        Ok(Ok(1..)) => continue,
                        Ok(Ok(0) | Err(_)) | Err(_) => return Uploaded::Left,
                    }
                }
                Err(error) => return Uploaded::Broken(error),
            };
            let end = matches!(part, Part::End);
            match self.parts.send(part).await {
                Err(_) => return Uploaded::Unwanted,
                Ok(()) if end => return Uploaded::Whole,
                Ok(()) => {}
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(parts) = &mut self.parts else { return Poll::Ready(None) };
        match ready!(parts.poll_recv(cx)) {
            Some(Part::Frame(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Part::End) => {
                self.parts = None;
                Poll::Ready(None)
            }
            // The client's side went away without an end.
            None => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    /// A chunked body that breaks off must reach the upstream as an error, never as an end.
    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error_for_the_upstream() {
        let (upload, source) = Upload::of(RequestFraming::Chunked);
        let mut client: &[u8] = b"5\r\nhello\r\n3\r\nab";
        let mut buffer = BytesMut::new();
        let (collected, uploaded) =
            tokio::join!(upload.collect(), source.unwrap().pump(&mut client, &mut buffer));
        assert!(matches!(uploaded, Uploaded::Left));
        assert!(collected.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_given_up() {
        let (upload, source) = Upload::of(RequestFraming::Length(5));
        let (mut client, _silent) = tokio::io::duplex(64);
        let mut buffer = BytesMut::from(&b"hel"[..]);
        let (collected, uploaded) =
            tokio::join!(upload.collect(), source.unwrap().pump(&mut client, &mut buffer));
        assert!(matches!(uploaded, Uploaded::Left));
        assert!(collected.is_err());
    }

    #[tokio::test]
    async fn a_whole_body_arrives_and_what_is_behind_it_stays() {
        let (upload, source) = Upload::of(RequestFraming::Length(5));
        let mut client: &[u8] = b"loGET / HTTP/1.1\r\n";
        let mut buffer = BytesMut::from(&b"hel"[..]);
        let (collected, uploaded) =
            tokio::join!(upload.collect(), source.unwrap().pump(&mut client, &mut buffer));
        assert!(matches!(uploaded, Uploaded::Whole));
        assert_eq!(collected.unwrap().to_bytes(), "hello");
        assert!(buffer.starts_with(b"GET /"));
    }
}
