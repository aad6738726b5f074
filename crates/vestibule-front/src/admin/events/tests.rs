//! Follows along too slowly, silently, and to the end.

use tokio::time::{Duration, advance};
use vestibule::readiness::State;

use super::*;
use crate::ending::{Ending, Party, Phase};
use crate::farewell::Reason;
use crate::journal::About;

fn followed(journal: &Arc<Journal>) -> mpsc::Receiver<Bytes> {
    let (parts, stream) = mpsc::channel(1);
    let feed = Feed { parts, sent: 0, silent_since: Instant::now() };
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let state = Event::State("initializing");
    tokio::spawn(run(feed, Arc::clone(journal), state, journal.hear(), place));
    stream
}

async fn next(stream: &mut mpsc::Receiver<Bytes>) -> String {
    String::from_utf8(stream.recv().await.unwrap_or_default().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn events_come_in_their_order_and_end_with_the_drain() {
    let journal = Arc::<Journal>::default();
    let mut stream = followed(&journal);
    journal.state(&State::WebsocketReady);
    journal.survived(2);
    journal.state(&State::Draining);
    journal.draining(3, Duration::ZERO, Duration::ZERO);
    journal.drained(Duration::from_millis(5), 1, false);
    journal.state(&State::Initializing);
    let wanted = [
        "id: 1\nevent: state\ndata: {\"state\":\"initializing\"}\n\n",
        "id: 2\nevent: state\ndata: {\"state\":\"websocket_ready\"}\n\n",
        "id: 3\nevent: settled\ndata: {\"held\":2}\n\n",
        "id: 4\nevent: state\ndata: {\"state\":\"draining\"}\n\n",
        "id: 5\nevent: draining\ndata: {\"open\":3}\n\n",
        "id: 6\nevent: drained\ndata: {\"open\":1,\"took_ms\":5}\n\n",
        "",
    ];
    for part in wanted {
        assert_eq!(next(&mut stream).await, part);
    }
}

/// Nobody waits for a reader that does not read: it loses the oldest, and hears how many.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_told_how_many_events_it_lost() {
    let journal = Arc::<Journal>::default();
    let mut stream = followed(&journal);
    assert!(next(&mut stream).await.contains("initializing"));
    const TOLD: usize = 1000;
    for _ in 0..TOLD {
        journal.survived(0);
    }
    journal.drained(Duration::ZERO, 0, true);
    let (mut seen, mut lost) = (0, 0);
    loop {
        let part = next(&mut stream).await;
        if part.contains("event: drained") {
            break;
        }
        match part.split_once("{\"missed\":") {
            Some((_, missed)) => {
                lost += missed.split('}').next().unwrap().parse::<usize>().unwrap();
            }
            None => seen += usize::from(part.contains("event: settled")),
        }
    }
    assert!(lost > 0 && seen > 0, "{lost} {seen}");
    assert_eq!(seen + lost, TOLD);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_summed_up_and_silence_has_a_sign_of_life() {
    let journal = Arc::<Journal>::default();
    let mut stream = followed(&journal);
    next(&mut stream).await;
    let ending = Ending::new(Party::Door, Phase::Head);
    for reason in [Reason::NotReady, Reason::HeadTimeout, Reason::NotReady] {
        journal.refused(&reason, ending, About::unread());
    }
    let began = Instant::now();
    let told = next(&mut stream).await;
    assert!(
        told.ends_with("event: refused\ndata: {\"head_timeout\":1,\"not_ready\":2}\n\n"),
        "{told}"
    );
    assert_eq!(began.elapsed(), REFUSALS_EVERY);
    assert_eq!(next(&mut stream).await, ":\n\n");
    assert_eq!(began.elapsed(), REFUSALS_EVERY + HEARTBEAT);
}

/// The place of a follower that left is free again.
#[tokio::test(start_paused = true)]
async fn a_follower_that_left_frees_its_place() {
    let journal = Arc::<Journal>::default();
    let places = Arc::new(Semaphore::new(1));
    let (parts, stream) = mpsc::channel(1);
    let feed = Feed { parts, sent: 0, silent_since: Instant::now() };
    let place = Arc::clone(&places).try_acquire_owned().unwrap();
    let state = Event::State("initializing");
    let following = tokio::spawn(run(feed, Arc::clone(&journal), state, journal.hear(), place));
    advance(HEARTBEAT).await;
    drop(stream);
    following.await.unwrap();
    assert_eq!(places.available_permits(), 1);
}
