//! Every length of time as a formula.
//!
//! Owns saying where a number comes from. Must never decide one: `settings` and `vestibule::timeouts` did.

use std::time::Duration;

use vestibule::timeouts::{Factors, Sourced};

use crate::commands::meant::Meant;

/// A factor, in words and rounded to two places.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    pub(super) key: &'static str,
    pub(super) value: f64,
    pub(super) formula: String,
}

/// A length of time and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Length {
    /// As in the document, without its unit.
    pub(super) key: &'static str,
    /// In words.
    pub(super) name: &'static str,
    /// `None` where there is none.
    pub(super) value: Option<Duration>,
    pub(super) formula: String,
}

/// The factors of the checks' timeouts.
pub(super) fn factors(meant: &Meant) -> [Factor; 2] {
    let of = |key, factor: &Sourced<f64>| Factor {
        key,
        value: rounded(factor.value),
        formula: factor.source.clone(),
    };
    let factors = &meant.door.factors;
    [of("multiplier", &factors.multiplier), of("margin", &factors.margin)]
}

/// Every other length.
pub(super) fn lengths(meant: &Meant) -> Vec<Length> {
    let (front, patience) = (&meant.door.front, &meant.door.front.patience);
    let factors = &meant.door.factors;
    let from = |key: &'static str| meant.view.place_of(key).unwrap_or_else(|| "default".to_owned());
    let of = |key, name, value, setting| Length {
        key,
        name,
        value: Some(value),
        formula: from(setting),
    };
    let request = Length {
        key: "request_timeout",
        name: "request timeout",
        value: front.request_timeout,
        formula: from("request_timeout"),
    };
    let factor = |key, name, factor: &Sourced<Duration>| Length {
        key,
        name,
        value: Some(factor.value),
        formula: factor.source.clone(),
    };
    vec![
        factor("floor", "floor", &factors.floor),
        factor("validation_budget", "validation budget", &factors.validation),
        of("startup_budget", "startup budget", patience.startup, "startup_timeout"),
        of("hold_budget", "hold budget", front.hold, "hold"),
        request,
        of("try_timeout", "try timeout", front.try_timeout, "try_timeout"),
        of("settle", "settle window", front.settle, "settle"),
        of("head_timeout", "head timeout", front.head_timeout, "head_timeout"),
        of("client_idle", "client idle", front.client_idle, "client_idle"),
        of("lame_duck", "lame duck", patience.lame_duck, "lame_duck"),
        of("drain", "drain", patience.drain, "drain"),
        of("child_grace", "child grace", patience.child_grace, "child_grace"),
    ]
}

/// A check's timeout: `3s × 1.05 × 1.1 = 3.465s, at least 0.5s, at most 5s`.
pub(super) fn of_check(base: Duration, factors: &Factors) -> String {
    let product = base.as_secs_f64() * factors.multiplier.value * factors.margin.value;
    format!(
        "{} × {} × {} = {}s, at least {}, at most {}",
        in_seconds(base),
        rounded(factors.multiplier.value),
        rounded(factors.margin.value),
        (product * 1_000.0).round() / 1_000.0,
        in_seconds(factors.floor.value),
        in_seconds(factors.validation.value),
    )
}

/// `0.5s`, `3s`.
pub(super) fn in_seconds(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

fn rounded(factor: f64) -> f64 {
    (factor * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use vestibule::environment::{Name, Platform};

    use super::*;

    #[test]
    fn a_checks_timeout_is_a_formula_that_can_be_counted_again() {
        let of = |name, platform, ms| {
            of_check(Duration::from_millis(ms), &Factors::derive(name, platform))
        };
        let cloud = of(Name::Staging, Platform::CloudRun, 3_000);
        assert_eq!(cloud, "3s × 1.05 × 1.1 = 3.465s, at least 0.5s, at most 5s");
        let local = of(Name::Local, Platform::LocalHost, 1_500);
        assert_eq!(local, "1.5s × 0.3 × 1 = 0.45s, at least 0s, at most 2s");
    }
}
