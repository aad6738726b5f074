//! Arguments of `wait`.
//!
//! Owns their names, help and spelling. Must never decide what a missing one means.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::FileArgs;
use crate::config::flags::Typed;
use crate::config::given::{Given, Origin};
use crate::duration::above_zero;

/// Wait until everything is there that a service needs, then start a command.
///
/// Asks the checks of the file and the URLs again and again until every critical one has passed,
/// then becomes CMD: same process, same environment, arguments untouched. Without CMD it ends with 0.
/// A check is asked in the way of its kind, and has not passed because a port was open.
#[derive(Debug, ClapArgs)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Wait for this too; ${VAR} in it is the variable; may be given more than once
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) check: Vec<OsString>,

    /// Wait for checks that usually go together: chat
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<OsString>,

    /// How long to wait in all; then CMD is not started, and the exit status is 69 [default: that of
    /// --startup-timeout: 240s on Cloud Run and Kubernetes, else 60s]
    #[arg(long, short, value_name = "TIME", value_parser = above_zero)]
    pub(crate) timeout: Option<Duration>,

    /// From one pass over the checks to the next [default: 100ms, growing to 1s]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(crate) interval: Option<Duration>,

    /// One check that passes is enough
    #[arg(long)]
    pub(crate) any: bool,

    /// Say nothing unless it fails
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// What to wait for, besides the checks of the file: HOST:PORT, or a URL such as
    /// postgres://..., redis://..., https://..., nats://..., grpc://..., file:///PATH, dns:NAME
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<String>,

    /// The command and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

impl WaitArgs {
    /// What of it is a setting of `run` and `serve`, too.
    pub(crate) fn typed(&self, file: Option<PathBuf>) -> Typed {
        let given = |key: &str, values: &[OsString]| {
            let values: Vec<_> = values.iter().map(|value| (value.clone(), Origin::Flag)).collect();
            let is_given = !values.is_empty();
            is_given.then(|| Given { key: key.to_owned(), values, origin: Origin::Flag })
        };
        let profile: Vec<_> = self.profile.iter().cloned().collect();
        let given = [given("check", &self.check), given("profile", &profile)];
        let file = self.file.config.clone().or(file);
        Typed { given: given.into_iter().flatten().collect(), file, ..Typed::default() }
    }
}
