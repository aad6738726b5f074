//! Bodies and heads that no client writes, and what is others'.

use serde_json::json;
use uuid::Uuid;

use crate::house::{House, JSON, PASSWORD, account};

/// Breaks if a form of another page, which a browser sends without asking, is taken for a request of ours.
#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let house = House::open(&[]).await;
    let body = account("ann", PASSWORD).to_string();
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/jsonp",
        "",
    ];
    for path in ["signup", "login", "refresh"] {
        let line = format!("POST /api/{path}");
        for kind in kinds {
            house.ask(&line, &[("content-type", kind)], &body).await.is_problem(415);
        }
        house.ask(&line, &[], &body).await.is_problem(415);
    }
    let kind = ("content-type", "application/json; charset=utf-8");
    assert_eq!(house.ask("POST /api/signup", &[kind], &body).await.status, 201);
}

/// Breaks if a body that can't be read does anything but that, or comes back to who sent it.
#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused() {
    let house = House::open(&[]).await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let bodies = [
        "",
        "{",
        "null",
        "[]",
        "\"canary-ann\"",
        "{\"name\":\"canary-ann\"}",
        "{\"name\":\"canary-ann\",\"password\":7}",
        "{\"name\":\"canary-ann\",\"password\":[\"correct horse\"]}",
        "{\"name\":\"canary-ann\",\"name\":\"canary-bob\",\"password\":\"correct horse\"}",
        "{\"name\":\"canary-ann\",\"password\":\"correct horse\",\"keep\":\"canary\"}",
        "{\"name\":\"canary-ann\",\"password\":\"correct horse\"} canary",
        "{\"name\":\"canary-ann\",\"password\":\"\\ud800 horse\"}",
        "name=canary-ann&password=correct+horse",
        &deep,
    ];
    for body in bodies {
        let answer = house.ask("POST /api/signup", &[JSON], body).await;
        answer.is_problem(400);
        assert!(!answer.body.contains("canary"), "{answer:?}");
    }
    let large = account("ann", &"p".repeat(16 * 1024)).to_string();
    for path in ["signup", "login", "refresh"] {
        house.ask(&format!("POST /api/{path}"), &[JSON], &large).await.is_problem(413);
    }
    assert!(house.app.store.user_by_name("canary-ann").await.unwrap().is_none());
}

/// Breaks if one of several tokens is chosen, or if one is taken from where logs and histories keep it.
#[tokio::test]
async fn a_request_has_one_token_and_not_in_its_address() {
    let house = House::open(&[]).await;
    let ann = house.sign_up("ann").await;
    let bob = house.sign_up("bob").await;
    let [one, two] = [&ann, &bob].map(|user| format!("Bearer {}", user.access));
    let ask = async |line: &str, fields: &[(&str, &str)]| house.ask(line, fields, "").await;
    let me = "GET /api/me";
    for two in [&one, &two] {
        ask(me, &[("authorization", &one), ("authorization", two)]).await.is_problem(400);
    }
    let none = ask(me, &[]).await;
    none.is_problem(401);
    let told = none.field("www-authenticate").expect("a challenge");
    assert!(!told.contains("error"), "RFC 6750 section 3.1: {told}");
    let list = format!("{one}, {two}");
    let basic = one.replace("Bearer", "Basic");
    for wrong in ["Bearer", "Bearer ", &basic, &list, &ann.access, "Bearer \u{e4}"] {
        ask(me, &[("authorization", wrong)]).await.is_problem(401);
    }
    for name in ["access_token", "token", "ToKeN", "x"] {
        let line = format!("{me}?{name}={}", ann.access);
        for fields in [&[][..], &[("authorization", &*one)]] {
            let answer = ask(&line, fields).await;
            answer.is_problem(400);
            assert!(answer.body.contains("must not stand in an address"), "{answer:?}");
            assert!(!answer.body.contains(&ann.access), "{answer:?}");
        }
    }
    // Any case of the scheme is right (RFC 9110 section 11.1).
    let lower = one.replace("Bearer", "bearer");
    assert_eq!(ask(me, &[("authorization", &lower)]).await.status, 200);
}

/// Breaks if a user sees another's thread, or learns that there is one.
#[tokio::test]
async fn another_users_thread_looks_like_none() {
    let house = House::open(&[]).await;
    let ann = house.sign_up("ann").await;
    let bob = house.sign_up("bob").await;
    let bearer = format!("Bearer {}", ann.access);
    let title = json!({ "title": "a secret title" }).to_string();
    let made = house.ask("POST /api/threads", &[("authorization", &bearer), JSON], &title).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let mine = format!("/api/threads/{id}/events");
    assert_eq!(house.get_as(&ann.access, &mine).await.status, 200);
    let others = house.get_as(&bob.access, &mine).await;
    others.is_problem(404);
    for id in [Uuid::new_v4().to_string(), "1".into(), format!("{id}'--"), "%00".into()] {
        let none = house.get_as(&bob.access, &format!("/api/threads/{id}/events")).await;
        none.is_problem(404);
        assert_eq!(none.body, others.body);
    }
    let list = house.get_as(&bob.access, "/api/threads").await;
    assert_eq!(list.json()["threads"], json!([]));
    house.ask(&format!("GET {mine}"), &[], "").await.is_problem(401);
}

/// Breaks if an answer can be taken for a page, or a page of ours be shown in another's.
#[tokio::test]
async fn no_answer_is_to_be_taken_for_something_else() {
    let house = House::open(&[]).await;
    for line in ["GET /", "GET /api/me", "GET /nothing", "POST /api/login", "DELETE /api/me"] {
        let answer = house.ask(line, &[], "").await;
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{line}");
        let policy = answer.field("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let answer = house.ask("GET /canary-path?canary=1", &[("x-canary", "canary")], "").await;
    answer.is_problem(404);
    assert!(!answer.body.contains("canary"), "{answer:?}");
}
