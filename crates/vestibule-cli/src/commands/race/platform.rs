//! The platform that `race` may put before CMD.
//!
//! Owns its flags. How the platform behaves is `vestibule_race::platform`'s.

use vestibule_race::platform::{CONCURRENCY, CONCURRENCY_MAX};
use vestibule_race::{CloudRun, Probe};

/// A platform of which there is a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Platform {
    /// Google Cloud Run, one instance; docs/cloud-run-model.md lists its rules
    CloudRun,
}

/// The platform's part of the command line.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PlatformArgs {
    /// Let clients dial a model of this platform, which starts CMD for the first of them, probes it, and
    /// queues and routes as the platform does
    #[arg(long, value_name = "NAME", value_enum, conflicts_with = "url")]
    platform: Option<Platform>,

    /// The platform's startup probe: tcp, or http:/PATH[,period=1s][,timeout=1s][,failures=240] [default: tcp]
    #[arg(long, value_name = "PROBE", requires = "platform")]
    probe: Option<Probe>,

    /// Requests that the platform sends to the instance at a time
    #[arg(long, value_name = "COUNT", requires = "platform", default_value_t = CONCURRENCY,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=CONCURRENCY_MAX as u64))]
    concurrency: usize,
}

impl PlatformArgs {
    /// Whether clients dial a platform.
    pub(super) fn is_asked_for(&self) -> bool {
        self.platform.is_some()
    }

    /// The probe that was chosen.
    pub(super) fn probe(&self) -> Option<&Probe> {
        self.probe.as_ref()
    }

    /// A service with this probe.
    pub(super) fn service(&self, probe: Probe) -> CloudRun {
        CloudRun { concurrency: self.concurrency, ..CloudRun::new(probe) }
    }
}
