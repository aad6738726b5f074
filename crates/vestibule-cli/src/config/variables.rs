//! Settings in `VESTIBULE_...` variables.
//!
//! Owns which variables are settings, which are others' business, and which are slips. Must never
//! take a variable that is set to nothing for one that is set: that is how container platforms say
//! "not set".

use std::ffi::OsString;

use vestibule::environment::EnvSource;

use vestibule_front::admin::guard::TOKEN_VARIABLE;

use super::FILE_VARIABLE;
use super::given::{Given, Origin};
use super::keys::{Key, Keys, Kind, PREFIX, variable_of};
use super::mistake::Mistake;
use super::nearest::nearest;
use super::shown::shown;

/// What separates the values of a list.
const SEPARATOR: char = ',';

/// Variables with our prefix that are no settings: a secret, which no file may hold and nothing show,
/// words between processes of ours, and the tests'.
const NO_SETTINGS: [&str; 5] = [
    FILE_VARIABLE,
    TOKEN_VARIABLE,
    "VESTIBULE_FAMILY",
    "VESTIBULE_PUBLIC_PORT",
    "VESTIBULE_RACE_STAMP",
];
/// The same, by how they begin. The last two are Kubernetes' words about a Service that is named
/// `vestibule` ("Service", section "Environment variables").
const NO_SETTINGS_PREFIXES: [&str; 4] =
    ["VESTIBULE_TEST_", "VESTIBULE_E2E_", "VESTIBULE_SERVICE_", "VESTIBULE_PORT"];
/// And about one whose name begins so.
const KUBERNETES_SUFFIXES: [&str; 4] = ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP"];

/// What the variables say.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) given: Vec<Given>,
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) warnings: Vec<String>,
}

/// Reads the variables of these keys, and warns of those that look like settings and are none.
pub(crate) fn read(environment: &dyn EnvSource, keys: &Keys) -> Found {
    let mut found = Found::default();
    let mut names: Vec<_> = environment.names();
    names.retain(|name| name.starts_with(PREFIX) && !is_others(name));
    names.sort_unstable();
    let with_variable = || keys.iter().filter(|key| key.kind != Kind::Words);
    for name in names {
        let origin = Origin::Variable(name.clone());
        let key = with_variable().find(|key| variable_of(&key.name) == name);
        match (key, environment.get(&name)) {
            (None, _) => {
                let words = keys.iter().find(|key| key.kind == Kind::Words);
                let known: Vec<_> = with_variable().map(|key| variable_of(&key.name)).collect();
                let meant = nearest(&name, known.iter().map(String::as_str));
                found.warnings.push(match words {
                    Some(words) if variable_of(&words.name) == name => unsplit(&name),
                    _ => unknown(&name, meant),
                });
            }
            (Some(key), None) => {
                let message = "is not text: write it in UTF-8";
                found.mistakes.push(Mistake::in_key(origin, &key.name, message));
            }
            (Some(_), Some(value)) if value.trim().is_empty() => {}
            (Some(key), Some(value)) => found.given.push(given(key, value.trim(), origin)),
        }
    }
    found
}

fn given(key: &Key, value: &str, origin: Origin) -> Given {
    let parts: Vec<&str> = if key.is_list {
        value.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty()).collect()
    } else {
        vec![value]
    };
    let values = parts.into_iter().map(|part| (OsString::from(part), origin.clone())).collect();
    Given { key: key.name.clone(), values, origin }
}

fn unknown(name: &str, meant: Option<&str>) -> String {
    let advice = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    format!("{}: no such setting, it changes nothing{advice}", shown(name))
}

/// The one setting that is no variable: nobody could tell where its words are to be split.
fn unsplit(name: &str) -> String {
    format!("{name}: changes nothing: the command stands behind `--`, or in a file")
}

fn is_others(name: &str) -> bool {
    NO_SETTINGS.contains(&name)
        || NO_SETTINGS_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || KUBERNETES_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}
