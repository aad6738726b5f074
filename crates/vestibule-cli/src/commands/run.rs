//! `vestibule run`.
//!
//! Owns the way from arguments to a supervised child behind a front.

use std::path::Path;
use std::sync::Arc;

use vestibule::environment::{EnvSource, Process};
use vestibule::validation::Validation;
use vestibule_front::front::Shared;
use vestibule_front::process::guard::{self, Guard};
use vestibule_front::process::mask;
use vestibule_front::process::notify::{NotifySocket, usual_directories};
use vestibule_front::process::private_port::free_private_port;
use vestibule_front::process::procfs;
use vestibule_front::process::reap::{become_subreaper, spawn_reaper};
use vestibule_front::supervise::Outcome;
use vestibule_front::supervise::restart::Policy;
use vestibule_front::supervise::run::{Plan, run as supervise};
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::Readiness;

use crate::args::{ChildTerm, Restart, RunArgs};
use crate::commands::admin::Desk;
use crate::commands::door;
use crate::commands::reload::{Reload, Reloading};
use crate::config::Sources;
use crate::config::view::View;
use crate::error::Error;
use crate::exit::Exit;
use crate::log;
use crate::runtime;
use crate::settings::{self, Door, Run};

/// Runs the command behind the door, to its end.
pub(crate) fn run(sources: Sources) -> Result<Exit, Error> {
    let given = sources.settle();
    let warnings = given.warnings.clone();
    let Run { args, door, view } =
        settings::run(given, &Process).map_err(|wrong| Error::mistakes(&wrong, &warnings))?;
    // First of all, while there is one thread and little memory to copy.
    mask::clear();
    let guard = guard::start();
    let log = log::start(&door.log);
    door::warn(&warnings, &sources);
    let runtime = runtime::start()?;
    let guard = guard.unwrap_or_else(|error| {
        tracing::warn!(%error, "no guard: if we are killed, workers of the command may live on");
        None
    });
    let outcome = runtime.block_on(behind_the_door(args, door, guard, (sources, &log, view)));
    // Connections that outlived their time go with the runtime, and are not waited for.
    runtime.shutdown_background();
    drop(log);
    outcome.map(|outcome| exit(&outcome))
}

async fn behind_the_door(
    args: RunArgs,
    mut door: Door,
    guard: Option<Guard>,
    (sources, log, view): (Sources, &log::Running, View),
) -> Result<Outcome, Error> {
    let (signals, hangups) = door::signals()?;
    let desk = Desk::new(&mut door, log)?.for_a_child();
    let listener = door::listen(&mut door)?;
    if !procfs::is_there() {
        tracing::warn!(
            "no /proc: workers that leave the command's group can't be found, nor where it listens",
        );
    }
    if let Err(error) = become_subreaper() {
        tracing::debug!(%error, "orphans of the child will go to the system's first process");
    }
    let _reaper = spawn_reaper().map_err(Error::system)?;
    let port = match args.child_port {
        Some(port) => port,
        None => free_private_port()
            .map_err(|error| Error::system(format!("no free port for the command: {error}")))?,
    };
    let public_port = listener.tcp_address().map(|address| address.port());
    let mut plan = Plan {
        public_port,
        port,
        notify: notify(&door)?,
        source: door.source.clone(),
        keep_hangup: sources.file().is_some(),
        restart: match args.restart {
            Restart::Never => Policy::Never,
            Restart::OnFailure => Policy::OnFailure,
        },
        reports: None,
        child_term_first: args.child_term == ChildTerm::First,
        guard,
        family_around: door.family_around.clone().map(Into::into),
        args: args.command[1..].to_vec(),
        search_path: Process.get("PATH").unwrap_or_default().into(),
        program: args.command.into_iter().next().unwrap_or_default(),
    };
    door.on_port.put(port, &mut door.checks).map_err(|wrong| Error::mistakes(&wrong, &[]))?;
    let validation = Validation::new(door.checks, door.factors);
    let front = Shared::checked(door.front, Upstream::Loopback(port), validation);
    let admin = desk.open(&front);
    plan.reports = admin.reports();
    let reload = Reload::new(Arc::clone(&front), sources, log.verbosity(), view);
    let _reloading = Reloading::on(hangups, reload);
    let outcome = supervise(front, listener, plan, signals).await;
    admin.close().await;
    Ok(outcome)
}

fn notify(door: &Door) -> Result<Option<NotifySocket>, Error> {
    let directories = usual_directories(door.runtime_directory.as_deref().map(Path::new));
    match NotifySocket::bind(&directories) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if door.source.readiness == Readiness::Notify => {
            Err(Error::system(format!("no place for a notify socket: {error}"))
                .hint("choose --ready-path or --ready tcp"))
        }
        Err(error) => {
            tracing::warn!(%error, "no place for a notify socket: readiness is probed");
            Ok(None)
        }
    }
}

fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Child(exit) => Exit::Child(exit.exit_code()),
        Outcome::NotStarted(code) => Exit::Child(*code),
        Outcome::NeverReady => Exit::NeverReady,
        Outcome::Left => Exit::Ok,
    }
}
