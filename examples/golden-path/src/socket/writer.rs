//! The way out of a socket.
//!
//! Owns its sending half, and how long a write may take. Must never hold more than the frame that is being written.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::goodbye::Goodbye;
use super::session::Frame;
use crate::log::Step;

/// How long what is being written may still take when the socket is to be closed, and again for the Close itself.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// The sending half.
pub(super) struct Writer {
    sink: SplitSink<WebSocket, Message>,
    within: Duration,
    /// By what the connection is known in the log.
    correlation: String,
}

/// How writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is nothing more to write.
    Done,
    /// A write took too long.
    Slow,
    /// The client is gone.
    Gone,
}

impl Writer {
    /// A writer whose writes may take so long.
    pub(super) fn new(
        sink: SplitSink<WebSocket, Message>,
        within: Duration,
        correlation: &str,
    ) -> Self {
        Self { sink, within, correlation: correlation.into() }
    }

    /// Writes what comes until no more can come, or it can't be written. The writer comes back for a last word.
    pub(super) async fn write(mut self, mut frames: mpsc::Receiver<Frame>) -> (Self, Ended) {
        while let Some(frame) = frames.recv().await {
            let (message, ends) = match frame {
                Frame::Ping => (Message::Ping(Vec::new().into()), None),
                Frame::Text { text, ends } => (Message::Text(text.into()), ends),
            };
            match timeout(self.within, self.sink.send(message)).await {
                Err(_) => return (self, Ended::Slow),
                Ok(Err(_)) => return (self, Ended::Gone),
                Ok(Ok(())) => {}
            }
            if let Some(run) = ends {
                let is_known = !run.is_empty();
                Step::Delivered.log(if is_known { &run } else { &self.correlation });
            }
        }
        (self, Ended::Done)
    }

    /// Says goodbye, as far as the client still reads.
    pub(super) async fn close(&mut self, goodbye: Goodbye) -> bool {
        let reason = Utf8Bytes::from_static(goodbye.reason());
        let close = Message::Close(Some(CloseFrame { code: goodbye.code(), reason }));
        matches!(timeout(CLOSE_WITHIN, self.sink.send(close)).await, Ok(Ok(())))
    }
}

/// Lets a write that is on its way end, if it ends soon.
pub(super) async fn let_end(
    writing: impl Future<Output = (Writer, Ended)>,
) -> Option<(Writer, Ended)> {
    timeout(CLOSE_WITHIN, writing).await.ok()
}
