//! Timed and sized claims, checked: run as `bench/run [--check]`.
//!
//! Owns the list of claims and the verdict. Must never state a time without a peer or a limit
//! beside it from the same run.

mod claim;
mod footprint;
mod lag;
mod process;
mod tools;

use std::process::ExitCode;

use claim::Claim;
use tools::Tools;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to whoever ran it")]
fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(_) => {
            eprintln!("usage: bench/run [--check]");
            return ExitCode::from(2);
        }
    };
    match measure() {
        Ok(claims) => {
            print!("{}", claim::table(&claims));
            let missed = claims.iter().any(|claim| !claim.holds());
            if check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Vec<Claim>, String> {
    let tools = Tools::find()?;
    let mut claims = footprint::measure(&tools)?;
    claims.extend(lag::measure(&tools)?);
    Ok(claims)
}
