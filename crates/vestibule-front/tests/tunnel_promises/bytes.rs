//! Breaks fidelity: lost, doubled or reordered bytes, or memory that grows with a slow reader.

use std::task::{Context, Poll, Waker};

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::Instant;
use vestibule_front::tunnel::{Detail, Tunnel};

use crate::rig::{HEAD, Rig, paused, read_all};
use crate::wire::{Frame, chunks};

/// What one side has to say: frames of random sizes up to 2 MiB in all, without a Close.
fn speech(seed: u64, most: usize, masked: bool) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let total = random.usize(1..=most);
    let mut bytes = Vec::with_capacity(total + 70_000);
    while bytes.len() < total {
        let length = random.usize(0..=(total - bytes.len()).min(70_000));
        let payload = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        let frame = Frame { payload, ..Frame::text("") };
        bytes.extend(if masked { frame.masked() } else { frame }.bytes());
    }
    bytes
}

async fn say(pipe: &mut (impl AsyncWrite + Unpin), bytes: &[u8], sizes: &[usize]) {
    for chunk in chunks(bytes, sizes) {
        pipe.write_all(chunk).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn invariant_4_bytes_in_are_bytes_out_both_ways_whatever_the_chunks(
        seed in any::<u64>(),
        most in prop_oneof![Just(50), Just(5000), Just(200_000), Just(2 << 20)],
        room in 1..100_000_usize,
        sizes in vec(1..150_000_usize, 1..6),
        early in 0..3000_usize,
    ) {
        // Tiny pipes and millions of bytes only take time.
        let room = room.max(most / 200);
        let (down, up) = (speech(seed, most, false), speech(!seed, most, true));
        let early = early.min(down.len());
        let (heard, reached, ended) = paused(async {
            let preload = [HEAD, &down[..early]].concat();
            let rig = Rig::with(Tunnel::new(preload, HEAD.len(), up[..1].to_vec()), room);
            let (mut client_in, mut client_out) = tokio::io::split(rig.client);
            let (mut upstream_in, mut upstream_out) = tokio::io::split(rig.upstream);
            let (mut heard, mut reached) = (Vec::new(), Vec::new());
            tokio::join!(
                async {
                    say(&mut client_out, &up[1..], &sizes).await;
                    client_out.shutdown().await.unwrap();
                },
                async { client_in.read_to_end(&mut heard).await.unwrap() },
                async {
                    say(&mut upstream_out, &down[early..], &sizes).await;
                    // The client ends first: what it left unsaid would not be waited for otherwise.
                    upstream_in.read_to_end(&mut reached).await.unwrap();
                    upstream_out.shutdown().await.unwrap();
                },
            );
            (heard, reached, rig.task.await.unwrap())
        });
        prop_assert!(heard == [HEAD, &down].concat(), "to the client");
        prop_assert!(reached == up, "to the upstream");
        prop_assert_eq!((ended.to_client, ended.to_upstream), (heard.len() as u64, up.len() as u64));
        prop_assert_eq!(ended.detail, Detail::ClientLeft);
        prop_assert_eq!(ended.close_sent, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a22_a_slow_reader_stops_the_other_side_and_costs_64_kib_at_most() {
    let flood = speech(7, 2 << 20, false);
    let (client, mut client_side) = duplex(64);
    let (mut upstream, mut upstream_side) = duplex(1 << 20);
    let mut tunnel = Tunnel::new(Vec::new(), 0, Vec::new());
    let sent = flood.clone();
    tokio::spawn(async move {
        upstream.write_all(&sent).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut slow = Slow { pipe: client, heard: Vec::new() };
    let mut most = 0;
    while slow.heard.len() < flood.len() {
        poll(&mut tunnel, &mut client_side, &mut upstream_side);
        most = most.max(tunnel.spilled());
        if tunnel.counters().to_client == 64 {
            assert!(tunnel.deadline().is_some(), "it waits for the client, but not for ever");
        }
        tokio::task::yield_now().await;
        slow.read();
    }
    assert!(slow.heard == flood);
    assert!((1..=64 * 1024).contains(&most), "{most}");
    assert_eq!((tunnel.spilled(), tunnel.deadline()), (0, None));
}

struct Slow {
    pipe: DuplexStream,
    heard: Vec<u8>,
}

impl Slow {
    fn read(&mut self) {
        let mut buffer = [0; 64];
        let mut buffer = ReadBuf::new(&mut buffer);
        let _ = std::pin::Pin::new(&mut self.pipe)
            .poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
        self.heard.extend(buffer.filled());
    }
}

fn poll(tunnel: &mut Tunnel, client: &mut DuplexStream, upstream: &mut DuplexStream) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(tunnel.poll(&mut cx, client, upstream, Instant::now()), Poll::Pending));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_said_before_it_vanished_still_reaches_the_upstream() {
    let mut rig = Rig::new(100_000);
    let start = Instant::now();
    let said = speech(3, 60_000, true);
    // A pipe that cannot be written, and still has something to be read.
    rig.client.write_all(&said).await.unwrap();
    drop(rig.client);
    assert!(read_all(&mut rig.upstream).await == said);
    let ended = rig.task.await.unwrap();
    assert_eq!(
        start.elapsed().as_secs(),
        0,
        "nobody is left whom the upstream could tell something"
    );
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("client.tunnel", Detail::ClientReset)
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_upstream_said_before_it_vanished_still_reaches_the_client() {
    let mut rig = Rig::new(100_000);
    rig.skip_head().await;
    let said = speech(4, 60_000, false);
    rig.upstream.write_all(&said).await.unwrap();
    rig.client.write_all(&Frame::text("into the void").masked().bytes()).await.unwrap();
    drop(rig.upstream);
    let heard = read_all(&mut rig.client).await;
    assert!(heard[..said.len()] == said);
    assert_eq!(heard[said.len()..][..4], [0x88, 23, 3, 244], "Close 1012, since no frame was cut");
    drop(rig.client);
    assert_eq!(rig.task.await.unwrap().ending.to_string(), "upstream.tunnel");
}
