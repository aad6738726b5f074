//! Breaks users, sessions and keys: a name that is taken, a token that is shown twice, sessions that are over.

use golden_path::store::{KeyRow, Rotation, StoreError};

use crate::ground::{Ground, somebody};

on_both! {
    a_name_is_one_users,
    a_refresh_token_is_good_once_and_its_reuse_ends_the_session,
    a_session_that_is_over_or_revoked_rotates_nothing,
    a_key_is_added_once_and_forgotten_in_time,
    a_store_that_is_opened_again_finds_what_was_stored,
    a_text_that_one_database_refuses_is_refused_by_both,
}

const NOW: i64 = 100;
const END: i64 = 200;

async fn a_name_is_one_users(ground: &Ground) {
    let store = ground.open().await;
    let ann = store.create_user("ann", "hash of ann").await.unwrap().unwrap();
    assert_eq!(store.create_user("ann", "another").await.unwrap(), None);
    let found = store.user_by_name("ann").await.unwrap();
    assert_eq!(found, Some((ann, "hash of ann".to_owned())));
    assert_eq!(store.user_by_name("bob").await.unwrap(), None);
}

async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session(ground: &Ground) {
    let store = ground.open().await;
    let (ann, _) = somebody(&store, "ann").await;
    let session = store.begin_session(ann, &[1; 32], END).await.unwrap();
    let other = store.begin_session(ann, &[9; 32], END).await.unwrap();
    match store.rotate(&[1; 32], &[2; 32], NOW, END).await.unwrap() {
        Rotation::Rotated { session: same, user } => {
            assert_eq!((same, user.id, &*user.name), (session, ann, "ann"));
        }
        other => panic!("{other:?}"),
    }
    assert!(store.is_live(session, NOW).await.unwrap());
    let reused = store.rotate(&[1; 32], &[3; 32], NOW, END).await.unwrap();
    assert_eq!(reused, Rotation::Reused { session });
    assert!(!store.is_live(session, NOW).await.unwrap());
    for token in [[1; 32], [2; 32], [3; 32]] {
        assert_eq!(store.rotate(&token, &[4; 32], NOW, END).await.unwrap(), Rotation::Void);
    }
    assert!(store.is_live(other, NOW).await.unwrap(), "another log-in of the same user");
}

async fn a_session_that_is_over_or_revoked_rotates_nothing(ground: &Ground) {
    let store = ground.open().await;
    let (ann, _) = somebody(&store, "ann").await;
    let over = store.begin_session(ann, &[1; 32], NOW).await.unwrap();
    let revoked = store.begin_session(ann, &[2; 32], END).await.unwrap();
    store.revoke(revoked).await.unwrap();
    let live = store.begin_session(ann, &[3; 32], END).await.unwrap();
    for token in [[1; 32], [2; 32], [7; 32]] {
        assert_eq!(store.rotate(&token, &[4; 32], NOW, END).await.unwrap(), Rotation::Void);
    }
    // Forgets those that are over, and nothing else.
    let rotated = store.rotate(&[3; 32], &[4; 32], NOW, END + 1).await.unwrap();
    assert!(matches!(rotated, Rotation::Rotated { session, .. } if session == live));
    assert!(store.is_live(live, END).await.unwrap(), "it lasts longer now");
    for gone in [over, revoked] {
        assert!(!store.is_live(gone, NOW).await.unwrap());
    }
}

async fn a_key_is_added_once_and_forgotten_in_time(ground: &Ground) {
    let store = ground.open().await;
    assert!(store.add_key(&key("a", 10), 0, 0).await.unwrap());
    assert!(!store.add_key(&key("b", 11), 9, 0).await.unwrap(), "there is a newer one than 9");
    assert!(store.add_key(&key("c", 20), 10, 0).await.unwrap());
    assert_eq!(kids(&store.keys().await.unwrap()), ["a", "c"]);
    assert!(!store.add_key(&key("d", 21), 15, 15).await.unwrap());
    let left = store.keys().await.unwrap();
    assert_eq!(kids(&left), ["c"]);
    assert_eq!(left[0].private, b"\0private");
}

async fn a_store_that_is_opened_again_finds_what_was_stored(ground: &Ground) {
    let (ann, thread) = somebody(&ground.open().await, "ann").await;
    let store = ground.open().await;
    let threads = store.threads(ann).await.unwrap();
    assert_eq!((threads.len(), threads[0].id, &*threads[0].title), (1, thread, "a thread"));
    store.ping().await.unwrap();
}

async fn a_text_that_one_database_refuses_is_refused_by_both(ground: &Ground) {
    let store = ground.open().await;
    let (ann, _) = somebody(&store, "ann").await;
    let refused = store.create_thread(ann, "nul \0 nul").await;
    assert!(matches!(refused, Err(StoreError::Misunderstood(_))), "{refused:?}");
    let refused = store.create_thread(uuid::Uuid::new_v4(), "of nobody").await;
    assert!(matches!(refused, Err(StoreError::Misunderstood(_))), "{refused:?}");
    store.create_thread(ann, "the connection is clean again: 日本").await.unwrap();
}

fn key(kid: &str, made_ms: i64) -> KeyRow {
    KeyRow { kid: kid.to_owned(), private: b"\0private".to_vec(), made_ms }
}

fn kids(keys: &[KeyRow]) -> Vec<&str> {
    keys.iter().map(|key| &*key.kid).collect()
}
