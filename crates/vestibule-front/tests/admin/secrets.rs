//! Puts a secret wherever a request can carry one, and looks for it in all that is said.

use vestibule::readiness::Failure;

use crate::actors::door::Door;
use crate::actors::ears::Ears;
use crate::actors::service::Service;
use crate::actors::{handshake, request, watched};
use crate::desk::{Desk, hears};
use vestibule_front::admin::route::Route;

const CANARY: &str = "canary-9b1d";
const TOKEN: &str = "canary-9b1d-a-token";

fn secrets() -> Vec<String> {
    let fields = format!(
        "Authorization: Bearer {CANARY}\r\nCookie: a={CANARY}\r\nOrigin: https://{CANARY}.test\r\n\
         Sec-WebSocket-Protocol: bearer.{CANARY}\r\nX-Api-Key: {CANARY}\r\ntraceparent: {CANARY}\r\n"
    );
    let target = format!("/{CANARY}?token={CANARY}");
    vec![
        handshake(&target, &fields),
        handshake(&target, &fields) + CANARY,
        request("GET", &target, &fields),
        request(CANARY, &target, &fields),
        format!("GET http://user:{CANARY}@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("{CANARY}\r\n\r\n"),
    ]
}

#[tokio::test]
async fn a32_no_secret_is_in_any_answer_event_or_log_line() {
    // With one listener alone, whichever thread meets a line first decides whether it is said.
    let _second = tracing::Dispatch::new(Ears::default());
    let (ears, _listening) = Ears::open();
    let said = watched(async {
        let service = Service::that_takes_all();
        let desk = Desk::with(Door::warm_before(service.port), Some(TOKEN));
        let shown = format!("Authorization: Bearer {TOKEN}\r\n");
        let follow = format!("GET /events HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n");
        let mut follower = crate::actors::client::Client::saying(desk.address, follow).await;
        for words in secrets() {
            desk.door.client(&words).await.hears_something().await;
            let to_admin = desk.says(&words.replace("Host: chat.test", "Host: localhost")).await;
            assert!(to_admin.status >= 400 && !to_admin.text().contains(CANARY), "{to_admin:?}");
        }
        let failure = Failure::new(format!("postgres://me:{CANARY}@db?password={CANARY}"));
        desk.door.front.service.failed(&failure, tokio::time::Instant::now());
        for words in secrets() {
            desk.door.client(&words).await.hears_something().await;
        }
        let mut said = String::new();
        for route in Route::ALL.into_iter().filter(|route| *route != Route::Events) {
            said += desk.get_with(route.path(), &shown).await.text();
        }
        desk.door.front.journal.drained(std::time::Duration::ZERO, 0, true);
        said + &hears(&mut follower, "0\r\n\r\n").await
    })
    .await;
    assert!(said.contains("vestibule.health/1") && said.contains("event: drained"), "{said}");
    assert!(!said.contains(CANARY), "{said}");
    let heard = ears.heard();
    assert!(heard.contains("refused") && heard.contains("admitted"), "the ears work: {heard}");
    // What an operator's own words say of a failure is the log's: it is not of a request.
    let told =
        heard.lines().find(|line| line.contains(CANARY) && !line.contains("failed: refusing"));
    assert_eq!(told, None);
}
