//! Manifests of deployments, read and judged.
//!
//! Owns the way from texts to findings: `formats` read a text into the `model`, `link` finds the doors in it, `rules`
//! judge. Pure: takes texts and names. Must never open a file, guess what a platform would do with what it does not
//! know, or show a value that may be a secret.

pub(crate) mod door;
pub(crate) mod finding;
mod formats;
mod link;
mod model;
pub(crate) mod rules;
pub(crate) mod sarif;
pub(crate) mod yaml;

use std::time::Duration;

use self::door::ConfigFile;
use self::finding::{Finding, Findings, Severity};
use self::model::{Deployment, Platform};
use self::yaml::{Broken, Text};

/// A larger file was not written by hand.
pub(crate) const BYTES_MAX: usize = 1024 * 1024;

/// What is known besides the manifests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Every service has WebSockets, with a door or without.
    pub(crate) websockets: bool,
    /// So long a start takes.
    pub(crate) measured_start: Option<Duration>,
    /// What the doors read.
    pub(crate) config: Option<ConfigFile>,
}

/// One file that was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// What was seen.
#[derive(Debug)]
pub(crate) struct Judged {
    /// In the order of the files.
    pub(crate) findings: Vec<Finding>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<Text>,
    /// What is started by these files.
    pub(crate) workloads: usize,
    /// Those of them with a door.
    pub(crate) doors: usize,
}

impl Judged {
    /// The worst that was found.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Reads and judges files together: what one says of a name holds for the others.
///
/// # Errors
/// Each file that can't be read, with the first thing that is wrong in it.
pub(crate) fn judge(files: &[Given], known: &Known) -> Result<Judged, Vec<Broken>> {
    let mut deployment = Deployment::default();
    let mut broken = Vec::new();
    for (file, given) in files.iter().enumerate() {
        broken.extend(formats::read(&given.text, file, &mut deployment).err());
    }
    if !broken.is_empty() {
        return Err(broken);
    }
    let names: Vec<&str> = files.iter().map(|given| given.name.as_str()).collect();
    link::link(&mut deployment, &names, known.config.as_ref());
    let mut found = Findings::default();
    rules::judge(&deployment, known, &mut found);
    let mut findings = found.0;
    findings.sort_by(|a, b| (a.at, a.rule.id, &a.what).cmp(&(b.at, b.rule.id, &b.what)));
    findings.dedup();
    let started = || deployment.workloads.iter().filter(|one| one.platform != Platform::Image);
    Ok(Judged {
        findings,
        workloads: started().count(),
        doors: started().filter(|one| one.doors().next().is_some()).count(),
        skipped: deployment.skipped,
    })
}

#[cfg(test)]
mod tests;
