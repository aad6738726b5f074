//! What the door costs: time to listen, size, memory.
//!
//! Owns thousands of connections that do nothing. Must never count the kernel's socket memory,
//! which is the same for every front.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::claim::Claim;
use crate::process::Door;
use crate::tools::Tools;

const CONNECTIONS: usize = 2000;
const ROUNDS: usize = 5;
const MEGABYTE: f64 = 1_000_000.0;

/// A handshake as Chromium sends it, cookies included: what a held client costs depends on it.
const HANDSHAKE: &str = "GET /ws?session=0123456789 HTTP/1.1\r\nHost: chat.example.org\r\n\
    Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 \
    (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\nOrigin: https://chat.example.org\r\nSec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

/// Measures, and makes claims.
pub(crate) fn measure(tools: &Tools) -> Result<Vec<Claim>, String> {
    let size = std::fs::metadata(&tools.vestibule).map_err(|error| error.to_string())?.len();
    let (mut listening, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let door = held_door(tools)?;
        listening.push(door.listening_after.as_secs_f64() * 1000.0);
        idle.push(door.memory()?.0 * 1024.0 / MEGABYTE);
    }
    Ok(vec![
        Claim::new("from exec to listening", "ms", listening, 20.0),
        Claim::new("stripped release binary", "MB", vec![size as f64 / MEGABYTE], 12.0),
        Claim::new("idle resident memory", "MB", idle, 10.0),
        Claim::new("resident, three dependencies checked", "MB", vec![with_checks(tools)?], 10.0),
        Claim::new("each held client", "KiB", vec![per_held(tools)?], 4.0),
        Claim::new("each idle tunnel", "KiB", vec![per_tunnel(tools)?], 4.0),
    ])
}

/// A door before a service that never comes.
fn held_door(tools: &Tools) -> Result<Door, String> {
    let mut command = Command::new(&tools.vestibule);
    command.args(["serve", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"]);
    Door::start(command.args(["--hold", "60s", "--startup-timeout", "120s"]))
}

/// Resident memory in MB behind passes over a real PostgreSQL, Redis and NATS: as the test that
/// starts them prints it, played with the release binary.
fn with_checks(tools: &Tools) -> Result<f64, String> {
    let output = Command::new("cargo")
        .args(["test", "--quiet", "-p", "vestibule-cli", "--test", "dependencies", "--"])
        .args(["--nocapture", "a_door_that_goes_on_asking_three_dependencies_stays_small"])
        .env("VESTIBULE_UNDER_TEST", &tools.vestibule)
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figure = text.lines().find_map(|line| {
        let (figure, _) = line.split_once("resident behind passes: ")?.1.split_once(" MB")?;
        figure.parse().ok()
    });
    figure.ok_or_else(|| format!("no figure of a door with checks: {text}"))
}

fn per_held(tools: &Tools) -> Result<f64, String> {
    let door = held_door(tools)?;
    let before = door.memory()?.1;
    let clients = connect(&door, CONNECTIONS)?;
    // A door that has taken the last head has taken all before it, but for a few in flight.
    settle(&door);
    let after = door.memory()?.1;
    drop(clients);
    Ok((after - before) / CONNECTIONS as f64)
}

fn per_tunnel(tools: &Tools) -> Result<f64, String> {
    let mut command = Command::new(&tools.vestibule);
    command.args(["run", "--listen", "127.0.0.1:0", "--ready-path", "/health", "--"]);
    let door = Door::start(command.args(tools.backend("axum")).env("MODE", "warm"))?;
    // One after the other at a warm service: nothing of a storm is left in the figure.
    let mut first = connect(&door, 1)?;
    read_101(&mut first)?;
    let before = door.memory()?.1;
    let mut clients = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut client = connect(&door, 1)?;
        read_101(&mut client)?;
        clients.append(&mut client);
    }
    let after = door.memory()?.1;
    Ok((after - before) / CONNECTIONS as f64)
}

fn connect(door: &Door, count: usize) -> Result<Vec<TcpStream>, String> {
    (0..count)
        .map(|_| {
            let mut client = TcpStream::connect(door.address)?;
            client.set_read_timeout(Some(Duration::from_secs(20)))?;
            client.write_all(HANDSHAKE.as_bytes())?;
            Ok(client)
        })
        .collect::<std::io::Result<_>>()
        .map_err(|error| format!("connecting: {error}"))
}

fn read_101(clients: &mut [TcpStream]) -> Result<(), String> {
    for client in clients {
        let mut head = [0; 512];
        let count = client.read(&mut head).map_err(|error| error.to_string())?;
        if !head[..count].starts_with(b"HTTP/1.1 101") {
            return Err("a client of a warm service got no 101".to_owned());
        }
    }
    Ok(())
}

/// Waits until the door's memory has stopped growing.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn settle(door: &Door) {
    let mut last = 0.0;
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(100));
        let now = door.memory().map_or(last, |memory| memory.1);
        if now <= last {
            return;
        }
        last = now;
    }
}
