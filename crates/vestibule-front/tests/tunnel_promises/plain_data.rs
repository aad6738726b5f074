//! Breaks if a tunnel's state grows, holds on to its sockets, or keeps the thread for itself.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::time::Instant;
use vestibule_front::tunnel::{CloseCode, Tunnel};

use crate::wire::{Frame, read_strictly};

#[test]
fn invariant_3_a_tunnel_is_small_and_can_go_anywhere() {
    const fn movable<T: Send + Sync + Unpin + 'static>() -> usize {
        size_of::<T>()
    }
    let size = movable::<Tunnel>();
    assert!(size <= 256, "{size}");
}

#[tokio::test(start_paused = true)]
async fn in_the_middle_of_a_frame_a_tunnel_goes_on_over_other_sockets() {
    let bytes =
        [Frame::text("half here, half there").bytes(), Frame::text("never").bytes()].concat();
    let mut tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    let mut cx = Context::from_waker(Waker::noop());
    let mut received = Vec::new();
    for (part, leave) in [(&bytes[..9], false), (&bytes[9..], true)] {
        let (mut client, mut client_side) = duplex(4096);
        let (mut upstream, mut upstream_side) = duplex(4096);
        if leave {
            tunnel.close(CloseCode::GOING_AWAY, "", Instant::now());
        }
        upstream.write_all(part).await.unwrap();
        assert!(
            tunnel.poll(&mut cx, &mut client_side, &mut upstream_side, Instant::now()).is_pending()
        );
        drop(client_side);
        client.read_to_end(&mut received).await.unwrap();
    }
    let (seen, rest) = read_strictly(&received);
    assert_eq!((seen.len(), rest, &seen[1].payload[..]), (2, 0, &[3, 233][..]));
}

#[test]
fn invariant_8_what_passes_through_a_tunnel_is_not_shown_by_it() {
    let tunnel = Tunnel::new(b"SECRET".to_vec(), 0, b"SECRET".to_vec());
    let shown = format!("{tunnel:?}");
    let bytes = format!("{:?}", b"SECRET");
    let list = format!("{:?}", &b"SECRET"[..]);
    assert!(shown.contains("6 bytes") && !shown.contains(&bytes) && !shown.contains(&list));
}

/// Always readable, always writable, for ever.
#[derive(Default)]
struct Endless {
    reads: usize,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.reads += 1;
        into.initialize_unfilled();
        into.advance(into.remaining());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_6_a_busy_tunnel_gives_way_and_asks_to_go_on() {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let (mut client, mut upstream) = (Endless::default(), Endless::default());
    let mut tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    for turn in 1..=3 {
        let mut cx = Context::from_waker(&waker);
        assert!(tunnel.poll(&mut cx, &mut client, &mut upstream, Instant::now()).is_pending());
        assert_eq!((client.reads, upstream.reads), (16 * turn, 16 * turn));
        assert_eq!(wakes.0.load(Ordering::Relaxed), turn);
    }
}
