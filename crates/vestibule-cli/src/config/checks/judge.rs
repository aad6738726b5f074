//! What a declaration means.
//!
//! Owns finding out the kind, reading every key as that kind has it, and what two keys mean together. Must never
//! build a check: `settings` does.

use std::time::Duration;

use vestibule::backoff::Backoff;
use vestibule::check::{Criticality, Gating, Group, Spec};
use vestibule::environment::EnvSource;
use vestibule_checks::{Kind, Options, Value};

use super::keys::{Form, Word, form};
use super::values::read;
use super::{Declared, Entry, Raw};
use crate::config::given::Origin;
use crate::config::mistake::Mistake;
use crate::config::shown::shown_value;

/// A declaration that is right in itself.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// How it is asked.
    pub(crate) spec: Spec,
    /// What is asked.
    pub(crate) kind: Kind,
    /// What its kind was given; variables in it are expanded.
    pub(crate) options: Options,
}

/// Reads a declaration, and tells every mistake in it. `None` if its kind is not known, or a key of that is wrong:
/// then nothing can be said of them together.
pub(crate) fn judge(
    declared: &Declared,
    environment: &dyn EnvSource,
    mistakes: &mut Vec<Mistake>,
) -> Option<Judged> {
    let mut is_whole = true;
    let kind = kind(declared, environment).unwrap_or_else(|mistake| {
        mistakes.extend(mistake);
        None
    });
    let mut spec =
        declared.part.map_or_else(|| Spec::new(declared.name.as_str()), |part| part.spec());
    let mut options = Options::default();
    for entry in &declared.entries {
        let form = match form(&entry.key, kind) {
            Ok(form) => form,
            Err(why) => {
                mistakes.push(Mistake::in_check(&declared.name, entry, None, &why));
                continue;
            }
        };
        match (read(form, &entry.raw, environment), form) {
            (Ok(value), Form::Kinds(_)) => options = options.with(entry.key.as_str(), value),
            (Ok(value), _) => set(&mut spec, &entry.key, value),
            // Told with the kind, above.
            (Err(_), Form::Word(Word::Kind)) => {}
            (Err(why), _) => {
                is_whole &= !matches!(form, Form::Kinds(_));
                mistakes.push(wrong(declared, entry, form, &why));
            }
        }
    }
    if let Some(gate) = declared.entry("gate")
        && (spec.gating, spec.criticality) == (Gating::Always, Criticality::Degradable)
    {
        let why = "what only degrades never gates: leave out gate, or critical = false";
        mistakes.push(Mistake::in_check(&declared.name, gate, None, why));
    }
    kind.filter(|_| is_whole).map(|kind| Judged { spec, kind, options })
}

/// The kind, if enough is known; a mistake that hides it is told only if no key will tell it.
fn kind(declared: &Declared, environment: &dyn EnvSource) -> Result<Option<Kind>, Option<Mistake>> {
    if let Some(entry) = declared.entry("kind") {
        let form = Form::Word(Word::Kind);
        return match read(form, &entry.raw, environment) {
            Ok(Value::Text(word)) => Ok(Kind::parse(&word)),
            Ok(_) => Ok(None),
            Err(why) => Err(Some(wrong(declared, entry, form, &why))),
        };
    }
    let Some(url) = declared.entry("url") else {
        let why = "neither a kind nor a url: say kind = \"http\", or give a url";
        return Err(Some(Mistake::of_check(&declared.name, &declared.origin, why)));
    };
    let form = Form::Kinds(vestibule_checks::Wants::Text);
    let text = match (read(form, &url.raw, environment), &url.raw) {
        (Ok(Value::Text(text)), _) => text,
        // What is wrong with it is told where all keys are read. Its scheme may be seen all the same.
        (_, Raw::Text(text) | Raw::Typed(text)) => {
            let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
            return Ok(Kind::of_scheme(scheme));
        }
        _ => return Ok(None),
    };
    if let Some(part) = declared.part {
        return Ok(Some(part.kind(&text)));
    }
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme.trim());
    Kind::of_scheme(scheme).map(Some).ok_or_else(|| {
        let why =
            "its scheme says no kind: begin it with postgres://, redis:// or the like, or say kind";
        Some(Mistake::in_check(&declared.name, url, None, why))
    })
}

/// A value of a common key may be shown; one of a kind may be a secret.
fn wrong(declared: &Declared, entry: &Entry, form: Form, why: &str) -> Mistake {
    let shown = match form {
        Form::Kinds(_) => None,
        _ => entry.raw.written().map(|value| shown_value(&entry.key, &value)),
    };
    let is_profiles = matches!(entry.origin, Origin::Profile(_));
    match (is_profiles, why.split_once(": ")) {
        (true, Some((what, _))) => {
            let why = format!("{what}: set it, or give a url under [[check]] with this name");
            Mistake::in_check(&declared.name, entry, None, &why)
        }
        _ => Mistake::in_check(&declared.name, entry, shown.as_deref(), why),
    }
}

fn set(spec: &mut Spec, key: &str, value: Value) {
    match (key, value) {
        ("group", Value::Text(word)) => {
            let group = Group::ALL.into_iter().find(|group| group.as_str() == word);
            spec.group = group.unwrap_or(spec.group);
        }
        ("timeout", Value::Time(time)) => spec.timeout = time,
        ("attempts", Value::Number(count)) => spec.attempts = small(count),
        ("backoff", Value::Time(first)) => {
            spec.backoff = Backoff::new(first, first.max(Duration::from_secs(1)));
        }
        ("critical", Value::Switch(true)) => spec.criticality = Criticality::Critical,
        ("critical", Value::Switch(false)) => spec.criticality = Criticality::Degradable,
        ("gate", Value::Text(word)) if word == Gating::Always.as_str() => {
            spec.gating = Gating::Always;
        }
        ("max_age", Value::Time(time)) => spec.max_age = time,
        ("interval", Value::Time(time)) => spec.interval = time,
        ("fall", Value::Number(count)) => spec.fall = small(count),
        ("rise", Value::Number(count)) => spec.rise = small(count),
        _ => {}
    }
}

/// Its form has looked at its bounds.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
