//! Breaks the watch with servers that can't be watched, and the address with what is none.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::timeout;

use super::link::Statuses;
use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// How often a watch that meets this trouble begins within an hour, and whether it tells a change.
async fn watched(trouble: Reason, served: bool) -> (u32, bool) {
    let (watch, begun) = (Watch::default(), Cell::new(0));
    watch.asked(served);
    let open = || {
        begun.set(begun.get() + 1);
        async move { Err::<Statuses, _>(Trouble::new(trouble, "on purpose")) }
    };
    let told = timeout(HOUR, watch.changed(open)).await.is_ok();
    (begun.get(), told)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_can_not_be_watched_is_tried_seldom_and_tells_nothing() {
    for (trouble, served) in
        [(Reason::Protocol, true), (Reason::UnknownService, true), (Reason::Refused, false)]
    {
        let (begun, told) = watched(trouble, served).await;
        assert!(!told, "{trouble:?}");
        // Pauses of up to 30 s, drawn evenly: 240 in an hour, give or take.
        assert!((130..400).contains(&begun), "{trouble:?}: {begun}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_is_told_once() {
    assert_eq!(watched(Reason::Refused, true).await, (1, true));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_never_begins_is_given_up_and_counts_as_gone() {
    let watch = Watch::default();
    watch.asked(true);
    let open = std::future::pending::<Result<Statuses, Trouble>>;
    assert!(timeout(Duration::from_secs(11), watch.changed(open)).await.is_ok());
}

#[test]
fn addresses_are_read_with_their_usual_ports() {
    let read = |url| address(url).map_err(|flaw| flaw.key);
    assert_eq!(read("grpc://agents:50051"), Ok(("agents".to_owned(), 50_051, false)));
    assert_eq!(read("grpcs://agents"), Ok(("agents".to_owned(), 443, true)));
    assert_eq!(read("http://agents/"), Ok(("agents".to_owned(), 80, false)));
    assert_eq!(read("https://[::1]:9"), Ok(("::1".to_owned(), 9, true)));
    for wrong in
        ["", "grpc://agents", "grpc://:1", "tcp://a:1", "grpc://a:1/service", "grpc://u:p@a:1"]
    {
        assert_eq!(read(wrong), Err("url"), "{wrong}");
    }
    let check = Grpc::new(&Options::url("grpc://[::1]:9")).unwrap();
    assert_eq!(check.target(), "grpc://[::1]:9");
}
