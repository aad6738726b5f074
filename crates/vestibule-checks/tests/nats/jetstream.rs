//! JetStream, and a stream in it.

use vestibule::check::Reason;
use vestibule_checks::{Options, Value};

use crate::asked::text;
use crate::declared;
use crate::nats_server::{JETSTREAM, Nats};

fn wants_jetstream(url: String) -> Options {
    Options::url(url).with("jetstream", Value::Switch(true))
}

#[tokio::test]
async fn nats_without_jetstream_is_told_where_it_is_wanted() {
    let server = Nats::start("").await;
    let (reason, _, tries) = declared(&wants_jetstream(server.url())).fails().await;
    assert_eq!((reason, tries), (Reason::NoJetStream, 1));
}

#[tokio::test]
async fn an_account_without_jetstream_is_told_also_where_the_server_has_it() {
    let accounts = "accounts: { APP: { users: [ { user: ada, password: pw } ] }, \
                    BUS: { users: [ { user: sys, password: pw } ], jetstream: enabled } }";
    let server = Nats::start(&format!("{accounts}\n{JETSTREAM}")).await;
    let url = |user: &str| format!("nats://{user}:pw@127.0.0.1:{}", server.port());
    let (reason, text, _) = declared(&wants_jetstream(url("ada"))).fails().await;
    assert_eq!(reason, Reason::NoJetStream, "{text}");
    assert_eq!(declared(&wants_jetstream(url("sys"))).passes().await, "NATS 2.9.10, JetStream");
}

#[tokio::test]
async fn a_stream_that_is_wanted_must_exist() {
    let server = Nats::start(JETSTREAM).await;
    let asked = declared(&Options::url(server.url()).with("stream", text("EVENTS")));
    let (reason, words, tries) = asked.fails().await;
    assert_eq!((reason, words.as_str(), tries), (Reason::NoSuchStream, "stream not found", 1));
    let client = async_nats::connect(server.url()).await.unwrap();
    let stream = r#"{"name":"EVENTS","subjects":["events.>"],"storage":"memory"}"#;
    let answer = client.request("$JS.API.STREAM.CREATE.EVENTS", stream.into()).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer.payload).contains("\"error\""), "{answer:?}");
    assert_eq!(asked.passes().await, "NATS 2.9.10, JetStream, stream EVENTS");
}
