//! Breaks the order of a race: a target that dies early, never listens, or is left alone when the
//! race is dropped; an address that gets better half-way.

use std::{fs, net::SocketAddr, path::Path};

use futures_util::StreamExt as _;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_tungstenite::accept_async;

use super::*;
use crate::scenario::{Address, Door, Launch, Target};

fn shell(script: &str) -> Launch {
    Launch { argv: vec!["sh".into(), "-c".into(), script.into()], env: Vec::new() }
}

fn short(target: Target) -> Scenario {
    Scenario {
        clients: 4,
        head_start: Duration::ZERO,
        spread: Duration::from_millis(40),
        settle: Duration::from_millis(20),
        timeout: Duration::from_millis(400),
        ..Scenario::new(target)
    }
}

#[tokio::test]
async fn a_command_that_ends_before_it_listens_is_an_error() {
    let scenario = short(Target::Bare(shell("echo no database >&2; exit 3")));
    let error = run(&scenario, |_| {}).await.unwrap_err();
    assert!(matches!(error, RaceError::ExitedEarly { exit: Exit::Status(3), .. }), "{error}");
}

#[tokio::test]
async fn a_command_that_never_listens_is_an_error() {
    let scenario = short(Target::Bare(shell("exec sleep 100")));
    let error = run(&scenario, |_| {}).await.unwrap_err();
    assert!(matches!(error, RaceError::PortNeverOpened { .. }), "{error}");
}

#[tokio::test]
async fn more_clients_than_descriptors_are_turned_down_at_once() {
    let scenario = Scenario { clients: usize::MAX, ..short(Target::Bare(shell("exec sleep 100"))) };
    let error = run(&scenario, |_| {}).await.unwrap_err();
    assert!(matches!(error, RaceError::TooManyClients { .. }), "{error}");
}

#[tokio::test]
async fn a_front_that_is_missing_is_named() {
    let door = Door { front: vec!["no-such-front".into()], command: shell("exec sleep 100") };
    let error = run(&short(Target::Door(door)), |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "no-such-front: not found");
}

/// The process whose number a script wrote into `file`, once it has.
async fn written_pid(file: &Path) -> rustix::process::Pid {
    for _ in 0..2000 {
        let text = fs::read_to_string(file).unwrap_or_default();
        if let Some(number) = text.strip_suffix('\n') {
            return rustix::process::Pid::from_raw(number.parse().unwrap()).unwrap();
        }
        sleep(Duration::from_millis(5)).await;
    }
    panic!("the script never started");
}

// The race is dropped in its middle, as a signal to the command line does.
#[tokio::test]
async fn a_dropped_race_leaves_no_process() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let mut launch = shell("trap '' TERM; echo $$ > \"$PID_FILE\"; sleep 100; sleep 100");
    launch.env.push(("PID_FILE".into(), file.to_str().unwrap().into()));
    let scenario = Scenario { timeout: Duration::from_secs(60), ..short(Target::Bare(launch)) };
    let pid = tokio::select! {
        result = run(&scenario, |_| {}) => panic!("ended by itself: {result:?}"),
        pid = written_pid(&file) => pid,
    };
    let gone = async {
        while rustix::process::test_kill_process_group(pid).is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
}

/// Answers the first `bad` connections with 503, the others as a WebSocket.
async fn recovering_server(bad: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            if number < bad {
                let answer = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                // The head is read, or closing would reset the answer away.
                tokio::spawn(async move {
                    let mut head = [0; 1024];
                    while matches!(
                        tokio::io::AsyncReadExt::read(&mut stream, &mut head).await,
                        Ok(1..)
                    ) {}
                });
                continue;
            }
            tokio::spawn(async move {
                let mut socket = accept_async(stream).await.unwrap();
                while let Some(Ok(_)) = socket.next().await {}
            });
        }
    });
    address
}

#[tokio::test]
async fn an_address_is_raced_and_each_client_counted_once() {
    let address = recovering_server(6).await;
    let target = Target::Address(Address { host: address.ip().to_string(), port: address.port() });
    let scenario = Scenario {
        clients: 20,
        spread: Duration::from_millis(200),
        timeout: Duration::from_secs(20),
        trace: Some(0),
        ..short(target)
    };
    let mut last = None;
    let outcome = run(&scenario, |progress| last = Some(*progress)).await.unwrap();
    assert_eq!(outcome.role, Role::Address);
    let numbers: Vec<_> = outcome.clients.iter().map(|client| client.number).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    let of = |seen| outcome.clients.iter().filter(|client| client.seen == seen).count();
    assert_eq!((of(Seen::Status(503)), of(Seen::Ok)), (6, 14));
    let ready = outcome.ready.unwrap();
    assert_eq!(ready.source, Source::FirstOk);
    assert!(outcome.port_open.unwrap() <= ready.at);
    let last = last.unwrap();
    assert_eq!((last.arrived, last.ok, last.lost, last.waiting()), (20, 14, 6, 0));
    let sent = &outcome.trace.unwrap().passages[0].bytes;
    assert!(sent.starts_with(b"GET /ws HTTP/1.1\r\n"));
}

// Each connection is either the probe's or a client's; only the probe's word is readiness.
#[tokio::test]
async fn the_ready_path_outranks_the_first_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut start = [0; 11];
                while stream.peek(&mut start).await.unwrap() < start.len() {}
                if start == *b"GET /health" {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                } else {
                    let mut socket = accept_async(stream).await.unwrap();
                    while let Some(Ok(_)) = socket.next().await {}
                }
            });
        }
    });
    let target = Target::Address(Address { host: "localhost".into(), port: address.port() });
    let with = |path: Option<&str>| Scenario {
        ready_path: path.map(str::to_owned),
        timeout: Duration::from_secs(20),
        ..short(target.clone())
    };
    let source = async |scenario| run(&scenario, |_| {}).await.unwrap().ready.unwrap().source;
    assert_eq!(source(with(Some("/health"))).await, Source::Probe);
    assert_eq!(source(with(None)).await, Source::FirstOk);
}
