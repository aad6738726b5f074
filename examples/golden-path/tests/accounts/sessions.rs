//! Sessions and their refresh tokens.

use std::time::Duration;

use golden_path::bus::{Heard, Signal};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::house::{House, JSON, PASSWORD, User, account};

/// Whether `who` is let in by the access token.
async fn is_in(house: &House, who: &User) -> bool {
    let answer = house.get_as(&who.access, "/api/me").await;
    if answer.status != 200 {
        answer.is_problem(401);
    }
    answer.status == 200
}

#[tokio::test]
async fn a_refresh_gives_the_next_pair_and_a_log_out_ends_all() {
    let house = House::open(&[]).await;
    let first = house.sign_up("ann").await;
    let answer = house.post("/api/refresh", &json!({ "refresh": first.refresh })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let second = answer.user();
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(second.refresh.len(), 43, "256 bits in base64url");
    assert!(is_in(&house, &first).await && is_in(&house, &second).await);
    let other = house.log_in("ann", PASSWORD).await.user();

    let mut heard = house.app.bus.subscribe();
    let bearer = format!("Bearer {}", second.access);
    let answer = house.ask("POST /api/logout", &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let Ok(Heard::Signal(signal)) = timeout(Duration::from_secs(10), heard.next()).await else {
        panic!("sockets of the session were not told");
    };
    assert!(matches!(*signal, Signal::Revoked { .. }), "{signal:?}");
    assert!(!is_in(&house, &first).await && !is_in(&house, &second).await);
    house.post("/api/refresh", &json!({ "refresh": second.refresh })).await.is_problem(401);
    assert!(is_in(&house, &other).await, "another log-in is another session");
}

/// Breaks if a copy of a refresh token is good for anything but the end of its session.
#[tokio::test]
async fn a_refresh_token_that_is_shown_twice_ends_its_session() {
    let house = House::open(&[]).await;
    let first = house.sign_up("ann").await;
    let other = house.log_in("ann", PASSWORD).await.user();
    let second = house.post("/api/refresh", &json!({ "refresh": first.refresh })).await.user();
    let mut heard = house.app.bus.subscribe();
    let again = house.post("/api/refresh", &json!({ "refresh": first.refresh })).await;
    again.is_problem(401);
    assert!(matches!(
        timeout(Duration::from_secs(10), heard.next()).await,
        Ok(Heard::Signal(signal)) if matches!(*signal, Signal::Revoked { .. })
    ));
    let never = house.post("/api/refresh", &json!({ "refresh": "never-a-token" })).await;
    assert_eq!(again.body, never.body, "nothing tells a thief what happened");
    assert!(!is_in(&house, &first).await && !is_in(&house, &second).await);
    house.post("/api/refresh", &json!({ "refresh": second.refresh })).await.is_problem(401);
    assert!(is_in(&house, &other).await);
}

/// Breaks if two that show one token at the same time are both served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_refreshes_at_once_one_is_served_and_the_session_ends() {
    let house = House::open(&[]).await;
    for round in 0..8 {
        let ann = house.sign_up(&format!("ann-{round}")).await;
        let body = json!({ "refresh": ann.refresh });
        let (one, two) =
            tokio::join!(house.post("/api/refresh", &body), house.post("/api/refresh", &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{one:?} {two:?}");
        let served = if one.status == 200 { one.user() } else { two.user() };
        assert!(!is_in(&house, &served).await);
        house.post("/api/refresh", &json!({ "refresh": served.refresh })).await.is_problem(401);
    }
}

/// Breaks if a session outlasts its time when nobody refreshes it.
#[tokio::test]
async fn a_session_that_nobody_refreshes_is_over() {
    let house = House::open(&[("SESSION_FOR", "1ms")]).await;
    let ann = house.sign_up("ann").await;
    let by = Instant::now() + Duration::from_secs(10);
    while is_in(&house, &ann).await {
        assert!(Instant::now() < by, "it is never over");
    }
    house.post("/api/refresh", &json!({ "refresh": ann.refresh })).await.is_problem(401);
}

/// Breaks if a page's scripts, or pages of others, get at a refresh token that is kept in a cookie.
#[tokio::test]
async fn a_cookie_is_only_for_pages_that_are_allowed() {
    let house = House::open(&[("ORIGINS", "https://chat.example")]).await;
    house.sign_up("ann").await;
    let mut body = account("ann", PASSWORD);
    body["keep"] = json!("cookie");
    let answer = house.post("/api/login", &body).await;
    assert!(answer.json().get("refresh").is_none(), "{answer:?}");
    let set = answer.field("set-cookie").expect("a cookie");
    for attribute in ["; Path=/api", "; HttpOnly", "; SameSite=Strict", "; Max-Age=2592000"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Secure"), "{set}");
    let cookie = set.split(';').next().expect("a pair").to_owned();
    let refresh = async |fields: &[(&str, &str)]| {
        let fields: Vec<_> = [JSON].iter().chain(fields).copied().collect();
        house.ask("POST /api/refresh", &fields, "{}").await
    };
    let page = ("origin", "https://chat.example");
    refresh(&[("cookie", &cookie)]).await.is_problem(403);
    refresh(&[("cookie", &cookie), ("origin", "https://evil.test")]).await.is_problem(403);
    refresh(&[page]).await.is_problem(401);
    let two = format!("{cookie}; refresh=another");
    refresh(&[("cookie", &two), page]).await.is_problem(400);
    // None of that has used it up.
    let answer = refresh(&[("cookie", &format!("theme=dark; {cookie}")), page]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.field("set-cookie").is_some_and(|next| !next.starts_with(&cookie)));
    assert!(answer.json().get("refresh").is_none(), "{answer:?}");
}
