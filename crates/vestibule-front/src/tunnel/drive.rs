//! Drives a tunnel as a task: lends it its two sockets, a clock and at most one timer.
//!
//! Owns the sockets until the end. Must never decide anything about the tunnel.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{CloseCode, Ended, Tunnel};

/// Runs `tunnel` over its two sockets to its end, then closes both.
///
/// When `close` resolves, the tunnel is closed with that code and reason (see [`Tunnel::close`]); a
/// `close` that never resolves leaves it alone. Dropping the future closes both sockets at once.
#[expect(clippy::manual_async_fn, reason = "an async fn keeps each argument twice")]
pub fn drive<C, U>(
    mut tunnel: Tunnel,
    mut client: C,
    mut upstream: U,
    close: impl Future<Output = (CloseCode, String)>,
) -> impl Future<Output = Ended>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    async move {
        let mut close = pin!(close);
        let mut asked = false;
        let mut timer = Timer::default();
        poll_fn(|cx| {
            loop {
                let now = Instant::now();
                if !asked && let Poll::Ready((code, reason)) = close.as_mut().poll(cx) {
                    asked = true;
                    tunnel.close(code, &reason, now);
                }
                if let Poll::Ready(ended) = tunnel.poll(cx, &mut client, &mut upstream, now) {
                    return Poll::Ready(ended);
                }
                if timer.poll_until(cx, tunnel.deadline()).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

/// A timer that exists only while there is a deadline.
#[derive(Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Ready once `deadline` has passed; the task is woken then. A deadline that moves away is met
    /// by waking at the old one and sleeping again, which costs less than moving the timer with
    /// every write.
    fn poll_until(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else {
            self.sleep = None;
            return Poll::Pending;
        };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.sleep = None;
        Poll::Ready(())
    }
}
