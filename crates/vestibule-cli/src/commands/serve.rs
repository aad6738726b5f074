//! `vestibule serve`.
//!
//! Owns the way from arguments to a front before a service that something else starts.

use vestibule::environment::Process;
use vestibule_front::front::Shared;
use vestibule_front::process::mask;
use vestibule_front::process::signals::Signals;
use vestibule_front::supervise::serve::serve as stand_before;
use vestibule_front::upstream::probe::Readiness;

use crate::args::ServeArgs;
use crate::commands::door;
use crate::error::Error;
use crate::exit::Exit;
use crate::log;
use crate::settings;

/// Stands before the service until it is asked to leave.
pub(crate) fn serve(args: Box<ServeArgs>) -> Result<Exit, Error> {
    let mut door = settings::door(&args.door, &Process)?;
    if door.source.readiness == Readiness::Notify {
        return Err(Error::configuration(
            "--ready notify: a service that we did not start can't send us notifications",
        )
        .hint("use --ready-path PATH, or let `vestibule run` start it"));
    }
    // While there is one thread: those to come inherit it.
    mask::clear();
    let log = log::start(&door.log);
    let runtime = door::runtime()?;
    let left = runtime.block_on(async {
        let signals = Signals::install()
            .map_err(|error| Error::system(format!("failed to listen to signals: {error}")))?;
        let listener = door::listen(&mut door)?;
        if door::is_itself(&listener, &args.upstream) {
            let message = format!("--upstream {}: that is the door itself", args.upstream);
            let hint = "give the door another address with --listen";
            return Err(Error::configuration(message).hint(hint));
        }
        tracing::info!(upstream = %args.upstream, "standing before");
        let front = Shared::new(door.front, args.upstream);
        stand_before(front, listener, door.source.readiness, door.patience, signals).await;
        Ok(Exit::Ok)
    });
    runtime.shutdown_background();
    drop(log);
    left
}
