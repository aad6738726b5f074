//! What `run` and `serve` share at their start.
//!
//! Owns raising limits, listening, and the first log lines. Must never outlive its command.

use std::io::{self, ErrorKind};

use tokio::signal::unix::{Signal as Hangups, SignalKind, signal};
use vestibule_front::descriptors::connections_within;
use vestibule_front::front::Settings;
use vestibule_front::listener::{Listen, PublicListener};
use vestibule_front::process::limits::raise_descriptor_limit;
use vestibule_front::process::signals::Signals;

use crate::config::Sources;
use crate::error::Error;
use crate::settings::Door;

/// Says what looks like a setting and is none, and where settings were read.
pub(crate) fn warn(warnings: &[String], sources: &Sources) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if let Some(file) = sources.file() {
        tracing::info!(file = %file.display(), "configuration read");
    }
}

/// Listens to signals: to all that the front understands, and to SIGHUP for a reload.
pub(crate) fn signals() -> Result<(Signals, Hangups), Error> {
    let failed = |error| Error::system(format!("failed to listen to signals: {error}"));
    let signals = Signals::install().map_err(failed)?;
    Ok((signals, signal(SignalKind::hangup()).map_err(failed)?))
}

/// Binds the public listener and says so. Needs a runtime.
pub(crate) fn listen(door: &mut Door) -> Result<PublicListener, Error> {
    let (descriptors, _) = raise_descriptor_limit();
    let connections_max = connections_within(descriptors);
    door.front.connections_max = connections_max;
    let listener = PublicListener::bind(&door.listen).map_err(|error| {
        let failed = Error::system(format!("failed to listen on {}: {error}", door.listen));
        failed.hint(what_to_do(&error, &door.listen))
    })?;
    let environment = &door.environment;
    tracing::info!(
        address = listener.local(),
        environment = environment.name.as_str(),
        platform = environment.platform.as_str(),
        readiness = door.source.readiness.as_str(),
        "listening",
    );
    warn_of_descriptors(&door.front);
    for warning in environment.warnings() {
        tracing::warn!(warning, "the environment says what can't be meant");
    }
    Ok(listener)
}

/// Says if fewer connections may be open than clients may be held.
pub(crate) fn warn_of_descriptors(settings: &Settings) {
    let (connections_max, held_max) = (settings.connections_max, settings.limits.held_max);
    if connections_max < held_max {
        tracing::warn!(
            connections_max,
            held_max,
            hint = "raise ulimit -n, or lower --max-held",
            "the limit of open files (ulimit -n) allows fewer connections than may be held",
        );
    }
}

/// About an address that could not be listened on.
fn what_to_do(error: &io::Error, listen: &Listen) -> &'static str {
    let is_unix = matches!(listen, Listen::Unix(_));
    match error.kind() {
        ErrorKind::AddrInUse => {
            "choose another address with --listen, or end the process that has this one"
        }
        ErrorKind::PermissionDenied if is_unix => {
            "choose a directory with --listen that this user may write to"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one with --listen"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "choose a directory with --listen on a file system that can be written"
        }
        ErrorKind::NotFound => "make the socket's directory first",
        ErrorKind::InvalidInput if is_unix => "choose a path of at most 107 bytes with --listen",
        ErrorKind::AddrNotAvailable => {
            "no interface of this machine has this address: choose one that it has with --listen, \
             or :PORT for all of them"
        }
        _ => "choose another address with --listen",
    }
}
