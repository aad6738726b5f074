//! Who gets a socket, and what the others are told before there is one.

use serde_json::json;

use crate::client::{Client, handshake};
use crate::service::{Service, User};

/// The status of a refused handshake, which must be an answer as documented.
async fn refused(service: &Service, query: &str, fields: &[(&str, &str)]) -> u16 {
    let response = *handshake(service, query, fields).await.expect_err("a refusal");
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers["content-type"], "application/problem+json");
    let body = String::from_utf8(body.unwrap_or_default()).unwrap();
    for (_, value) in fields {
        assert!(!body.contains(value), "{body}");
    }
    if parts.status == 401 {
        assert!(parts.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
    }
    parts.status.as_u16()
}

async fn ground() -> (Service, User, String) {
    let service = Service::with(|settings| {
        settings.origins = vec!["https://chat.example".into()];
    })
    .await;
    let ann = service.user("ann").await;
    let bearer = format!("Bearer {}", ann.access);
    (service, ann, bearer)
}

/// Breaks if one without a good token gets a socket, or an answer that is no 401.
#[tokio::test]
async fn without_a_good_token_there_is_no_socket() {
    let (service, ann, bearer) = ground().await;
    let forged = format!("{}A", bearer.trim_end_matches(|c: char| c != '.'));
    let offered = format!("golden-path.v1, bearer.{}", ann.access);
    assert_eq!(refused(&service, "", &[]).await, 401);
    assert_eq!(refused(&service, "", &[("authorization", "Bearer nonsense")]).await, 401);
    assert_eq!(refused(&service, "", &[("authorization", &forged)]).await, 401);
    assert_eq!(refused(&service, "", &[("authorization", "Basic YTpi")]).await, 401);
    let twice = [("authorization", bearer.as_str()), ("sec-websocket-protocol", &offered)];
    assert_eq!(refused(&service, "", &twice).await, 400);
    let refresh = format!("Bearer {}", ann.refresh);
    assert_eq!(refused(&service, "", &[("authorization", &refresh)]).await, 401);
}

/// Breaks if a token in an address is good for anything, alone or beside a good one.
#[tokio::test]
async fn a_token_in_the_query_is_refused() {
    let (service, ann, bearer) = ground().await;
    for name in ["token", "access_token", "anything"] {
        let query = format!("?{name}={}", ann.access);
        assert_eq!(refused(&service, &query, &[]).await, 400);
        assert_eq!(refused(&service, &query, &[("authorization", &bearer)]).await, 400);
    }
    for query in ["?last_event_id=x", "?last_event_id=-1", "?last_event_id=1&last_event_id=1"] {
        assert_eq!(refused(&service, query, &[("authorization", &bearer)]).await, 400);
    }
}

/// Breaks if a page of another origin gets a socket, or one that is no page does not.
#[tokio::test]
async fn pages_of_other_origins_get_no_socket() {
    let (service, _, bearer) = ground().await;
    let own = format!("http://{}", service.address);
    for origin in [own.as_str(), "null", "https://chat.example.evil.test", "http://chat.example"] {
        let fields = [("authorization", bearer.as_str()), ("origin", origin)];
        assert_eq!(refused(&service, "", &fields).await, 403, "{origin}");
    }
    let fields = [("authorization", bearer.as_str()), ("origin", "https://chat.example")];
    for fields in [&fields[..], &fields[..1]] {
        let refusal = handshake(&service, "", fields).await.err();
        assert_eq!(refusal.map(|refusal| refusal.into_body()), None);
    }
}

/// Breaks if the answer chooses the token, or a language that was not offered.
#[tokio::test]
async fn the_answer_chooses_our_subprotocol_and_never_the_token() {
    let (service, ann, bearer) = ground().await;
    let offers = format!("bearer.{}, other, golden-path.v1", ann.access);
    let fields = [("sec-websocket-protocol", offers.as_str())];
    let (_, response) = handshake(&service, "", &fields).await.unwrap();
    let chosen: Vec<_> = response.headers().get_all("sec-websocket-protocol").iter().collect();
    assert_eq!(chosen, ["golden-path.v1"]);
    let (_, response) = handshake(&service, "", &[("authorization", &bearer)]).await.unwrap();
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
    let offers = format!("bearer.{}, other", ann.access);
    assert_eq!(refused(&service, "", &[("sec-websocket-protocol", &offers)]).await, 400);
}

/// Breaks if a plain request is taken for a handshake.
#[tokio::test]
async fn a_plain_request_is_told_to_upgrade() {
    let (service, _, bearer) = ground().await;
    let answer = service.ask("GET", "/ws", &format!("authorization: {bearer}\r\n"), "").await;
    assert_eq!(answer.status, 426);
    assert!(answer.head.contains("\r\nupgrade: websocket"), "{}", answer.head);
}

/// Breaks if a run can't be followed from the door's trace to its socket.
#[tokio::test]
async fn the_greeting_says_the_trace_that_the_door_passed() {
    let (service, ann, bearer) = ground().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let fields = [("authorization", bearer.as_str()), ("traceparent", &parent)];
    let (stream, _) = handshake(&service, "", &fields).await.unwrap();
    let mut client = Client { stream, hello: json!(null), last: 0 };
    assert_eq!(client.frame().await["correlation"], trace);
    client.message(&ann, "What time is it?").await;
    client.event().await;
    let new = Client::new(&service, &ann).await.hello["correlation"].clone();
    assert!(new != trace && new.as_str().is_some_and(|id| id.len() == 36), "{new}");
}
