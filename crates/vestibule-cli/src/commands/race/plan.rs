//! Which races `race`'s arguments mean.
//!
//! Owns that choice and the door's command line. Must never run one.

use std::path::PathBuf;

use vestibule_race::platform::Ask;
use vestibule_race::report::Run;
use vestibule_race::{Address, Door, Launch, Outcome, Output, Probe, Scenario, Target};

use super::{RaceArgs, explained};
use crate::error::Error;

/// The patience of production, for a front that would take a laptop for a laptop.
const HOLD: &str = "60s";
/// The door's flag that makes it answer a path itself.
const HEALTH_FLAG: &str = "--public-health";
/// The path that a platform's probe asks at the door, unless the user names one.
const HEALTH: &str = "/vestibule-ready";

/// The races to run, all with the same arrivals, in the order of a report.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) races: Vec<Planned>,
}

/// One race.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) scenario: Scenario,
    /// Whether its lost clients are a failure.
    judged: bool,
}

impl Planned {
    fn judged(scenario: Scenario) -> Self {
        Self { scenario, judged: true }
    }

    fn for_comparison(scenario: Scenario) -> Self {
        Self { scenario, judged: false }
    }

    /// Its outcome with its count.
    pub(super) fn run<'a>(&self, outcome: &'a Outcome) -> Run<'a> {
        if self.judged { Run::judged(outcome) } else { Run::for_comparison(outcome) }
    }
}

/// The races that the arguments ask for.
pub(super) fn plan(args: &RaceArgs) -> Result<Plan, Error> {
    let races = match &args.url {
        Some(url) => vec![Planned::judged(of_a_url(args, url)?)],
        None if args.platform.is_asked_for() => on_a_platform(args)?,
        None => straight(args)?,
    };
    Ok(Plan { races })
}

fn of_a_url(args: &RaceArgs, url: &str) -> Result<Scenario, Error> {
    let (address, path) = Address::from_url(url).map_err(explained)?;
    let scenario = scenario(args, Target::Address(address));
    let path = args.path.clone().or(path).unwrap_or(scenario.path);
    Ok(Scenario { path, ..scenario })
}

fn straight(args: &RaceArgs) -> Result<Vec<Planned>, Error> {
    let bare = || scenario(args, Target::Bare(launch(args)));
    let door = || Ok(scenario(args, door(args, None)?));
    Ok(match (args.compare, args.door_only) {
        (true, _) => vec![Planned::for_comparison(bare()), Planned::judged(door()?)],
        (false, true) => vec![Planned::judged(door()?)],
        (false, false) => vec![Planned::judged(bare())],
    })
}

/// A comparison is fair only against the best that the platform can do by itself.
fn on_a_platform(args: &RaceArgs) -> Result<Vec<Planned>, Error> {
    let with = |target, probe| Scenario {
        platform: Some(args.platform.service(probe)),
        ..scenario(args, target)
    };
    let bare = |probe| with(Target::Bare(launch(args)), probe);
    let behind = |probe: Probe| {
        let health = match &probe.ask {
            Ask::Http(path) => Some(path.as_str()),
            Ask::Tcp => None,
        };
        Ok::<_, Error>(with(door(args, health)?, probe))
    };
    let given = args.platform.probe().cloned();
    if !args.compare {
        let probe = given.unwrap_or_else(Probe::tcp);
        let scenario = if args.door_only { behind(probe)? } else { bare(probe) };
        return Ok(vec![Planned::judged(scenario)]);
    }
    let of_app = match (&given, &args.ready_path) {
        (Some(probe @ Probe { ask: Ask::Http(_), .. }), _) => probe.clone(),
        (_, Some(path)) => Probe::http(path),
        (_, None) => {
            return Err(Error::configuration(
                "a platform's HTTP startup probe needs a path of CMD's",
            )
            .hint("add --ready-path /health, or --probe http:/health"));
        }
    };
    let tcp = given.filter(|probe| probe.ask == Ask::Tcp).unwrap_or_else(Probe::tcp);
    let flags = flags(args);
    let path = said(&flags, HEALTH_FLAG).unwrap_or(HEALTH);
    let of_door = Probe { ask: Ask::Http(path.to_owned()), ..of_app.clone() };
    Ok(vec![
        Planned::for_comparison(bare(tcp.clone())),
        Planned::for_comparison(bare(of_app)),
        Planned::judged(behind(tcp)?),
        Planned::judged(behind(of_door)?),
    ])
}

fn scenario(args: &RaceArgs, target: Target) -> Scenario {
    let usual = Scenario::new(target);
    Scenario {
        clients: args.clients,
        head_start: args.head_start,
        spread: args.spread,
        path: args.path.clone().unwrap_or(usual.path),
        headers: args.header.clone(),
        message: Some(args.send.clone()).filter(|text| !text.is_empty()),
        require_reply: args.expect_reply,
        settle: args.settle,
        timeout: args.timeout,
        ready_path: args.ready_path.clone(),
        seed: args.seed,
        trace: None,
        output: if args.show_output { Output::Show } else { Output::KeepLastLines },
        platform: None,
        target: usual.target,
    }
}

/// CMD behind the door, which answers `health` itself if there is such a path.
fn door(args: &RaceArgs, health: Option<&str>) -> Result<Target, Error> {
    let mut flags = flags(args);
    if let Some(path) = health.filter(|_| said(&flags, HEALTH_FLAG).is_none()) {
        flags.extend([HEALTH_FLAG.to_owned(), path.to_owned()]);
    }
    Ok(Target::Door(Door {
        front: front(args.ready_path.as_deref(), flags)?,
        command: launch(args),
    }))
}

/// The user's flags for the door.
fn flags(args: &RaceArgs) -> Vec<String> {
    args.door.split_whitespace().map(str::to_owned).collect()
}

fn launch(args: &RaceArgs) -> Launch {
    Launch { argv: args.command.clone(), env: Vec::new() }
}

/// This very program as a front, with the user's flags after our own.
pub(crate) fn front(ready_path: Option<&str>, flags: Vec<String>) -> Result<Vec<String>, Error> {
    let mut front = vec![own_program()?, "run".to_owned()];
    let given = |name: &str| flags.iter().any(|flag| flag.split('=').next() == Some(name));
    if let Some(path) = ready_path.filter(|_| !given("--ready-path") && !given("--ready")) {
        front.extend(["--ready-path".to_owned(), path.to_owned()]);
    }
    if !given("--hold") {
        front.extend(["--hold".to_owned(), HOLD.to_owned()]);
    }
    front.extend(flags);
    Ok(front)
}

/// What the flags say after `name`, if it is there.
fn said<'a>(flags: &'a [String], name: &str) -> Option<&'a str> {
    let at = flags.iter().position(|flag| flag.split('=').next() == Some(name))?;
    match flags[at].split_once('=') {
        Some((_, value)) => Some(value),
        None => flags.get(at + 1).map(String::as_str),
    }
}

/// Where this program is. Without /proc the kernel doesn't say; then it is what it was called by.
fn own_program() -> Result<String, Error> {
    let found = std::env::current_exe().ok().map(PathBuf::into_os_string);
    let own = found.or_else(|| std::env::args_os().next()).ok_or_else(|| {
        Error::system("cannot find this program itself").hint("call it by its whole path")
    })?;
    Ok(own.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
