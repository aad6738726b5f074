//! How long one try may take.
//!
//! Owns the time of each try. Must never decide whether there is another: the gate does.

use std::time::Duration;

use tokio::time::Instant;

/// The end of a client's next try, after `silences` tries that the service let pass in silence. A
/// young service gets `try_timeout`, doubled with each of these, so that a slow but honest
/// handshake is met in the end; a warm one has all the time that the client has. A try that was
/// answered, or broke off, says nothing about how long the next one needs.
pub fn deadline(
    now: Instant,
    silences: u32,
    young: bool,
    try_timeout: Duration,
    client_deadline: Instant,
) -> Instant {
    if !young {
        return client_deadline;
    }
    let patience = try_timeout.saturating_mul(1 << silences.min(16));
    now.checked_add(patience).map_or(client_deadline, |end| end.min(client_deadline))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_doubles_while_young_and_never_passes_the_client() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let client = now + Duration::from_secs(10);
        let rows = [
            (0, true, 1),
            (1, true, 2),
            (3, true, 8),
            (4, true, 10),
            (99, true, 10),
            (0, false, 10),
        ];
        for (tried, young, seconds) in rows {
            let end = deadline(now, tried, young, second, client);
            assert_eq!(end, now + Duration::from_secs(seconds), "{tried} {young}");
        }
    }
}
