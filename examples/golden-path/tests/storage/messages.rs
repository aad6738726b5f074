//! Breaks messages and events: said twice, by the wrong user, in the wrong thread, with words that are hard to store.

use golden_path::event::What;
use golden_path::store::{Accepted, AppendError, Lease};
use serde_json::json;
use uuid::Uuid;

use crate::ground::{Ground, begun, events, said, somebody, thinking};

on_both! {
    a_message_is_stored_once_however_often_it_is_said,
    a_message_to_another_users_thread_is_not_stored,
    nothing_of_a_user_is_read_or_changed_with_anothers_ids,
    numbers_have_no_gap_over_threads_and_runs,
    a_word_is_read_as_it_was_said,
    pages_follow_each_other,
}

async fn a_message_is_stored_once_however_often_it_is_said(ground: &Ground) {
    let (store, other) = (ground.open().await, ground.open().await);
    let (ann, thread) = somebody(&store, "ann").await;
    let message = Uuid::new_v4();
    let Accepted::New { event, lease } = store.accept(said(ann, thread, message)).await.unwrap()
    else {
        panic!("it is new")
    };
    assert_eq!((event.id, event.thread, event.run), (1, thread, None));
    assert_eq!(event.what, What::UserMessage { message, text: "hello".to_owned() });
    assert_eq!((lease.thread, lease.user, lease.answers, lease.epoch), (thread, ann, 1, 1));
    assert_eq!(lease.correlation, "handshake-1");
    for store in [&store, &other] {
        let again = store.accept(said(ann, thread, message)).await.unwrap();
        assert_eq!(again, Accepted::Again(event.clone()));
    }
    assert_eq!(events(&store, ann).await, [event]);
    assert_eq!(store.open_runs(ann).await.unwrap(), 1);
    // What was undone took no number.
    assert_eq!(begun(&store, ann, thread).await.answers, 2);
}

async fn a_message_to_another_users_thread_is_not_stored(ground: &Ground) {
    let store = ground.open().await;
    let (ann, annes) = somebody(&store, "ann").await;
    let (bob, bobs) = somebody(&store, "bob").await;
    let message = Uuid::new_v4();
    for (user, thread) in [(bob, annes), (bob, Uuid::new_v4()), (Uuid::new_v4(), annes)] {
        let answer = store.accept(said(user, thread, message)).await.unwrap();
        assert_eq!(answer, Accepted::NoSuchThread);
    }
    // Two users' clients may choose the same number.
    for (user, thread) in [(ann, annes), (bob, bobs)] {
        let answer = store.accept(said(user, thread, message)).await.unwrap();
        assert!(matches!(answer, Accepted::New { event, .. } if event.id == 1));
    }
}

async fn nothing_of_a_user_is_read_or_changed_with_anothers_ids(ground: &Ground) {
    let store = ground.open().await;
    let (ann, annes) = somebody(&store, "ann").await;
    let (bob, bobs) = somebody(&store, "bob").await;
    let lease = begun(&store, ann, annes).await;
    assert_eq!(store.thread_events(bob, annes, 0, 10).await.unwrap(), None);
    assert_eq!(store.thread_events(bob, bobs, 0, 10).await.unwrap(), Some(vec![]));
    assert_eq!(store.events_after(bob, 0, 10).await.unwrap(), []);
    assert_eq!(store.threads(bob).await.unwrap().len(), 1);
    assert_eq!(store.open_runs(bob).await.unwrap(), 0);
    assert!(!store.ask_cancel(bob, lease.run).await.unwrap());
    assert!(store.renew("one", &[lease.run], 2_000).await.unwrap().is_empty());
    for forged in [
        Lease { user: bob, ..lease.clone() },
        Lease { user: bob, thread: bobs, ..lease.clone() },
        Lease { thread: bobs, ..lease.clone() },
        Lease { user: Uuid::new_v4(), ..lease.clone() },
    ] {
        let refused = store.append(&forged, &thinking("not mine")).await;
        assert!(matches!(refused, Err(AppendError::NotOurs)), "{refused:?}");
    }
    assert_eq!(events(&store, ann).await.len(), 1);
    assert_eq!(events(&store, bob).await.len(), 0);
}

async fn numbers_have_no_gap_over_threads_and_runs(ground: &Ground) {
    let store = ground.open().await;
    let (ann, first) = somebody(&store, "ann").await;
    let second = store.create_thread(ann, "another").await.unwrap().id;
    let runs = [begun(&store, ann, first).await, begun(&store, ann, second).await];
    for round in 0..5 {
        for lease in &runs {
            store.append(lease, &thinking(&format!("round {round}"))).await.unwrap();
        }
    }
    assert_eq!(events(&store, ann).await.len(), 12);
    let of_first = store.thread_events(ann, first, 1, 100).await.unwrap().unwrap();
    let numbers: Vec<i64> = of_first.iter().map(|event| event.id).collect();
    assert_eq!(numbers, [3, 5, 7, 9, 11]);
    assert!(of_first.iter().all(|event| event.run == Some(runs[0].run)));
}

async fn a_word_is_read_as_it_was_said(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let text = "quotes ' \" $1 ?1 nul \0 line\nend \u{10FFFF} 日本 '); DROP TABLE events; --";
    let mut new = said(ann, thread, Uuid::new_v4());
    new.text = text;
    let Accepted::New { event, lease } = store.accept(new).await.unwrap() else {
        panic!("it is new")
    };
    let (call, tool) = ("call-1".to_owned(), "clock".to_owned());
    let output =
        json!({ "deep": [1, 2.5, null, { "nul": "\0" }], "big": 9_007_199_254_740_993_i64 });
    let words = [
        What::AgentText { offset: 0, text: text.to_owned() },
        What::ToolCompleted { call, tool, ok: true, output },
    ];
    let mut told = vec![event];
    for word in words {
        told.push(store.append(&lease, &word).await.unwrap());
    }
    assert_eq!(events(&store, ann).await, told, "what was told is what is read");
}

async fn pages_follow_each_other(ground: &Ground) {
    let store = ground.open().await;
    let (ann, thread) = somebody(&store, "ann").await;
    let lease = begun(&store, ann, thread).await;
    for number in 0..9 {
        store.append(&lease, &thinking(&number.to_string())).await.unwrap();
    }
    let (mut read, mut after) = (Vec::new(), 0);
    for _ in 0..3 {
        let page = store.events_after(ann, after, 4).await.unwrap();
        after = page.last().map_or(after, |event| event.id);
        read.extend(page);
    }
    assert_eq!(read, events(&store, ann).await);
    for (after, limit) in [(0, 0), (0, -1), (10, 5), (i64::MAX, i64::MAX)] {
        assert_eq!(store.events_after(ann, after, limit).await.unwrap(), []);
    }
}
