//! The `vestibule` binary.
//!
//! Owns nothing but the entry point; the command is the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule_cli::main()
}
