//! The body of an answer that came through the layer.
//!
//! Owns the choice between the service's body and our own words. Must never hold back, copy or count what the
//! service sends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The service's body, or the words of a refusal.
    #[derive(Debug)]
    pub struct HeldBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = InnerPinned]
    enum Inner<B> {
        Service { #[pin] body: B },
        Refusal { words: Option<Bytes> },
    }
}

impl<B> HeldBody<B> {
    pub(super) const fn of_service(body: B) -> Self {
        Self { inner: Inner::Service { body } }
    }

    /// Our own words; none at all end the answer with its head.
    pub(super) fn of_refusal(words: &'static str) -> Self {
        let words = (!words.is_empty()).then(|| Bytes::from_static(words.as_bytes()));
        Self { inner: Inner::Refusal { words } }
    }
}

impl<B: Body<Data = Bytes>> Body for HeldBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            InnerPinned::Service { body } => Poll::Ready(ready!(body.poll_frame(cx))),
            InnerPinned::Refusal { words } => Poll::Ready(words.take().map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Service { body } => body.is_end_stream(),
            Inner::Refusal { words } => words.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Service { body } => body.size_hint(),
            Inner::Refusal { words } => {
                let length = words.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}
