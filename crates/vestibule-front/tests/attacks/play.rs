//! Plays rows: each with a client, a front and a service of its own, all side by side.

use tokio::task::JoinSet;
use vestibule_front::head::forwarded::Trust;

use super::actors::client::{Client, find};
use super::actors::door::Door;
use super::actors::{request, until, watched};
use super::recorder::Recorder;
use super::row::{Row, Sees, Turn};

/// How many requests the front says that it has sent up.
pub(crate) fn door_count(door: &Door) -> u64 {
    door.front.upstream_requests.total()
}

/// Sends every row of a table to services that record, and says which rows broke a promise.
pub(crate) async fn play(rows: &[Row]) {
    let mut playing = JoinSet::new();
    for turn in rows.iter().flat_map(|row| row.turns()) {
        playing.spawn(async move { watched(play_one(&turn)).await.map_err(|why| (turn, why)) });
    }
    let played = playing.join_all().await;
    let broken: Vec<String> = played.into_iter().filter_map(Result::err).map(told).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn told((turn, why): (Turn, String)) -> String {
    format!("{}: {why}\n    after {:?}", turn.name, turn.bytes.escape_ascii().to_string())
}

/// A warm front before `port`.
pub(crate) fn door_for(row: &Row, port: u16) -> Door {
    let by_proxy = row.by_proxy;
    let door = Door::with(port, |settings| {
        if by_proxy {
            settings.trust = Trust::Proxies(vec!["127.0.0.1".parse().unwrap()]);
        }
    });
    door.ready();
    door.warms();
    door
}

async fn play_one(turn: &Turn) -> Result<(), String> {
    let recorder = Recorder::listens();
    let door = door_for(&turn.row, recorder.service.port);
    let mut client = Client::connect(door.address).await;
    let mut said = 0;
    if matches!(turn.sees, Sees::RefusedInBody(_)) {
        // The head is up before the body begins: in one piece not even that would be.
        said = find(&turn.bytes, b"\r\n\r\n").unwrap() + 4;
        client.send(&turn.bytes[..said]).await;
        until("the head is up", || recorder.everything().contains("\r\n\r\n")).await;
    }
    // A refusal may come before all of it is said.
    let _ = client.try_send(&turn.bytes[said..]).await;
    for _ in 0..turn.sees.answers() {
        let got = client.try_answer(turn.bytes.starts_with(b"HEAD ")).await?;
        let wanted = if turn.sees == Sees::Tunnel { 101 } else { 200 };
        expect("status", &got.status, &wanted)?;
    }
    if let Some(code) = turn.sees.refusal() {
        is_refused(&mut client, code).await?;
    }
    until("the request is whole", || recorder.whole().len() >= whole(turn.sees)).await;
    drop(client);
    expect("whole requests", &recorder.whole().len(), &whole(turn.sees))?;
    expect("requests counted by the front", &door_count(&door), &turn.sees.requests())?;
    if turn.sees.requests() == 0 {
        expect("bytes that went up", &recorder.everything(), &String::new())?;
    }
    let everything = recorder.everything();
    if let Some(missing) = turn.row.seen.iter().find(|words| !everything.contains(**words)) {
        // A row that is refused with the fields of a handshake shows nothing.
        if turn.sees.refusal().is_none() {
            return Err(format!("never went up: {missing:?}, but {everything:?}"));
        }
    }
    if let Some(words) = turn.row.never.iter().find(|words| everything.contains(**words)) {
        return Err(format!("went up: {words:?} in {everything:?}"));
    }
    an_honest_request_gets_its_own_answer(&door).await?;
    expect("counted in the end", &door_count(&door), &(turn.sees.requests() + 1))
}

/// Requests that come to the service whole.
fn whole(sees: Sees) -> usize {
    if matches!(sees, Sees::RefusedInBody(_)) { 0 } else { sees.answers() }
}

/// One refusal with this code, nothing of the request in it, and then the end.
pub(crate) async fn is_refused(client: &mut Client, code: &str) -> Result<(), String> {
    let refusal = client.try_answer(false).await?;
    let body = refusal.text();
    if !body.contains(&format!("\"code\":\"{code}\"")) {
        return Err(format!("not refused with {code}, but {} {body}", refusal.status));
    }
    expect(
        "connection",
        &refusal.field("connection").map(|c| c.starts_with("close")),
        &Some(true),
    )?;
    if ["a.test", "evil", "smuggled"].iter().any(|words| body.contains(words)) {
        return Err(format!("the refusal echoes the request: {body}"));
    }
    match client.rest().await.as_deref() {
        Ok([]) | Err(_) => Ok(()),
        Ok(more) => Err(format!("after the refusal came {:?}", more.escape_ascii().to_string())),
    }
}

pub(crate) async fn an_honest_request_gets_its_own_answer(door: &Door) -> Result<(), String> {
    let mut honest = door.client(request("GET", "/honest", "")).await;
    let answer = honest.try_answer(false).await?;
    expect("the honest client's answer", &(answer.status, answer.text()), &(200, "/honest"))
}

pub(crate) fn expect<T: PartialEq + std::fmt::Debug>(
    what: &str,
    got: &T,
    wanted: &T,
) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got:?} instead of {wanted:?}")) }
}
