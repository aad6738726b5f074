//! Breaks the clockwork: a half-close that hangs for ever or truncates, a stalled side, a timer
//! where none should be.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, advance};
use vestibule_front::tunnel::{Detail, Tunnel};

use crate::rig::{Rig, read_all, settle};
use crate::wire::{Frame, code, read_strictly};

#[tokio::test(start_paused = true)]
async fn f10_after_the_clients_half_close_the_upstream_still_answers() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.client_sends(&Frame::text("question").masked().bytes()).await;
    rig.client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut rig.upstream).await.len(), 14);
    advance(Duration::from_secs(20)).await;
    let answer = Frame::text("answer").bytes();
    rig.upstream_sends(&answer).await;
    rig.upstream.shutdown().await.unwrap();
    assert_eq!(rig.client_reads_all().await, answer);
    let ended = rig.task.await.unwrap();
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("client.tunnel", Detail::ClientLeft)
    );
}

#[tokio::test(start_paused = true)]
async fn f10_a_side_that_never_follows_a_half_close_is_left_after_the_linger() {
    for linger in [30, 5] {
        let tunnel =
            Tunnel::new(Vec::new(), 0, Vec::new()).with_linger(Duration::from_secs(linger));
        let mut rig = Rig::with(tunnel, 4096);
        let start = Instant::now();
        rig.client.shutdown().await.unwrap();
        let ended = rig.task.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), linger);
        assert_eq!(
            (ended.ending.to_string().as_str(), ended.detail),
            ("client.tunnel", Detail::Linger)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn f10_the_linger_also_bounds_a_client_that_ignores_the_upstreams_close() {
    let mut rig = Rig::new(4096);
    let start = Instant::now();
    rig.upstream_sends(&Frame::close(1000, None).bytes()).await;
    rig.upstream.shutdown().await.unwrap();
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("upstream.tunnel", Detail::Linger)
    );
}

#[tokio::test(start_paused = true)]
async fn t10_an_idle_tunnel_has_no_timer_and_outlives_every_other_one() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    advance(Duration::from_secs(100 * 3600)).await;
    settle().await;
    rig.client_sends(b"\x81\x80\x01\x02\x03\x04").await;
    let mut said = [0; 6];
    rig.upstream.read_exact(&mut said).await.unwrap();
    assert!(!rig.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a22_a_client_that_takes_nothing_is_left_in_the_end() {
    let tunnel =
        Tunnel::new(Vec::new(), 0, Vec::new()).with_write_progress(Duration::from_secs(60));
    let mut rig = Rig::with(tunnel, 16);
    let start = Instant::now();
    rig.upstream_sends(b"\x82\x10more than").await;
    rig.upstream_sends(b" 16 byt").await;
    // Progress counts, however little it is.
    advance(Duration::from_secs(50)).await;
    rig.client.read_exact(&mut [0; 1]).await.unwrap();
    settle().await;
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 110);
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("client.tunnel", Detail::Stalled)
    );
}

#[tokio::test(start_paused = true)]
async fn f12_an_upstream_that_takes_nothing_is_left_in_the_end_and_the_client_is_told() {
    let mut rig = Rig::new(16);
    rig.skip_head().await;
    let start = Instant::now();
    rig.client_sends(&Frame::text("0123456789").masked().bytes()).await;
    rig.client_sends(&Frame::text("01234").masked().bytes()).await;
    let heard = rig.client_reads_all().await;
    assert_eq!(start.elapsed().as_secs(), 300);
    let (seen, rest) = read_strictly(&heard);
    assert_eq!((seen.len(), rest, code(&seen[0])), (1, 0, 1012));
    drop(rig.client);
    let ended = rig.task.await.unwrap();
    assert_eq!(
        (ended.ending.to_string().as_str(), ended.detail),
        ("upstream.tunnel", Detail::Stalled)
    );
}
