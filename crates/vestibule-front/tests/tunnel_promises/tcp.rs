//! Breaks over real sockets: resets, kernel buffers, a reader that is slow for long.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use vestibule_front::tunnel::{Detail, Ended, Tunnel, drive};

use crate::wire::{Frame, code, read_strictly};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (near, far) = tokio::join!(
        TcpStream::connect(listener.local_addr().unwrap()),
        listener.accept()
    );
    (near.unwrap(), far.unwrap().0)
}

async fn tunnelled() -> (TcpStream, TcpStream, JoinHandle<Ended>) {
    let ((client, client_side), (upstream, upstream_side)) = (pair().await, pair().await);
    let tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    let task = tokio::spawn(drive(
        tunnel,
        client_side,
        upstream_side,
        std::future::pending(),
    ));
    (client, upstream, task)
}

fn reset(socket: TcpStream) {
    socket2::SockRef::from(&socket)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(socket);
}

/// Cheap to make, and different at every offset.
fn block(number: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number);
    std::iter::repeat_with(|| random.u64(..))
        .take(8192)
        .flat_map(u64::to_le_bytes)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_4_bytes_in_are_bytes_out_for_64_mib_to_a_slow_reader() {
    const BLOCKS: u64 = 1024;
    let (mut client, mut upstream, task) = tunnelled().await;
    let sender = tokio::spawn(async move {
        for number in 0..BLOCKS {
            let frame = Frame {
                payload: block(number),
                ..Frame::text("")
            };
            upstream.write_all(&frame.bytes()).await.unwrap();
        }
        upstream
            .write_all(&Frame::close(1000, None).bytes())
            .await
            .unwrap();
        upstream
    });
    let mut got = Vec::new();
    for number in 0..BLOCKS {
        let expected = Frame {
            payload: block(number),
            ..Frame::text("")
        }
        .bytes();
        got.resize(expected.len(), 0);
        client.read_exact(&mut got).await.unwrap();
        assert!(got == expected, "block {number}");
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
    assert_eq!(ended.to_client, BLOCKS * (65_536 + 10) + 4);
    assert_eq!(ended.detail, Detail::CloseForwarded(Some(1000)));
}

#[tokio::test]
async fn f03_an_upstream_that_resets_between_frames_ends_with_a_close() {
    let (mut client, mut upstream, task) = tunnelled().await;
    let hello = Frame::text("hello").bytes();
    upstream.write_all(&hello).await.unwrap();
    client.read_exact(&mut vec![0; hello.len()]).await.unwrap();
    client
        .write_all(&Frame::text("never read").masked().bytes())
        .await
        .unwrap();
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
