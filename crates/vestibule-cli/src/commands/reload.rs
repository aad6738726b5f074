//! SIGHUP: the configuration file is read again.
//!
//! Owns taking a good file whole and refusing a bad one whole. Must never touch a connection: what
//! is open or held goes on with what it began with.

use std::sync::Arc;

use tokio::signal::unix::Signal as Hangups;
use tokio::task::{JoinHandle, spawn_blocking};
use vestibule::environment::Process;
use vestibule_front::front::Shared;
use vestibule_front::upstream::dial::Upstream;

use crate::commands::door::warn_of_descriptors;
use crate::config::view::View;
use crate::config::{Command, Mistake, Sources};
use crate::log::Verbosity;
use crate::settings::{self, Door};

/// Keys that are in force at once after a reload. What is already held, handed over or being drained
/// goes on as it began.
const AT_ONCE: [&str; 21] = [
    "startup_timeout",
    "hold",
    "max_held",
    "max_held_per_client",
    "refusal",
    "public_health",
    "settle",
    "dial_ahead",
    "try_timeout",
    "late_routes",
    "trust_proxy",
    "request_timeout",
    "head_timeout",
    "head_bytes_max",
    "head_fields_max",
    "client_idle",
    "lame_duck",
    "drain",
    "child_grace",
    "drain_code",
    "verbose",
];

/// What a reload needs.
pub(crate) struct Reload {
    front: Arc<Shared<Upstream>>,
    sources: Sources,
    verbosity: Verbosity,
    /// What is in force, by key.
    view: View,
}

/// Reloads for as long as it lives.
pub(crate) struct Reloading(Option<JoinHandle<()>>);

impl Reloading {
    /// Reads the file again at each SIGHUP. Without a file there is nothing to do.
    pub(crate) fn on(hangups: Hangups, reload: Reload) -> Self {
        let has_file = reload.sources.file().is_some();
        Self(has_file.then(|| tokio::spawn(keep_reloading(hangups, reload))))
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// One at a time; signals that arrive meanwhile count as one.
async fn keep_reloading(mut hangups: Hangups, mut reload: Reload) {
    while hangups.recv().await.is_some() {
        // A file may be on a disk that takes its time.
        match spawn_blocking(move || reload.again()).await {
            Ok(back) => reload = back,
            Err(_cancelled) => return,
        }
    }
}

impl Reload {
    /// What is in force now, and the way to change it.
    pub(crate) fn new(
        front: Arc<Shared<Upstream>>,
        sources: Sources,
        verbosity: Verbosity,
        view: View,
    ) -> Self {
        Self { front, sources, verbosity, view }
    }

    fn again(mut self) -> Self {
        let file = self.sources.file_name();
        match self.settle() {
            Ok((door, view)) => self.take(door, view, &file),
            Err(mistakes) => {
                let mistakes: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                self.front.journal.reload_refused(&file, &mistakes.join("; "));
            }
        }
        self
    }

    fn settle(&self) -> Result<(Door, View), Vec<Mistake>> {
        match self.sources.command() {
            Command::Run => {
                let run = settings::run(self.sources.settle(), &Process)?;
                Ok((run.door, run.view))
            }
            Command::Serve => {
                let serve = settings::serve(self.sources.settle(), &Process)?;
                Ok((serve.door, serve.view))
            }
        }
    }

    fn take(&mut self, door: Door, view: View, file: &str) {
        let (changed, waiting): (Vec<_>, Vec<_>) = self
            .view
            .differences(&view)
            .into_iter()
            .partition(|key| AT_ONCE.contains(&key.as_str()));
        self.verbosity.set(door.log.verbose);
        self.front.reload(door.front);
        if changed.iter().any(|key| key == "max_held") {
            warn_of_descriptors(&self.front.settings());
        }
        self.front.journal.reload_taken(file, &changed.join(", "), &waiting.join(", "));
        self.view.take_from(view, &changed);
    }
}

#[cfg(test)]
mod tests {
    //! A key that nobody thought of must not be promised to change, nor change without a word.
    use super::*;
    use crate::config::Command;

    /// Keys that can't change while we run.
    const AFTER_A_RESTART: [&str; 20] = [
        "phases",
        "check",
        "profile",
        "timeout_multiplier",
        "timeout_margin",
        "timeout_floor",
        "validation_budget",
        "admin",
        "admin_allow_remote",
        "admin_token_file",
        "admin_host",
        "listen",
        "ready",
        "ready_path",
        "child_port",
        "restart",
        "child_term",
        "log",
        "command",
        "upstream",
    ];

    #[test]
    fn of_every_key_it_is_known_whether_a_reload_changes_it() {
        for command in [Command::Run, Command::Serve] {
            for key in command.keys().iter().map(|key| key.name.as_str()) {
                let times = AT_ONCE.iter().chain(&AFTER_A_RESTART).filter(|known| **known == key);
                assert_eq!(times.count(), 1, "{key}: say in one list when a reload changes it");
            }
        }
    }
}
