//! The runtime: as many threads as the machine gives us.
//!
//! Owns that choice. Must never let tokio find out by itself: where no thread can be had, it panics.

use std::sync::mpsc::channel;
use std::thread::{self, available_parallelism};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::error::Error;

/// Threads kept free: one for what blocks (names are looked up there), one for the child's start.
const SPARE: usize = 2;
/// The one thread for what blocks is never given back: another might not be had.
const FOR_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// A runtime with a worker for each processor, or as many as may be started; with none it lives on
/// the calling thread.
///
/// # Errors
/// Not even the spare threads may be started.
pub(crate) fn start() -> Result<Runtime, Error> {
    let wanted = available_parallelism().map_or(1, usize::from);
    let Some(workers) = may_be_started(wanted + SPARE).checked_sub(SPARE) else {
        return Err(Error::system("no further thread may be started")
            .hint("raise the limit of processes: ulimit -u, or pids.max of the container"));
    };
    let mut builder =
        if workers == 0 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    if workers < wanted {
        tracing::warn!(workers, wanted, "the limit of processes allows fewer threads");
        builder.worker_threads(workers.max(1));
    }
    let runtime = builder
        .enable_all()
        .thread_keep_alive(FOR_LIFE)
        .build()
        .map_err(|error| Error::system(format!("failed to start the runtime: {error}")))?;
    // Starts that thread now, while there is one to be had.
    runtime.spawn_blocking(|| ());
    Ok(runtime)
}

/// How many threads may be started, up to `wanted`: by starting them.
fn may_be_started(wanted: usize) -> usize {
    let (stay, until) = channel::<()>();
    let until = std::sync::Mutex::new(until);
    thread::scope(|scope| {
        let started = (0..wanted)
            .take_while(|_| {
                let until = &until;
                let wait = move || drop(until.lock().map(|until| until.recv()));
                thread::Builder::new().spawn_scoped(scope, wait).is_ok()
            })
            .count();
        // They all end with the last word's end.
        drop(stay);
        started
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_room_every_thread_may_be_started() {
        assert_eq!(may_be_started(3), 3);
    }
}
