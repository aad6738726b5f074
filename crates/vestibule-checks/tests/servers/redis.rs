//! `redis` against a Redis that is down, late, silent, slow, busy, full, loading, following, orphaned, killed,
//! and back again.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use vestibule::check::Reason;
use vestibule::validation::{Mode, Opinion};
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{Asked, check};
use crate::redis_server::{PASSWORD, PASSWORD_IN_URL, Redis};
use crate::rig::{PATIENT, SHORT, failed, fails, keep, passed, passes, until};

fn rig(options: &Options, timeout: Duration, attempts: u32) -> Asked {
    Asked::within(check(Kind::Redis, options), timeout, attempts)
}

fn of(server: &Redis) -> Options {
    Options::url(server.url())
}

fn writable(server: &Redis) -> Options {
    of(server).with("writable", Value::Switch(true))
}

#[tokio::test]
async fn f31_a_late_redis_is_waited_for_and_a_flapping_one_is_down_and_up_by_counts() {
    let mut server = Redis::prepare("");
    let (reason, detail, tries) = fails(&rig(&of(&server), PATIENT, 3)).await;
    assert_eq!((reason, tries), (Reason::Refused, 3), "{detail}");

    let late = rig(&of(&server), PATIENT, 3);
    keep(&late);
    late.shows("misses it", |seen| failed(seen, Reason::Refused) > 3).await;
    server.run().await;
    late.shows("sees it", passed).await;

    let check = rig(&writable(&server), PATIENT, 1);
    assert_eq!(passes(&check).await, "PONG, of a primary");
    check.validation.ready();
    server.daemon().end(Signal::TERM);
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
}

/// Whether somebody is connected to this port: a server that is stopped can't be asked.
fn has_connection_to(port: u16) -> bool {
    let wanted = format!(" 0100007F:{port:04X} 01 ");
    fs::read_to_string("/proc/net/tcp").unwrap().contains(&wanted)
}

#[tokio::test]
async fn f27_a_silent_redis_is_cut_off_and_one_that_is_killed_amid_a_pass_fails_it() {
    let mut server = Redis::start("").await;
    server.daemon().freeze();
    let check = rig(&of(&server), SHORT, 2);
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::Silent, 2));
    assert_eq!(detail, "no more time while waiting for the answer to AUTH");

    let check = rig(&of(&server), PATIENT, 2);
    let killed = async {
        until("a connection", || has_connection_to(server.port())).await;
        server.kill();
    };
    let ((reason, detail, tries), ()) = tokio::join!(fails(&check), killed);
    let first = check.standing().tries[0].result.clone();
    assert_eq!(first.unwrap_err().reason(), Reason::Reset);
    assert_eq!((reason, tries), (Reason::Refused, 2), "{detail}");

    let back = rig(&of(&server), PATIENT, 1);
    keep(&back);
    back.shows("misses it", |seen| failed(seen, Reason::Refused) > 0).await;
    server.run().await;
    back.shows("sees it", passed).await;
}

#[tokio::test]
async fn f31_a_slow_redis_passes_and_a_busy_one_does_not() {
    let server = Redis::start("--busy-reply-threshold 20").await;
    assert_eq!(server.session().ask("CLIENT PAUSE 500 ALL"), "+OK");
    let slow = rig(&of(&server), PATIENT, 1);
    passes(&slow).await;
    assert!(slow.standing().tries[0].took >= Duration::from_millis(300));

    let mut session = server.session();
    session.tell("EVAL \"while true do end\" 0");
    let check = rig(&of(&server), PATIENT, 2);
    keep(&check);
    check.shows("sees it busy", |seen| failed(seen, Reason::Busy) > 1).await;
    let mut killer = server.session();
    assert_eq!(killer.ask("SCRIPT KILL"), "+OK");
    check.shows("sees it free", passed).await;
}

#[tokio::test]
async fn f31_what_a_redis_refuses_is_told_apart() {
    let server = Redis::start("--databases 4").await;
    let acl = "ACL SETUSER canary_guest on >canary-guest ~* +auth +select";
    assert_eq!(server.session().ask(acl), "+OK");
    let acl = "ACL SETUSER canary_reader on >canary-guest ~* +auth +ping";
    assert_eq!(server.session().ask(acl), "+OK");
    let at = |login: &str, path: &str| {
        Options::url(format!("redis://{login}127.0.0.1:{}{path}", server.port()))
    };
    let owner = format!(":{PASSWORD_IN_URL}@");
    let reader = "canary_reader:canary-guest@";
    let table = [
        (at("", ""), Reason::WrongCredentials, "NOAUTH"),
        (at(":canary-wrong@", ""), Reason::WrongCredentials, "WRONGPASS"),
        (at("canary_stranger:canary-wrong@", ""), Reason::WrongCredentials, "WRONGPASS"),
        (at("canary_guest:canary-guest@", ""), Reason::NotPermitted, "NOPERM"),
        (at(reader, "").with("writable", Value::Switch(true)), Reason::NotPermitted, "NOPERM"),
        (at(&owner, "/9"), Reason::NoSuchDatabase, "no database"),
    ];
    for (options, wanted, word) in table {
        let (reason, detail, tries) = fails(&rig(&options, PATIENT, 2)).await;
        assert_eq!((reason, tries), (wanted, 1), "{detail}");
        assert!(detail.contains(word), "{word}: {detail}");
    }
    passes(&rig(&at(&owner, "/3"), PATIENT, 1)).await;
    passes(&rig(&at(reader, "/0"), PATIENT, 1)).await;
}

#[tokio::test]
async fn f31_a_full_redis_is_left_alone_until_there_is_room() {
    let server = Redis::start("--maxclients 1").await;
    let session = server.session();
    for options in [of(&server), Options::url(format!("redis://127.0.0.1:{}", server.port()))] {
        let (reason, detail, tries) = fails(&rig(&options, PATIENT, 2)).await;
        assert_eq!((reason, tries), (Reason::Overloaded, 2), "{detail}");
    }
    drop(session);
    let check = rig(&of(&server), PATIENT, 1);
    keep(&check);
    check.shows("gets in", passed).await;
}

#[tokio::test]
async fn f31_a_redis_that_loads_is_starting() {
    let arguments = "--enable-debug-command yes --loading-process-events-interval-bytes 1024";
    let mut server = Redis::start(arguments).await;
    let mut session = server.session();
    assert_eq!(session.ask("DEBUG POPULATE 3000"), "+OK");
    assert_eq!(session.ask("SAVE"), "+OK");
    server.kill();
    server.argue("--key-load-delay 500");
    let check = rig(&of(&server), PATIENT, 2);
    keep(&check);
    check.shows("misses it", |seen| failed(seen, Reason::Refused) > 0).await;
    server.spawn();
    check.shows("sees it load", |seen| failed(seen, Reason::StartingUp) > 0).await;
    check.shows("sees it loaded", passed).await;
    assert_eq!(server.session().ask("DBSIZE"), ":3000");
}

#[tokio::test]
async fn f31_a_replica_passes_unless_writes_are_wanted_and_fails_as_an_orphan() {
    let mut primary = Redis::start("--repl-diskless-sync-delay 0").await;
    let of_primary = format!("--replicaof 127.0.0.1 {} --masterauth {PASSWORD}", primary.port());
    let mut replica = Redis::start(&format!("{of_primary} --replica-serve-stale-data no")).await;
    replica.daemon().says("MASTER <-> REPLICA sync: Finished with success", 0).await;
    let check = rig(&of(&replica), PATIENT, 2);
    assert_eq!(passes(&check).await, "PONG");
    let must_write = rig(&writable(&replica), PATIENT, 2);
    let (reason, detail, tries) = fails(&must_write).await;
    assert_eq!((reason, tries, detail.as_str()), (Reason::ReadOnly, 2, "it is a replica"));

    primary.kill();
    replica.daemon().says("Connection with master lost", 0).await;
    let (reason, detail, tries) = fails(&check).await;
    assert_eq!((reason, tries), (Reason::MasterDown, 2), "{detail}");

    assert_eq!(replica.session().ask("REPLICAOF NO ONE"), "+OK");
    assert_eq!(passes(&must_write).await, "PONG, of a primary");
}

#[tokio::test]
async fn f31_a_socket_in_the_file_system() {
    let mut server = Redis::prepare("--unixsocket socket");
    let path = server.daemon().folder().join("socket").display().to_string();
    let options = Options::url(format!("redis+unix://{path}?pass={PASSWORD_IN_URL}"));
    let check = rig(&options, PATIENT, 1);
    assert_eq!(fails(&check).await.1, "no such socket yet");
    server.run().await;
    assert_eq!(passes(&check).await, "PONG");
}
