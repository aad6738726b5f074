//! Real clients through the door to real services, from before their readiness on.
//!
//! Breaks the tunnel with compression and with messages of 1 byte to 8 MiB, both ways.

use std::path::Path;
use std::process::{Output, Stdio};

use rustix::process::Signal;
use tokio::process::Command;
use tokio::time::timeout;

use crate::door::Door;
use crate::stage::{BOUND, Stage, backend, installed, python};

fn script(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e").join(name).to_str().unwrap().to_owned()
}

async fn client(stage: &Stage, line: &[String]) -> Output {
    let (mark, value) = stage.mark();
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env(mark, value).stdin(Stdio::null()).kill_on_drop(true);
    timeout(BOUND, command.output()).await.unwrap().unwrap()
}

/// Each client to this service: begun before readiness, held, served, and compressed end to end.
async fn every_client_is_held_and_served(service: &str) {
    let stage = Stage::new();
    let mut line: Vec<String> =
        ["run", "--listen", "127.0.0.1:0", "--ready-path", "/health", "--hold", "25s", "--"]
            .map(Into::into)
            .into();
    line.extend(backend(service));
    let mut command = Door::command(&stage, &[], &line);
    command.envs([("MODE", "close1011"), ("READY_AFTER", "0.8")]);
    let mut door = Door::spawn(command.stdout(Stdio::null()).stderr(Stdio::piped()), false);
    let url = format!("ws://{}/ws", door.listening().await);
    let modules = installed("examples/slow-backends/node/node_modules");
    let by_python = [python(), script("clients.py"), url.clone()];
    let by_node = ["node".into(), script("clients.mjs"), url, modules];
    let (python, node) = tokio::join!(client(&stage, &by_python), client(&stage, &by_node));
    for output in [python, node] {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("extensions permessage-deflate"), "{said}");
        assert!(said.contains("served 1000"), "{said}");
    }
    // Ten mebibytes of one letter and one of noise: compressed frames passed as they were.
    for _ in 0..2 {
        door.logs("tunnel ended").await;
    }
    let ended: Vec<_> =
        door.log().into_iter().filter(|line| line.contains("tunnel ended")).collect();
    for line in &ended {
        for direction in ["to_client=", "to_upstream="] {
            let bytes: u64 =
                line.split(direction).nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!((1 << 20..2 << 20).contains(&bytes), "{line}");
        }
    }
    assert!(door.log().iter().any(|line| line.contains("admitted")), "nobody was held");
    door.signal(Signal::TERM).await;
    let status = door.exit().await;
    assert!([0, 143].contains(&status), "{status}");
    stage.nothing_is_left(service).await;
}

#[tokio::test]
async fn real_clients_of_uvicorn() {
    every_client_is_held_and_served("fastapi").await;
}

#[tokio::test]
async fn real_clients_of_node() {
    every_client_is_held_and_served("node").await;
}
