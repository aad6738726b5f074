//! A name's addresses.
//!
//! Owns asking the system's resolver, so that a check sees what the service sees: `/etc/hosts`, search domains,
//! whatever `nsswitch.conf` says. `getaddrinfo` can't be cancelled and may hang for half a minute: it gets a
//! thread of its own, of which there are few. Must never wait for it on a thread of the runtime, and must never
//! leave more of them behind than [`AT_ONCE`].

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::time::timeout;
use vestibule::check::{Reason, Stage, Trouble};

use super::trouble_of;
use crate::aside::Aside;

/// As many questions are before the resolver at a time, those that nobody waits for any more included.
const AT_ONCE: usize = 8;

/// No answer is waited for longer: what glibc gives one server for one question (resolv.conf(5), `timeout`).
const PATIENCE: Duration = Duration::from_secs(5);

/// No more addresses of one name are used.
const ADDRESSES_MAX: usize = 16;

static RESOLVER: Aside = Aside::new("resolver", AT_ONCE);

/// The host's addresses in the order of the system, at least one, at most 16. An address is its own.
///
/// # Errors
///
/// That the name does not exist, or that the resolver failed or did not answer in 5 s.
pub async fn addresses(host: &str, port: u16, stage: &Stage) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = (host.to_owned(), port);
    let question = move || Ok(name.to_socket_addrs()?.take(ADDRESSES_MAX).collect());
    ask(&RESOLVER, host, stage, question).await
}

async fn ask(
    resolver: &'static Aside,
    host: &str,
    stage: &Stage,
    question: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> Result<Vec<SocketAddr>, Trouble> {
    stage.waits(Reason::DnsFailed, "the name's addresses");
    match timeout(PATIENCE, resolver.ask(question)).await {
        Ok(Ok(Ok(addresses))) if addresses.is_empty() => {
            Err(Trouble::new(Reason::NameNotFound, format!("{host}: the name has no address")))
        }
        Ok(Ok(answer)) => answer.map_err(|error| trouble_with(host, &error)),
        Ok(Err(trouble)) => Err(trouble),
        Err(_) => {
            let text = format!("{host}: no answer of the resolver in {PATIENCE:?}");
            Err(Trouble::new(Reason::DnsFailed, text))
        }
    }
}

/// What `getaddrinfo` said. The standard library passes on its words and not its number; they are those of
/// `gai_strerror` for `EAI_NONAME` and `EAI_NODATA` in glibc, musl and Darwin, never translated, since nobody
/// here calls `setlocale`.
fn trouble_with(host: &str, error: &io::Error) -> Trouble {
    const NO_SUCH_NAME: [&str; 5] = [
        "Name or service not known",
        "No address associated with",
        "Name does not resolve",
        "Name has no usable address",
        "nodename nor servname provided",
    ];
    let text = error.to_string();
    let words = text.rsplit_once("information: ").map_or(text.as_str(), |(_, words)| words);
    let reason = match trouble_of(error).reason() {
        Reason::OutOfResources => Reason::OutOfResources,
        _ if NO_SUCH_NAME.iter().any(|known| words.starts_with(known)) => Reason::NameNotFound,
        _ => Reason::DnsFailed,
    };
    Trouble::new(reason, format!("{host}: {}", words.to_lowercase()))
}

#[cfg(test)]
mod tests {
    //! Breaks the resolver: it hangs, fails, and knows nothing.

    use std::sync::{Arc, Mutex, mpsc};

    use rustix::io::Errno;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn f26_a_resolver_that_hangs_costs_no_more_threads_than_its_places() {
        static TWO: Aside = Aside::new("two", 2);
        let (release, hang) = mpsc::channel::<()>();
        let hang = Arc::new(Mutex::new(hang));
        for _ in 0..3 {
            let hang = Arc::clone(&hang);
            let stage = Stage::default();
            let question = move || {
                let _ = hang.lock().unwrap().recv();
                Ok(Vec::new())
            };
            let trouble = ask(&TWO, "db.internal", &stage, question).await.unwrap_err();
            assert_eq!(trouble.reason(), Reason::DnsFailed);
            assert!(trouble.detail().contains("5s"), "{trouble}");
            assert_eq!(stage.cut_off().reason(), Reason::DnsFailed);
        }
        assert_eq!(TWO.free(), 0, "the third never had a thread");
        drop(release);
        TWO.ask(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn f26_no_such_name_is_told_from_a_resolver_that_failed() {
        let said = |words: &str| {
            io::Error::other(format!("failed to lookup address information: {words}"))
        };
        let unknown = trouble_with("db", &said("Name or service not known"));
        assert_eq!(unknown.to_string(), "name_not_found: db: name or service not known");
        let failed = trouble_with("db", &said("Temporary failure in name resolution"));
        assert_eq!(failed.reason(), Reason::DnsFailed);
        let short = trouble_with("db", &Errno::MFILE.into());
        assert_eq!(short.reason(), Reason::OutOfResources);
    }

    #[tokio::test]
    async fn an_address_needs_no_resolver_and_localhost_is_known() {
        let stage = Stage::default();
        let own = addresses("::1", 5, &stage).await.unwrap();
        assert_eq!(own, ["[::1]:5".parse().unwrap()]);
        let local = addresses("localhost", 5, &stage).await.unwrap();
        assert!(local.iter().all(|address| address.ip().is_loopback()), "{local:?}");
    }
}
