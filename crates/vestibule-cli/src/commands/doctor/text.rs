//! The report for people.
//!
//! Owns its words and their order. Must never decide anything.

use std::time::Duration;

use vestibule::environment::{Evidence, Says};
use vestibule_race::report::{Ink, Style};

use super::findings::Severity;
use super::machine::Machine;
use super::page::Page;
use super::patience::{self, in_seconds};
use super::place::fit_to_show;
use super::report::{Report, Seen, Status};

/// Tries of one check that are told one by one: there are no more in a pass.
const TRIES_MAX: usize = 10;
const MIB: u64 = 1024 * 1024;

/// The whole page.
pub(super) fn page(report: &Report<'_>, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    let place = &report.meant.door.environment;
    let command = report.meant.command.as_str();
    page.heading(&format!("vestibule {command}: {} on {}", place.name, place.platform));
    environment(&mut page, report);
    timeouts(&mut page, report);
    checks(&mut page, report, style);
    path(&mut page, report);
    limits(&mut page, report.machine, report.meant.door.front.limits.held_max);
    findings(&mut page, report);
    page.heading(&format!("Status: {}", report.status().as_str()));
    page.finish()
}

/// One line for each check, for a log.
pub(super) fn line(one: &Seen) -> String {
    let said = match one.reason {
        None => format!("passed: {}", one.detail),
        Some(reason) => format!("{reason}: {}", one.detail),
    };
    let critical = if one.critical { "critical" } else { "degradable" };
    format!("{} {} ({critical}) {}: {said}", one.kind, one.name, one.target)
}

fn environment(page: &mut Page, report: &Report<'_>) {
    let place = &report.meant.door.environment;
    page.heading("Environment");
    for one in &place.evidence {
        page.line(2, &evidence(one));
    }
    if place.evidence.is_empty() {
        page.line(2, "no variable says where this runs");
    }
    if place.patience() != place.name {
        page.line(2, &format!("timeouts are those of {}", place.patience()));
    }
}

fn evidence(one: &Evidence) -> String {
    let says = match one.says {
        Says::Name(name) => format!("says {name}"),
        Says::Platform(platform) => format!("is a marker of {platform}"),
        Says::Nothing => "says nothing".to_owned(),
    };
    let lost = one.lost.map(|why| format!(", and lost: {why}")).unwrap_or_default();
    format!("{}={} {says}{lost}", one.variable, fit_to_show(&one.value))
}

fn timeouts(page: &mut Page, report: &Report<'_>) {
    page.heading("Timeouts");
    for one in patience::factors(report.meant) {
        page.line(2, &format!("{:18}{:8}  {}", one.key, one.value.to_string(), one.formula));
    }
    for one in patience::lengths(report.meant) {
        let value = one.value.map_or("none".to_owned(), in_seconds);
        page.line(2, &format!("{:18}{value:8}  {}", one.name, one.formula));
    }
}

fn checks(page: &mut Page, report: &Report<'_>, style: Style) {
    page.heading("Checks");
    if report.checks.is_empty() {
        page.line(2, "none");
    }
    for one in &report.checks {
        let ink = match (one.has_passed(), one.critical) {
            (true, _) => Ink::Good,
            (false, true) => Ink::Bad,
            (false, false) => Ink::Waiting,
        };
        page.marked(ink, style.verdict(one.has_passed()), &line(one));
        let tries: Vec<_> = one.tries.iter().take(TRIES_MAX).map(|tried| ms(tried.took)).collect();
        let count = tries.len();
        let word = if count == 1 { "try" } else { "tries" };
        let tries = format!(
            "{}, gates {}; {count} {word} in {} ({})",
            one.group.as_str(),
            one.gate,
            ms(one.took),
            tries.join(", "),
        );
        page.line(6, &tries);
        page.line(6, &format!("timeout {}", one.formula));
        if let Some(advice) = one.advice {
            page.line(6, &format!("do: {advice}"));
        }
    }
}

fn path(page: &mut Page, report: &Report<'_>) {
    if report.path.legs.is_empty() {
        return;
    }
    page.heading("Critical path of the start");
    for leg in &report.path.legs {
        let failed = if leg.passed { "" } else { ", and failed" };
        page.line(
            2,
            &format!("{}: {} took {}{failed}", leg.group.as_str(), leg.check, ms(leg.took)),
        );
    }
    let least = match report.path.is_whole {
        true => format!("{} at least", ms(report.path.least())),
        false => "not to be had before those that failed are mended".to_owned(),
    };
    page.line(
        2,
        &format!(
            "the first ready: {least}; a pass may take {}, a start {}",
            in_seconds(report.meant.door.factors.validation.value),
            in_seconds(report.meant.door.front.patience.startup),
        ),
    );
}

fn limits(page: &mut Page, machine: &Machine, held: usize) {
    let number = |limit: Option<u64>| limit.map_or("no limit".to_owned(), |n| n.to_string());
    page.heading("Limits of this machine");
    page.line(
        2,
        &format!(
            "open files: {} (soft), {} (hard), enough for {} connections; {held} may be held",
            number(machine.descriptors_soft),
            number(machine.descriptors_hard),
            machine.connections,
        ),
    );
    let capped = machine.somaxconn.map(|most| format!(" (net.core.somaxconn is {most})"));
    page.line(2, &format!("accept queue: {}{}", machine.backlog, capped.unwrap_or_default()));
    let memory =
        machine.memory.map_or("no limit".to_owned(), |bytes| format!("{} MiB", bytes / MIB));
    let quota =
        machine.quota.map_or("no quota".to_owned(), |quota| format!("a quota of {quota:.2}"));
    page.line(2, &format!("memory: {memory}; processors: {}, {quota}", machine.processors));
    if let Some(evidence) = &machine.gvisor {
        page.line(2, &format!("sandbox: gVisor ({evidence})"));
    }
    let place = machine.runtime_directory.as_ref();
    let place = place.map_or("nowhere".to_owned(), |path| path.display().to_string());
    let first = if machine.is_first { "the first process" } else { "not the first process" };
    let proc = if machine.has_proc { "/proc is there" } else { "no /proc" };
    page.line(2, &format!("notify socket: {place}; this is {first}; {proc}"));
}

fn findings(page: &mut Page, report: &Report<'_>) {
    if report.findings.is_empty() {
        return;
    }
    page.heading("What looks wrong");
    for one in &report.findings {
        let ink = match one.severity {
            Severity::Warning => Ink::Waiting,
            Severity::Note => Ink::Faint,
        };
        page.marked(ink, one.severity.as_str(), &one.message);
        page.line(6, &format!("do: {}", one.advice));
    }
}

/// The status in one word, for a log.
pub(super) fn status(status: Status) -> String {
    format!("status: {}", status.as_str())
}

fn ms(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
