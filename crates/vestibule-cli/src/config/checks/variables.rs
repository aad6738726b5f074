//! `VESTIBULE_CHECK_NAME_KEY`: one key of a check that something else declares.
//!
//! Owns which check and which key a variable means. Must never take a slip for a setting: it is told.

use vestibule::environment::EnvSource;

use super::keys::{COMMON, form};
use super::layers::Merged;
use super::{Entry, Raw};
use crate::config::given::Origin;
use crate::config::mistake::Mistake;
use crate::config::nearest::nearest;
use crate::config::shown::shown;

/// How such variables begin.
const PREFIX: &str = "VESTIBULE_CHECK_";

/// A variable of a check, before it is known of which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its value; `None` if it is no text.
    pub(crate) value: Option<String>,
}

/// Takes a variable if it is one of a check's.
pub(crate) fn of_check(name: &str, environment: &dyn EnvSource) -> Option<Variable> {
    name.starts_with(PREFIX)
        .then(|| Variable { name: name.to_owned(), value: environment.get(name) })
}

/// `AGENT_SUPERVISOR`, of `agent-supervisor`.
pub(crate) fn stem_of(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// Lays variables over what is declared.
pub(super) fn lay(variables: &[Variable], merged: &mut Merged) {
    for variable in variables {
        let rest = variable.name.strip_prefix(PREFIX).unwrap_or_default();
        let Some((at, key)) = meant(rest, merged) else {
            merged.warnings.push(unknown(&variable.name, rest, merged));
            continue;
        };
        let origin = Origin::Variable(variable.name.clone());
        match &variable.value {
            None => {
                let entry = Entry { key, raw: Raw::Other, origin };
                let name = merged.declared[at].name.clone();
                let why = "is not text: write it in UTF-8";
                merged.mistakes.push(Mistake::in_check(&name, &entry, None, why));
            }
            // Container platforms say "not set" so.
            Some(value) if value.trim().is_empty() => {}
            Some(value) => {
                let is_typed = |entry: &Entry| entry.origin == Origin::Flag;
                let raw = Raw::Typed(value.trim().to_owned());
                if !merged.declared[at].entry(&key).is_some_and(is_typed) {
                    merged.declared[at].lay(Entry { key, raw, origin });
                }
            }
        }
    }
}

/// The check and the key: of two readings the one with the longer name, if its key is one.
fn meant(rest: &str, merged: &Merged) -> Option<(usize, String)> {
    let declared = merged.declared.iter().enumerate();
    let readings = declared.filter_map(|(at, declared)| {
        let key = rest.strip_prefix(&stem_of(&declared.name))?.strip_prefix('_')?;
        let key = key.to_ascii_lowercase();
        let is_key = !declared.name.is_empty() && key != "name" && form(&key, None).is_ok();
        is_key.then_some((declared.name.len(), at, key))
    });
    readings.max().map(|(_, at, key)| (at, key))
}

fn unknown(name: &str, rest: &str, merged: &Merged) -> String {
    let names = merged.declared.iter().map(|declared| declared.name.as_str());
    let stem = names.clone().find(|name| rest.starts_with(&format!("{}_", stem_of(name))));
    let known: Vec<String> = names
        .flat_map(|check| {
            let keys = COMMON.iter().skip(1).map(|common| common.name).chain(["url"]);
            keys.map(move |key| format!("{PREFIX}{}_{}", stem_of(check), key.to_ascii_uppercase()))
        })
        .collect();
    let meant = nearest(name, known.iter().map(String::as_str));
    let advice = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    let what = match stem {
        Some(check) => format!("no such key of check {check}"),
        None => "no such check is declared".to_owned(),
    };
    format!("{}: {what}, it changes nothing{advice}", shown(name))
}
