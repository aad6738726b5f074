//! The upstream's own answer to a handshake that it did not take.
//!
//! Owns bringing it to the client as it is. Must never read an answer's body without a bound.

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::body::{self, BodyDecoder, BodyError, Decoded, Framing};
use crate::stream::Stream;
use crate::stream::borrowed::Borrowed;
use crate::stream::steady::Steady;
use crate::upstream::handshake::Answered;

/// How long a single piece of an answer's body may take.
const PIECE_MAX: Duration = Duration::from_secs(30);
/// A kept answer is read this long and this far, so that trying again is not held up.
const KEEP_TIME_MAX: Duration = Duration::from_millis(250);
/// Largest answer kept for a client that gets another try.
const KEEP_BYTES_MAX: usize = 16 * 1024;

/// An answer kept while its client gets another try.
pub struct Kept {
    /// Its status.
    pub status: u16,
    /// The whole answer, ready for the client.
    pub bytes: Vec<u8>,
}

/// What the service said is its client's alone.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Kept");
        shown.field("status", &self.status).field("bytes", &self.bytes.len()).finish()
    }
}

/// What the client's connection needs behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// To be ended in order.
    End,
    /// To be dropped: it was broken off, since its end would have ended the answer.
    Drop,
}

/// Passes an answer on, as long as the client is there. When it breaks off, the client sees it
/// break off.
pub async fn live<S, C>(answered: Answered<S>, client: &C) -> Behind
where
    S: AsyncRead + Unpin,
    C: Stream,
{
    let Answered { mut upstream, head, framing, words, .. } = answered;
    let passing = async {
        let mut write = Steady::new(Borrowed(client));
        write.write_all(&head).await.map_err(|_| Broken::Write)?;
        pass_body(&mut upstream, words, framing, &mut write, usize::MAX).await
    };
    let passed = tokio::select! {
        biased;
        passed = passing => passed,
        () = client.left() => Err(Broken::Write),
    };
    if let Err(broken) = passed {
        tracing::debug!(%broken, "an answer was not passed on to its end");
        if framing == Framing::UntilEof {
            client.break_off();
            return Behind::Drop;
        }
    }
    Behind::End
}

/// Reads an answer to its end, if that is near.
pub async fn keep<S: AsyncRead + Unpin>(answered: Answered<S>) -> Option<Kept> {
    let Answered { mut upstream, status, head: mut bytes, framing, words } = answered;
    let mut kept = Steady::new(&mut bytes);
    let body = pass_body(&mut upstream, words, framing, &mut kept, KEEP_BYTES_MAX);
    let read = timeout(KEEP_TIME_MAX, body).await;
    match read {
        Ok(Ok(())) => Some(Kept { status, bytes }),
        _ => None,
    }
}

/// A body that did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the upstream broke off")]
    Read,
    #[error("the client left")]
    Write,
    #[error(transparent)]
    Framing(#[from] BodyError),
    #[error("the answer is too large to keep")]
    TooLarge,
}

async fn pass_body<S, C>(
    upstream: &mut S,
    words: Vec<u8>,
    framing: Framing,
    client: &mut Steady<C>,
    bytes_max: usize,
) -> Result<(), Broken>
where
    S: AsyncRead + Unpin,
    C: AsyncWrite + Unpin,
{
    let chunked = framing == Framing::Chunked;
    let mut decoder = BodyDecoder::new(framing);
    let mut buffer = BytesMut::from(words.as_slice());
    let mut passed = 0;
    loop {
        let bytes = match decoder.decode(&mut buffer)? {
            Decoded::Data(data) => {
                passed += data.len();
                if chunked {
                    let mut chunk = BytesMut::new();
                    body::encode_chunk(&data, &mut chunk);
                    chunk.freeze()
                } else {
                    data
                }
            }
            Decoded::Trailers(_) => continue,
            Decoded::End if chunked => {
                let last = body::last_chunk(None);
                return client.write_all(&last).await.map_err(|_| Broken::Write);
            }
            Decoded::End => return Ok(()),
            Decoded::NeedMore => match timeout(PIECE_MAX, upstream.read_buf(&mut buffer)).await {
                Ok(Ok(0)) if framing == Framing::UntilEof => return Ok(()),
                Ok(Ok(count)) if count > 0 => continue,
                _ => return Err(Broken::Read),
            },
        };
        if passed > bytes_max {
            return Err(Broken::TooLarge);
        }
        client.write_all(&bytes).await.map_err(|_| Broken::Write)?;
    }
}
