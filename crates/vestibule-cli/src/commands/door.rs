//! What `run` and `serve` share at their start.
//!
//! Owns raising limits, the runtime, and the first log lines. Must never outlive its command.

use tokio::runtime::{Builder, Runtime};
use vestibule_front::listener::PublicListener;
use vestibule_front::process::limits::raise_descriptor_limit;

use crate::error::Error;
use crate::settings::Door;

/// A runtime with a worker for each processor.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system(format!("failed to start the runtime: {error}")))
}

/// Binds the public listener and says so. Needs a runtime.
pub(crate) fn listen(door: &Door) -> Result<PublicListener, Error> {
    let _ = raise_descriptor_limit();
    let listener = PublicListener::bind(&door.listen).map_err(|error| {
        Error::system(format!("failed to listen on {}: {error}", door.listen))
            .hint("choose another address with --listen, or end the process that has this one")
    })?;
    let environment = &door.environment;
    tracing::info!(
        address = listener.local(),
        environment = environment.name.as_str(),
        platform = environment.platform.as_str(),
        readiness = door.source.readiness.as_str(),
        "listening",
    );
    for conflict in &environment.conflicts {
        tracing::warn!(%conflict, "the environment contradicts itself");
    }
    Ok(listener)
}
