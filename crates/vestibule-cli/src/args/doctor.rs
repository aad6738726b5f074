//! Arguments of `doctor`.
//!
//! Owns what it takes besides the settings that it looks at. Must never decide what a missing one means.

use clap::Args as ClapArgs;
use vestibule_front::upstream::dial::Upstream;

use super::{Checked, RunArgs};

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

    #[command(subcommand)]
    pub(crate) whose: Option<Checked>,
}
