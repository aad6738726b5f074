//! Several addresses, one connection.
//!
//! Owns the order and pace of RFC 8305, "Happy Eyeballs": a family that leads nowhere costs a quarter of a
//! second and not the whole try. Generic over what connects. Must never have more than [`AT_ONCE`] under way.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// From one attempt to the next while none has ended (RFC 8305, section 8: Connection Attempt Delay).
const STAGGER: Duration = Duration::from_millis(250);

/// As many attempts are under way at a time.
const AT_ONCE: usize = 4;

/// The first connection that is made, all others dropped.
///
/// # Errors
///
/// What every address answered.
pub(super) async fn first<T, F>(
    addresses: &[SocketAddr],
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = alternating(addresses).into_iter();
    let mut running = Vec::new();
    let mut failed = Vec::new();
    loop {
        if running.len() < AT_ONCE
            && let Some(address) = waiting.next()
        {
            running.push((address, Box::pin(connect(address))));
        }
        if running.is_empty() {
            return Err(failed);
        }
        let another_may_go = running.len() < AT_ONCE && waiting.len() > 0;
        let pause = if another_may_go { STAGGER } else { Duration::MAX };
        match timeout(pause, ended(&mut running)).await {
            Ok((_, Ok(connection))) => return Ok(connection),
            Ok((address, Err(error))) => failed.push((address, error)),
            Err(_) => {}
        }
    }
}

/// The first attempt that ends.
async fn ended<F: Future>(running: &mut Vec<(SocketAddr, Pin<Box<F>>)>) -> (SocketAddr, F::Output) {
    poll_fn(|context| {
        for at in 0..running.len() {
            if let Poll::Ready(output) = running[at].1.as_mut().poll(context) {
                let (address, _) = running.swap_remove(at);
                return Poll::Ready((address, output));
            }
        }
        Poll::Pending
    })
    .await
}

/// One of each family in turn, beginning with the one that the system prefers (RFC 8305, section 4).
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(preferred) = addresses.first().map(SocketAddr::is_ipv6) else {
        return Vec::new();
    };
    let of = |family: bool| addresses.iter().copied().filter(move |one| one.is_ipv6() == family);
    let (mut own, mut other) = (of(preferred), of(!preferred));
    let mut order = Vec::with_capacity(addresses.len());
    while order.len() < addresses.len() {
        order.extend(own.next());
        order.extend(other.next());
    }
    order
}

#[cfg(test)]
mod tests {
    //! Breaks a dial with families that lead nowhere, and with more addresses than may be tried at a time.

    use std::cell::Cell;
    use std::io::ErrorKind;

    use tokio::time::{Instant, sleep};

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_from_the_preferred_one() {
        let mixed = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]);
        let order = addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(alternating(&mixed), order);
        assert!(alternating(&[]).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn f26_a_family_that_leads_nowhere_costs_a_quarter_of_a_second() {
        let both = addresses(&["[2001:db8::1]:1", "192.0.2.1:1"]);
        let began = Instant::now();
        let connect = |address: SocketAddr| async move {
            if address.is_ipv6() { std::future::pending().await } else { Ok(address) }
        };
        assert_eq!(first(&both, connect).await.unwrap(), both[1]);
        assert_eq!(began.elapsed(), STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_lets_the_next_go_at_once_and_all_are_told() {
        let three = addresses(&["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"]);
        let began = Instant::now();
        let connect = |_| async { Err::<(), _>(ErrorKind::ConnectionRefused.into()) };
        assert_eq!(first(&three, connect).await.unwrap_err().len(), 3);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_four_are_under_way() {
        let many: Vec<_> = (1..=9).map(|host| SocketAddr::from(([192, 0, 2, host], 1))).collect();
        let (now, most) = (Cell::new(0), Cell::new(0));
        let connect = |address: SocketAddr| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                sleep(Duration::from_secs(3)).await;
                now.set(now.get() - 1);
                if address.ip().to_string().ends_with('9') {
                    return Ok(());
                }
                Err(ErrorKind::TimedOut.into())
            }
        };
        first(&many, connect).await.unwrap();
        assert_eq!(most.get(), AT_ONCE);
    }
}
