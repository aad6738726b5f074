//! What a tower layer can't see: the socket under a held handshake.
//!
//! Owns the wrapper of an accepted stream, and the [`Link`] by which it meets the layer. An HTTP/1.1 server
//! that finds its read buffer full does not look at the socket while a request is in flight, so a client that
//! sends one byte more and leaves keeps its place until the deadline. [`Watched`] gives the server the head and
//! nothing behind it, so that its buffer is empty and it sees the client leave; a byte that comes during the
//! hold ends it. Must never change, lose or reorder a byte, and must never know what a request is.

mod splitter;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use self::splitter::Splitter;

/// The wrapper's and the layer's common knowledge of one connection. Clones are handles to the same one.
///
/// The layer finds it in the extensions of each request on that connection.
#[derive(Clone, Debug, Default)]
pub struct Link(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// A handshake of this connection is held.
    held: AtomicBool,
    /// Bytes behind a head are kept from the server.
    surplus: AtomicBool,
    /// A byte came during the hold.
    early: AtomicBool,
    told: Notify,
}

impl Link {
    /// Begins to watch for early bytes.
    ///
    /// At once when the server hands over the request, not when its answer is first asked for: in between, the
    /// server reads on.
    pub(crate) fn hold(&self) -> Hold {
        let shared = Arc::clone(&self.0);
        shared.early.store(shared.surplus.load(Ordering::Acquire), Ordering::Release);
        shared.held.store(true, Ordering::Release);
        Hold(shared)
    }

    fn is_held(&self) -> bool {
        self.0.held.load(Ordering::Acquire)
    }

    fn note_early(&self) {
        self.0.early.store(true, Ordering::Release);
        self.0.told.notify_one();
    }

    fn note_surplus(&self, any: bool) {
        self.0.surplus.store(any, Ordering::Release);
    }
}

/// As long as it lives, a byte is an early byte.
#[derive(Debug)]
pub(crate) struct Hold(Arc<Shared>);

impl Hold {
    /// Resolves once the client has sent a byte.
    pub(crate) async fn early_bytes(&self) {
        // What was told to an earlier hold wakes this one once, for nothing.
        while !self.0.early.load(Ordering::Acquire) {
            self.0.told.notified().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.held.store(false, Ordering::Release);
    }
}

/// Whether newcomers have to expect a hold: only then reads are cut at the end of a head.
///
/// It begins with yes. A door says what its gate does; a layer without one says no when a request passes the gate
/// without a wait, and yes again when one is held. So a warm service pays one relaxed load for each read.
#[derive(Clone, Debug)]
pub(crate) struct Expectation(Arc<AtomicBool>);

impl Expectation {
    pub(crate) fn set(&self, expected: bool) {
        if self.is_set() != expected {
            self.0.store(expected, Ordering::Relaxed);
        }
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Expectation {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

/// An accepted stream that is watched during a hold. [`crate::layer::HoldLayer::watch`] makes it.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    link: Link,
    expects: Expectation,
    splitter: Splitter,
    /// The end of a head was given out: the next read waits for the task's next turn, so that the service has
    /// been called, and a hold has begun, before the server looks for more.
    pauses: bool,
    /// What came behind the end of a head, and has not been read yet: at most what one read of the server
    /// asked for.
    kept: Vec<u8>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, expects: Expectation) -> Self {
        let (link, splitter) = (Link::default(), Splitter::default());
        Self { stream, link, expects, splitter, pauses: false, kept: Vec::new() }
    }

    /// What the requests of this connection must carry in their extensions.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// The stream inside. Reading from it passes by what was kept.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Gives out what was kept, up to the next end of a head.
    fn give_kept(&mut self, buf: &mut ReadBuf<'_>) {
        let fits = self.kept.len().min(buf.remaining());
        let end = self.splitter.end(&self.kept[..fits]);
        self.pauses = end.is_some();
        let end = end.unwrap_or(fits);
        buf.put_slice(&self.kept[..end]);
        self.kept.drain(..end);
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
        self.link.note_surplus(!self.kept.is_empty());
    }

    /// Keeps what was read behind the end of a head.
    fn cut(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let Some(end) = self.splitter.end(&buf.filled()[before..]) else {
            return;
        };
        self.pauses = true;
        let surplus = &buf.filled()[before + end..];
        if !surplus.is_empty() {
            self.kept.extend_from_slice(surplus);
            buf.set_filled(before + end);
            self.link.note_surplus(true);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut this.pauses) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !this.kept.is_empty() {
            if this.link.is_held() {
                this.link.note_early();
            }
            this.give_kept(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        let came = buf.filled().len() > before;
        if came && this.link.is_held() {
            this.link.note_early();
        } else if came && this.expects.is_set() {
            this.cut(buf, before);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
