//! Breaks the promise of an honest end: the upstream dies at every possible place of its stream.

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use vestibule_front::tunnel::Detail;

use crate::rig::{Rig, paused, read_all};
use crate::wire::{Frame, boundaries, chunks, code, frames, read_strictly, stream};

proptest! {
    /// The stream is cut anywhere; half of the cuts fall between frames, between fragments
    /// included.
    #[test]
    fn f03_f11_death_between_frames_gives_one_close_and_inside_a_frame_none(
        frames in frames(false, 8),
        between in any::<bool>(),
        pick in any::<prop::sample::Index>(),
        room in 1..3000_usize,
        sizes in vec(1..5000_usize, 1..6),
    ) {
        let (bytes, ends) = (stream(&frames), boundaries(&frames));
        let cut = if between { ends[pick.index(ends.len())] } else { pick.index(bytes.len() + 1) };
        let (received, ended) = paused(async {
            let mut rig = Rig::new(room);
            let mut upstream = rig.upstream;
            let sent = bytes[..cut].to_vec();
            tokio::spawn(async move {
                for chunk in chunks(&sent, &sizes) {
                    upstream.write_all(chunk).await.unwrap();
                }
            });
            let received = read_all(&mut rig.client).await;
            drop(rig.client);
            (received, rig.task.await.unwrap())
        });
        let received = &received[crate::rig::HEAD.len()..];
        prop_assert_eq!(ended.ending.to_string(), "upstream.tunnel");
        prop_assert_eq!(ended.detail, Detail::UpstreamEof);
        prop_assert_eq!(&received[..cut], &bytes[..cut]);
        if ends.contains(&cut) {
            let (seen, rest) = read_strictly(received);
            prop_assert_eq!(rest, 0);
            prop_assert_eq!(seen.iter().filter(|frame| frame.opcode == 8).count(), 1);
            prop_assert_eq!(code(seen.last().unwrap()), 1012);
            prop_assert_eq!(ended.close_sent, Some(1012));
        } else {
            prop_assert_eq!(received.len(), cut);
            prop_assert_eq!(ended.close_sent, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_closed_by_itself_gets_no_second_close() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.upstream_sends(&stream(&[Frame::text("bye"), Frame::close(4001, None)])).await;
    rig.upstream.shutdown().await.unwrap();
    let (seen, rest) = rig.client_reads_frames().await;
    assert_eq!((seen.len(), rest), (2, 0));
    assert_eq!(code(&seen[1]), 4001);

    let answer = Frame::close(4001, Some([1, 2, 3, 4])).bytes();
    rig.client_sends(&answer).await;
    drop(rig.client);
    assert_eq!(read_all(&mut rig.upstream).await, answer);
    let ended = rig.task.await.unwrap();
    assert_eq!(ended.ending.to_string(), "upstream.tunnel");
    assert_eq!((ended.detail, ended.close_sent), (Detail::CloseForwarded(Some(4001)), None));
}

#[tokio::test(start_paused = true)]
async fn a_close_cut_short_by_death_is_left_as_it_is() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.upstream_sends(&Frame::close(1011, None).bytes()[..3]).await;
    drop(rig.upstream);
    assert_eq!(read_all(&mut rig.client).await, [0x88, 2, 3]);
    drop(rig.client);
    assert_eq!(rig.task.await.unwrap().close_sent, None);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_our_close_passes_up_if_the_upstream_still_reads() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.upstream.shutdown().await.unwrap();
    let (seen, _) = rig.client_reads_frames().await;
    assert_eq!(code(&seen[0]), 1012);

    let said = stream(&[Frame::text("last").masked(), Frame::close(1012, Some([9; 4]))]);
    rig.client_sends(&said).await;
    assert_eq!(
        read_all(&mut rig.upstream).await,
        said,
        "and the upstream is told at once that nothing follows"
    );
    drop(rig.client);
    assert_eq!(rig.task.await.unwrap().to_upstream, said.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_leave_after_our_close_is_left_after_two_seconds() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    let start = tokio::time::Instant::now();
    drop(rig.upstream);
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!((ended.detail, ended.close_sent), (Detail::UpstreamEof, Some(1012)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asked_to_close_is_not_told_of_a_restart() {
    let mut rig = Rig::new(4096);
    rig.skip_head().await;
    rig.client_sends(&Frame::close(1000, Some([5; 4])).bytes()).await;
    drop(rig.upstream);
    assert!(read_all(&mut rig.client).await.is_empty());
    drop(rig.client);
    let ended = rig.task.await.unwrap();
    assert_eq!(ended.ending.to_string(), "client.tunnel");
    assert_eq!((ended.detail, ended.close_sent), (Detail::CloseForwarded(Some(1000)), None));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_after_its_answer_met_a_dead_upstream_is_left_after_two_seconds() {
    let mut rig = Rig::new(4096);
    rig.upstream_sends(&Frame::close(1000, None).bytes()).await;
    drop(rig.upstream);
    rig.client.write_all(&Frame::close(1000, Some([7; 4])).bytes()).await.unwrap();
    let start = tokio::time::Instant::now();
    let ended = rig.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 2, "no linger: nothing can pass any more");
    assert_eq!(ended.detail, Detail::CloseForwarded(Some(1000)));
}
