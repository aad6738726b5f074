//! A front with its admin address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::task::JoinHandle;
use vestibule_front::admin::guard::{Guard, Token};
use vestibule_front::admin::{CONNECTIONS_MAX, Facts, serve};
use vestibule_front::listener::{Listen, PublicListener};

use crate::actors::client::{Answer, Client};
use crate::actors::door::Door;

/// What the service shows with its reports.
pub(crate) const STARTUP_TOKEN: &str = "the-services-own-token";

/// A front, and where it can be asked.
pub(crate) struct Desk {
    pub(crate) door: Door,
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Desk {
    /// Beside this front, without a token.
    pub(crate) fn beside(door: Door) -> Self {
        Self::with(door, None)
    }

    pub(crate) fn with(door: Door, token: Option<&str>) -> Self {
        let listener = PublicListener::bind(&Listen::Tcp(([127, 0, 0, 1], 0).into())).unwrap();
        let address: SocketAddr = listener.local().parse().unwrap();
        let token = token.map(|token| Token::new(token).unwrap());
        let guard = Guard::new(Some(address.ip()), Vec::new(), token)
            .with_startup_token(Token::new(STARTUP_TOKEN).unwrap());
        let facts = Facts {
            version: "0.0.0",
            environment: "test",
            platform: "local",
            log_lines_dropped: Arc::new(AtomicU64::new(3)),
        };
        let front = Arc::clone(&door.front);
        let serving = tokio::spawn(serve(front, listener, guard, facts, CONNECTIONS_MAX));
        Self { door, address, serving }
    }

    /// The answer to GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, "").await
    }

    pub(crate) async fn get_with(&self, path: &str, fields: &str) -> Answer {
        self.says(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")).await
    }

    /// The answer to these words.
    pub(crate) async fn says(&self, words: &str) -> Answer {
        Client::saying(self.address, words).await.answer().await
    }

    /// The health document.
    pub(crate) async fn health(&self) -> serde_json::Value {
        let answer = self.get("/health").await;
        assert_eq!(answer.field("content-type"), Some("application/json"));
        serde_json::from_str(answer.text()).unwrap()
    }

    /// A whole scrape.
    pub(crate) async fn scrape(&self) -> String {
        let answer = self.get("/metrics").await;
        assert!(answer.text().ends_with("# EOF\n"));
        answer.text().to_owned()
    }

    /// The value of one series, by its whole name.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let scrape = self.scrape().await;
        let line = scrape.lines().find(|line| line.rsplit_once(' ').unwrap().0 == series);
        let line = line.unwrap_or_else(|| panic!("no {series} in {scrape}"));
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    }

    /// The sum of all series of one metric.
    pub(crate) async fn sum(&self, metric: &str) -> f64 {
        let scrape = self.scrape().await;
        let values = scrape.lines().filter(|line| line.split(['{', ' ']).next() == Some(metric));
        values.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }

    /// A follower that has heard the state.
    pub(crate) async fn follow(&self) -> Client {
        let words = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut client = Client::saying(self.address, words).await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
        hears(&mut client, "event: state\n").await;
        client
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Reads to the end of these words; answers all that was read.
pub(crate) async fn hears(client: &mut Client, words: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(words.as_bytes()) {
        heard.extend(client.exactly(1).await);
    }
    String::from_utf8(heard).unwrap()
}
