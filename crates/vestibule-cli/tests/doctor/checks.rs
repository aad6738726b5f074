//! What the checks meet, and what is told of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::{Line, Variables, codes, doctor, document, page};

/// An HTTP server that takes its time for each answer. Dropping it ends it.
struct Service {
    address: SocketAddr,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn answering_after(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = channel();
        let thread = thread::spawn(move || serve(&listener, delay, &ended));
        Self { address, end: Some(end), thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}/health", self.address)
    }
}

fn serve(listener: &TcpListener, delay: Duration, ended: &Receiver<()>) {
    use std::sync::mpsc::RecvTimeoutError::Timeout;
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        // Its slowness; also how it learns that the test is over.
        if ended.recv_timeout(delay) != Err(Timeout) {
            return;
        }
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// An address of ours where nobody listens, for as long as this lives.
pub(crate) struct Closed {
    _socket: OwnedFd,
    pub(crate) address: SocketAddr,
}

impl Closed {
    pub(crate) fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = getsockname(&socket).unwrap().try_into().unwrap();
        Self { _socket: socket, address }
    }
}

fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let checks = document["checks"].as_array().unwrap();
    checks.iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn doctor_tells_of_each_check_what_came_back_and_what_to_do() {
    let (auth, cache) = (Service::answering_after(Duration::ZERO), Closed::new());
    let file = format!(
        "[[check]]\nname = \"auth\"\nurl = \"{}\"\ntimeout = \"3s\"\ngroup = \"services\"\n\
         [[check]]\nname = \"cache\"\nurl = \"tcp://{}\"\nattempts = 2\ncritical = false\n",
        auth.url(),
        cache.address,
    );
    let staging = [("K_SERVICE", "chat-staging"), ("VESTIBULE_PUBLIC_HEALTH", "/started")];
    let (told, status) = document(&[], &staging, &file);
    assert_eq!((told["status"].as_str(), status), (Some("degraded"), 1), "{told}");
    let of_auth = check(&told, "auth");
    assert_eq!(
        (of_auth["outcome"].as_str(), of_auth["timeout_ms"].as_u64()),
        (Some("passed"), Some(3_465))
    );
    let formula = "3s × 1.05 × 1.1 = 3.465s, at least 0.5s, at most 5s";
    assert_eq!(of_auth["timeout_formula"], formula);
    let of_cache = check(&told, "cache");
    assert_eq!(
        (of_cache["reason"].as_str(), of_cache["attempts"].as_u64()),
        (Some("refused"), Some(2))
    );
    assert_eq!(of_cache["tries"].as_array().unwrap().len(), 2);
    assert!(of_cache["advice"].as_str().unwrap().contains("nobody listens"), "{of_cache}");
    assert_eq!(told["critical_path"]["longest"], "auth");
    assert_eq!(told["critical_path"]["all_passed"], true);
    let page = page(&[], &staging, &file);
    for part in [formula, "do: nobody listens there", "http auth (critical)", "Status: degraded"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (told, status) = document(&[], &staging, &file.replace("critical = false\n", ""));
    assert_eq!((told["status"].as_str(), status), (Some("failed"), 2), "{told}");
    assert_eq!(told["critical_path"]["all_passed"], false);
}

/// Going back to a longer timeout is a line of the file or a variable, never another program.
#[test]
fn doctor_passes_a_slower_dependency_by_configuration_alone() {
    // Longer than 1 s × 0.3, shorter than 6 s × 0.3; the budget of 3 s has room for it.
    let auth = Service::answering_after(Duration::from_millis(700));
    let table = |timeout: &str| {
        format!("[[check]]\nname = \"auth\"\nurl = \"{}\"\nattempts = 1\n{timeout}\n", auth.url())
    };
    let development = ("ENVIRONMENT", "development");
    let variable = ("VESTIBULE_CHECK_AUTH_TIMEOUT", "6s");
    let rows: [(&str, Variables<'_>, &str, i32); 4] = [
        ("timeout = \"1s\"", &[development], "1s × 0.3 × 1 = 0.3s, at least 0s, at most 3s", 2),
        ("timeout = \"6s\"", &[development], "6s × 0.3 × 1 = 1.8s, at least 0s, at most 3s", 0),
        (
            "timeout = \"1s\"",
            &[development, variable],
            "6s × 0.3 × 1 = 1.8s, at least 0s, at most 3s",
            0,
        ),
        (
            "timeout = \"1s\"",
            &[development, ("VESTIBULE_TIMEOUT_MULTIPLIER", "1.5")],
            "1s × 1.5 × 1 = 1.5s, at least 0s, at most 3s",
            0,
        ),
    ];
    for (timeout, variables, formula, wanted) in rows {
        let (told, status) = document(&[], variables, &table(timeout));
        let auth = check(&told, "auth");
        assert_eq!(auth["timeout_formula"], formula, "{timeout} {variables:?}");
        assert_eq!(status, wanted, "{timeout} {variables:?}: {auth}");
        let reason = auth["reason"].as_str();
        assert_eq!(reason.is_some(), wanted == 2, "{auth}");
    }
}

#[test]
fn doctor_adds_up_the_slowest_of_each_group() {
    let (fast, slow) = (
        Service::answering_after(Duration::ZERO),
        Service::answering_after(Duration::from_millis(80)),
    );
    let table = |name: &str, group: &str, url: String| {
        format!("[[check]]\nname = \"{name}\"\ngroup = \"{group}\"\nurl = \"{url}\"\n")
    };
    let file = [
        table("db", "dependencies", slow.url()),
        table("bus", "dependencies", fast.url()),
        table("whole", "integration", slow.url()),
    ];
    let (told, status) = document(&[], &[], &file.concat());
    let path = &told["critical_path"];
    let legs: Vec<_> = path["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leg| leg["check"].as_str().unwrap())
        .collect();
    assert_eq!((legs, status), (vec!["db", "whole"], 0), "{told}");
    assert!(path["least_start_ms"].as_u64().unwrap() >= 160, "{path}");
    assert_eq!(path["within_startup_budget"], true);
}

#[test]
fn doctor_asks_no_check_of_a_command_that_it_does_not_start() {
    let (told, status) = document(&["--check", "app=http://127.0.0.1:{port}/health"], &[], "");
    assert!(codes(&told).contains(&"needs_the_command") && status == 0, "{told}");
    assert!(told["checks"].as_array().unwrap().is_empty());
}

#[test]
fn a32_doctor_shows_no_secret_of_a_check() {
    const CANARY: &str = "cn5be19d70c2a4";
    let closed = Closed::new();
    let fill =
        |text: &str| text.replace("CANARY", CANARY).replace("ADDRESS", &closed.address.to_string());
    let urls = [
        "postgres://me:CANARY@ADDRESS/db?password=CANARY",
        "redis://:CANARY@ADDRESS/0",
        "nats://CANARY@ADDRESS",
        "http://me:CANARY@ADDRESS/health?token=CANARY",
        "tcp://me:CANARY@ADDRESS",
        "ftp://me:CANARY@ADDRESS",
        "me:CANARY@ADDRESS",
    ];
    let mut asked = 0;
    for url in urls.map(fill) {
        let flag = format!("one={url}");
        let in_file = format!("[[check]]\nname = \"one\"\nurl = \"{url}\"\n");
        let named = "[[check]]\nname = \"one\"\nurl = \"${DSN}\"\n";
        let cases: [(Line<'_>, Variables<'_>, &str); 4] = [
            (&["--check", &flag], &[], ""),
            (&[], &[], &in_file),
            (&[], &[("DSN", &url)], named),
            (
                &[],
                &[("VESTIBULE_CHECK_ONE_URL", &url)],
                "[[check]]\nname = \"one\"\nurl = \"tcp://h:1\"\n",
            ),
        ];
        for (line, variables, file) in cases {
            for form in [&[][..], &["--json"]] {
                let output = doctor(&[form, line].concat(), variables, file);
                asked += usize::from(output.status.code() == Some(2));
                let out = String::from_utf8(output.stdout).unwrap();
                let said = out + &String::from_utf8(output.stderr).unwrap();
                assert!(!said.is_empty() && !said.contains(CANARY), "{url} {line:?}: {said}");
            }
        }
    }
    assert!(asked >= 24, "only {asked} checks were asked");
}
