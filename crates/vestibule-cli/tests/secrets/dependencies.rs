//! Checks: secrets in every place of a declaration, and dependencies that repeat all they are told.
//!
//! Owns the echoing dependency. What a service says of its own failure is for people to read; nothing else is.

use std::process::Output;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::admin::Desk;
use crate::door::Door;
use crate::ledger::{Allowed, Ledger};
use crate::stage::{Stage, words};

/// Declarations; `PORT` is the dependency, `CANARY` is a new secret each time, `VARIABLE` a new variable.
const CHECKS: [(&str, &str); 14] = [
    (
        "pg",
        "url = 'postgres://CANARY:CANARY@127.0.0.1:PORT/db?application_name=chat&passfile=CANARY'",
    ),
    ("pg-var", "url = '${VARIABLE}'"),
    ("pg-param", "url = 'postgres://127.0.0.1:PORT/db?user=CANARY&password=CANARY'"),
    ("redis", "url = 'redis://CANARY:CANARY%21%2F@127.0.0.1:PORT/0'"),
    ("nats", "url = 'nats://CANARY:CANARY@127.0.0.1:PORT'"),
    ("nats-token", "url = 'nats://127.0.0.1:PORT'\ntoken = '${VARIABLE}'"),
    ("nats-file", "url = 'nats://127.0.0.1:PORT'\ncredentials_file = 'CREDENTIALS'"),
    ("web", "url = 'http://127.0.0.1:PORT/?CANARY#CANARY'"),
    (
        "web-head",
        "url = 'http://127.0.0.1:PORT/?k=CANARY'\nheaders = ['A: CANARY', 'Authorization: Bearer CANARY']",
    ),
    ("keys", "url = 'http://127.0.0.1:PORT/?k=CANARY'\nkind = 'jwks'\nkid = 'kid'"),
    ("grpc", "url = 'grpc://127.0.0.1:PORT'\nservice = 'svc'"),
    (
        "said",
        "kind = 'command'\ncommand = ['sh', '-c', 'echo \"$@\" >&2; exit 3', 'sh', '--password=CANARY', '--token', 'CANARY', 'postgres://CANARY:CANARY@h/?x=CANARY']",
    ),
    ("gone", "url = 'postgres://CANARY:CANARY@127.0.0.1:1/db'"),
    ("nowhere", "url = 'redis://CANARY:CANARY@no-such-name.invalid/0'"),
];

/// What is put before the echo.
const BEFORE: [&str; 6] = ["", "HTTP/1.1 ", "-", "-ERR '", "E\0\0\0", "INFO {}\r\n-ERR '"];

/// A dependency that repeats what it hears, each time behind another beginning.
async fn echo() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepting = tokio::spawn(async move {
        let mut serving = JoinSet::new();
        let mut number = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let before = BEFORE[number % BEFORE.len()];
            number += 1;
            serving.spawn(async move {
                if before.starts_with("INFO") {
                    let _ = stream.write_all(b"INFO {\"server_id\":\"x\"}\r\n").await;
                }
                let mut heard = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut heard).await {
                    let said = [before.as_bytes(), &heard[..read], b"\r\n\r\n"].concat();
                    if stream.write_all(&said).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, accepting)
}

/// The file with all of them, and its variables.
fn declared(stage: &Stage, ledger: &Ledger, port: u16) -> (String, Vec<(String, String)>) {
    let jwt = ledger.known("a JWT", format!("eyJcn{:016x}", fastrand::u64(..)));
    let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    let credentials = stage.path("creds");
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&credentials, text).unwrap();
    let (mut file, mut variables) = (String::new(), Vec::new());
    for (name, declaration) in CHECKS {
        let mut text = declaration.replace("PORT", &port.to_string());
        text = text.replace("CREDENTIALS", &credentials);
        if text.contains("VARIABLE") {
            let secret = ledger.secret(&format!("the variable of {name}"));
            let value = match name {
                "pg-var" => {
                    format!("postgresql+asyncpg://{secret}:{secret}%40@127.0.0.1:{port}/db")
                }
                _ => secret,
            };
            variables.push((format!("V{}", variables.len()), value));
            text = text.replace("VARIABLE", &variables.last().unwrap().0);
        }
        let mut place = 0;
        while text.contains("CANARY") {
            place += 1;
            text = text.replacen("CANARY", &ledger.secret(&format!("{name}, place {place}")), 1);
        }
        file += &format!("[[check]]\nname = '{name}'\n{text}\ntimeout = '900ms'\nattempts = 1\n");
    }
    for (name, scheme) in [
        ("DATABASE_URL", "postgres"),
        ("REDIS_URL", "redis"),
        ("AUTH_URL", "http"),
        ("AGENT_SUPERVISOR_URL", "http"),
        ("WEBSOCKET_BRIDGE_URL", "http"),
        ("INTEGRATION_URL", "http"),
    ] {
        let secret = ledger.secret(name);
        let user = if scheme == "http" { String::new() } else { format!("{secret}:{secret}@") };
        let query = if scheme == "redis" { String::new() } else { format!("?k={secret}") };
        let path = if scheme == "redis" { "0" } else { "jwks" };
        let url = format!("{scheme}://{user}127.0.0.1:{port}/{path}{query}");
        variables.push((name.to_owned(), url));
    }
    (file, variables)
}

/// What everything says that reads the file and ends.
async fn readers(ledger: &Ledger, stage: &Stage, file: &str, variables: &[(String, String)]) {
    for line in [
        &["check-config", "serve", "--upstream", "127.0.0.1:9"][..],
        &["check-config", "serve", "--json", "--upstream", "127.0.0.1:9"],
        &["doctor", "serve", "--upstream", "127.0.0.1:9"],
        &["doctor", "serve", "--json", "--upstream", "127.0.0.1:9"],
        &["wait", "--timeout", "2s"],
    ] {
        let mut line = words(line);
        line.extend(words(&["--profile", "chat", "--config", file]));
        let mut command = Door::command(stage, &[], &line);
        let output: Output = command.envs(variables.iter().cloned()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let all = text(output.stdout) + &text(output.stderr);
        assert!(all.contains("pg-param"), "{line:?}: {all}");
        ledger.came_out(&format!("{line:?}"), all);
    }
}

async fn life(form: &str) {
    let (stage, ledger) = (Stage::new(), Ledger::default());
    let (port, echoing) = echo().await;
    let (text, variables) = declared(&stage, &ledger, port);
    let file = stage.path("checks.toml");
    std::fs::write(&file, text).unwrap();
    if form == "text" {
        readers(&ledger, &stage, &file, &variables).await;
    }
    let status = ledger.secret("a phase of no list");
    let notify = format!("notify=STATUS=phase: {status}\u{1b}[2J\\nREADY=1\\n");
    let mut line =
        words(&["run", "--listen", "127.0.0.1:0", "--log", form, "--verbose", "--config", &file]);
    line.extend(words(&["--profile", "chat", "--ready", "notify"]));
    line.extend(words(&Desk::FLAGS));
    line.push("--".into());
    line.extend(stage.app(&[&notify, "term=0"]));
    let mut command = Door::command(&stage, &[], &line);
    command
        .envs(variables)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut door = Door::spawn(&mut command, false);
    let desk = Desk::of(&door, "none").await;
    for name in ["pg-param", "nats-file", "web-head", "keys", "said", "nowhere"] {
        door.logs(name).await;
    }
    door.logs(&status).await;
    for (place, body) in [("no phase", "CANARY"), ("JSON of a report", "{\"phase\":\"CANARY\"}")] {
        let body = body.replace("CANARY", &ledger.secret(place));
        let token = ledger.secret(&format!("a startup token with {place}"));
        let asked = format!(
            "POST /startup/phase HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        ledger.came_out(&format!("the answer to {place}"), desk.ask(&asked).await);
    }
    desk.read(&ledger, "while checks fail").await;
    door.signal(Signal::TERM).await;
    door.exit().await;
    echoing.abort();
    desk.take_down(&ledger).await;
    ledger.came_out("the log", door.log().join("\n"));
    ledger.came_out("stdout", door.stdout().await);
    ledger.judge(&[Allowed {
        place: "a phase of no list",
        output: "the log",
        because: "what a service says of its phase is for people, and a mistake in it must be found",
    }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a25_a32_a33_no_check_tells_a_secret_in_text() {
    life("text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a25_a32_a33_no_check_tells_a_secret_in_json() {
    life("json").await;
}
