//! The admin address of the real binary: where it is, when it is not, and what it says of a cold start.
//!
//! Breaks it with a port that is taken, addresses that others reach, and a drain.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::client::{Answer, Client};
use crate::door::Door;
use crate::stage::{Stage, eventually, words};

const ANYWHERE: [&str; 2] = ["--admin", "127.0.0.1:0"];

async fn ask(address: &str, path: &str) -> Result<Answer, String> {
    let mut client = Client::connect(address).await.map_err(|error| error.to_string())?;
    client.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    client.try_answer().await
}

/// Where the admin address is, from the log.
async fn admin(door: &Door) -> String {
    let line = door.logs(" admin address=").await;
    line.split("address=").nth(1).unwrap().to_owned()
}

/// The value of one series.
async fn metric(address: &str, series: &str) -> f64 {
    let scrape = ask(address, "/metrics").await.unwrap().body;
    let line = scrape.lines().find(|line| line.starts_with(&format!("{series} ")));
    line.unwrap_or_else(|| panic!("no {series}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_cold_start_is_in_the_metrics_and_probes_follow_it() {
    let stage = Stage::new();
    let flags = [&ANYWHERE[..], &["--hold", "25s", "--drain", "2s"]].concat();
    let mut door = stage.run(&flags, &stage.app(&["wait", "term=0"])).await;
    let address = admin(&door).await;
    let status = async |path| ask(&address, path).await.unwrap().status;
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    let mut clients = door.clients(20).await;
    for client in &mut clients {
        assert!(client.is_held().await);
    }
    assert_eq!(metric(&address, "vestibule_held").await, 20.0);
    stage.touch("wait");
    for client in &mut clients {
        client.is_served().await;
    }
    assert_eq!((status("/readyz").await, status("/startupz").await), (200, 200));
    assert_eq!(metric(&address, "vestibule_lag_seconds_count").await, 20.0);
    assert_eq!(metric(&address, "vestibule_tunnels").await, 20.0);
    let health: serde_json::Value =
        serde_json::from_str(&ask(&address, "/health").await.unwrap().body).unwrap();
    assert_eq!(
        (&health["state"], &health["readiness"]["source"]),
        (&"websocket_ready".into(), &"tcp".into())
    );
    // It lives as long as there is something to close.
    door.signal(Signal::TERM).await;
    door.logs("draining").await;
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    for client in clients {
        assert_eq!(client.close().await, 1012);
    }
    assert_eq!(door.exit().await, 0);
    assert!(ask(&address, "/livez").await.is_err());
}

#[tokio::test]
async fn f24_a_taken_admin_port_that_was_asked_for_ends_it_before_it_listens() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let stage = Stage::new();
    let mut door =
        stage.start(&[], &["--admin", &address], &words(&["touch", &stage.path("started")]));
    assert_eq!(door.exit().await, 71);
    assert!(door.logs("error: ").await.contains(&address));
    assert!(door.logs("hint: ").await.contains("--admin off"));
    assert!(door.log().iter().all(|line| !line.contains("listening")), "{:?}", door.log());
    assert!(!std::path::Path::new(&stage.path("started")).exists());
}

/// Two doors with nothing said of it: one of them has the default, or a stranger does.
#[tokio::test]
async fn f24_a_taken_default_is_said_and_stops_nobody() {
    let stage = Stage::new();
    let app = stage.app(&["term=0"]);
    let doors = [stage.run(&[], &app).await, stage.run(&[], &app).await];
    let said = |door: &Door| {
        let log = door.log();
        log.iter().any(|line| line.contains("no admin address: going on without"))
    };
    eventually("one goes on without", || doors.iter().any(said)).await;
    for door in &doors {
        door.client().await.is_served().await;
    }
}

#[tokio::test]
async fn off_is_off() {
    let stage = Stage::new();
    let door = stage.run(&["--admin", "off"], &stage.app(&["term=0"])).await;
    door.client().await.is_served().await;
    assert!(door.log().iter().all(|line| !line.contains("admin")), "{:?}", door.log());
}

#[tokio::test]
async fn a_unix_socket_is_an_address_too_and_goes_with_the_process() {
    let stage = Stage::new();
    let address = format!("unix:{}", stage.path("admin"));
    let mut door = stage.run(&["--admin", &address], &stage.app(&["term=0"])).await;
    assert_eq!(admin(&door).await, address);
    assert_eq!(ask(&address, "/livez").await.unwrap().status, 200);
    door.signal(Signal::TERM).await;
    door.exit().await;
    assert!(!std::path::Path::new(&stage.path("admin")).exists());
}

#[tokio::test]
async fn a30_an_address_that_others_reach_needs_a_word_and_a_token() {
    let stage = Stage::new();
    std::fs::write(stage.path("token"), "a-token-of-some-length\n").unwrap();
    std::fs::write(stage.path("short"), "short").unwrap();
    let (token, short) = (stage.path("token"), stage.path("short"));
    let (token, short) = (["--admin-token-file", &token], ["--admin-token-file", &short]);
    let everywhere = ["--admin", "0.0.0.0:0"];
    let allowed = [&everywhere[..], &["--admin-allow-remote"]].concat();
    let rows = [
        everywhere.to_vec(),
        allowed.clone(),
        [&everywhere[..], &token[..]].concat(),
        [&allowed[..], &short[..]].concat(),
        vec!["--admin-token-file", "/nowhere"],
        vec!["--admin-host", "a:1"],
        vec!["--admin", "nonsense"],
    ];
    for flags in rows {
        let mut door = stage.start(&[], &flags, &words(&["true"]));
        assert_eq!(door.exit().await, 78, "{flags:?}: {:?}", door.log());
    }
    let flags = [&allowed[..], &token[..]].concat();
    let door = stage.run(&flags, &stage.app(&["term=0"])).await;
    let address = admin(&door).await;
    assert_eq!(ask(&address, "/health").await.unwrap().status, 401);
    assert_eq!(ask(&address, "/livez").await.unwrap().status, 200);
    assert!(door.log().iter().all(|line| !line.contains("a-token-of")), "{:?}", door.log());
}
