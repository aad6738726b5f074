//! What operators read.
//!
//! Breaks it with both forms, with traces, and with a stderr that nobody reads.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::client::Client;
use crate::door::Door;
use crate::stage::{Stage, eventually, words};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
/// More lines than a pipe (64 KiB) and the door's own queue hold.
const FLOOD: usize = 6000;

/// A life with one of each: held, refused, served, drained.
async fn lives_with(flags: &[&str], project: Option<&str>) -> Door {
    let stage = Stage::new();
    let mut line = words(&["run", "--listen", "127.0.0.1:0", "--hold", "25s"]);
    line.extend(words(flags));
    line.extend(words(&["--", "sh", "-c"]));
    let app = stage.app(&["wait", "term=6"]).join(" ");
    line.push(format!("echo 'from the child'; exec {app}"));
    let mut command = Door::command(&stage, &[], &line);
    command.envs(project.map(|name| ("GOOGLE_CLOUD_PROJECT", name))).env("ENVIRONMENT", "test");
    let mut door = Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false);
    let mut client = Client::connect(&door.listening().await).await.unwrap();
    client.ask_for_a_websocket(&format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n")).await.unwrap();
    let mut wrong = Client::connect(&door.listening().await).await.unwrap();
    wrong.send("GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(wrong.answer().await.status, 400);
    stage.touch("wait");
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
    assert_eq!(door.stdout().await, "from the child\n");
    door
}

const EACH: &[&str] = &[
    "listening",
    "child started",
    "ready",
    "admitted",
    "refused",
    "draining",
    "tunnel ended",
    "drained",
    "child ended",
];

#[tokio::test]
async fn text_lines_have_a_time_a_level_and_words() {
    let door = lives_with(&[], None).await;
    for line in door.log() {
        let (time, rest) = line.split_once(' ').unwrap();
        time.parse::<jiff::Timestamp>().unwrap_or_else(|_| panic!("no time: {line}"));
        let level = rest.split(' ').next().unwrap();
        assert!(["INFO", "WARN", "ERROR"].contains(&level), "{line}");
    }
    for words in EACH {
        door.logs(words).await;
    }
    let admitted = door.logs("admitted").await;
    assert!(admitted.contains(TRACE), "{admitted}");
}

#[tokio::test]
async fn json_lines_are_what_cloud_logging_reads() {
    let door = lives_with(&["--log", "json"], Some("shop-prod")).await;
    let lines: Vec<Value> =
        door.log().iter().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    for line in &lines {
        let severity = line["severity"].as_str().unwrap();
        assert!(["INFO", "WARNING", "ERROR"].contains(&severity), "{line}");
        line["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    }
    let with = |words: &str| lines.iter().find(|line| line["message"] == words);
    for words in EACH {
        assert!(with(words).is_some(), "no line: {words}");
    }
    let admitted = with("admitted").unwrap();
    let trace = format!("projects/shop-prod/traces/{TRACE}");
    assert_eq!(admitted["logging.googleapis.com/trace"], trace);
    assert_eq!(admitted["logging.googleapis.com/spanId"], SPAN);
    assert_eq!(admitted["logging.googleapis.com/trace_sampled"], true);
}

/// Nobody reads stderr: lines are dropped, and not one client waits for them.
#[tokio::test]
async fn f22_a_full_stderr_stops_nobody() {
    let stage = Stage::new();
    let address = format!("unix:{}", stage.path("door"));
    let mut line = words(&["run", "--listen", &address, "--"]);
    line.extend(stage.app(&["term=6"]));
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = Door::command(&stage, &[], &line);
    let mut door = Door::spawn(command.stdout(Stdio::null()).stderr(writer), false);
    // Ours goes with the command, or the door could never see an end.
    drop(command);
    eventually("it listens", || std::path::Path::new(&stage.path("door")).exists()).await;
    stage.notes("bound").await;
    for _ in 0..FLOOD {
        let mut wrong = Client::connect(&address).await.unwrap();
        wrong.send("GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(wrong.answer().await.status, 400);
    }
    let mut client = Client::handshake(&address).await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
    drop(reader);
}

#[tokio::test]
async fn f21_a_closed_stderr_stops_nobody() {
    let stage = Stage::new();
    let address = format!("unix:{}", stage.path("door"));
    let mut line = words(&["run", "--listen", &address, "--"]);
    line.extend(stage.app(&["term=6"]));
    let shell = ["sh", "-c", "exec \"$@\" 2>&-", "sh"];
    let mut command = Door::command(&stage, &shell, &line);
    let mut door = Door::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()), false);
    eventually("it listens", || std::path::Path::new(&stage.path("door")).exists()).await;
    let mut client = Client::handshake(&address).await;
    client.is_served().await;
    door.signal(Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
}
