//! `vestibule doctor --manifest`: files of deployments, judged before anything is deployed.
//!
//! Owns reading the files and writing what was found. Must never ask a check, nor start anything.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use vestibule_race::report::{Ink, Style};

use crate::args::doctor::{DoctorArgs, Form};
use crate::commands::race::screen::{Screen, ScreenArgs};
use crate::config::shown::fit;
use crate::error::Error;
use crate::exit::Exit;
use crate::manifest::door::ConfigFile;
use crate::manifest::finding::{Finding, Rule, Severity};
use crate::manifest::rules::{self, table::ALL};
use crate::manifest::{BYTES_MAX, Given, Judged, Known, judge, sarif};
use crate::stdout;

/// Flags that ask for this and not for a look at the settings.
const FLAGS: [&str; 3] = ["--manifest", "--rules", "--explain"];

/// Whether a command line asks for it.
pub(crate) fn is_asked(line: &[OsString]) -> bool {
    let words =
        line.iter().skip(1).map_while(|word| word.to_str()).take_while(|word| *word != "--");
    let words: Vec<&str> = words.collect();
    let is_doctor = words.contains(&"doctor");
    let is_one = |word: &&str| FLAGS.contains(&word.split('=').next().unwrap_or_default());
    is_doctor && words.iter().any(is_one)
}

/// Judges the files, or tells of the rules.
pub(crate) fn manifest(args: &DoctorArgs, config: Option<&Path>) -> Result<Exit, Error> {
    let style = Screen::detect(&ScreenArgs::default()).style;
    if let Some(id) = &args.manifest.explain {
        let rule = rules::find(id).ok_or_else(|| {
            Error::configuration(format!("--explain {id}: no such rule"))
                .hint("--rules lists all of them")
        })?;
        stdout::write(&explained(rule, style))?;
        return Ok(Exit::Ok);
    }
    if args.manifest.rules {
        let list: String = ALL.iter().map(|rule| listed(rule)).collect();
        stdout::write(&list)?;
        return Ok(Exit::Ok);
    }
    let mut files = Vec::new();
    for path in &args.manifest.manifest {
        files.push(Given { name: path.display().to_string(), text: text(path)? });
    }
    let config = config.map(|path| {
        let name = path.display().to_string().into();
        Ok(ConfigFile { name, bytes: text(path)?.into_bytes() })
    });
    let known = Known {
        websockets: args.manifest.websockets,
        measured_start: args.manifest.measured_start,
        config: config.transpose()?,
    };
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let judged = judge(&files, &known).map_err(|broken| {
        let place = |at: crate::manifest::yaml::At| {
            format!("{}:{}:{}", names.get(at.file).copied().unwrap_or_default(), at.line, at.column)
        };
        let told = broken.iter().map(|one| format!("{}: {}", place(one.at), one.message)).collect();
        Error::configurations(told)
    })?;
    let shown = match args.manifest.format {
        Form::Text => page(&judged, &names, style),
        Form::Sarif => format!("{:#}\n", sarif::document(&judged, &names)),
    };
    stdout::write(&shown)?;
    Ok(match judged.worst() {
        Some(Severity::Error) => Exit::CriticalFailed,
        Some(Severity::Warning) => Exit::Degraded,
        Some(Severity::Note) | None => Exit::Ok,
    })
}

/// A file of bounded size, in UTF-8.
fn text(path: &Path) -> Result<String, Error> {
    let wrong =
        |why: &dyn std::fmt::Display| Error::configuration(format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let mut text = Vec::new();
    let limit = BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut text).map_err(|error| wrong(&error))?;
    if text.len() > BYTES_MAX {
        return Err(wrong(&"larger than 1 MiB: no manifest"));
    }
    String::from_utf8(text).map_err(|_| wrong(&"is not text: write it in UTF-8"))
}

fn page(judged: &Judged, names: &[&str], style: Style) -> String {
    let mut page = String::new();
    for finding in &judged.findings {
        page.push_str(&told(finding, names, style));
        page.push('\n');
    }
    for skipped in &judged.skipped {
        let name = names.get(skipped.at.file).copied().unwrap_or_default();
        let line = format!("{name}:{}:{}: {}", skipped.at.line, skipped.at.column, skipped.text);
        let _ = writeln!(page, "{}", style.paint(Ink::Faint, &fit(&line)));
    }
    let count = |severity| judged.findings.iter().filter(|one| one.severity == severity).count();
    let _ = writeln!(
        page,
        "{} files, {} workloads, {} with a door: {} errors, {} warnings, {} notes",
        names.len(),
        judged.workloads,
        judged.doors,
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Note),
    );
    page
}

fn told(finding: &Finding, names: &[&str], style: Style) -> String {
    let ink = match finding.severity {
        Severity::Error => Ink::Bad,
        Severity::Warning => Ink::Waiting,
        Severity::Note => Ink::Faint,
    };
    let at = finding.at;
    let name = names.get(at.file).copied().unwrap_or_default();
    let place = fit(&format!("{name}:{}:{}", at.line, at.column)).to_string();
    let word = style.paint(ink, finding.severity.as_str());
    let mut told = format!(
        "{}: {word} {}: {}\n",
        style.paint(Ink::Strong, &place),
        finding.rule.id,
        finding.rule.title
    );
    let _ = writeln!(told, "  {}", fit(&finding.what));
    let _ = writeln!(told, "  {}", finding.rule.reason);
    let _ = writeln!(told, "  fix:");
    for line in finding.fix.lines() {
        let _ = writeln!(told, "    {line}");
    }
    told
}

fn explained(rule: &Rule, style: Style) -> String {
    let fix: String = rule.fix.lines().map(|line| format!("    {line}\n")).collect();
    let recalled = if rule.source.is_read { "" } else { " (recalled)" };
    let head = style.paint(Ink::Strong, &format!("{} {}", rule.id, rule.title));
    let Rule { severity, reason, source, .. } = rule;
    let word = severity.as_str();
    format!("{head}\n  {word}\n  {reason}\n  fix:\n{fix}  source: {}{recalled}\n", source.url)
}

fn listed(rule: &Rule) -> String {
    format!("{}  {:7}  {}\n", rule.id, rule.severity.as_str(), rule.title)
}
