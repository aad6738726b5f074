//! Breaks a drain: a Close that lands inside a frame, is sent twice, or loses the
//! client's answer.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use vestibule_front::tunnel::{CloseCode, Detail, Tunnel};

use crate::rig::{HEAD, Rig, paused, read_all, settle};
use crate::wire::{Frame, boundaries, code, frames, read_strictly, stream};

fn answer() -> Vec<u8> {
    Frame::close(1012, Some([0x11, 0x22, 0x33, 0x44])).bytes()
}

#[tokio::test(start_paused = true)]
async fn at_a_boundary_the_close_goes_out_at_once_and_the_answer_passes_up() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    let start = Instant::now();
    rig.close().await;
    let (seen, rest) = rig.client_reads_frames().await;
    assert_eq!((seen.len(), rest, code(&seen[0])), (1, 0, 1012));
    assert_eq!(&seen[0].payload[2..], b"planned");

    let said = [Frame::text("still").masked().bytes(), answer()].concat();
    rig.client_sends(&said).await;
    assert_eq!(read_all(&mut rig.upstream).await, said);
    drop((rig.client, rig.upstream));
    let ended = rig.task.await.unwrap();
    assert_eq!(ended.ending.to_string(), "door.drain");
    assert_eq!((ended.detail, ended.close_sent), (Detail::Drained, Some(1012)));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn inside_a_frame_its_rest_goes_first_and_the_next_frame_never() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    let bytes = stream(&[Frame::text("one, slowly"), Frame::text("two")]);
    rig.upstream_sends(&bytes[..5]).await;
    rig.close().await;
    rig.upstream_sends(&bytes[5..7]).await;
    rig.upstream_sends(&bytes[7..]).await;
    let (seen, rest) = rig.client_reads_frames().await;
    assert_eq!((seen.len(), rest), (2, 0));
    assert_eq!((&seen[0].payload[..], code(&seen[1])), (&b"one, slowly"[..], 1012));
}

#[tokio::test(start_paused = true)]
async fn under_a_flood_the_stream_still_ends_with_one_close_and_the_upstream_never_blocks() {
    let mut rig = Rig::new(700);
    rig.skip_head().await;
    let message = Frame { payload: vec![b'x'; 5000], ..Frame::text("") }.bytes();
    let length = message.len();
    let flood = tokio::spawn(async move {
        for _ in 0..400 {
            rig.upstream.write_all(&message).await.unwrap();
        }
    });
    let mut received = vec![0; 40_000];
    rig.client.read_exact(&mut received).await.unwrap();
    let asked = (CloseCode::RESTARTING, "planned".to_owned());
    rig.close.send(asked).unwrap();
    received.extend(read_all(&mut rig.client).await);
    let (seen, rest) = read_strictly(&received);
    assert_eq!((code(seen.last().unwrap()), rest), (1012, 0));
    assert!(received.len() < 12 * length, "it stopped at the next boundary");
    flood.await.unwrap();
    drop(rig.client);
    assert_eq!(rig.task.await.unwrap().detail, Detail::Drained);
}

proptest! {
    /// Some bytes have passed, some are stuck in the tunnel, some are still to come; then we close.
    #[test]
    fn wherever_the_stream_stands_whole_frames_come_before_exactly_one_close(
        frames in frames(false, 8),
        pick in any::<prop::sample::Index>(),
        read_first in any::<prop::sample::Index>(),
        room in 1..70_000_usize,
    ) {
        let (bytes, ends) = (stream(&frames), boundaries(&frames));
        let before = pick.index(bytes.len() + 1);
        let received = paused(async {
            let mut rig = Rig::new(room);
            let (mut reader, mut upstream) = (rig.upstream, bytes.clone());
            rig.upstream = tokio::io::duplex(1).0;
            let later = upstream.split_off(before);
            let (go, asked) = tokio::sync::oneshot::channel::<()>();
            tokio::spawn(async move {
                let _ = reader.write_all(&upstream).await;
                let _ = asked.await;
                let _ = reader.write_all(&later).await;
                let _ = read_all(&mut reader).await;
            });
            settle().await;
            let mut received = vec![0; read_first.index(HEAD.len() + 1)];
            rig.client.read_exact(&mut received).await.unwrap();
            settle().await;
            rig.close().await;
            let _ = go.send(());
            received.extend(rig.client_reads_all().await);
            rig.client_sends(&answer()).await;
            drop(rig.client);
            let ended = rig.task.await.unwrap();
            assert_eq!((ended.detail, ended.close_sent), (Detail::Drained, Some(1012)));
            received
        });
        let received = &received[HEAD.len()..];
        let (seen, rest) = read_strictly(received);
        let (close, relayed) = seen.split_last().unwrap();
        prop_assert_eq!((code(close), rest), (1012, 0));
        let relayed = boundaries(relayed).last().copied().unwrap();
        prop_assert!(ends.contains(&relayed) && received[..relayed] == bytes[..relayed]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_upstreams_own_close_stands() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.upstream_sends(&Frame::close(4000, None).bytes()).await;
    rig.close().await;
    let (seen, _) = rig.client_reads_frames().await;
    assert_eq!((seen.len(), code(&seen[0])), (1, 4000));
    rig.client_sends(&Frame::close(4000, Some([8; 4])).bytes()).await;
    drop((rig.client, rig.upstream));
    assert_eq!(rig.task.await.unwrap().close_sent, None);
}

#[test]
fn a_second_wish_to_close_changes_nothing() {
    paused(async {
        let mut tunnel = Tunnel::new(HEAD.to_vec(), HEAD.len(), Vec::new());
        tunnel.close(CloseCode::RESTARTING, "first", Instant::now());
        let (deadline, spilled) = (tunnel.deadline(), tunnel.spilled());
        tunnel.close(
            CloseCode::GOING_AWAY,
            "second, and longer",
            Instant::now() + Duration::from_secs(1),
        );
        assert_eq!((tunnel.deadline(), tunnel.spilled()), (deadline, spilled));
    });
}
