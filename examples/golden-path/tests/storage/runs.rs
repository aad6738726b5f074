//! Breaks runs: writers of an old epoch, words after the end, leases that others want, instances that leave.

use golden_path::store::{AppendError, Claim};

use crate::ground::{Ground, LATER, begun, claim, completed, events, somebody, thinking};

on_both! {
    only_the_newest_epoch_writes,
    a_run_ends_once_and_nothing_comes_after,
    a_word_that_is_said_again_is_one_event,
    a_lease_that_lasts_is_not_taken,
    a_lease_is_prolonged_by_its_holder_alone,
    a_cancel_is_told_to_who_renews,
    released_runs_are_taken_at_once_and_the_longest_due_first,
}

async fn only_the_newest_epoch_writes(ground: &Ground) {
    let (store, other) = (ground.open().await, ground.open().await);
    let (ann, thread) = somebody(&store, "ann").await;
    let old = begun(&store, ann, thread).await;
    store.append(&old, &thinking("a")).await.unwrap();
    let taken = other.take_over(claim("two", LATER, 2_000)).await.unwrap();
    assert_eq!(taken.len(), 1);
    let new = &taken[0];
    assert_eq!((new.run, new.thread, new.user, new.answers), (old.run, thread, ann, 1));
    assert_eq!((new.epoch, &new.correlation), (2, &old.correlation));
    // Even what it has said already: whoever hears of it must stop.
    for word in ["a", "b"] {
        let refused = store.append(&old, &thinking(word)).await;
        assert!(matches!(refused, Err(AppendError::NotOurs)), "{refused:?}");
    }
    assert_eq!(other.append(new, &thinking("a")).await.unwrap().id, 3, "said anew");
    assert_eq!(events(&store, ann).await.len(), 3);
}

async fn a_run_ends_once_and_nothing_comes_after(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let lease = begun(&store, ann, thread).await;
    let end = store.append(&lease, &completed()).await.unwrap();
    assert_eq!(store.open_runs(ann).await.unwrap(), 0);
    let refused = store.append(&lease, &thinking("late")).await;
    assert!(matches!(refused, Err(AppendError::NotOurs)), "{refused:?}");
    assert_eq!(store.append(&lease, &completed()).await.unwrap(), end, "its answer was lost");
    assert!(!store.ask_cancel(ann, lease.run).await.unwrap());
    assert_eq!(store.take_over(claim("two", i64::MAX, i64::MAX)).await.unwrap(), []);
    assert_eq!(events(&store, ann).await.len(), 2);
}

async fn a_word_that_is_said_again_is_one_event(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let (lease, other) = (begun(&store, ann, thread).await, begun(&store, ann, thread).await);
    let first = store.append(&lease, &thinking("a")).await.unwrap();
    store.append(&other, &thinking("of another run")).await.unwrap();
    assert_eq!(store.append(&lease, &thinking("a")).await.unwrap(), first);
    store.append(&lease, &thinking("b")).await.unwrap();
    let anew = store.append(&lease, &thinking("a")).await.unwrap();
    assert_eq!(anew.id, 6, "not the last word, so it is a new one");
    assert_eq!(events(&store, ann).await.len(), 6);
}

async fn a_lease_that_lasts_is_not_taken(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let lease = begun(&store, ann, thread).await;
    assert_eq!(store.take_over(claim("two", LATER - 1, 2_000)).await.unwrap(), []);
    let none = Claim { at_most: 0, ..claim("two", LATER, 2_000) };
    assert_eq!(store.take_over(none).await.unwrap(), []);
    let less = Claim { at_most: -1, ..none };
    assert_eq!(store.take_over(less).await.unwrap(), []);
    assert!(store.renew("one", &[lease.run], 2_000).await.unwrap().is_empty());
    assert_eq!(store.take_over(claim("two", 1_999, 3_000)).await.unwrap(), []);
    assert_eq!(store.take_over(claim("two", 2_000, 3_000)).await.unwrap().len(), 1);
    assert_eq!(store.take_over(claim("three", 2_000, 3_000)).await.unwrap(), []);
}

async fn a_lease_is_prolonged_by_its_holder_alone(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let lease = begun(&store, ann, thread).await;
    store.renew("two", &[lease.run], 9_000).await.unwrap();
    assert_eq!(store.take_over(claim("two", LATER, 2_000)).await.unwrap().len(), 1);
    store.renew("one", &[lease.run], 9_000).await.unwrap();
    assert_eq!(store.take_over(claim("three", 2_000, 3_000)).await.unwrap().len(), 1);
}

async fn a_cancel_is_told_to_who_renews(ground: &Ground) {
    let (store, other) = (ground.open().await, ground.open().await);
    let (ann, thread) = somebody(&store, "ann").await;
    let (lease, going_on) = (begun(&store, ann, thread).await, begun(&store, ann, thread).await);
    assert!(other.ask_cancel(ann, lease.run).await.unwrap());
    let both = [going_on.run, lease.run];
    assert!(store.renew("two", &both, 2_000).await.unwrap().is_empty(), "not theirs");
    assert_eq!(store.renew("one", &both, 2_000).await.unwrap(), [lease.run]);
    // Whoever takes it over hears it too.
    store.release("one").await.unwrap();
    assert_eq!(other.take_over(claim("two", 1, 2_000)).await.unwrap().len(), 2);
    assert_eq!(other.renew("two", &both, 3_000).await.unwrap(), [lease.run]);
}

async fn released_runs_are_taken_at_once_and_the_longest_due_first(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let early = begun(&store, ann, thread).await;
    let late = begun(&store, ann, thread).await;
    store.renew("one", &[late.run], 2_000).await.unwrap();
    let one = Claim { at_most: 1, ..claim("two", 2_000, 9_000) };
    for expected in [&early, &late] {
        let taken = store.take_over(one).await.unwrap();
        assert_eq!(taken.iter().map(|lease| lease.run).collect::<Vec<_>>(), [expected.run]);
    }
    store.release("one").await.unwrap();
    assert_eq!(store.take_over(claim("three", 1, 9_000)).await.unwrap(), [], "not one's any more");
    store.release("two").await.unwrap();
    let taken = store.take_over(claim("three", 1, 9_000)).await.unwrap();
    assert_eq!(taken.iter().map(|lease| lease.epoch).collect::<Vec<_>>(), [3, 3]);
}
