//! What we lack ourselves for a connection to the upstream.
//!
//! Owns the kinds, their words, and how often the log hears of them. Must never say anything of the
//! service: whoever has no port left has learnt nothing about it.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::Instant;

/// How often the log may say that something is lacking.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// What the kernel could not give us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    /// Neither the process nor the machine may open more (EMFILE, ENFILE).
    #[error("no descriptor is left")]
    Descriptors,
    /// All local ports towards the upstream's address are in use (EADDRNOTAVAIL, connect(2)).
    #[error("no local port is left towards the service")]
    Ports,
    /// No memory for a socket (ENOBUFS, ENOMEM).
    #[error("the kernel has no memory for a socket")]
    Memory,
}

impl Shortage {
    /// The shortage that a failed dial tells of; `None` if it tells of something else.
    pub fn of(error: &io::Error) -> Option<Self> {
        match Errno::from_raw_os_error(error.raw_os_error()?) {
            Errno::MFILE | Errno::NFILE => Some(Self::Descriptors),
            Errno::ADDRNOTAVAIL => Some(Self::Ports),
            Errno::NOBUFS | Errno::NOMEM => Some(Self::Memory),
            _ => None,
        }
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Descriptors => "raise the limit of open files: ulimit -n, fs.file-max",
            Self::Ports => {
                "let the service listen on a Unix socket (serve --upstream unix:PATH), \
                 which takes no ports, or widen net.ipv4.ip_local_port_range"
            }
            Self::Memory => "give the machine or the container more memory",
        }
    }
}

/// When the log last heard of a shortage.
#[derive(Debug, Default)]
pub struct Said(Mutex<Option<Instant>>);

impl Said {
    /// Says it, unless it was said just now: a door that is short may be so for every client.
    pub fn tell(&self, shortage: Shortage, now: Instant) {
        if self.is_news(now) {
            tracing::warn!(hint = shortage.hint(), "clients are refused: {shortage}");
        }
    }

    fn is_news(&self, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = said.is_none_or(|at| now.saturating_duration_since(at) >= SAID_EVERY);
        if is_news {
            *said = Some(now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    //! Breaks it with errors that are the service's, and with a client each millisecond.
    use super::*;

    #[test]
    fn f17_our_own_want_is_told_from_the_services_absence() {
        let rows = [
            (Errno::MFILE, Some(Shortage::Descriptors)),
            (Errno::NFILE, Some(Shortage::Descriptors)),
            (Errno::ADDRNOTAVAIL, Some(Shortage::Ports)),
            (Errno::NOBUFS, Some(Shortage::Memory)),
            (Errno::NOMEM, Some(Shortage::Memory)),
            (Errno::CONNREFUSED, None),
            (Errno::HOSTUNREACH, None),
            (Errno::AGAIN, None),
        ];
        for (errno, wanted) in rows {
            assert_eq!(Shortage::of(&errno.into()), wanted, "{errno}");
        }
        assert_eq!(Shortage::of(&io::ErrorKind::AddrNotAvailable.into()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_said_every_five_seconds_however_many_are_refused() {
        let said = Said::default();
        let began = Instant::now();
        let heard = (0..12_000).filter(|ms| said.is_news(began + Duration::from_millis(*ms)));
        assert_eq!(heard.collect::<Vec<_>>(), [0, 5000, 10_000]);
    }
}
