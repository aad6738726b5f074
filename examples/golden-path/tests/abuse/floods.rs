//! Floods of log-ins.

use std::sync::Arc;
use std::time::Duration;

use golden_path::auth::AuthError;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::house::{Answer, House, PASSWORD, account};

/// Breaks unless this says to come again within a minute.
#[track_caller]
fn is_too_often(answer: &Answer) {
    answer.is_problem(429);
    let seconds: u64 =
        answer.field("retry-after").and_then(|text| text.parse().ok()).expect("when");
    assert!((1..=61).contains(&seconds), "{answer:?}");
}

/// Breaks if passwords of one user can be tried from many addresses.
#[tokio::test]
async fn a_name_is_tried_a_few_times_a_minute_from_wherever() {
    let house = House::open(&[("NAME_ATTEMPTS", "3")]).await;
    house.sign_up("ann").await;
    house.sign_up("bob").await;
    // A name that nobody has is counted in the same way, or its count would tell.
    for name in ["ann", "nobody"] {
        for number in 1..=3 {
            let from = format!("203.0.113.{number}");
            let body = account(name, "wrong password");
            house.post_from(&from, "/api/login", &body).await.is_problem(401);
        }
        let body = account(&name.to_uppercase(), PASSWORD);
        is_too_often(&house.post_from("203.0.113.200", "/api/login", &body).await);
    }
    assert_eq!(house.log_in("bob", PASSWORD).await.status, 200);
}

/// Breaks if an address gets more tries by naming another, or takes those of others.
#[tokio::test]
async fn an_address_is_what_the_nearest_proxy_saw() {
    let house = House::open(&[("ADDRESS_ATTEMPTS", "3")]).await;
    house.post_from("198.51.100.1", "/api/signup", &account("ann", PASSWORD)).await;
    let try_from = async |chain: &str, name: &str| {
        house.post_from(chain, "/api/login", &account(name, "wrong password")).await
    };
    for number in 1..=3 {
        try_from(&format!("10.0.0.{number}, 203.0.113.7"), &format!("name-{number}"))
            .await
            .is_problem(401);
    }
    for chain in ["203.0.113.7", "198.51.100.1, 203.0.113.7", "unknown, 203.0.113.7, 127.0.0.1"] {
        is_too_often(&try_from(chain, "name-4").await);
    }
    for path in ["/api/signup", "/api/login"] {
        is_too_often(&house.post_from("203.0.113.7", path, &account("carl", PASSWORD)).await);
    }
    let token = serde_json::json!({ "refresh": "anything" });
    is_too_often(&house.post_from("203.0.113.7", "/api/refresh", &token).await);
    let body = account("ann", PASSWORD);
    assert_eq!(house.post_from("203.0.113.8", "/api/login", &body).await.status, 200);
    // A network of IPv6 is one address.
    for number in 1..=3 {
        try_from(&format!("2001:db8::{number}"), "nobody").await.is_problem(401);
    }
    is_too_often(&try_from("2001:db8::abcd", "nobody").await);
}

/// Breaks if those who are in wait for those who want in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_log_ins_leaves_something_for_those_who_are_in() {
    const FLOOD: usize = 100;
    let house = Arc::new(House::open(&[]).await);
    let ann = house.sign_up("ann").await;
    let mut flood = JoinSet::new();
    for number in 0..FLOOD {
        let house = Arc::clone(&house);
        flood.spawn(async move {
            let from = format!("203.0.113.{number}");
            let body = account(&format!("name-{number}"), "wrong password");
            house.post_from(&from, "/api/login", &body).await
        });
    }
    flood.join_next().await.expect("a flood").unwrap().is_problem(401);
    assert_eq!(house.get_as(&ann.access, "/api/me").await.status, 200);
    let mut answered = 0;
    while let Some(answer) = flood.try_join_next() {
        // 503 where a busy machine had no turn for it in time.
        assert!(matches!(answer.unwrap().status, 401 | 503));
        answered += 1;
    }
    assert!(answered + 1 < FLOOD, "who was in has waited for all {answered}");
}

/// Breaks if a queue grows without end: who can't be served in time is told so at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_without_end_is_told_to_come_again() {
    const FLOOD: usize = 400;
    let house = Arc::new(House::open(&[("NAME_ATTEMPTS", "10000")]).await);
    let mut flood = JoinSet::new();
    for number in 0..FLOOD {
        let auth = house.app.auth.clone();
        let from = format!("203.0.{}.{}", number / 200, number % 200);
        flood.spawn(async move { auth.log_in("nobody", "wrong password", &from).await.err() });
    }
    let (mut wrong, mut busy) = (0, 0);
    while busy == 0 || wrong == 0 {
        match flood.join_next().await.expect("somebody was served, and somebody was not").unwrap() {
            Some(AuthError::Wrong) => wrong += 1,
            Some(AuthError::Busy) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    // Who goes away leaves its place, as soon as those that are being looked at are done.
    flood.shutdown().await;
    let mut tries = 0;
    while house.post_from("203.0.114.1", "/api/signup", &account("ann", PASSWORD)).await.status
        != 201
    {
        tries += 1;
        assert!(tries < 50, "the flood is over, and its queue still stands");
        sleep(Duration::from_millis(20)).await;
    }
}
