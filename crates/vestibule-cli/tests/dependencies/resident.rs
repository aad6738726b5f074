//! What a door with checks costs while nothing happens.
//!
//! Breaks it by checks that keep what they needed: a runtime, a session, a table. How much it may be
//! counts for a release binary: `bench/run --check` plays this with one, and judges what is printed.

use crate::desk::Desk;
use crate::echo::Echo;
use crate::server::Server;
use crate::stage::Stage;

/// Passes behind the first ready: five seconds of them, so that what the start needed is given back.
const PASSES: usize = 50;

#[tokio::test]
async fn a_door_that_goes_on_asking_three_dependencies_stays_small() {
    let mut servers = [Server::postgres().await, Server::redis(), Server::nats()];
    let [postgres, redis, nats] = &mut servers;
    tokio::join!(postgres.run(), redis.run(), nats.run());
    let (stage, echo) = (Stage::new(), Echo::start().await);
    let file = stage.path("vestibule.toml");
    let tables =
        servers.each_ref().map(|server| server.table("timeout = \"5s\"\ninterval = \"100ms\""));
    std::fs::write(&file, tables.concat()).unwrap();
    let upstream = echo.address();
    let flags = ["--config", &file, "--upstream", &upstream, "--admin", "127.0.0.1:0"];
    let door = stage.serve(&flags).await;
    let desk = Desk::of(&door).await;
    desk.readyz_is(200, "ready\n").await;
    let first = resident(door.started_pid());
    for server in &servers {
        let passed = format!(
            "vestibule_check_attempts_total{{check=\"{0}\",kind=\"{0}\",outcome=\"passed\"}}",
            server.kind()
        );
        let before = desk.metric(&passed).await;
        while desk.metric(&passed).await < before + PASSES as f64 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let resident = resident(door.started_pid());
    println!("resident behind passes: {:.2} MB, {:.2} MB when ready", resident / 1e6, first / 1e6);
    assert!(resident < first + 2e6, "it grows while nothing happens");
}

/// Of this process, in bytes.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}
