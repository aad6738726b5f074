//! `postgres` against a PostgreSQL that is down, late, silent, slow, full, starting, following, read-only,
//! leaving, killed, and back again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use vestibule::check::Reason;
use vestibule::validation::{Mode, Opinion};
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{Asked, check};
use crate::postgres_server::{PASSWORD_IN_URL, Postgres, USER};
use crate::rig::{PATIENT, SHORT, failed, fails, keep, passed, passes, until};

fn rig(options: &Options, timeout: Duration, attempts: u32) -> Asked {
    Asked::within(check(Kind::Postgres, options), timeout, attempts)
}

fn asking(server: &Postgres, query: &str) -> Options {
    Options::url(server.url("")).with("query", Value::Text(query.to_owned()))
}

fn writable(server: &Postgres) -> Options {
    Options::url(server.url("")).with("writable", Value::Switch(true))
}

/// A session of `psql`, open for as long as it is kept.
struct Session(Child);

impl Session {
    fn open(server: &Postgres) -> Self {
        let mut child = server.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"SELECT 'in';\n").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "in\n");
        Self(child)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn f32_a_late_postgres_is_waited_for_and_a_flapping_one_is_down_and_up_by_counts() {
    let mut server = Postgres::prepare("log_disconnections = on").await;
    let check = rig(&Options::url(server.url("")), PATIENT, 3);
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::Refused, 3), "{detail}");

    // Late: it starts when it has been missed often enough.
    let late = rig(&Options::url(server.url("")), PATIENT, 3);
    keep(&late);
    late.shows("misses it", |seen| failed(seen, Reason::Refused) > 3).await;
    server.run().await;
    late.shows("sees it", passed).await;

    // Flapping: three failures in a row are down, two successes are up.
    let check = rig(&Options::url(server.url("")), PATIENT, 1);
    assert!(passes(&check).await.starts_with("PostgreSQL "));
    check.validation.ready();
    server.kill();
    let down = Opinion::Ready { degraded: vec!["asked".into()] };
    let up = Opinion::Ready { degraded: Vec::new() };
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(check.validation.pass(Mode::Gate).await);
        assert!(!passed(&check.standing()));
    }
    assert_eq!(seen, [up.clone(), up.clone(), down.clone()]);
    server.run().await;
    assert_eq!(check.validation.pass(Mode::Gate).await, down);
    assert_eq!(check.validation.pass(Mode::Gate).await, up);

    // One session for each try, and a goodbye at its end.
    until("goodbyes", || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vestibule'")
            == "0"
    })
    .await;
    let log = server.daemon().log();
    assert!(!log.contains("unexpected EOF") && !log.contains("could not receive"), "{log}");
}

#[tokio::test]
async fn f27_a_silent_or_slow_postgres_is_cut_off_where_it_stands() {
    let mut server = Postgres::start("").await;
    let check = rig(&Options::url(server.url("")), SHORT, 2);
    server.daemon().freeze();
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::Silent, 2));
    assert_eq!(detail, "no more time while waiting for the answer to a login");
    server.daemon().signal(Signal::CONT);
    passes(&rig(&Options::url(server.url("")), PATIENT, 1)).await;

    let slow = rig(&asking(&server, "SELECT pg_sleep(0.5), 'canary_query'"), PATIENT, 1);
    passes(&slow).await;
    assert!(slow.standing().tries[0].took >= Duration::from_millis(500));
    let slower = rig(&asking(&server, "SELECT pg_sleep(20), 'canary_query'"), SHORT, 1);
    let (reason, detail, _) = fails(&slower).await;
    assert_eq!(reason, Reason::TimedOut);
    assert_eq!(detail, "no more time while waiting for the answer to the query");
}

#[tokio::test]
async fn f32_what_a_postgres_refuses_is_told_apart() {
    let server = Postgres::start("statement_timeout = '2s'").await;
    server.sql("CREATE ROLE canary_guest LOGIN PASSWORD 'canary-guest' CONNECTION LIMIT 1");
    server.sql("CREATE ROLE canary_nobody NOLOGIN PASSWORD 'canary-guest'");
    let at = |user: &str, database: &str| {
        Options::url(format!("postgresql+asyncpg://{user}@127.0.0.1:{}/{database}", server.port()))
    };
    let owner = format!("{USER}:{PASSWORD_IN_URL}");
    let guest = "canary_guest:canary-guest";
    let table = [
        (at(&format!("{USER}:canary-wrong"), "postgres"), Reason::WrongCredentials, "28P01"),
        (at("canary_stranger:canary-wrong", "postgres"), Reason::WrongCredentials, "28P01"),
        (at("canary_nobody:canary-guest", "postgres"), Reason::WrongCredentials, "28000"),
        (at(USER, "postgres"), Reason::WrongCredentials, "wants a password"),
        (at(&owner, "nowhere"), Reason::NoSuchDatabase, "3D000"),
        (
            at(guest, "postgres").with("query", text("SELECT 'canary_query' FROM pg_authid")),
            Reason::NotPermitted,
            "42501",
        ),
        (asking(&server, "SELECT canary_column FROM canary_table"), Reason::QueryFailed, "42P01"),
        (asking(&server, "canary_query"), Reason::QueryFailed, "42601"),
        (asking(&server, "SELECT repeat('canary_query', 100000)"), Reason::TooLarge, "65536"),
    ];
    for (options, wanted, word) in table {
        let (reason, detail, tries) = fails(&rig(&options, PATIENT, 2)).await;
        assert_eq!(reason, wanted, "{detail}");
        assert!(detail.contains(word), "{word}: {detail}");
        let once = reason.class() == vestibule::check::Class::Configuration;
        assert_eq!(tries == 1, once, "{reason:?}");
    }
    let cancelled = asking(&server, "SELECT pg_sleep(20)");
    assert_eq!(fails(&rig(&cancelled, PATIENT, 1)).await.0, Reason::TimedOut);
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[tokio::test]
async fn f32_a_full_postgres_is_left_alone_and_one_that_ends_sessions_is_asked_again() {
    let mut server = Postgres::start("max_connections = 2\nmax_wal_senders = 0").await;
    let check = rig(&Options::url(server.url("")), PATIENT, 2);
    let sessions = [Session::open(&server), Session::open(&server)];
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::Overloaded, 2), "{detail}");
    drop(sessions);
    until("room", || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            == "1"
    })
    .await;
    passes(&check).await;

    // Told to go, it takes nobody new while a session is open.
    let session = Session::open(&server);
    server.daemon().signal(Signal::TERM);
    server.daemon().says("received smart shutdown request", 0).await;
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::ShuttingDown, 2), "{detail}");
    drop(session);
    server.daemon().says("database system is shut down", 0).await;
}

#[tokio::test]
async fn f32_a_postgres_that_is_killed_amid_a_pass_fails_it_and_is_seen_when_it_is_back() {
    let mut server = Postgres::start("").await;
    let check = rig(&asking(&server, "SELECT pg_sleep(20)"), PATIENT, 2);
    let asks = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vestibule' AND state = 'active'";

    // Its session is ended, and the next one dies with the server.
    let killed = async {
        until("asks", || server.sql(asks) == "1").await;
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vestibule'");
        until("asks again", || check.standing().tries.len() == 1 && server.sql(asks) == "1").await;
        server.kill();
    };
    let ((reason, detail, tries), ()) = tokio::join!(fails(&check), killed);
    assert_eq!(
        check.standing().tries[0].result.as_ref().unwrap_err().reason(),
        Reason::ShuttingDown
    );
    assert_eq!((reason, tries), (Reason::Reset, 2), "{detail}");

    let back = rig(&Options::url(server.url("")), PATIENT, 1);
    keep(&back);
    back.shows("misses it", |seen| failed(seen, Reason::Refused) > 0).await;
    server.run().await;
    back.shows("sees it", passed).await;
}

#[tokio::test]
async fn f32_a_standby_is_starting_then_read_only_and_a_primary_once_promoted() {
    let primary = Postgres::start("").await;
    let mut standby = Postgres::standby_of(&primary, "hot_standby = off").await;
    let from = standby.spawn();
    standby.daemon().says("started streaming WAL", from).await;
    let check = rig(&Options::url(standby.url("")), PATIENT, 2);
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::StartingUp, 2), "{detail}");

    standby.stop();
    standby.configure("hot_standby = on");
    standby.run().await;
    let saw = passes(&check).await;
    assert!(saw.starts_with("PostgreSQL ") && saw.ends_with(", in recovery, read-only"), "{saw}");
    let must_write = rig(&writable(&standby), PATIENT, 2);
    let (reason, detail, tries) = fails(&must_write).await;
    assert_eq!((reason, tries), (Reason::ReadOnly, 2), "{detail}");

    // Of two places the one that takes writes is found.
    let both = format!(
        "postgres://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        standby.port(),
        primary.port()
    );
    assert!(passes(&rig(&Options::url(both), PATIENT, 1)).await.ends_with("read-write"));

    assert_eq!(standby.sql("SELECT pg_promote()"), "t");
    assert!(passes(&must_write).await.ends_with(", read-write"));
}

#[tokio::test]
async fn f32_a_read_only_database_and_a_socket_in_the_file_system() {
    let mut server = Postgres::start("default_transaction_read_only = on").await;
    let check = rig(&Options::url(server.url("")), PATIENT, 1);
    assert!(passes(&check).await.ends_with(", read-only"));
    assert_eq!(fails(&rig(&writable(&server), PATIENT, 1)).await.0, Reason::ReadOnly);
    let writes = asking(&server, "CREATE TABLE canary_table (a int)");
    let (reason, detail, _) = fails(&rig(&writes, PATIENT, 1)).await;
    assert_eq!(reason, Reason::ReadOnly);
    assert!(detail.contains("25006"), "{detail}");

    let (folder, port) = (server.daemon().folder().display().to_string(), server.port());
    let at = |port: u16| {
        format!("postgresql://{USER}:{PASSWORD_IN_URL}@/postgres?host={folder}&port={port}")
    };
    passes(&rig(&Options::url(at(port)), PATIENT, 1)).await;
    let (reason, detail, _) = fails(&rig(&Options::url(at(1)), PATIENT, 1)).await;
    assert_eq!((reason, detail.as_str()), (Reason::Refused, "no such socket yet"));
}
