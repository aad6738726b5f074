//! Breaks what is promised once by twenty who ask at once, on two stores of one database.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use golden_path::event::{ThreadId, UserId};
use golden_path::store::{
    Accepted, AppendError, Claim, KeyRow, Lease, Rotation, Store, StoreError,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::ground::{
    Ground, LATER, begun, claim, completed, database, events, said, somebody, thinking,
};

on_both! {
    many_open_an_empty_database_at_once,
    a_name_that_many_want_is_one_users,
    messages_that_many_say_are_stored_once,
    a_reader_never_sees_a_number_before_a_smaller_one,
    a_due_run_goes_to_one_of_many_askers,
    a_writer_that_lost_its_run_amid_a_crowd_writes_nothing_more,
    a_token_that_many_show_is_good_for_one,
    of_many_instances_one_adds_the_key,
}

const CROWD: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_is_one_for_all_handles() {
    for url in ["sqlite::memory:", "sqlite://:memory:"] {
        let store = Store::open(url).await.unwrap();
        let handles = [store.clone(), store.clone()];
        let (ann, thread) = somebody(&store, "ann").await;
        let runs = crowd(&handles, move |store, _| async move {
            store.append(&begun(&store, ann, thread).await, &completed()).await.unwrap()
        });
        assert_eq!(runs.await.len(), CROWD);
        assert_eq!(events(&store, ann).await.len(), 2 * CROWD);
        let another = Store::open(url).await.unwrap();
        assert_eq!(another.user_by_name("ann").await.unwrap(), None, "another database");
    }
}

async fn many_open_an_empty_database_at_once(ground: &Ground) {
    let mut opening = JoinSet::new();
    for _ in 0..8 {
        let url = ground.url().to_owned();
        opening.spawn(async move { persist!(Store::open(&url).await) });
    }
    let stores = opening.join_all().await;
    let (ann, thread) = somebody(&stores[0], "ann").await;
    for store in &stores {
        persist!(store.ping().await);
        begun(store, ann, thread).await;
    }
    assert_eq!(events(&stores[0], ann).await.len(), 8);
}

async fn a_name_that_many_want_is_one_users(ground: &Ground) {
    let stores = two(ground).await;
    let made = crowd(&stores, |store, _| async move {
        persist!(store.create_user("ann", "hash").await).is_some()
    });
    assert_eq!(made.await.into_iter().filter(|made| *made).count(), 1);
}

async fn messages_that_many_say_are_stored_once(ground: &Ground) {
    let stores = two(ground).await;
    let (ann, thread) = somebody(&stores[0], "ann").await;
    let messages: Vec<Uuid> = (0..5).map(|_| Uuid::new_v4()).collect();
    let all = messages.clone();
    let accepted = crowd(&stores, move |store, who| {
        let mut messages = all.clone();
        messages.rotate_left(who % 5);
        say_all(store, ann, thread, messages)
    });
    let runs: Vec<Uuid> = accepted.await.into_iter().flatten().collect();
    assert_eq!(runs.len(), messages.len(), "each was new to one of them");
    assert_eq!(events(&stores[0], ann).await.len(), messages.len());
    assert_eq!(stores[1].open_runs(ann).await.unwrap(), 5);
}

/// The runs of those messages that were new.
async fn say_all(store: Store, user: UserId, thread: ThreadId, messages: Vec<Uuid>) -> Vec<Uuid> {
    let mut runs = Vec::new();
    for message in messages {
        match persist!(store.accept(said(user, thread, message)).await) {
            Accepted::New { lease, .. } => runs.push(lease.run),
            Accepted::Again(_) => {}
            Accepted::NoSuchThread | Accepted::TooMany => panic!("there is one, and room"),
        }
    }
    runs
}

async fn a_reader_never_sees_a_number_before_a_smaller_one(ground: &Ground) {
    let stores = two(ground).await;
    let (ann, thread) = somebody(&stores[0], "ann").await;
    let all = 3 * i64::try_from(CROWD).unwrap();
    let reader = stores[1].clone();
    let reading = tokio::spawn(async move {
        let mut last = 0;
        while last < all {
            for event in persist!(reader.events_after(ann, last, 100).await) {
                assert_eq!(event.id, last + 1);
                last = event.id;
            }
            tokio::task::yield_now().await;
        }
    });
    let runs = crowd(&stores, move |store, _| async move {
        let message = Uuid::new_v4();
        let accepted = persist!(store.accept(said(ann, thread, message)).await);
        let Accepted::New { lease, .. } = accepted else { panic!("{accepted:?}") };
        for word in [thinking("hm"), completed()] {
            persist!(store.append(&lease, &word).await.map_err(database));
        }
    });
    runs.await;
    reading.await.unwrap();
    assert_eq!(stores[0].open_runs(ann).await.unwrap(), 0);
}

async fn a_due_run_goes_to_one_of_many_askers(ground: &Ground) {
    let stores = two(ground).await;
    let (ann, thread) = somebody(&stores[0], "ann").await;
    for _ in 0..30 {
        begun(&stores[0], ann, thread).await;
    }
    let taken = crowd(&stores, |store, who| async move {
        let instance = who.to_string();
        let some = Claim { at_most: 2, ..claim(&instance, LATER, 2 * LATER) };
        persist!(store.take_over(some).await)
    });
    let mut taken: Vec<_> = taken.await.into_iter().flatten().collect();
    taken.extend(stores[1].take_over(claim("last", LATER, 2 * LATER)).await.unwrap());
    let runs: HashSet<Uuid> = taken.iter().map(|lease| lease.run).collect();
    assert_eq!((taken.len(), runs.len()), (30, 30), "each to one");
    assert!(taken.iter().all(|lease| lease.epoch == 2));
}

async fn a_writer_that_lost_its_run_amid_a_crowd_writes_nothing_more(ground: &Ground) {
    let stores = two(ground).await;
    let (ann, thread) = somebody(&stores[0], "ann").await;
    let lease = begun(&stores[0], ann, thread).await;
    let writer = {
        let (store, lease) = (stores[0].clone(), lease.clone());
        tokio::spawn(async move {
            for word in 0.. {
                let word = thinking(&format!("old {word}"));
                match store.append(&lease, &word).await {
                    Ok(_) | Err(AppendError::Store(StoreError::Unavailable(_))) => {}
                    Err(AppendError::NotOurs) => return,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    let mut new = lease;
    for now_ms in LATER..LATER + 10 {
        new = taken(&stores[1], now_ms).await;
        let word = thinking(&format!("new {now_ms}"));
        persist!(stores[1].append(&new, &word).await.map_err(database));
    }
    writer.await.unwrap();
    assert_eq!(new.epoch, 11);
    let told = events(&stores[0], ann).await;
    let texts: Vec<String> = told.iter().map(|event| format!("{:?}", event.what)).collect();
    let first_new = texts.iter().position(|text| text.contains("new")).unwrap();
    assert!(!texts[first_new..].iter().any(|text| text.contains("old")), "{texts:#?}");
}

/// The one run that is due. Nobody waits for it amid a word of its writer: then there is none, until the next try.
async fn taken(store: &Store, now_ms: i64) -> Lease {
    loop {
        let due = claim("two", now_ms, now_ms + 1);
        if let Some(lease) = persist!(store.take_over(due).await).pop() {
            return lease;
        }
    }
}

async fn a_token_that_many_show_is_good_for_one(ground: &Ground) {
    let stores = two(ground).await;
    let (ann, _) = somebody(&stores[0], "ann").await;
    let session = stores[0].begin_session(ann, &[255; 32], 200).await.unwrap();
    let rotated = crowd(&stores, |store, who| async move {
        let new = [u8::try_from(who).unwrap(); 32];
        persist!(store.rotate(&[255; 32], &new, 100, 200).await)
    });
    let count = |is: fn(&Rotation) -> bool, all: &[Rotation]| all.iter().filter(|r| is(r)).count();
    let all = rotated.await;
    assert_eq!(count(|r| matches!(r, Rotation::Rotated { .. }), &all), 1);
    assert_eq!(count(|r| matches!(r, Rotation::Reused { .. }), &all), 1);
    assert!(!stores[1].is_live(session, 100).await.unwrap());
}

async fn of_many_instances_one_adds_the_key(ground: &Ground) {
    let stores = two(ground).await;
    for round in 1..=5 {
        let added = crowd(&stores, move |store, who| async move {
            let kid = format!("{round} {who}");
            let key = KeyRow { kid, private: vec![1], made_ms: round };
            persist!(store.add_key(&key, round - 1, 0).await)
        });
        assert_eq!(added.await.into_iter().filter(|added| *added).count(), 1);
    }
    assert_eq!(stores[1].keys().await.unwrap().len(), 5);
}

/// Two stores with their connections open, or a crowd would come one by one as these are made.
async fn two(ground: &Ground) -> [Store; 2] {
    let stores = [ground.open().await, ground.open().await];
    crowd(&stores, |store, _| async move { persist!(store.ping().await) }).await;
    stores
}

/// What each of the crowd did, on the stores by turns, beginning at once.
async fn crowd<T, F>(stores: &[Store], each: impl Fn(Store, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let all_here = Arc::new(Barrier::new(CROWD));
    let come = |who: usize| {
        let (all_here, does) = (all_here.clone(), each(stores[who % stores.len()].clone(), who));
        async move {
            all_here.wait().await;
            does.await
        }
    };
    (0..CROWD).map(come).collect::<JoinSet<T>>().join_all().await
}
