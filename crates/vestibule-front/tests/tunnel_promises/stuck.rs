//! Breaks a drain by a side that does not move: it never reads, never answers, never ends its
//! frame.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};
use vestibule_front::tunnel::Detail;

use crate::rig::{Rig, read_all};
use crate::wire::{Frame, code, read_strictly, stream};

#[tokio::test(start_paused = true)]
async fn a_frame_that_never_ends_is_cut_after_two_seconds_without_a_close() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    let bytes = Frame::text("never whole").bytes();
    rig.upstream_sends(&bytes[..6]).await;
    let start = Instant::now();
    rig.close().await;
    assert_eq!(rig.client_reads_all().await, bytes[..6]);
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!((ended.detail, ended.close_sent), (Detail::DrainExpired, None));
    assert_eq!(ended.ending.to_string(), "door.drain");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_answers_is_left_after_two_seconds() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    let start = Instant::now();
    rig.close().await;
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!((ended.detail, ended.close_sent), (Detail::DrainExpired, Some(1012)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_left_too_and_no_close_is_claimed() {
    let mut rig = Rig::new(16);
    let start = Instant::now();
    rig.close().await;
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!((ended.detail, ended.close_sent), (Detail::DrainExpired, None));
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stopped_reading_cannot_delay_a_drain() {
    let mut rig = Rig::new(64);
    rig.skip_head().await;
    let flood = Frame { payload: vec![1; 4000], ..Frame::text("") }.masked().bytes();
    let _ = timeout(Duration::from_millis(1), rig.client.write_all(&flood)).await;
    let start = Instant::now();
    rig.close().await;
    let (seen, _) = rig.client_reads_frames().await;
    assert_eq!(code(&seen[0]), 1012);
    assert_eq!(rig.task.await.unwrap().detail, Detail::DrainExpired);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_what_a_slow_client_still_has_to_take_only_the_frame_in_progress_is_left() {
    let mut rig = Rig::new(16);
    rig.skip_head().await;
    let frames = [Frame::text("twenty bytes of text"), Frame::text("two"), Frame::text("three")];
    let bytes = stream(&frames);
    for part in bytes.chunks(16) {
        rig.upstream_sends(part).await;
    }
    rig.close().await;
    let (seen, rest) = rig.client_reads_frames().await;
    assert_eq!((seen.len(), rest), (2, 0));
    assert_eq!((&seen[0].payload, code(&seen[1])), (&frames[0].payload, 1012));
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_dies_inside_the_frame_we_wait_for_ends_without_a_close() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.upstream_sends(b"\x81\x05he").await;
    rig.close().await;
    drop(rig.upstream);
    assert_eq!(read_all(&mut rig.client).await, b"\x81\x05he");
    drop(rig.client);
    let ended = rig.task.await.unwrap();
    assert_eq!((ended.ending.to_string().as_str(), ended.close_sent), ("upstream.drain", None));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_its_close_does_not_block_the_upstream() {
    let mut rig = Rig::new(16);
    rig.close().await;
    let flood = vec![0; 10_000];
    timeout(Duration::from_secs(1), rig.upstream.write_all(&flood)).await.unwrap().unwrap();
    rig.skip_head().await;
    let rest = read_all(&mut rig.client).await;
    assert_eq!(code(&read_strictly(&rest).0[0]), 1012);
}
