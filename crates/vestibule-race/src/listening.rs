//! When a port began to be listened on, without a connection that the app would see.
//!
//! Owns the reading of the kernel's socket table. Must never dial: the race's clients are to be
//! the first.

use std::{
    fs,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// Between two looks at the table; the mark on the timeline is no finer.
const PAUSE: Duration = Duration::from_millis(5);
/// The state of a listening socket (`TCP_LISTEN` in the kernel's `net/tcp_states.h`).
const LISTEN: &str = "0A";

/// Sets `port_open` when somebody listens on `port`. Runs until then, or until it is dropped;
/// where there is no such table, the first client that connects has to do.
pub(crate) async fn watch(port: u16, port_open: Arc<OnceLock<Instant>>) {
    while port_open.get().is_none() {
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(fs::read_to_string);
        if tables.iter().all(Result::is_err) {
            return;
        }
        if tables.iter().flatten().any(|table| has_listener(table, port)) {
            port_open.get_or_init(Instant::now);
        }
        sleep(PAUSE).await;
    }
}

/// Whether a table in the form of proc_pid_net(5) has a listener on `port`.
fn has_listener(table: &str, port: u16) -> bool {
    let wanted = format!("{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local_port = fields.nth(1).and_then(|local| local.rsplit(':').next());
        local_port == Some(wanted.as_str()) && fields.nth(1) == Some(LISTEN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:2328 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0
";

    // Breaks the reading with a listener, a connection from a port, one to it, and no table.
    #[test]
    fn only_a_listener_counts() {
        assert!(has_listener(TABLE, 8080));
        assert!(!has_listener(TABLE, 9000));
        assert!(!has_listener(TABLE, 80));
        assert!(!has_listener("", 8080));
        let v6 = "header\n 0: 00000000000000000000000000000000:1F90 0:0 0A x\n";
        assert!(has_listener(v6, 8080));
    }

    #[tokio::test]
    async fn a_listener_is_seen_without_a_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port_open = Arc::new(OnceLock::new());
        let port = listener.local_addr().unwrap().port();
        tokio::time::timeout(Duration::from_secs(10), watch(port, Arc::clone(&port_open)))
            .await
            .unwrap();
        assert!(port_open.get().is_some());
        assert!(tokio::time::timeout(Duration::from_millis(20), listener.accept()).await.is_err());
    }
}
