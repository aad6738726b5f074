//! Arguments of checks.
//!
//! Owns their names, help and spelling. Must never decide what a missing one means.

use std::str::FromStr;
use std::time::Duration;

use clap::Args as ClapArgs;
use vestibule_checks::profile::Profile;

use super::values::{factor, phase};
use crate::config::layers::one_of;
use crate::duration::{above_zero, duration};

/// What the service needs before it may be ready, and how patiently it is asked.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ChecksArgs {
    /// Ready only when this answers too, as in db=tcp://db:5432
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) check: Vec<String>,

    /// Checks that usually go together: chat (database, cache, auth, agent-supervisor,
    /// websocket-bridge, integration); their addresses are in DATABASE_URL, REDIS_URL, ...
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<Profiled>,

    /// The phases of a start, in order; may be given more than once [default: init, dependencies,
    /// database, cache, services, websocket, finalize]
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    pub(crate) phases: Vec<String>,

    /// By what each check's timeout is multiplied [default: 1.0 in production, 0.7 in staging, else
    /// 0.3; half as much again on Cloud Run]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub(crate) timeout_multiplier: Option<f64>,

    /// And again, for safety [default: 1.2 in production, 1.1 in staging, else 1.0]
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub(crate) timeout_margin: Option<f64>,

    /// No check's timeout is shorter [default: 500ms on Cloud Run, else 0]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout_floor: Option<Duration>,

    /// How long one pass over all checks may take [default: 8s in production, 5s in staging, 3s in
    /// development, else 2s]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(crate) validation_budget: Option<Duration>,
}

/// A profile as it is typed, which is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profiled;

impl FromStr for Profiled {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> =
            Profile::ALL.iter().map(|profile| profile.as_str().to_owned()).collect();
        Profile::parse(text)
            .map(|_| Self)
            .ok_or_else(|| format!("no such profile; use {}", one_of(&words)))
    }
}
