//! The end of the startup budget.
//!
//! Owns what is said of a service that was not ready in time: all to the operator, little to clients. Must never wait.

use std::time::Duration;

use vestibule::readiness::Failure;

use crate::journal::checks::missing;
use crate::journal::millis;
use crate::service::Stage;
use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::probe::Readiness;

/// A service that was not ready in time.
pub(super) struct NeverReady {
    /// Why, for the operator: names the checks that are missing.
    pub(super) failure: Failure,
    /// What clients are told.
    pub(super) to_clients: Failure,
}

/// Tells the operator what was seen last, what is missing, and what to do.
pub(super) fn never_ready<D: Dial>(
    front: &Shared<D>,
    readiness: &Readiness,
    startup: Duration,
) -> NeverReady {
    let seen = front.journal.how_probed().last_seen;
    let missing = missing(&front.validation.board());
    let is_found = front.service.stage() == Stage::Found;
    tracing::error!(
        awaited = %readiness,
        last_seen = %seen,
        missing,
        "not ready in time: see what the service says, or give it longer with --startup-timeout",
    );
    let plain = format!("the service was not ready within {} s", millis(startup) as f64 / 1000.0);
    let reason = match missing {
        Some(missing) if is_found => format!("{plain}: {missing}"),
        Some(missing) => format!("{plain}: nor were its checks passed: {missing}"),
        None => plain.clone(),
    };
    NeverReady { failure: Failure::retryable(reason), to_clients: Failure::retryable(plain) }
}
