//! `vestibule serve`.
//!
//! Owns the way from arguments to a front before a service that something else starts.

use std::sync::Arc;

use vestibule::environment::Process;
use vestibule::validation::Validation;
use vestibule_front::front::Shared;
use vestibule_front::process::mask;
use vestibule_front::supervise::serve::serve as stand_before;

use crate::commands::admin::Desk;
use crate::commands::door;
use crate::commands::reload::{Reload, Reloading};
use crate::config::Sources;
use crate::error::Error;
use crate::exit::Exit;
use crate::log;
use crate::runtime;
use crate::settings::{self, Serve};

/// Stands before the service until it is asked to leave.
pub(crate) fn serve(sources: Sources) -> Result<Exit, Error> {
    let given = sources.settle();
    let warnings = given.warnings.clone();
    let Serve { mut door, upstream, view } =
        settings::serve(given, &Process).map_err(|wrong| Error::mistakes(&wrong, &warnings))?;
    // While there is one thread: those to come inherit it.
    mask::clear();
    let log = log::start(&door.log);
    door::warn(&warnings, &sources);
    let runtime = runtime::start()?;
    let verbosity = log.verbosity();
    let left = runtime.block_on(async {
        let (signals, hangups) = door::signals()?;
        let desk = Desk::new(&mut door, &log)?;
        let listener = door::listen(&mut door)?;
        tracing::info!(%upstream, "standing before");
        let validation = Validation::new(door.checks, door.factors);
        let front = Shared::checked(door.front, upstream, validation);
        let admin = desk.open(&front);
        let reload = Reload::new(Arc::clone(&front), sources, verbosity, view);
        let _reloading = Reloading::on(hangups, reload);
        stand_before(front, listener, door.source.readiness, signals).await;
        admin.close().await;
        Ok(Exit::Ok)
    });
    runtime.shutdown_background();
    drop(log);
    left
}
