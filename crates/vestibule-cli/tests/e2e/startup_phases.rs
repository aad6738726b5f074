//! Services that report their own phases, by the one-file clients and by hand.
//!
//! Breaks it with every way that a report may take, a failure, and no door at all.

use std::path::Path;

use serde_json::Value;

use crate::client::{Answer, Client};
use crate::door::Door;
use crate::stage::{Stage, eventually, python, shell, words};

const ADMIN: [&str; 4] = ["--admin", "127.0.0.1:0", "--hold", "25s"];

/// Reports, and waits for a file between two reports; then it listens.
const PYTHON: &str = r#"
import http.server, os, sys, time
sys.path.insert(0, sys.argv[1])
import vestibule_startup as startup

def wait(name):
    while not os.path.exists(os.path.join(sys.argv[2], name)):
        time.sleep(0.005)

assert startup.phase("database")
wait("cache")
assert startup.phase("cache")
wait("go")
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"well")
startup.phase("websocket")
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page)
startup.ready()
server.serve_forever()
"#;

const NODE: &str = r#"
const { existsSync } = await import("node:fs");
const { createServer } = await import("node:http");
const [client, directory] = process.argv.slice(-2);
const { phase, failed } = await import(`file://${client}`);
const wait = async (name) => {
  while (!existsSync(`${directory}/${name}`)) await new Promise((go) => setTimeout(go, 5));
};
if (!(await phase("database"))) process.exit(9);
await wait("cache");
await phase("cache");
await wait("go");
await phase("websocket");
createServer((_, answer) => answer.end("well")).listen(process.env.PORT, "127.0.0.1");
"#;

fn client(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    root.join("clients").join(path).to_str().unwrap().to_owned()
}

async fn ask(address: &str, words: String) -> Answer {
    let mut client = Client::connect(address).await.unwrap();
    client.send(&words).await;
    client.try_answer().await.unwrap()
}

async fn health(door: &Door) -> Value {
    let line = door.logs(" admin address=").await;
    let address = line.split("address=").nth(1).unwrap();
    let answer = ask(address, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".into()).await;
    serde_json::from_str(&answer.body).unwrap()
}

/// Waits until the start is in this phase.
async fn comes_to(door: &Door, phase: &str) -> Value {
    for _ in 0..2_000 {
        let startup = health(door).await["startup"].take();
        if startup["phase"] == phase {
            return startup;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never came to {phase}");
}

fn phase<'a>(startup: &'a Value, name: &str) -> &'a Value {
    startup["phases"].as_array().unwrap().iter().find(|phase| phase["name"] == name).unwrap()
}

async fn reports_its_phases(stage: &Stage, door: &Door) {
    comes_to(door, "database").await;
    stage.touch("cache");
    comes_to(door, "cache").await;
    stage.touch("go");
    let startup = comes_to(door, "complete").await;
    for (name, state) in [
        ("init", "done"),
        ("dependencies", "skipped"),
        ("database", "done"),
        ("cache", "done"),
        ("services", "skipped"),
        ("websocket", "done"),
        ("complete", "done"),
    ] {
        assert_eq!(phase(&startup, name)["state"], state, "{name}: {startup}");
    }
    let took: u64 = ["init", "database", "cache", "websocket"]
        .map(|name| phase(&startup, name)["took_ms"].as_u64().unwrap())
        .iter()
        .sum();
    assert!(took > 0, "{startup}");
    let answer = ask(&door.listening().await, "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "well"));
}

#[tokio::test]
async fn a_python_service_reports_its_phases_by_its_notify_socket() {
    let stage = Stage::new();
    let mut line = vec![python(), "-I".into(), "-c".into(), PYTHON.into()];
    line.extend([client("python"), stage.path("")]);
    let door = stage.run(&ADMIN, &line).await;
    door.logs("its READY=1 is awaited").await;
    reports_its_phases(&stage, &door).await;
}

/// The same file, where there is no socket: then by URL and token.
#[tokio::test]
async fn a_python_service_without_a_socket_reports_by_http() {
    let stage = Stage::new();
    let mut line = words(&["env", "-u", "NOTIFY_SOCKET"]);
    line.extend([python(), "-I".into(), "-c".into(), PYTHON.into()]);
    line.extend([client("python"), stage.path("")]);
    let door = stage.run(&ADMIN, &line).await;
    reports_its_phases(&stage, &door).await;
}

#[tokio::test]
async fn a_node_service_reports_its_phases_by_http() {
    let stage = Stage::new();
    let mut line = words(&["node", "--input-type=module", "-e", NODE, "--"]);
    line.extend([client("node/vestibule-startup.mjs"), stage.path("")]);
    let door = stage.run(&ADMIN, &line).await;
    reports_its_phases(&stage, &door).await;
}

/// Where there is no door, or one that does not answer, a service starts as it would without the file.
#[tokio::test]
async fn the_clients_do_nothing_where_nobody_listens() {
    for url in ["", "http://127.0.0.1:1/startup/phase", "nonsense"] {
        let script = "import sys; sys.path.insert(0, sys.argv[1]); import vestibule_startup as s; \
                      print(s.phase('database'), s.ready(), s.failed('no'))";
        let mut line = vec![python(), "-I".into(), "-c".into(), script.into(), client("python")];
        assert_eq!(says(&line, url).await, "False False False\n", "{url}");
        let script = "const { phase, failed } = await import(`file://${process.argv.at(-1)}`); \
                      console.log(await phase('database'), await failed('no'));";
        line = words(&["node", "--input-type=module", "-e", script, "--"]);
        line.push(client("node/vestibule-startup.mjs"));
        assert_eq!(says(&line, url).await, "false false\n", "{url}");
    }
}

async fn says(line: &[String], url: &str) -> String {
    let mut command = tokio::process::Command::new(&line[0]);
    command.args(&line[1..]).env_remove("NOTIFY_SOCKET").kill_on_drop(true);
    command.env("VESTIBULE_STARTUP_URL", url).env("VESTIBULE_STARTUP_TOKEN", "a-token-of-length");
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Those held are told, without the reason; the operator has it; the child is stopped.
#[tokio::test]
async fn a_failure_that_the_child_reports_ends_its_start_with_69() {
    let stage = Stage::new();
    let go = stage.path("go");
    let script = format!(
        "while ! test -e {go}; do sleep 0.02; done; \
         systemd-notify --status='failed: no licence at https://me:pw@db/'; exec sleep 1000"
    );
    let mut door = stage.run(&ADMIN, &shell(&script)).await;
    let mut held = door.client().await;
    assert!(held.is_held().await);
    stage.touch("go");
    let refusal = held.answer().await;
    refusal.is_refusal("failed");
    assert!(!refusal.body.contains("licence"), "{refusal:?}");
    assert_eq!(door.exit().await, 69);
    let log = door.log().join("\n");
    assert!(log.contains("no licence at https://db/") && !log.contains("me:pw"), "{log}");
    stage.nothing_is_left("a reported failure").await;
}

/// It says why, and ends before anybody can stop it: no crash, and no reason to start it again.
#[tokio::test]
async fn a_child_that_reports_its_failure_and_ends_at_once_is_not_started_again() {
    let stage = Stage::new();
    let script = "systemd-notify --status='failed: no licence'; exit 3";
    let args = [&ADMIN[..], &["--restart", "on-failure"]].concat();
    let mut door = stage.run(&args, &shell(script)).await;
    assert_eq!(door.exit().await, 69);
    let log = door.log().join("\n");
    assert!(log.contains("no licence") && !log.contains("starting it again"), "{log}");
    stage.nothing_is_left("a reported failure").await;
}

/// What is not in the list, or lies behind, is said once and not obeyed.
#[tokio::test]
async fn reports_that_make_no_sense_are_said_once() {
    let stage = Stage::new();
    let early = "early=STATUS=phase:  cache ";
    let notify = "notify=READY=1\\nSTATUS=phase: databse";
    let door = stage
        .run(&[&ADMIN[..], &["--ready", "notify"]].concat(), &stage.app(&[early, notify, "wait"]))
        .await;
    comes_to(&door, "cache").await;
    stage.touch("wait");
    door.client().await.is_served().await;
    eventually("it is said", || door.log().iter().any(|line| line.contains("not obeyed"))).await;
    let said: Vec<_> = door.log().into_iter().filter(|line| line.contains("not obeyed")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("databse"), "{said:?}");
    comes_to(&door, "complete").await;
}
