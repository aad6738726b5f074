//! What nobody gave, with the reason for it.
//!
//! Owns saying why a value is what it is. Must never decide one: it says of what `settings` decided.

use std::num::NonZeroUsize;
use std::time::Duration;

use vestibule::environment::Platform;
use vestibule::timeouts::{Budgets, Factors, Sourced};
use vestibule_front::listener::Listen;

use super::{Door, admin, trust_is_platforms};
use crate::args::{DoorArgs, LogFormat};
use crate::config::view::Derived;
use crate::duration::written;

/// Of each key that may be missing: what follows, and why.
pub(super) fn derived(args: &DoorArgs, door: &Door, budgets: &Budgets) -> Vec<Derived> {
    let platform = door.environment.platform;
    let patience = &door.front.patience;
    let time = |key, value: Duration, sourced: &Sourced<Duration>| {
        said(key, written(value), sourced.source.clone())
    };
    let child_grace = if patience.child_grace == budgets.child_grace.value {
        time("child_grace", patience.child_grace, &budgets.child_grace)
    } else {
        said("child_grace", written(patience.child_grace), "at most a quarter of drain")
    };
    let request_timeout = Derived {
        key: "request_timeout",
        values: budgets.request_timeout.value.map(|time| vec![written(time)]),
        reason: budgets.request_timeout.source.clone(),
    };
    let mut all = vec![
        listen(door),
        time("startup_timeout", patience.startup, &budgets.startup),
        time("hold", door.front.hold, &budgets.hold),
        request_timeout,
        time("lame_duck", patience.lame_duck, &budgets.lame_duck),
        time("drain", patience.drain, &budgets.drain),
        child_grace,
        trust(platform),
        share(door),
        said("admin", admin::by_default().to_string(), "the default; none if it is taken"),
        Derived { key: "child_port", values: None, reason: "a free one is chosen".to_owned() },
    ];
    all.extend(factors(&door.factors));
    all.extend(ready(args));
    if matches!(args.log, LogFormat::Auto) {
        let form = if door.log.json { "json" } else { "text" };
        all.push(said("log", form.to_owned(), format!("auto on {platform}")));
    }
    all
}

fn said(key: &'static str, value: String, reason: impl Into<String>) -> Derived {
    Derived { key, values: Some(vec![value]), reason: reason.into() }
}

fn listen(door: &Door) -> Derived {
    let address = match &door.listen {
        Listen::Everywhere(port) => format!(":{port}"),
        other => other.to_string(),
    };
    let reason = if door.port_is_given { "variable PORT" } else { "no PORT is given" };
    said("listen", address, reason)
}

fn ready(args: &DoorArgs) -> Vec<Derived> {
    let none = |key, reason: &str| Derived { key, values: None, reason: reason.to_owned() };
    match (&args.ready, &args.ready_path) {
        (_, Some(_)) => vec![none("ready", "ready_path says it")],
        (Some(_), None) => vec![none("ready_path", "ready says it")],
        (None, None) => vec![
            said("ready", "tcp".to_owned(), "neither ready nor ready_path is given"),
            none("ready_path", "no path is known"),
        ],
    }
}

fn trust(platform: Platform) -> Derived {
    let reason = if trust_is_platforms(platform) {
        format!("the peer is the platform itself on {platform}, and is believed")
    } else {
        format!("nobody is believed on {platform}")
    };
    Derived { key: "trust_proxy", values: Some(Vec::new()), reason }
}

fn factors(factors: &Factors) -> [Derived; 4] {
    let Factors { multiplier, margin, validation, floor } = factors;
    let number = |number: f64| format!("{}", (number * 1_000.0).round() / 1_000.0);
    [
        said("timeout_multiplier", number(multiplier.value), multiplier.source.clone()),
        said("timeout_margin", number(margin.value), margin.source.clone()),
        said("timeout_floor", written(floor.value), floor.source.clone()),
        said("validation_budget", written(validation.value), validation.source.clone()),
    ]
}

fn share(door: &Door) -> Derived {
    let share = door.front.limits.held_per_client_max;
    let reason = if share.is_some() {
        "a tenth of max_held, at least 8"
    } else {
        "no limit: nobody tells who a client is"
    };
    let share = share.map_or(0, NonZeroUsize::get);
    said("max_held_per_client", share.to_string(), reason)
}
