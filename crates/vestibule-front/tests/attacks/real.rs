//! The whole table again, in front of servers that others wrote: what each has seen is what the front has counted.
//!
//! Each server writes a line for every request that it sees, those that it can't read included. `./test` installs them.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::actors::client::Client;
use super::actors::{comes_true, request};
use super::play::{door_count, door_for, expect, is_refused};
use super::row::{Row, Sees, Turn};
use super::{chunks, framing, hops, lines, targets, upgrades};

/// Above what a whole table takes on a busy machine.
const WATCHDOG: Duration = Duration::from_secs(300);
/// A server writes its line in the moment of its answer, or shortly after.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3);

const TABLES: &[&[Row]] = &[
    framing::TWO_READINGS,
    framing::ONE_READING,
    chunks::BROKEN,
    chunks::SOUND,
    lines::REFUSED,
    lines::SERVED,
    hops::PROTECTED,
    hops::STRIPPED,
    hops::FORGED,
    targets::HOSTS,
    targets::TARGETS,
    targets::ONE_PLACE,
    upgrades::REFUSED,
    upgrades::SERVED,
];

/// A server of others, on a port of its own; gone when dropped.
struct Server {
    port: u16,
    log: PathBuf,
    _scratch: tempfile::TempDir,
    _child: Child,
}

impl Server {
    /// Starts what `command` makes of a port, a log file and a directory; waits until it listens.
    async fn starts(command: impl FnOnce(u16, &Path, &Path) -> Command) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = scratch.path().join("seen");
        fs::write(&log, "").unwrap();
        let mut command = command(port, &log, scratch.path());
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; ./test installs it"));
        let server = Self { port, log, _scratch: scratch, _child: child };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
        server
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Plays every row, one after the other, and an honest request behind each.
async fn play_all(start: impl FnOnce(u16, &Path, &Path) -> Command) {
    let playing = async {
        let server = Server::starts(start).await;
        let mut broken = Vec::new();
        for turn in TABLES.concat().into_iter().flat_map(Row::turns) {
            if let Err(why) = play_one(&server, &turn).await {
                broken.push(format!("{}: {why}", turn.name));
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    };
    timeout(WATCHDOG, playing).await.expect("the watchdog ended the table");
}

async fn play_one(server: &Server, turn: &Turn) -> Result<(), String> {
    let before = server.lines().len();
    let door = door_for(&turn.row, server.port);
    let mut client = Client::connect(door.address).await;
    let _ = client.try_send(&turn.bytes).await;
    for _ in 0..turn.sees.answers() {
        // What it answers is its own affair; that it does is not.
        client.try_answer(turn.bytes.starts_with(b"HEAD ")).await?;
    }
    let broken_body = matches!(turn.sees, Sees::RefusedInBody(_));
    match turn.sees.refusal() {
        // The server may have answered before the body broke.
        Some(_) if broken_body => drop(client.try_answer(false).await?),
        Some(code) => is_refused(&mut client, code).await?,
        None => {}
    }
    drop(client);
    let (counted, most) = (door_count(&door), turn.sees.requests());
    if counted != most && !(broken_body && counted < most) {
        return Err(format!("the front counted {counted} instead of {most}"));
    }
    let mut honest = door.client(request("GET", "/honest", "")).await;
    expect("the honest client's status", &honest.try_answer(false).await?.status, &200)?;
    let seen = || server.lines().split_off(before);
    // Of a request that broke off in its body, a server need not say anything.
    let least = if broken_body { 1 } else { counted + 1 };
    let is_written =
        || seen().len() as u64 >= least && seen().iter().any(|line| line.contains("/honest"));
    comes_true(WRITTEN_WITHIN, is_written).await;
    let seen = seen();
    if (least..=counted + 1).contains(&(seen.len() as u64)) {
        return Ok(());
    }
    Err(format!("the front counted {} requests, and it saw {seen:?}", counted + 1))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn uvicorn(parser: &'static str) -> impl FnOnce(u16, &Path, &Path) -> Command {
    move |port, log, _| {
        let mut command = Command::new(repository().join("target/venv/bin/python3"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/real/asgi.py");
        command.arg(script).arg(port.to_string()).arg(log).arg(parser);
        command
    }
}

fn node(port: u16, log: &Path, _: &Path) -> Command {
    let mut command = Command::new("node");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/real/node.mjs");
    let modules = repository().join("examples/slow-backends/node/server.mjs");
    command.arg(script).arg(port.to_string()).arg(log).arg(modules);
    command
}

fn nginx(port: u16, log: &Path, scratch: &Path) -> Command {
    let here = scratch.display();
    let settings = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/error crit;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n\
         log_format seen '$request'; access_log {log} seen;\n\
         client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c;\n\
         uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n\
         large_client_header_buffers 4 64k;\n\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 'ok'; }} }}\n\
         }}\n",
        log = log.display(),
    );
    fs::write(scratch.join("conf"), settings).unwrap();
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin");
    command.arg("-p").arg(scratch).arg("-c").arg(scratch.join("conf"));
    command.arg("-e").arg(scratch.join("error"));
    command
}

#[tokio::test]
async fn uvicorn_with_httptools_sees_what_the_front_counts() {
    play_all(uvicorn("httptools")).await;
}

#[tokio::test]
async fn uvicorn_with_h11_sees_what_the_front_counts() {
    play_all(uvicorn("h11")).await;
}

#[tokio::test]
async fn node_sees_what_the_front_counts() {
    play_all(node).await;
}

#[tokio::test]
async fn nginx_sees_what_the_front_counts() {
    play_all(nginx).await;
}
