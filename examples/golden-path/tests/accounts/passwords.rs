//! Names and passwords.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::house::{Answer, House, PASSWORD, account};

#[tokio::test]
async fn a_name_is_one_users_in_whatever_case() {
    let house = House::open(&[]).await;
    house.sign_up("Ann.Lee@chat-1_x").await;
    house.post("/api/signup", &account("ann.lee@CHAT-1_X", "another one")).await.is_problem(409);
    assert_eq!(house.log_in("ANN.LEE@chat-1_x", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn who_signs_up_is_told_which_rule_was_broken() {
    let house = House::open(&[]).await;
    let long_name = "a".repeat(65);
    for name in ["", "ab", &long_name, "two words", "änn", "ann\n", "ann\0", "<b>ann</b>", "ann/.."]
    {
        let answer = house.post("/api/signup", &account(name, PASSWORD)).await;
        answer.is_problem(400);
        assert!(answer.body.contains("a name has 3 to 64"), "{answer:?}");
    }
    for password in ["", "7 chars", &"p".repeat(129)] {
        let answer = house.post("/api/signup", &account("ann", password)).await;
        answer.is_problem(400);
        assert!(answer.body.contains("a password has 8 to 128"), "{answer:?}");
    }
    // Characters, not bytes; and every one of them counts.
    let password = "ä".repeat(128);
    assert_eq!(house.post("/api/signup", &account("bob", &password)).await.status, 201);
    assert_eq!(house.log_in("bob", &password).await.status, 200);
    house.log_in("bob", &format!("{}a", "ä".repeat(127))).await.is_problem(401);
    house.log_in("bob", &format!("{password}ä")).await.is_problem(401);
}

/// Breaks if an answer, or the time that it takes, tells whether there is such a user.
#[tokio::test]
async fn a_wrong_name_is_told_like_a_wrong_password() {
    let house = House::open(&[("NAME_ATTEMPTS", "100"), ("ADDRESS_ATTEMPTS", "1000")]).await;
    house.sign_up("ann").await;
    let mut least = [Duration::MAX; 2];
    for round in 0..6 {
        for (name, least) in ["ann", "nobody"].iter().zip(&mut least) {
            let began = Instant::now();
            let answer = house.log_in(name, "wrong password").await;
            *least = began.elapsed().min(*least);
            answer.is_problem(401);
            let known = house.log_in("ann", &format!("wrong {round}")).await;
            assert_eq!(answer.body, known.body);
            let names = |answer: &Answer| answer.field("www-authenticate").map(str::to_owned);
            assert_eq!(names(&answer), names(&known));
        }
    }
    let [known, unknown] = least;
    // Without a hash it would take a fiftieth of the time.
    assert!(unknown * 3 > known && known * 3 > unknown, "{known:?} {unknown:?}");
}

/// Breaks if what can be known of a user by its own token is more or less than it should be.
#[tokio::test]
async fn me_is_who_shows_the_token() {
    let house = House::open(&[]).await;
    let ann = house.sign_up("ann").await;
    let answer = house.get_as(&ann.access, "/api/me").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let (user, _) = house.app.store.user_by_name("ann").await.unwrap().unwrap();
    assert_eq!(answer.json()["user"], json!(user.id));
}
