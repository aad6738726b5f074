//! The service's process.
//!
//! Owns its exit status (sysexits.h): 0 when it was asked to end, 69 when something was not there in time, 78 when its
//! settings are wrong.

use std::io::Write as _;
use std::process::ExitCode;

use golden_path::settings::Settings;
use golden_path::startup::{self, StartError};
use golden_path::{agent, log};
use vestibule::environment::Process;

const UNAVAILABLE: u8 = 69;
const CONFIG: u8 = 78;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match Settings::read(&Process) {
        Ok(settings) => settings,
        Err(mistakes) => {
            let lines: String =
                mistakes.iter().map(|mistake| format!("golden-path: {mistake}\n")).collect();
            // Where even this can't be written, the status says enough.
            let _ = std::io::stderr().write_all(lines.as_bytes());
            return ExitCode::from(CONFIG);
        }
    };
    log::start(settings.log);
    agent::prepare_tls();
    match startup::run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(reason = %error, "the start failed");
            let is_setup = matches!(error, StartError::Setup(_));
            ExitCode::from(if is_setup { CONFIG } else { UNAVAILABLE })
        }
    }
}
