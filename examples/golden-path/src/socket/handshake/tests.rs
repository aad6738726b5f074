//! Heads of handshakes, right and wrong.

use axum::http::{HeaderName, HeaderValue};

use super::*;
use crate::api::credentials::TOKEN_MAX;

fn head(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter().map(field) {
        headers.append(name, value);
    }
    headers
}

fn refusal(fields: &[(&'static str, &str)], query: Option<&str>) -> Option<Refusal> {
    read(&head(fields), query).err()
}

const AUTHORIZATION: (&str, &str) = ("authorization", "Bearer abc.def.ghi");
const OFFER: (&str, &str) = ("sec-websocket-protocol", "golden-path.v1, bearer.abc.def.ghi");

/// Breaks if one of the two ways to send a token stops working.
#[test]
fn a_token_comes_by_authorization_or_by_subprotocol() {
    for fields in [[AUTHORIZATION], [OFFER], [("authorization", "bearer  abc.def.ghi")]] {
        assert_eq!(read(&head(&fields), None).expect("good").token, "abc.def.ghi");
    }
    let apart = [
        ("sec-websocket-protocol", "bearer.abc.def.ghi"),
        ("sec-websocket-protocol", "golden-path.v1"),
    ];
    assert_eq!(refusal(&apart, None), None);
}

/// Breaks if two tokens are taken: which one counts would be a guess.
#[test]
fn none_or_several_tokens_are_refused() {
    assert_eq!(refusal(&[], None), Some(Refusal::NoToken));
    assert_eq!(refusal(&[AUTHORIZATION, OFFER], None), Some(Refusal::ManyTokens));
    assert_eq!(refusal(&[AUTHORIZATION, AUTHORIZATION], None), Some(Refusal::ManyTokens));
    let two = ("sec-websocket-protocol", "golden-path.v1, bearer.a, bearer.b");
    assert_eq!(refusal(&[two], None), Some(Refusal::ManyTokens));
}

/// Breaks if something that can't be a token reaches the room that looks at tokens.
#[test]
fn what_is_no_token_is_refused() {
    let long = format!("Bearer {}", "a".repeat(TOKEN_MAX + 1));
    for value in ["Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a,b", "abc", &long] {
        assert_eq!(refusal(&[("authorization", value)], None), Some(Refusal::BadToken), "{value}");
    }
    let bare = ("sec-websocket-protocol", "golden-path.v1, bearer.");
    assert_eq!(refusal(&[bare], None), Some(Refusal::BadToken));
}

/// Breaks if a client gets a socket whose language it did not offer.
#[test]
fn offers_without_ours_are_refused() {
    let other = ("sec-websocket-protocol", "chat, bearer.abc");
    assert_eq!(refusal(&[other], None), Some(Refusal::Subprotocol));
    let other = ("sec-websocket-protocol", "golden-path.v2");
    assert_eq!(refusal(&[AUTHORIZATION, other], None), Some(Refusal::Subprotocol));
}

/// Breaks if a token in an address is taken, or passed over, under whatever name: logs keep addresses.
#[test]
fn a_token_in_the_query_is_refused() {
    let queries = [
        "token=x",
        "Access_Token=x",
        "last_event_id=1&jwt",
        "x=eyJhbGciOiJFZERTQSJ9.e30.c2ln",
        "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
        "%74oken=x",
    ];
    for query in queries {
        assert_eq!(refusal(&[AUTHORIZATION], Some(query)), Some(Refusal::TokenInQuery), "{query}");
    }
    assert_eq!(refusal(&[AUTHORIZATION], Some("v=2")), None);
}

/// Breaks if a place that is none is taken for "from now on": events would be lost.
#[test]
fn a_place_is_one_number() {
    fn after(query: Option<&str>) -> Result<Option<i64>, Refusal> {
        read(&head(&[AUTHORIZATION]), query).map(|asked| asked.after)
    }
    assert_eq!(after(None).ok(), Some(None));
    assert_eq!(after(Some("last_event_id=0")).ok(), Some(Some(0)));
    assert_eq!(after(Some("last_event_id=41")).ok(), Some(Some(41)));
    for wrong in ["", "-1", "+1", "1e3", "x", "9223372036854775808", "1&last_event_id=1"] {
        let query = format!("last_event_id={wrong}");
        assert_eq!(after(Some(&query)).err(), Some(Refusal::Place), "{query}");
    }
}

/// Breaks if a trace is lost, or if something else than a trace is taken over into the log.
#[test]
fn the_correlation_is_the_trace_or_the_request_or_new() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let request = ("x-request-id", "req-1");
    assert_eq!(correlation(&head(&[("traceparent", &parent), request])), trace);
    let later = format!("01-{trace}-00f067aa0ba902b7-01-more");
    assert_eq!(correlation(&head(&[("traceparent", &later)])), trace);
    let wrong = [
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("ff-{trace}-00f067aa0ba902b7-01"),
        format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
        format!("{parent}-more"),
        trace.to_owned(),
    ];
    for value in &wrong {
        assert_eq!(correlation(&head(&[("traceparent", value), request])), "req-1", "{value}");
    }
    let long = "a".repeat(REQUEST_ID_MAX + 1);
    for id in ["", "two words", "a\"b", "ü", &long] {
        let made = correlation(&head(&[("x-request-id", id)]));
        assert!(Uuid::try_parse(&made).is_ok(), "{id}");
    }
}
