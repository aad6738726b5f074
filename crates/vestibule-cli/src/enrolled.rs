//! Commands of checks, in a process that buries orphans.
//!
//! Owns the join between a check that runs a command and the roster of those whose end somebody waits for. Must
//! never start one past the roster: the reaper would take its status.

use std::io;
use std::sync::Arc;

use tokio::process::Command;
use vestibule_checks::Surroundings;
use vestibule_checks::command::{Spawn, Spawned};
use vestibule_front::process::roster;

/// Starts commands by the roster.
struct Enrolled;

impl Spawn for Enrolled {
    fn spawn(&self, command: &mut Command) -> io::Result<Spawned> {
        let (entry, child) = roster::enrol(|| {
            let child = command.spawn()?;
            // A child that nobody has waited for has its number.
            Ok::<_, io::Error>((child.id().unwrap_or_default(), child))
        })?;
        Ok(Spawned { child, place: Box::new(entry) })
    }
}

/// What checks need of this process.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings { spawn: Arc::new(Enrolled) }
}

#[cfg(test)]
mod tests {
    //! Breaks the status of a check's command with a reaper that takes whatever nobody spoke for.

    use vestibule::check::Stage;
    use vestibule_checks::{Kind, Options, Value, build_with};
    use vestibule_front::process::reap::reap_orphans;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_reaper_leaves_the_status_of_a_checks_command() {
        let words = ["sh", "-c", "exit 7"].map(str::to_owned).to_vec();
        let options = Options::default().with("command", Value::Words(words));
        let check = build_with(Kind::Command, &options, &surroundings()).unwrap();
        let reaper = tokio::spawn(async {
            loop {
                reap_orphans();
                tokio::task::yield_now().await;
            }
        });
        for _ in 0..50 {
            let stage = Stage::default();
            let trouble = check.try_once(&stage).await.unwrap_err();
            assert_eq!(trouble.to_string(), "command_failed: status 7");
        }
        reaper.abort();
    }
}
