//! A PostgreSQL's address, as drivers write it.
//!
//! Owns its reading: libpq's URLs, those of SQLAlchemy (`postgresql+asyncpg://`), and the parameters that a check
//! can act upon; others are the driver's and ignored. Must never let a part of the password become a host, since
//! hosts are shown, and must never repeat a value in a message.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};

/// What a URL looks like.
pub(super) const USAGE: &str = "use postgres://USER:PASSWORD@HOST:PORT/DATABASE";

/// What is wrong where a character of the user or password is taken for the end of it.
const ENCODE: &str =
    "write / ? # @ : in user and password as %2F %3F %23 %40 %3A, or the rest is misread";

const PORT: u16 = 5432;

/// The name under which our sessions are seen by the server.
const APPLICATION: &str = "vestibule";

/// How much TLS, from none to all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Its certificate is for `name`; it is dialled at `address`.
    Tcp { name: String, address: String, port: u16 },
    /// A socket in the file system.
    Unix(PathBuf),
}

/// What a URL declares. It holds the password: no debug form.
pub(super) struct Declared {
    /// Who logs in, and how.
    pub(super) config: Config,
    /// Where; at least one.
    pub(super) places: Vec<Place>,
    /// The database, if it stands in the path.
    pub(super) database: Option<String>,
    /// How much TLS.
    pub(super) way: Way,
    /// The certificates to trust.
    pub(super) ca_file: Option<String>,
    /// Whether the session must take writes.
    pub(super) writable: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { name, port, .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Tcp { name, port, .. } => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Declared {
    /// Reads a URL; what is wrong with it is said without its values.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(USAGE)?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.split('+').next(), Some("postgres" | "postgresql")) {
            return Err(USAGE.to_owned());
        }
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = base.split_once('/').unwrap_or((base, ""));
        let mistaken =
            path.contains('@') || query.split('=').next().is_some_and(|key| key.contains('@'));
        if mistaken || authority.contains('#') {
            return Err(ENCODE.to_owned());
        }
        let mut config = base_of(authority, path)?;
        let database = config.get_dbname().map(str::to_owned);
        let mut hosts = Hosts::of(&config);
        let mut declared = Extra { way: Way::Prefer, ca_file: None, writable: false };
        for (key, value) in pairs(query) {
            declared.take(&key, &value, &mut config, &mut hosts)?;
        }
        config.application_name(APPLICATION);
        config.ssl_mode(match declared.way {
            Way::Plain => SslMode::Disable,
            Way::Prefer => SslMode::Prefer,
            _ => SslMode::Require,
        });
        let Extra { way, ca_file, writable } = declared;
        Ok(Self { config, places: hosts.places()?, database, way, ca_file, writable })
    }
}

/// User, password, hosts and database, read by the library.
fn base_of(authority: &str, path: &str) -> Result<Config, String> {
    // The library ends the user and password at the first @, and drivers do at the last.
    let authority = match authority.rsplit_once('@') {
        Some((user, hosts)) => format!("{}@{hosts}", user.replace('@', "%40")),
        None => authority.to_owned(),
    };
    let url = format!("postgres://{authority}/{path}");
    url.parse().map_err(|_| format!("{USAGE}, with a port that is a number; {ENCODE}"))
}

/// The parameters, decoded. A plus is a plus, as for libpq.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let query = query.replace('+', "%2B");
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    pairs.into_iter()
}

/// What parameters add beside who and where.
struct Extra {
    way: Way,
    ca_file: Option<String>,
    writable: bool,
}

impl Extra {
    fn take(
        &mut self,
        key: &str,
        value: &str,
        config: &mut Config,
        hosts: &mut Hosts,
    ) -> Result<(), String> {
        match key {
            "user" => drop(config.user(value)),
            "password" => drop(config.password(value)),
            "dbname" => drop(config.dbname(value)),
            "options" => drop(config.options(value)),
            "host" => hosts.add(value),
            "hostaddr" => hosts.addresses = value.split(',').map(str::to_owned).collect(),
            "port" => hosts.set_ports(value)?,
            // `ssl` is how asyncpg and the drivers of Node write it.
            "sslmode" | "ssl" => self.way = way_of(key, value)?,
            // By this word libpq trusts the system's roots, which we do anyway.
            "sslrootcert" if value != "system" => self.ca_file = Some(value.to_owned()),
            "sslcert" | "sslkey" => {
                return Err(format!("{key}: checks have no certificates of their own yet"));
            }
            "channel_binding" => {
                config.channel_binding(match value {
                    "disable" => ChannelBinding::Disable,
                    "require" => ChannelBinding::Require,
                    _ => ChannelBinding::Prefer,
                });
            }
            "target_session_attrs" => self.writable = matches!(value, "read-write" | "primary"),
            _ => {}
        }
        Ok(())
    }
}

fn way_of(key: &str, value: &str) -> Result<Way, String> {
    match value {
        "disable" | "false" | "0" => Ok(Way::Plain),
        "allow" | "prefer" => Ok(Way::Prefer),
        "require" | "true" | "1" | "no-verify" => Ok(Way::Require),
        "verify-ca" => Ok(Way::VerifyCa),
        "verify-full" => Ok(Way::VerifyFull),
        _ => Err(format!("{key}: use disable, prefer, require, verify-ca or verify-full")),
    }
}

/// The hosts of a URL, before they are put together.
struct Hosts {
    hosts: Vec<(String, Option<u16>)>,
    addresses: Vec<String>,
    ports: Vec<u16>,
}

impl Hosts {
    fn of(config: &Config) -> Self {
        let mut ports = config.get_ports().iter().copied();
        let hosts = config.get_hosts().iter().map(|host| {
            let host = match host {
                Host::Tcp(name) => Cow::Borrowed(name.as_str()),
                Host::Unix(path) => path.to_string_lossy(),
            };
            (host.into_owned(), ports.next())
        });
        Self { hosts: hosts.collect(), addresses: Vec::new(), ports: Vec::new() }
    }

    /// Hosts of a parameter, of which SQLAlchemy lets each have its port.
    fn add(&mut self, value: &str) {
        for host in value.split(',') {
            let (name, port) = match host.rsplit_once(':') {
                Some((name, port)) if !host.starts_with('/') && !name.contains(':') => {
                    (name, port.parse().ok())
                }
                _ => (host, None),
            };
            self.hosts.push((name.to_owned(), port));
        }
    }

    fn set_ports(&mut self, value: &str) -> Result<(), String> {
        let port = |port: &str| if port.is_empty() { Ok(PORT) } else { port.parse() };
        let ports: Result<Vec<u16>, _> = value.split(',').map(port).collect();
        self.ports = ports.map_err(|_| "port: use a number".to_owned())?;
        Ok(())
    }

    fn places(mut self) -> Result<Vec<Place>, String> {
        self.hosts.retain(|(host, _)| !host.is_empty());
        if self.hosts.is_empty() {
            self.hosts = self.addresses.iter().map(|address| (address.clone(), None)).collect();
        }
        if self.hosts.is_empty() {
            return Err("it names no host: add one, or a socket's folder by ?host=/run/postgresql"
                .to_owned());
        }
        let port_of = |at: usize, own: Option<u16>| {
            let of_all =
                if self.ports.len() == 1 { self.ports.first() } else { self.ports.get(at) };
            of_all.copied().or(own).unwrap_or(PORT)
        };
        let places = self.hosts.iter().enumerate().map(|(at, (host, own))| {
            let port = port_of(at, *own);
            if host.starts_with('/') {
                return Place::Unix(PathBuf::from(host).join(format!(".s.PGSQL.{port}")));
            }
            let address = self.addresses.get(at).unwrap_or(host).clone();
            Place::Tcp { name: host.clone(), address, port }
        });
        Ok(places.collect())
    }
}

#[cfg(test)]
mod tests;
