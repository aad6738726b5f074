//! Breaks over real sockets: resets, kernel buffers, a reader that is slow for long.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use vestibule_front::tunnel::{CLOSE_WAIT, CloseCode, Detail, Ended, Tunnel, drive};

use crate::wire::{Frame, code, read_strictly};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (near, far) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

async fn tunnelled() -> (TcpStream, TcpStream, JoinHandle<Ended>) {
    let ((client, client_side), (upstream, upstream_side)) = (pair().await, pair().await);
    let tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    let task = tokio::spawn(drive(tunnel, client_side, upstream_side, std::future::pending()));
    (client, upstream, task)
}

fn reset(socket: TcpStream) {
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
}

/// Frames of 64 KiB, each a different window on the same random bytes.
struct Frames {
    random: Vec<u8>,
}

impl Frames {
    fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(64);
        Self { random: std::iter::repeat_with(|| random.u8(..)).take(2 << 16).collect() }
    }

    fn get(&self, number: usize) -> Vec<u8> {
        let header = [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0];
        [&header, &self.random[number * 61..][..1 << 16]].concat()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_4_bytes_in_are_bytes_out_for_64_mib_to_a_slow_reader() {
    const COUNT: usize = 1024;
    let (mut client, mut upstream, task) = tunnelled().await;
    let sender = tokio::spawn(async move {
        let frames = Frames::new();
        for number in 0..COUNT {
            upstream.write_all(&frames.get(number)).await.unwrap();
        }
        upstream.write_all(&Frame::close(1000, None).bytes()).await.unwrap();
        upstream
    });
    let (frames, mut got) = (Frames::new(), vec![0; 65_546]);
    for number in 0..COUNT {
        client.read_exact(&mut got).await.unwrap();
        assert!(got == frames.get(number), "frame {number}");
        if number % 128 == 0 {
            // Long enough for every buffer on the way to fill up.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(sender.await.unwrap());
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, Frame::close(1000, None).bytes());
    drop(client);
    let ended = task.await.unwrap();
    assert_eq!(ended.to_client, (COUNT * 65_546 + 4) as u64);
    assert_eq!(ended.detail, Detail::CloseForwarded(Some(1000)));
}

#[tokio::test]
async fn f03_an_upstream_that_resets_between_frames_ends_with_a_close() {
    let (mut client, mut upstream, task) = tunnelled().await;
    let hello = Frame::text("hello").bytes();
    upstream.write_all(&hello).await.unwrap();
    client.read_exact(&mut vec![0; hello.len()]).await.unwrap();
    client.write_all(&Frame::text("never read").masked().bytes()).await.unwrap();
    reset(upstream);
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    let (seen, rest) = read_strictly(&heard);
    assert_eq!((seen.len(), rest, code(&seen[0])), (1, 0, 1012));
    drop(client);
    let ended = task.await.unwrap();
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("upstream.tunnel", Detail::UpstreamReset)
    );
    assert_eq!(ended.close_sent, Some(1012));
}

#[tokio::test]
async fn f11_an_upstream_that_resets_inside_a_frame_ends_without_one() {
    let (mut client, mut upstream, task) = tunnelled().await;
    upstream.write_all(b"\x81\x05he").await.unwrap();
    client.read_exact(&mut [0; 4]).await.unwrap();
    reset(upstream);
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty());
    drop(client);
    assert_eq!(task.await.unwrap().close_sent, None);
}

#[tokio::test]
async fn a_client_that_resets_ends_the_upstreams_side_too() {
    let (client, mut upstream, task) = tunnelled().await;
    reset(client);
    let mut heard = Vec::new();
    upstream.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty());
    let ended = task.await.unwrap();
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("client.tunnel", Detail::ClientReset)
    );
}

#[tokio::test]
async fn a_close_survives_a_client_that_talks_on_while_it_is_closed() {
    let (mut client, upstream, task) = tunnelled().await;
    drop(upstream);
    // Unread input at our close would reset the connection and take the Close with it.
    let talk = Frame::text("still talking").masked().bytes();
    for _ in 0..50 {
        client.write_all(&talk).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(code(&read_strictly(&heard).0[0]), 1012);
    drop(client);
    assert_eq!(task.await.unwrap().ending.to_string(), "upstream.tunnel");
}

/// Time is only a parameter here: the clock of a real socket cannot be paused.
#[tokio::test]
async fn a_close_survives_though_the_clients_last_words_found_no_way_up() {
    let (mut client, mut client_side) = pair().await;
    let (_upstream, mut upstream_side) = tokio::io::duplex(16);
    let mut tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    let start = Instant::now();
    let stuck = Frame::text("more than the upstream takes").masked().bytes();
    client.write_all(&stuck).await.unwrap();
    let mut sides = (&mut client_side, &mut upstream_side);
    poll_fn(|cx| {
        assert!(tunnel.poll(cx, sides.0, sides.1, start).is_pending());
        if tunnel.spilled() > 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    // This stays unread until the end, and unread input turns a close into a reset.
    client.write_all(&stuck).await.unwrap();
    client_side.readable().await.unwrap();
    tunnel.close(CloseCode::RESTARTING, "planned", start);
    sides = (&mut client_side, &mut upstream_side);
    let mut late = Duration::ZERO;
    let ended = poll_fn(|cx| {
        let polled = tunnel.poll(cx, sides.0, sides.1, start + late);
        late = CLOSE_WAIT;
        cx.waker().wake_by_ref();
        polled
    })
    .await;
    assert_eq!((ended.detail, ended.close_sent), (Detail::DrainExpired, Some(1012)));
    let unread = client_side.try_read(&mut [0; 64]).map_err(|error| error.kind());
    assert_eq!(unread, Err(std::io::ErrorKind::WouldBlock), "nothing is left that would reset it");
    drop(client_side);
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(code(&read_strictly(&heard).0[0]), 1012);
}
