//! Checks that usually go together.
//!
//! Owns, as plain data, which parts a service of a known shape has, how patient each is asked, and the variable
//! that names its address. Must never read a variable, and never invent an address: a part whose variable is
//! not set is not asked.

use std::time::Duration;

use vestibule::check::{Group, Spec};

use crate::kind::Kind;

/// A service of a known shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A chat over WebSockets: database, cache, keys, the supervisor of its agents, its bridge, and the whole.
    Chat,
}

/// One part of such a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of its check.
    pub name: &'static str,
    /// With whom it is asked.
    pub group: Group,
    /// One try's time, before the environment stretches it.
    pub timeout: Duration,
    /// Tries in a pass.
    pub attempts: u32,
    /// What is asked where the address does not say it: see [`Part::kind`].
    pub usual: Kind,
    /// The variable that holds its URL.
    pub variable: &'static str,
}

/// Where a chat begins; a declaration of the same name changes what it wants.
const CHAT: &[Part] = &[
    part("database", Group::Dependencies, (3_000, 5), Kind::Postgres, "DATABASE_URL"),
    part("cache", Group::Dependencies, (1_500, 3), Kind::Redis, "REDIS_URL"),
    part("auth", Group::Dependencies, (2_000, 2), Kind::Jwks, "AUTH_URL"),
    part("agent-supervisor", Group::Services, (2_000, 3), Kind::Http, "AGENT_SUPERVISOR_URL"),
    part("websocket-bridge", Group::Services, (1_000, 2), Kind::Http, "WEBSOCKET_BRIDGE_URL"),
    part("integration", Group::Integration, (1_000, 2), Kind::Http, "INTEGRATION_URL"),
];

const fn part(
    name: &'static str,
    group: Group,
    (milliseconds, attempts): (u64, u32),
    usual: Kind,
    variable: &'static str,
) -> Part {
    Part { name, group, timeout: Duration::from_millis(milliseconds), attempts, usual, variable }
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 1] = [Self::Chat];

    /// The word in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
        }
    }

    /// The profile of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == word)
    }

    /// Its parts, in the order in which they are shown.
    #[must_use]
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::Chat => CHAT,
        }
    }
}

impl Part {
    /// How it is asked.
    #[must_use]
    pub fn spec(&self) -> Spec {
        Spec::new(self.name).in_group(self.group).within(self.timeout, self.attempts)
    }

    /// What is asked at this address: what its scheme says, else the usual.
    ///
    /// `https` says nothing of what is behind it. Where a key set is usual it is one if the last word of its
    /// path says so (`jwks.json`, `certs`, `keys`, as identity providers name it); any other address of such
    /// a part is asked for its status alone.
    #[must_use]
    pub fn kind(&self, url: &str) -> Kind {
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme.trim());
        match Kind::of_scheme(scheme) {
            Some(Kind::Http) if self.usual == Kind::Jwks && names_keys(url) => Kind::Jwks,
            Some(kind) => kind,
            None => self.usual,
        }
    }
}

fn names_keys(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let last = last.to_ascii_lowercase();
    ["jwks", "certs", "keys"].contains(&last.trim_end_matches(".json"))
}

#[cfg(test)]
mod tests {
    //! Breaks the profile with addresses of every scheme, and holds its numbers against the written ones.

    use super::*;

    fn chat(name: &str) -> Part {
        let parts = Profile::Chat.parts();
        *parts.iter().find(|part| part.name == name).expect("a part of the chat profile")
    }

    #[test]
    fn the_chat_profile_has_its_six_parts_with_their_times() {
        let told: Vec<_> = Profile::parse("chat")
            .expect("a profile")
            .parts()
            .iter()
            .map(|part| {
                let group = part.group.as_str();
                (part.name, group, part.timeout.as_secs_f64(), part.attempts, part.variable)
            })
            .collect();
        let expected = [
            ("database", "dependencies", 3.0, 5, "DATABASE_URL"),
            ("cache", "dependencies", 1.5, 3, "REDIS_URL"),
            ("auth", "dependencies", 2.0, 2, "AUTH_URL"),
            ("agent-supervisor", "services", 2.0, 3, "AGENT_SUPERVISOR_URL"),
            ("websocket-bridge", "services", 1.0, 2, "WEBSOCKET_BRIDGE_URL"),
            ("integration", "integration", 1.0, 2, "INTEGRATION_URL"),
        ];
        assert_eq!(told, expected);
        let spec = chat("database").spec();
        assert_eq!((spec.timeout, spec.attempts), (Duration::from_secs(3), 5));
    }

    #[test]
    fn an_address_says_what_is_asked_of_a_part() {
        let asked = |name: &str, url: &str| chat(name).kind(url).as_str();
        assert_eq!(asked("database", "postgresql+asyncpg://u:p@db/chat"), "postgres");
        assert_eq!(asked("cache", "rediss://cache:6380/0"), "redis");
        assert_eq!(asked("cache", "cache:6379"), "redis");
        assert_eq!(asked("agent-supervisor", "grpc://agents:50051"), "grpc");
        assert_eq!(asked("websocket-bridge", "tcp://bridge:9000"), "tcp");
        assert_eq!(asked("auth", "https://id.example/.well-known/jwks.json"), "jwks");
        assert_eq!(
            asked("auth", "https://id.example/realms/x/protocol/openid-connect/certs"),
            "jwks"
        );
        assert_eq!(asked("auth", "https://id.example/discovery/v2.0/keys/?p=sign"), "jwks");
        assert_eq!(asked("auth", "http://auth:8080/health"), "http");
        assert_eq!(asked("auth", "http://keys:8080"), "http");
        assert_eq!(asked("integration", "http://app:8080/jwks"), "http");
    }

    #[test]
    fn no_other_word_is_a_profile() {
        assert_eq!(Profile::parse("Chat"), None);
        assert_eq!(Profile::parse(""), None);
    }
}
