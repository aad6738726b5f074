//! The kinds of checks.
//!
//! Owns their words, and the way from a declaration to a check. Must never know how a kind asks.

use std::sync::Arc;

use vestibule::check::Check;

use crate::discreet::Discreet;
use crate::options::{Flaw, Key, Options};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A command's exit status.
    Command,
    /// A name's addresses.
    Dns,
    /// A file.
    File,
    /// The gRPC health protocol.
    Grpc,
    /// An HTTP status, body, certificate.
    Http,
    /// A JSON Web Key Set.
    Jwks,
    /// NATS, JetStream.
    Nats,
    /// A query of PostgreSQL.
    Postgres,
    /// A PING of Redis.
    Redis,
    /// An accepted connection.
    Tcp,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Command,
        Self::Dns,
        Self::File,
        Self::Grpc,
        Self::Http,
        Self::Jwks,
        Self::Nats,
        Self::Postgres,
        Self::Redis,
        Self::Tcp,
    ];

    /// The word in settings, metrics and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Dns => "dns",
            Self::File => "file",
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Jwks => "jwks",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Tcp => "tcp",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind that a URL's scheme names by itself: `postgres`, `postgresql+asyncpg`, `rediss`, `https`, …
    #[must_use]
    pub fn of_scheme(scheme: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        match scheme.split('+').next().unwrap_or_default() {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "redis" | "rediss" | "valkey" | "valkeys" => Some(Self::Redis),
            "nats" | "tls" => Some(Self::Nats),
            "grpc" | "grpcs" => Some(Self::Grpc),
            "http" | "https" => Some(Self::Http),
            "tcp" => Some(Self::Tcp),
            "dns" => Some(Self::Dns),
            "file" => Some(Self::File),
            _ => None,
        }
    }

    /// The keys that it understands.
    #[must_use]
    pub const fn keys(self) -> &'static [Key] {
        match self {
            #[cfg(feature = "command")]
            Self::Command => crate::command::KEYS,
            #[cfg(feature = "dns")]
            Self::Dns => crate::dns::KEYS,
            #[cfg(feature = "file")]
            Self::File => crate::file::KEYS,
            #[cfg(feature = "grpc")]
            Self::Grpc => crate::grpc::KEYS,
            #[cfg(feature = "http")]
            Self::Http => crate::http::KEYS,
            #[cfg(feature = "jwks")]
            Self::Jwks => crate::jwks::KEYS,
            #[cfg(feature = "nats")]
            Self::Nats => crate::nats::KEYS,
            #[cfg(feature = "postgres")]
            Self::Postgres => crate::postgres::KEYS,
            #[cfg(feature = "redis")]
            Self::Redis => crate::redis::KEYS,
            #[cfg(feature = "tcp")]
            Self::Tcp => crate::tcp::KEYS,
            #[allow(unreachable_patterns, reason = "a build may have fewer kinds")]
            _ => &[],
        }
    }
}

/// What checks need of the process that they are in.
#[derive(Clone)]
pub struct Surroundings {
    /// What starts commands: a process that buries orphans must know of each of them.
    #[cfg(feature = "command")]
    pub spawn: Arc<dyn crate::command::Spawn>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            #[cfg(feature = "command")]
            spawn: Arc::new(crate::command::Plainly),
        }
    }
}

/// Makes a check of what was declared. Unknown keys are the caller's to refuse, by [`Kind::keys`].
///
/// # Errors
///
/// All mistakes at once.
pub fn build(kind: Kind, options: &Options) -> Result<Arc<dyn Check>, Vec<Flaw>> {
    build_with(kind, options, &Surroundings::default())
}

/// The same in a process that is not alone with itself.
///
/// # Errors
///
/// All mistakes at once.
pub fn build_with(
    kind: Kind,
    options: &Options,
    #[cfg_attr(not(feature = "command"), expect(unused_variables))] surroundings: &Surroundings,
) -> Result<Arc<dyn Check>, Vec<Flaw>> {
    let check: Arc<dyn Check> = match kind {
        #[cfg(feature = "command")]
        Kind::Command => {
            let spawn = Arc::clone(&surroundings.spawn);
            Arc::new(crate::command::Command::new(options, spawn)?)
        }
        #[cfg(feature = "dns")]
        Kind::Dns => Arc::new(crate::dns::Dns::new(options)?),
        #[cfg(feature = "file")]
        Kind::File => Arc::new(crate::file::File::new(options)?),
        #[cfg(feature = "grpc")]
        Kind::Grpc => Arc::new(crate::grpc::Grpc::new(options)?),
        #[cfg(feature = "http")]
        Kind::Http => Arc::new(crate::http::Http::new(options)?),
        #[cfg(feature = "jwks")]
        Kind::Jwks => Arc::new(crate::jwks::Jwks::new(options)?),
        #[cfg(feature = "nats")]
        Kind::Nats => Arc::new(crate::nats::Nats::new(options)?),
        #[cfg(feature = "postgres")]
        Kind::Postgres => Arc::new(crate::postgres::Postgres::new(options)?),
        #[cfg(feature = "redis")]
        Kind::Redis => Arc::new(crate::redis::Redis::new(options)?),
        #[cfg(feature = "tcp")]
        Kind::Tcp => Arc::new(crate::tcp::Tcp::new(options)?),
        #[allow(unreachable_patterns, reason = "a build may have fewer kinds")]
        other => {
            let message = format!("this build has no checks of kind {}", other.as_str());
            return Err(vec![Flaw::new("kind", message)]);
        }
    };
    Ok(Discreet::around(check, options))
}
