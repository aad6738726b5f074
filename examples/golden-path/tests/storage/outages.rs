//! Breaks a store by its database: killed, hanging, locked by somebody else, losing an answer, refusing us.
//!
//! Each test has a server of its own. Nothing waits longer than [`BOUND`], and the same store works again afterwards.

use std::fmt::Debug;
use std::time::Duration;

use golden_path::event::{ThreadId, UserId};
use golden_path::store::{Accepted, AppendError, Lease, NewMessage, Store, StoreError};
use rustix::process::Signal;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::daemon::LONG;
use crate::ground::{
    Ground, LATER, begun, claim, completed, database, events, said, somebody, thinking,
};
use crate::postgres_server::Postgres;
use crate::relay::{Relay, Way};

/// A connection, all statements of a piece of work, and a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(12);
/// A server's crash must not take with it what it said was stored, as the settings of other tests let it.
const DURABLE: &str = "synchronous_commit = on\nmax_connections = 50";

#[tokio::test]
async fn a_killed_server_is_unavailable_in_time_and_the_store_works_again() {
    let mut server = Postgres::start(DURABLE).await;
    let scene = Scene::open(&server.url("")).await;
    server.kill();
    scene.is_unavailable().await;
    let opened = in_time(Store::open(&server.url(""))).await;
    unavailable(&opened.map(|_| ()));
    server.run().await;
    scene.works_again().await;
}

#[tokio::test]
async fn a_server_that_hangs_is_unavailable_in_time_and_the_store_works_again() {
    let server = Postgres::start(DURABLE).await;
    let relay = Relay::before(server.port(), Way::Free).await;
    let url = through(&server, &relay);
    let scene = Scene::open(&url).await;
    // Each answer of the server ends with this byte.
    relay.goes(Way::Withheld("Z"));
    scene.is_unavailable().await;
    relay.goes(Way::Silent);
    let opened = in_time(Store::open(&url)).await;
    unavailable(&opened.map(|_| ()));
    relay.goes(Way::Free);
    scene.works_again().await;
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let server = Postgres::start(DURABLE).await;
    let relay = Relay::before(server.port(), Way::Free).await;
    let Scene { store, user, thread, lease } = Scene::open(&through(&server, &relay)).await;
    let (bob, bobs) = somebody(&store, "bob").await;
    let new = said(bob, bobs, Uuid::new_v4());
    relay.goes(Way::Withheld("COMMIT"));
    let word = completed();
    let (accepted, appended) =
        tokio::join!(in_time(store.accept(new)), in_time(store.append(&lease, &word)));
    unavailable(&accepted);
    unavailable(&appended.map_err(database));
    relay.goes(Way::Free);
    let again = persist!(store.accept(new).await);
    assert!(matches!(again, Accepted::Again(event) if event.id == 1), "it was stored");
    let again = persist!(store.append(&lease, &word).await.map_err(database));
    assert_eq!(again.id, 2);
    assert_eq!(events(&store, user).await.len(), 2);
    assert_eq!(events(&store, bob).await.len(), 1);
    assert_eq!(begun(&store, user, thread).await.answers, 3);
}

#[tokio::test]
async fn a_crowd_loses_and_doubles_nothing_while_the_server_crashes() {
    // No more than are connected soon where nothing is optimized.
    const SPEAKERS: usize = 6;
    const EACH: usize = 10;
    let mut server = Postgres::start(DURABLE).await;
    let first = Scene::open(&server.url("")).await;
    let stores = [first.store.clone(), Store::open(&server.url("")).await.unwrap()];
    let (user, thread) = (first.user, first.thread);
    let mut crowd: JoinSet<()> =
        (0..SPEAKERS).map(|who| speak(stores[who % 2].clone(), user, thread, EACH)).collect();
    for crash in 1..=2 {
        let enough = EACH * crash;
        let end = Instant::now() + 2 * LONG;
        while stores[0].events_after(user, 0, 1_000).await.map_or(0, |told| told.len()) < enough {
            assert!(Instant::now() < end, "the crowd is silent");
            tokio::task::yield_now().await;
        }
        server.daemon().end(Signal::QUIT);
        server.run().await;
    }
    let all = async { while crowd.join_next().await.transpose().unwrap().is_some() {} };
    timeout(3 * LONG, all).await.expect("the crowd comes to an end");
    for lease in stores[1].take_over(claim("last", LATER, 2 * LATER)).await.unwrap() {
        stores[1].append(&lease, &completed()).await.unwrap();
    }
    // Each message once, each word once, and those of the scene.
    assert_eq!(events(&stores[0], user).await.len(), 2 * (1 + SPEAKERS * EACH));
    assert_eq!(stores[1].open_runs(user).await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_that_another_holds_is_unavailable_in_time() {
    let ground = Ground::postgres().await;
    let scene = Scene::open(ground.url()).await;
    let mut other = PgConnection::connect(ground.url()).await.unwrap();
    let holding = "BEGIN; UPDATE users SET last_event = last_event + 1";
    sqlx::raw_sql(holding).execute(&mut other).await.unwrap();
    unavailable(&in_time(scene.store.accept(scene.message())).await);
    assert_eq!(events(&scene.store, scene.user).await.len(), 1, "who reads does not wait");
    other.close().await.unwrap();
    scene.works_again().await;
}

#[tokio::test]
async fn a_due_run_in_other_hands_holds_up_nobody() {
    let ground = Ground::postgres().await;
    let Scene { store, user, thread, lease } = Scene::open(ground.url()).await;
    let free = begun(&store, user, thread).await;
    let mut other = PgConnection::connect(ground.url()).await.unwrap();
    let mut holding = other.begin().await.unwrap();
    let hold = sqlx::query("UPDATE runs SET epoch = epoch WHERE id = $1").bind(lease.run);
    hold.execute(&mut *holding).await.unwrap();
    for expected in [Some(free.run), None] {
        let taken = store.take_over(claim("two", LATER, 2 * LATER)).await.unwrap();
        assert_eq!(taken.first().map(|lease| lease.run), expected, "not the one that is held");
    }
    holding.rollback().await.unwrap();
    let taken = store.take_over(claim("two", LATER, 2 * LATER)).await.unwrap();
    assert_eq!(taken.first().map(|lease| lease.run), Some(lease.run));
}

#[tokio::test]
async fn a_file_that_another_holds_is_unavailable_in_time() {
    let ground = Ground::sqlite();
    let scene = Scene::open(ground.url()).await;
    let mut other = SqliteConnection::connect(ground.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    unavailable(&in_time(scene.store.accept(scene.message())).await);
    assert_eq!(events(&scene.store, scene.user).await.len(), 1, "who reads does not wait");
    other.close().await.unwrap();
    scene.works_again().await;
}

#[tokio::test]
async fn an_address_that_is_wrong_says_so_and_tells_no_secret() {
    let ground = Ground::postgres().await;
    let url = ground.url();
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("canary_folder/canary.db");
    for wrong in [
        url.replace("canary-pass", "canary-fail"),
        url.replace("canary_user", "canary_nobody"),
        url.replace("/ground_", "/canary_"),
        "postgres://canary:canary@[canary/canary".to_owned(),
        "mysql://canary:canary@127.0.0.1/canary".to_owned(),
        "canary".to_owned(),
        String::new(),
    ] {
        let error = in_time(Store::open(&wrong)).await.expect_err("it is wrong");
        assert!(matches!(error, StoreError::Address(_)), "{error}");
        tells_no_secret(&error);
    }
    let missing = Store::open(&format!("sqlite:{}", inside.display())).await;
    unavailable(&missing.map(|_| ()));
}

/// A store with a user, a thread and a run.
struct Scene {
    store: Store,
    user: UserId,
    thread: ThreadId,
    lease: Lease,
}

impl Scene {
    async fn open(url: &str) -> Self {
        let store = Store::open(url).await.unwrap();
        let (user, thread) = somebody(&store, "ann").await;
        let lease = begun(&store, user, thread).await;
        Self { store, user, thread, lease }
    }

    fn message(&self) -> NewMessage<'static> {
        said(self.user, self.thread, Uuid::new_v4())
    }

    async fn is_unavailable(&self) {
        let word = thinking("lost");
        let (ping, read, accepted, appended) = tokio::join!(
            in_time(self.store.ping()),
            in_time(self.store.events_after(self.user, 0, 10)),
            in_time(self.store.accept(self.message())),
            in_time(self.store.append(&self.lease, &word)),
        );
        unavailable(&ping);
        unavailable(&read);
        unavailable(&accepted);
        unavailable(&appended.map_err(database));
    }

    async fn works_again(&self) {
        persist!(self.store.ping().await);
        let new = self.message();
        persist!(self.store.accept(new).await);
        let word = completed();
        persist!(self.store.append(&self.lease, &word).await.map_err(database));
        assert_eq!(events(&self.store, self.user).await.len(), 3);
    }
}

/// Says messages, each with an answer of one word, over and over until they are stored.
async fn speak(store: Store, user: UserId, thread: ThreadId, messages: usize) {
    let end = Instant::now() + 3 * LONG;
    for _ in 0..messages {
        let new = said(user, thread, Uuid::new_v4());
        let lease = loop {
            match store.accept(new).await {
                Ok(Accepted::New { lease, .. }) => break Some(lease),
                // Nobody knows of its run: it goes to whoever takes it over.
                Ok(Accepted::Again(_)) => break None,
                Err(StoreError::Unavailable(_)) if Instant::now() < end => {}
                other => panic!("{other:?}"),
            }
        };
        let Some(lease) = lease else { continue };
        while let Err(error) = store.append(&lease, &completed()).await {
            let lost = matches!(error, AppendError::Store(StoreError::Unavailable(_)));
            assert!(lost && Instant::now() < end, "{error}");
        }
    }
}

/// The server's address by way of the relay.
fn through(server: &Postgres, relay: &Relay) -> String {
    server.url("").replace(&format!(":{}/", server.port()), &format!(":{}/", relay.port()))
}

async fn in_time<T>(asked: impl Future<Output = T>) -> T {
    timeout(BOUND, asked).await.expect("an answer in time")
}

fn unavailable<T: Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    tells_no_secret(answer.as_ref().err().unwrap());
}

fn tells_no_secret(error: &StoreError) {
    let text = format!("{error} {error:?}");
    for secret in ["canary", "127.0.0.1", "hello", "INSERT", "SELECT", "UPDATE"] {
        assert!(!text.contains(secret), "{text}");
    }
}
