//! What a door's admin address says.
//!
//! Owns the questions; judges nothing.

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::{Answer, Client};
use crate::door::Door;
use crate::stage::BOUND;

/// The admin address of one door.
pub(crate) struct Desk(String);

impl Desk {
    /// That of this door, which must have been given one.
    pub(crate) async fn of(door: &Door) -> Self {
        let line = door.logs(" admin address=").await;
        Self(line.split("address=").nth(1).unwrap().split(' ').next().unwrap().to_owned())
    }

    /// What a path answers.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut client = Client::connect(&self.0).await.unwrap();
        client.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        client.answer().await
    }

    /// What a probe of readiness hears.
    pub(crate) async fn readyz(&self) -> (u16, String) {
        let answer = self.get("/readyz").await;
        (answer.status, answer.body)
    }

    /// The health document.
    pub(crate) async fn health(&self) -> Value {
        serde_json::from_str(&self.get("/health").await.body).unwrap()
    }

    /// Waits until the health document is so, and answers it.
    pub(crate) async fn shows(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + BOUND;
        let mut health = self.health().await;
        while !is(&health) {
            assert!(Instant::now() < end, "never: {what}, but {health:#}");
            sleep(std::time::Duration::from_millis(10)).await;
            health = self.health().await;
        }
        health
    }

    /// Waits until a probe of readiness hears this.
    pub(crate) async fn readyz_is(&self, status: u16, body: &str) {
        let end = Instant::now() + BOUND;
        let mut heard = self.readyz().await;
        while heard != (status, body.to_owned()) {
            assert!(Instant::now() < end, "never {status} {body:?}, but {heard:?}");
            sleep(std::time::Duration::from_millis(10)).await;
            heard = self.readyz().await;
        }
    }

    /// The sum of all series that begin so.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let scrape = self.get("/metrics").await.body;
        let lines: Vec<_> = scrape.lines().filter(|line| line.starts_with(series)).collect();
        assert!(!lines.is_empty(), "no {series} in {scrape}");
        lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// How often this check was tried, to the end of a try.
    pub(crate) async fn tries(&self, check: &str) -> usize {
        let tries =
            self.metric(&format!("vestibule_check_attempts_total{{check=\"{check}\"")).await;
        tries as usize
    }
}
