//! Arguments of `doctor`.
//!
//! Owns what it takes besides the settings that it looks at. Must never decide what a missing one means.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use vestibule_front::upstream::dial::Upstream;

use super::{Checked, RunArgs};
use crate::duration::duration;

/// Explain environment, timeouts and checks, and what looks wrong.
///
/// Asks every check once, whatever the others say, and starts nothing else. Takes the flags of `run`
/// and `serve`, and reads the same variables and the same file.
///
/// The exit status is 0 if all is well, 1 if a degradable check failed or something deserves a
/// warning, and 2 if a critical check failed.
#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) settings: RunArgs,

    /// Where the service listens: then it is `serve` that is looked at
    #[arg(long, value_name = "ADDR")]
    pub(crate) upstream: Option<Upstream>,

    /// Print as JSON (docs/doctor.schema.json); with --watch one line for each pass
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Ask again every 2 seconds until a signal; the exit status is that of the last pass
    #[arg(long, global = true)]
    pub(crate) watch: bool,

    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,

    #[command(subcommand)]
    pub(crate) whose: Option<Checked>,
}

/// What is asked about files of deployments.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManifestArgs {
    /// Judge these manifests instead: Cloud Run, Knative, Kubernetes, compose, Dockerfile
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) manifest: Vec<PathBuf>,

    /// With --manifest: every service has WebSockets, with a door or without
    #[arg(long)]
    pub(crate) websockets: bool,

    /// With --manifest: so long a start takes
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) measured_start: Option<Duration>,

    /// With --manifest: how findings are written
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    pub(crate) format: Form,

    /// List the rules of --manifest
    #[arg(long)]
    pub(crate) rules: bool,

    /// Tell why a rule is there, and what mends it
    #[arg(long, value_name = "RULE")]
    pub(crate) explain: Option<String>,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// SARIF 2.1.0, for code hosts.
    Sarif,
}
