//! What is raced, by how many clients, over which time.
//!
//! Owns the settings and the arrival times, which are pure. Must never start anything.

use std::{fmt, time::Duration};

use crate::{error::RaceError, platform::CloudRun};

/// One race.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What the clients dial.
    pub target: Target,
    /// The platform that the clients dial, in front of the target; `None` lets them dial the target itself.
    pub platform: Option<CloudRun>,
    /// How many clients come.
    pub clients: usize,
    /// How long after the target's start the first of them may come. No platform sends anybody to
    /// a process that the system has not yet loaded.
    pub head_start: Duration,
    /// The window over which they arrive, from the head start on.
    pub spread: Duration,
    /// The path, and query if any, of the WebSocket.
    pub path: String,
    /// Headers each client adds to its handshake.
    pub headers: Vec<(String, String)>,
    /// The text each client sends after its 101, `{client}` standing for its number; `None` sends
    /// nothing.
    pub message: Option<String>,
    /// Whether a client needs a message from the service to be ok. Otherwise a socket still open
    /// after the settle window is enough.
    pub require_reply: bool,
    /// How long a client watches its new socket before it calls it ok.
    pub settle: Duration,
    /// How long a client waits for its 101, from its arrival.
    pub timeout: Duration,
    /// A path that answers 200 to 399 once the service is ready, asked straight at the app's own port;
    /// used for the clock when the app does not stamp its readiness itself.
    pub ready_path: Option<String>,
    /// The seed of the arrival times. The same seed gives the same arrivals.
    pub seed: u64,
    /// The number of a client whose bytes are recorded.
    pub trace: Option<usize>,
    /// What becomes of the target's output.
    pub output: Output,
}

impl Scenario {
    /// When each client arrives, from the target's start.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Duration> {
        let times = arrivals(self.clients, self.spread, self.seed);
        times.into_iter().map(|at| self.head_start + at).collect()
    }

    /// A race of 200 clients over 4 s at `/ws`, with the defaults of the command line.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            platform: None,
            clients: 200,
            head_start: Duration::from_millis(200),
            spread: Duration::from_secs(4),
            path: "/ws".into(),
            headers: Vec::new(),
            message: Some("ping-{client}".into()),
            require_reply: false,
            settle: Duration::from_millis(300),
            timeout: Duration::from_secs(30),
            ready_path: None,
            seed: 0,
            trace: None,
            output: Output::KeepLastLines,
        }
    }
}

/// What the clients dial.
#[derive(Clone, Debug)]
pub enum Target {
    /// The command itself: clients dial the port it was given.
    Bare(Launch),
    /// The command behind a front: clients dial the front.
    Door(Door),
    /// Something that runs already.
    Address(Address),
}

/// A command to start.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// Program and arguments; `{port}` in an argument stands for the private port.
    pub argv: Vec<String>,
    /// Variables set on top of the inherited ones.
    pub env: Vec<(String, String)>,
}

/// A command behind a front.
#[derive(Clone, Debug)]
pub struct Door {
    /// The front's program and flags, to which the race adds `--listen ADDR -- COMMAND`, and
    /// `--child-port` where it has to know the app's own port.
    pub front: Vec<String>,
    /// The command that the front starts.
    pub command: Launch,
}

/// What becomes of the target's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The last lines are kept for the case that the target fails.
    KeepLastLines,
    /// It goes where the race's own standard error goes.
    Show,
}

/// A host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads `ws://HOST[:PORT][/PATH]` into an address and, where there is one, a path.
    ///
    /// # Errors
    /// Any other scheme, user information, an empty host or a bad port.
    pub fn from_url(url: &str) -> Result<(Self, Option<String>), RaceError> {
        let fault = |reason| RaceError::Url { url: without_secrets(url), reason };
        let rest = match url.split_once("://") {
            Some(("ws" | "http", rest)) => rest,
            Some(("wss" | "https", _)) => {
                return Err(fault("TLS is not spoken; dial the plain port behind it"));
            }
            _ => return Err(fault("expected ws://HOST:PORT/PATH")),
        };
        let path_start = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        if authority.contains('@') {
            return Err(fault("user information is not sent; use a header"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| fault("bad port"))?;
        if host.is_empty() {
            return Err(fault("no host"));
        }
        let path = match path {
            "" => None,
            query if query.starts_with('?') => Some(format!("/{query}")),
            path => Some(path.to_owned()),
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok((Self { host, port }, path))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A URL as it may be told: without user and query.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // A password may have any character in it: the last `@` counts.
    let rest = rest.rsplit('@').next().unwrap_or_default();
    scheme + rest.split('?').next().unwrap_or_default()
}

/// Splits `HOST[:PORT]`, port 80 by default; `None` for a port that is no number.
fn split_port(authority: &str) -> Option<(&str, u16)> {
    let colon = authority.rfind(':').filter(|&colon| !authority[colon..].contains(']'));
    match colon {
        None => Some((authority, 80)),
        Some(colon) => {
            let port = authority[colon + 1..].parse().ok()?;
            Some((&authority[..colon], port))
        }
    }
}

/// When each client arrives: evenly over `spread`, each at a random place within its own slice.
///
/// Evenly, so that a short outage cannot fall between two clients; at random within the slice, so
/// that clients do not march in step with a service's own timers. Sorted.
fn arrivals(clients: usize, spread: Duration, seed: u64) -> Vec<Duration> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let slices = clients.max(1) as f64;
    (0..clients).map(|number| spread.mul_f64((number as f64 + rng.f64()) / slices)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(url: &str) -> Option<(String, u16, Option<String>)> {
        let (address, path) = Address::from_url(url).ok()?;
        Some((address.host, address.port, path))
    }

    // Breaks the URL reader with each form a person types, and with those it must turn down.
    #[test]
    fn urls_are_read_or_turned_down() {
        let some = |host: &str, port, path: Option<&str>| {
            Some((host.to_owned(), port, path.map(str::to_owned)))
        };
        assert_eq!(parsed("ws://127.0.0.1:8080/ws?a=1"), some("127.0.0.1", 8080, Some("/ws?a=1")));
        assert_eq!(parsed("ws://chat.local"), some("chat.local", 80, None));
        assert_eq!(parsed("ws://[::1]:9/"), some("::1", 9, Some("/")));
        assert_eq!(parsed("ws://[::1]"), some("::1", 80, None));
        assert_eq!(parsed("ws://h?x"), some("h", 80, Some("/?x")));
        for bad in ["wss://h/", "h:80", "ws://", "ws://u:p@h/", "ws://h:99999/", "ws://h:x"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        for bad in ["wss://u:p?w/@h/?pw", "ws://u:pw@h", "u:pw@h:80", "ws:?pw", "ws://:pw@"] {
            let told = Address::from_url(bad).unwrap_err().to_string();
            assert!(!told.contains("pw") && !told.contains("p?w"), "{told}");
        }
        let (v6, _) = Address::from_url("ws://[::1]:9/").unwrap();
        assert_eq!(v6.to_string(), "[::1]:9");
    }

    proptest! {
        // Breaks the schedule: any order, a client outside the window, an empty slice.
        #[test]
        fn arrivals_are_sorted_and_one_in_each_slice(n in 1usize..300, ms in 1u64..60_000, seed: u64) {
            let spread = Duration::from_millis(ms);
            let times = arrivals(n, spread, seed);
            prop_assert_eq!(times.len(), n);
            prop_assert!(times.is_sorted());
            for (number, at) in times.iter().enumerate() {
                let slice = spread.as_secs_f64() / n as f64;
                let place = at.as_secs_f64() / slice - number as f64;
                prop_assert!((-0.001..=1.001).contains(&place), "client {} at {:?}", number, at);
            }
            prop_assert_eq!(times, arrivals(n, spread, seed));
        }
    }
}
