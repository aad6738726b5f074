//! The door in a container, and what it would be told there.
//!
//! Owns finding `vestibule run` or `serve` in a container's words, and reading its settings by the same definition
//! as the door itself. Must never read the world: variables and files are those of the manifest.

mod line;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::line::Shell;
use super::model::{Container, Platform};
use super::yaml::{At, Text};

/// A configuration file that was given beside the manifests.
#[derive(Clone, Debug)]
pub(crate) struct ConfigFile {
    pub(crate) name: Arc<str>,
    pub(crate) bytes: Vec<u8>,
}

/// Where its health, metrics and events would be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdminIs {
    Off,
    /// Only the container itself reaches it.
    Within,
    /// Other machines reach this port.
    Remote(u16),
}

/// A door, as far as the manifest tells.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// Where it is started; else where its first variable stands.
    pub(crate) at: At,
    /// The shell that starts it.
    pub(crate) shell: Option<Shell>,
    /// Nothing that sets it is out of sight: neither a file, nor an image's entry point, nor somebody else's
    /// variable. Only then what is not given is the default.
    pub(crate) is_whole: bool,
    /// The file that it reads and nobody showed us.
    pub(crate) unread: Option<Text>,
    /// Where clients connect; unknown if something out of sight says it.
    pub(crate) port: Option<u16>,
    pub(crate) public_health: Option<String>,
    pub(crate) ready_path: Option<String>,
    pub(crate) child_port: Option<u16>,
    /// Where the service listens, if the door does not start it.
    pub(crate) upstream: Option<u16>,
    pub(crate) startup: Duration,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) lame_duck: Duration,
    pub(crate) drain: Duration,
    pub(crate) admin: AdminIs,
    pub(crate) has_token: bool,
    /// It starts no command itself.
    pub(crate) serves: bool,
    /// Settings that it would refuse.
    pub(crate) wrong: Vec<Text>,
    /// Variables that change nothing.
    pub(crate) unknown: Vec<Text>,
    /// What the environment says against itself.
    pub(crate) conflicts: Vec<Text>,
    /// Where each given setting stands, by key.
    pub(crate) places: HashMap<String, At>,
}

impl Door {
    /// The door of a container, if it has one.
    pub(crate) fn find(
        container: &Container,
        platform: Platform,
        workload: &str,
        file: Option<&ConfigFile>,
    ) -> Option<Self> {
        let line = line::find(container)?;
        Some(settings::read(&line, container, (platform, workload), file))
    }

    /// Where this setting stands; the door itself if nobody gave it.
    pub(crate) fn place(&self, key: &str) -> At {
        self.places.get(key).copied().unwrap_or(self.at)
    }

    /// Whether this setting's value is certain: it is given, or nothing is out of sight that could give it.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.is_whole || self.places.contains_key(key)
    }

    /// From SIGTERM to its end.
    pub(crate) fn leaving(&self) -> Duration {
        self.drain + self.lame_duck
    }

    /// Whether it answers this path itself, or asks it itself: neither is ever held.
    pub(crate) fn answers(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        [&self.public_health, &self.ready_path].into_iter().flatten().any(|own| own == path)
    }
}
