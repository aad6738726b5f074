//! `vestibule completions`: what a shell needs to complete our words.
//!
//! Owns printing it. Must never write to a shell's own files: whoever asks decides where it goes.

use clap_complete::{Shell, generate};

use crate::args::visible;
use crate::error::Error;
use crate::exit::Exit;
use crate::stdout;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments whole")]
pub(crate) fn completions(args: CompletionsArgs) -> Result<Exit, Error> {
    let mut script = Vec::new();
    generate(args.shell, &mut visible(), "vestibule", &mut script);
    stdout::write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
