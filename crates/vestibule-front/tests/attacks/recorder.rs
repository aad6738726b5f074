//! A service that keeps every byte, and reads requests with a reading of its own: as literal as can be, so that what
//! it understands is what was sent.

use std::sync::{Arc, Mutex};

use super::actors::service::{Line, Service};
use super::actors::{answer, switching};

/// What came to the service.
pub(crate) struct Recorder {
    pub(crate) service: Service,
    whole: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// A service that takes every handshake and answers everything else with its own target.
    pub(crate) fn listens() -> Self {
        let whole = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&whole);
        let service = Service::new(move |line| serve(line, Arc::clone(&kept)));
        Self { service, whole }
    }

    /// The request lines of all requests that came whole.
    pub(crate) fn whole(&self) -> Vec<String> {
        self.whole.lock().unwrap().clone()
    }

    /// Every byte of all connections, in lower case.
    pub(crate) fn everything(&self) -> String {
        self.service.transcripts().concat().to_lowercase()
    }
}

async fn serve(mut line: Line, whole: Arc<Mutex<Vec<String>>>) {
    while let Some(head) = line.head().await {
        if body(&mut line, &head.to_lowercase()).await.is_none() {
            return;
        }
        let first = head.split("\r\n").next().unwrap();
        whole.lock().unwrap().push(first.to_owned());
        if head.contains("Upgrade: websocket") {
            line.say(switching("")).await;
            return line.listen().await;
        }
        let target = first.split(' ').nth(1).unwrap_or_default();
        let words = answer("200 OK", if first.starts_with("HEAD ") { "" } else { target });
        line.say(words).await;
        if head.contains("connection: close") {
            return;
        }
    }
}

/// Reads over a body; `None` if it breaks off.
async fn body(line: &mut Line, head: &str) -> Option<()> {
    let field = |name| head.split(name).nth(1).map(|rest| rest.split("\r\n").next().unwrap());
    assert!(
        head.matches("content-length:").count() + head.matches("transfer-encoding:").count() < 2
    );
    if let Some(length) = field("\r\ncontent-length: ") {
        line.exactly(length.parse().unwrap()).await?;
    }
    if field("\r\ntransfer-encoding: ").is_none() {
        return Some(());
    }
    loop {
        let size = line.through(b"\r\n").await?;
        match usize::from_str_radix(size.trim_end(), 16).unwrap() {
            0 => break,
            size => line.exactly(size + 2).await?,
        };
    }
    while line.through(b"\r\n").await? != "\r\n" {}
    Some(())
}
