//! Settings in `VESTIBULE_...` variables.
//!
//! Owns which variables are settings, which are others' business, and which are slips. Must never
//! take a variable that is set to nothing for one that is set: that is how container platforms say
//! "not set".

use std::ffi::OsString;

use vestibule::environment::EnvSource;

use vestibule_front::admin::guard::TOKEN_VARIABLE;
use vestibule_front::supervise::launch::{STARTUP_TOKEN, STARTUP_URL};

use super::checks::listed::split;
use super::checks::variables::{Variable, of_check};
use super::given::{Given, Origin};
use super::keys::{Key, Keys, Kind, PREFIX, variable_of};
use super::mistake::Mistake;
use super::nearest::nearest;
use super::shown::shown;
use super::{Command, FILE_VARIABLE};

const NO_TEXT: &str = "is not text: write it in UTF-8";

/// What separates the values of a list.
const SEPARATOR: char = ',';

/// Variables with our prefix that are no settings: a secret, which no file may hold and nothing show,
/// words between processes of ours, and the tests'.
const NO_SETTINGS: [&str; 7] = [
    FILE_VARIABLE,
    TOKEN_VARIABLE,
    "VESTIBULE_FAMILY",
    "VESTIBULE_PUBLIC_PORT",
    "VESTIBULE_RACE_STAMP",
    STARTUP_TOKEN,
    STARTUP_URL,
];
/// The same, by how they begin. The last two are Kubernetes' words about a Service that is named
/// `vestibule` ("Service", section "Environment variables").
const NO_SETTINGS_PREFIXES: [&str; 4] =
    ["VESTIBULE_TEST_", "VESTIBULE_E2E_", "VESTIBULE_SERVICE_", "VESTIBULE_PORT"];
/// And about one whose name begins so: `VESTIBULE_CHAT_SERVICE_HOST`, `VESTIBULE_CHAT_PORT_80_TCP_ADDR`.
const KUBERNETES_PARTS: [&str; 3] = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"];
/// The one of these words that could be a setting's has a value that is none.
const KUBERNETES_VALUES: [&str; 3] = ["tcp://", "udp://", "sctp://"];

/// What the variables say.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) given: Vec<Given>,
    /// Those of checks, which the file may declare.
    pub(crate) of_checks: Vec<Variable>,
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) warnings: Vec<String>,
}

/// A variable's text, if it is set.
///
/// # Errors
/// It is set to something that is no text: nobody meant that to count as not set.
pub(crate) fn text_of(environment: &dyn EnvSource, name: &str) -> Result<Option<String>, Mistake> {
    let text = environment.get(name);
    if text.is_none() && environment.names().iter().any(|known| known == name) {
        return Err(Mistake::in_words(Origin::Variable(name.to_owned()), name, NO_TEXT));
    }
    Ok(text)
}

/// Reads the variables of these keys, and warns of those that look like settings and are none.
pub(crate) fn read(environment: &dyn EnvSource, keys: &Keys) -> Found {
    let mut found = Found::default();
    let mut names: Vec<_> = environment.names();
    names.retain(|name| is_setting(name));
    names.sort_unstable();
    let with_variable = || keys.iter().filter(|key| key.kind != Kind::Words);
    for name in names {
        let origin = Origin::Variable(name.clone());
        if let Some(variable) = of_check(&name, environment) {
            // The address of a check may look so; the port of somebody's Service is no key of one.
            let is_port = variable.name.ends_with("_PORT");
            let is_others = is_port && variable.value.as_deref().is_some_and(is_kubernetes_value);
            found.of_checks.extend(Some(variable).filter(|_| !is_others));
            continue;
        }
        let key = with_variable().find(|key| variable_of(&key.name) == name);
        match (key, environment.get(&name)) {
            (_, Some(value)) if is_kubernetes_value(&value) => {}
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
                found.mistakes.push(Mistake::in_key(origin, &key.name, NO_TEXT));
            }
            (Some(_), Some(value)) if value.trim().is_empty() => {}
            (Some(key), Some(value)) => found.given.push(given(key, value.trim(), origin)),
        }
    }
    found
}

fn given(key: &Key, value: &str, origin: Origin) -> Given {
    if key.kind == Kind::Checks {
        let values = split(value).into_iter().map(|part| (OsString::from(part), origin.clone()));
        return Given { key: key.name.clone(), values: values.collect(), origin };
    }
    let parts: Vec<&str> = if key.is_list {
        value.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty()).collect()
    } else {
        vec![value]
    };
    let values = parts.into_iter().map(|part| (OsString::from(part), origin.clone())).collect();
    Given { key: key.name.clone(), values, origin }
}

fn unknown(name: &str, meant: Option<&str>) -> String {
    let is_it = |key: &Key| key.kind != Kind::Words && variable_of(&key.name) == name;
    if let Some(other) = Command::with(is_it) {
        return format!("{name}: a setting of `{}` alone, it changes nothing here", other.as_str());
    }
    let advice = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    format!("{}: no such setting, it changes nothing{advice}", shown(name))
}

/// The one setting that is no variable: nobody could tell where its words are to be split.
fn unsplit(name: &str) -> String {
    format!("{name}: changes nothing: the command stands behind `--`, or in a file")
}

/// Whether a variable of this name is a setting of ours, or a slip in one.
pub(crate) fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && !is_others(name)
}

fn is_others(name: &str) -> bool {
    NO_SETTINGS.contains(&name)
        || NO_SETTINGS_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || KUBERNETES_PARTS.iter().any(|part| name.contains(part))
}

fn is_kubernetes_value(value: &str) -> bool {
    KUBERNETES_VALUES.iter().any(|scheme| value.starts_with(scheme))
}
