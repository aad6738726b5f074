//! Liveness, readiness, startup: one word each.
//!
//! Owns what a platform's probe hears. Must never say "ready" for a service that was not seen ready.

use vestibule::readiness::State;

use super::reply::{self, Reply};

/// We answer, so we live: whether the service does is its supervisor's matter, and a restart of
/// ours would cut every tunnel. 200 through a drain, too.
pub(super) fn livez() -> Reply {
    reply::text(200, "alive\n")
}

/// Whether new traffic may come; 503 from the first moment of a drain.
pub(super) fn readyz(state: &State, is_degraded: bool) -> Reply {
    match (state.is_ready(), is_degraded) {
        (true, false) => reply::text(200, "ready\n"),
        (true, true) => reply::text(200, "ready, degraded\n"),
        (false, _) => reply::text(503, "not_ready\n"),
    }
}

/// Whether the service has been ready since we began. It does not go back: a startup probe that
/// fails later would have the platform kill an instance that is recovering.
pub(super) fn startupz(has_been_ready: bool) -> Reply {
    if has_been_ready { reply::text(200, "started\n") } else { reply::text(503, "starting\n") }
}
