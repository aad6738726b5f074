//! A user's threads over HTTP.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;
use crate::service::{Answer, RUN, Service, User};

async fn get(service: &Service, user: &User, target: &str) -> Answer {
    let fields = format!("authorization: Bearer {}\r\n", user.access);
    service.ask("GET", target, &fields, "").await
}

fn ids(answer: &Answer) -> Vec<i64> {
    let events = answer.json()["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["id"].as_i64().unwrap()).collect()
}

/// Breaks if a thread that was made is not listed, or is for somebody else.
#[tokio::test]
async fn a_thread_is_made_and_listed_for_its_user_alone() {
    let service = Service::start().await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let fields =
        format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", ann.access);
    let made = service.ask("POST", "/api/threads", &fields, r#"{"title":" plans "}"#).await;
    assert_eq!((made.status, &made.json()["title"]), (201, &json!("plans")));
    let titles = |answer: Answer| -> Vec<Value> {
        let threads = answer.json()["threads"].as_array().unwrap().clone();
        threads.iter().map(|thread| thread["title"].clone()).collect()
    };
    let mut anns = titles(get(&service, &ann, "/api/threads").await);
    anns.sort_by_key(ToString::to_string);
    assert_eq!(anns, ["plans", "talk"]);
    assert_eq!(titles(get(&service, &ben, "/api/threads").await), ["talk"]);
    for body in ["", "{", r#"{"title":""}"#, r#"{"title":"a\u0000b"}"#, "[]"] {
        assert_eq!(service.ask("POST", "/api/threads", &fields, body).await.status, 400, "{body}");
    }
    let huge = json!({ "title": "x".repeat(201) }).to_string();
    assert_eq!(service.ask("POST", "/api/threads", &fields, &huge).await.status, 400);
}

/// Breaks if a page leaves an event out or has no end, or if it differs from what the socket told.
#[tokio::test]
async fn the_events_of_a_thread_come_in_pages() {
    let service = Service::start().await;
    let ann = service.user("ann").await;
    let mut client = Client::new(&service, &ann).await;
    client.message(&ann, "What time is it?").await;
    let mut told = Vec::new();
    for _ in 0..RUN.len() {
        told.push(client.event().await);
    }
    let path = format!("/api/threads/{}/events", ann.thread);
    let all = get(&service, &ann, &path).await;
    assert!(all.head.contains("\r\ncache-control: no-store"), "{}", all.head);
    assert_eq!(all.json(), json!({ "events": told, "more": false }));
    let first = get(&service, &ann, &format!("{path}?limit=3")).await;
    assert_eq!((ids(&first), &first.json()["more"]), (vec![1, 2, 3], &json!(true)));
    assert_eq!(ids(&get(&service, &ann, &format!("{path}?after=3&limit=500")).await), [4, 5, 6, 7]);
    for wrong in ["limit=0", "limit=501", "after=x", "after=-1"] {
        assert_eq!(get(&service, &ann, &format!("{path}?{wrong}")).await.status, 400, "{wrong}");
    }
}

/// Breaks if somebody can find out that another's thread exists, or who has no token anything.
#[tokio::test]
async fn another_users_thread_looks_like_none() {
    let service = Service::start().await;
    let (ann, ben) = (service.user("ann").await, service.user("ben").await);
    let of_another = get(&service, &ben, &format!("/api/threads/{}/events", ann.thread)).await;
    let unknown = get(&service, &ben, &format!("/api/threads/{}/events", Uuid::new_v4())).await;
    let nonsense = get(&service, &ben, "/api/threads/nonsense/events").await;
    assert_eq!((of_another.status, &of_another.body), (404, &unknown.body));
    assert_eq!((unknown.status, &nonsense.body), (404, &unknown.body));
    let path = format!("/api/threads/{}/events", ann.thread);
    assert_eq!(service.ask("GET", &path, "", "").await.status, 401);
    let in_query = format!("{path}?token={}", ann.access);
    assert_eq!(get(&service, &ann, &in_query).await.status, 400);
}
