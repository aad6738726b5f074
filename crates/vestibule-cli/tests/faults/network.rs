//! Poor networks: few local ports, half of the address families, ports that are not for us.
//!
//! Breaks it with a network namespace of its own for each fault; clients come over a Unix socket.

use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::client::Client;
use crate::machine::{self, Before, as_nobody, can};
use crate::stage::{BOUND, Stage, eventually, shell, words};

/// Where the service listens; the network is its own, so nobody else has this port.
const SERVICE: &str = "9000";
/// As many ports as there are.
const PORTS: usize = 4;

/// A service in the same network as this process.
fn service_beside(stage: &Stage, pid: u32, args: &[&str]) -> Child {
    let inside = ["nsenter", "--preserve-credentials", "-U", "-n", "-t", &pid.to_string()]
        .map(str::to_owned);
    let line = [&inside[..], &stage.app(args)].concat();
    let (mark, value) = stage.mark();
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env(mark, value).stdin(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap()
}

/// The first answer: 101, or what the door says instead.
async fn asked(address: &str) -> (Client, crate::client::Answer) {
    let mut client = Client::handshake(address).await;
    let answer = client.answer().await;
    (client, answer)
}

/// A client whom the door can serve again.
async fn asked_until_served(address: &str) -> Client {
    let deadline = tokio::time::Instant::now() + BOUND;
    while tokio::time::Instant::now() < deadline {
        let (client, answer) = asked(address).await;
        if answer.status == 101 {
            return client;
        }
        answer.is_refusal("short");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no port ever came back");
}

#[tokio::test]
async fn f17_without_local_ports_clients_are_told_so_and_later_ones_are_served() {
    let stage = Stage::new();
    let poor = machine::network(&["ports=40000-40003"]);
    if !can(&poor, "no local ports") {
        return;
    }
    let address = format!("unix:{}", stage.path("door"));
    let upstream = format!("127.0.0.1:{SERVICE}");
    let line = ["serve", "--listen", &address, "--upstream", &upstream, "--hold", "25s"];
    let mut door = machine::start(&stage, &poor, &line, &[]);
    door.logs("standing before").await;
    let _service = service_beside(&stage, door.pid().await, &[&format!("port={SERVICE}")]);
    door.logs("ready after_ms").await;
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..3 * PORTS {
        let (client, answer) = asked(&address).await;
        match answer.status {
            101 => open.push(client),
            _ => {
                answer.is_refusal("short");
                refused += 1;
            }
        }
    }
    assert!(open.len() <= PORTS && !open.is_empty(), "{}", open.len());
    assert!(refused >= 2 * PORTS, "{refused}");
    let warned = door.logs("no local port is left").await;
    assert!(warned.contains("unix:PATH") && warned.contains("ip_local_port_range"), "{warned}");
    let times = door.log().iter().filter(|line| line.contains("clients are refused: ")).count();
    assert!(times <= 2, "said {times} times");
    // The tunnels that there are never noticed.
    for client in &mut open {
        client.echoes("still here").await;
    }
    // A port comes back when its connection has been gone for a second.
    drop(open);
    let mut served = asked_until_served(&address).await;
    served.echoes("hello").await;
    door.signal(rustix::process::Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
}

/// `run` in this network, with the port that it listens on reached through `PATH`.
async fn is_served_in(poor: Before, stage: &Stage, app: &[&str], listens: &str) {
    let line = ["run", "--listen", ":8080", "--hold", "25s", "--"];
    let mut door = machine::start(stage, &poor, &line, &stage.app(app));
    assert!(door.logs("listening").await.contains(listens));
    let path = stage.path("in");
    eventually("the way in", || std::path::Path::new(&path).exists()).await;
    let mut client = Client::handshake(&format!("unix:{path}")).await;
    client.is_served().await;
    door.signal(rustix::process::Signal::TERM).await;
    assert_eq!(client.close().await, 1012);
    assert_eq!(door.exit().await, 6);
}

#[tokio::test]
async fn f41_where_there_is_ipv6_alone_it_listens_finds_a_port_and_dials() {
    let stage = Stage::new();
    let poor = machine::network(&["no4", &format!("relay={},::1,8080", stage.path("in"))]);
    if can(&machine::network(&["no4"]), "IPv6 alone") {
        is_served_in(poor, &stage, &["host=::1", "term=6"], "[::]:8080").await;
    }
}

#[tokio::test]
async fn f41_where_there_is_ipv4_alone_it_serves() {
    let stage = Stage::new();
    let poor = machine::network(&["no6", &format!("relay={},127.0.0.1,8080", stage.path("in"))]);
    if can(&machine::network(&["no6"]), "IPv4 alone") {
        is_served_in(poor, &stage, &["term=6"], ":8080").await;
    }
}

/// A kernel without IPv6 knows no such family (`ipv6.disable=1`).
#[tokio::test]
async fn f41_a_kernel_without_ipv6_is_listened_on_over_ipv4() {
    let stage = Stage::new();
    let poor = machine::failing("socket:error=EAFNOSUPPORT:when=1");
    if !can(&machine::failing("socket:error=EAFNOSUPPORT:when=1000"), "a kernel without IPv6") {
        return;
    }
    // The first socket of `serve` is that of its listener.
    let line = ["serve", "--listen", ":0", "--upstream", "127.0.0.1:9"];
    let door = machine::start(&stage, &poor, &line, &[]);
    let said = door.logs("listening").await;
    assert!(said.contains("address=0.0.0.0:"), "{said}");
}

#[tokio::test]
async fn f41_an_address_that_is_not_ours_is_71_with_what_to_do() {
    let stage = Stage::new();
    // TEST-NET-1 (RFC 5737) is nobody's.
    let line = ["run", "--listen", "192.0.2.1:0", "--", "true"];
    let mut door = machine::start(&stage, &words(&["env"]), &line, &[]);
    assert_eq!(door.exit().await, 71);
    assert!(door.logs("error: ").await.contains("192.0.2.1"));
    assert!(door.logs("hint: ").await.contains(":PORT for all of them"));
}

#[tokio::test]
async fn f43_a_port_for_root_alone_is_71_with_what_to_do() {
    let stage = Stage::new();
    let poor = as_nobody();
    let first: u16 = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .map_or(1024, |text| text.trim().parse().unwrap());
    if first <= 80 {
        return machine::not_made("a port for root alone", "every port is for everybody here");
    }
    if !can(&poor, "a port for root alone") {
        return;
    }
    for listen in ["127.0.0.1:80", ":80"] {
        let line = ["run", "--listen", listen, "--", "true"];
        let mut door = machine::start(&stage, &poor, &line, &[]);
        assert_eq!(door.exit().await, 71);
        assert!(door.logs("error: ").await.contains("Permission denied"), "{listen}");
        let hint = door.logs("hint: ").await;
        assert!(hint.contains("below 1024") && hint.contains("--listen"), "{hint}");
    }
}

/// With loopback down nobody can be reached, and the child is not blamed for it.
#[tokio::test]
async fn a_network_that_is_down_ends_as_never_ready() {
    let stage = Stage::new();
    let poor = words(&["unshare", "-Urn"]);
    if !can(&poor, "no network at all") {
        return;
    }
    let address = format!("unix:{}", stage.path("door"));
    let line = ["run", "--listen", &address, "--startup-timeout", "1s", "--"];
    let mut door = machine::start(&stage, &poor, &line, &shell("exec sleep 1000"));
    let mut client = {
        eventually("it listens", || std::path::Path::new(&stage.path("door")).exists()).await;
        Client::handshake(&address).await
    };
    client.answer().await.is_refusal("failed");
    drop(client);
    assert_eq!(door.exit().await, 69);
    door.logs("not ready in time").await;
}
