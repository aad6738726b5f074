//! Every key, its value, and where it comes from.
//!
//! Owns the one picture of all settings: for people, for machines, and for a reload that must know
//! what differs. Must never print a secret.

use std::fmt::Write;

use serde_json::{Value, json};

use super::checks::TABLE;
use super::checks::picture::Picture;
use super::given::Origin;
use super::keys::{Key, Keys, Kind};
use super::layers::Settled;
use super::shown::{is_secret, shown, shown_value, shown_words};

/// Every key of a command.
#[derive(Clone, Debug)]
pub(crate) struct View {
    settings: Vec<Setting>,
    checks: Vec<Picture>,
}

/// One key.
#[derive(Clone, Debug)]
struct Setting {
    key: String,
    kind: Kind,
    is_list: bool,
    /// As in a file, without quotes; `None` if it is not set.
    values: Option<Vec<String>>,
    place: Place,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Place {
    Given(Origin),
    Default,
    Derived(String),
}

/// A value that nobody gave, with the reason for it.
#[derive(Debug)]
pub(crate) struct Derived {
    /// The key.
    pub(crate) key: &'static str,
    /// As in a file, without quotes; `None` if nothing follows.
    pub(crate) values: Option<Vec<String>>,
    /// Why.
    pub(crate) reason: String,
}

impl View {
    /// Puts what was given, what is derived and what is default together.
    pub(crate) fn new<A: clap::Args>(
        given: &Settled<A>,
        mut derived: Vec<Derived>,
        checks: Vec<Picture>,
    ) -> Self {
        let setting = |key: &Key| {
            let at = derived.iter().position(|derived| derived.key == key.name);
            let (values, place) = match (given.given.get(&key.name), at) {
                (Some(given), _) => {
                    let values = given.values.iter();
                    let values = values.map(|(text, _)| text.to_string_lossy().into_owned());
                    (Some(values.collect()), Place::Given(given.origin.clone()))
                }
                (None, Some(at)) => {
                    let derived = derived.swap_remove(at);
                    (derived.values, Place::Derived(derived.reason))
                }
                (None, None) => (default(key), Place::Default),
            };
            let (name, kind, is_list) = (key.name.clone(), key.kind.clone(), key.is_list);
            Setting { key: name, kind, is_list, values, place }
        };
        let keys = Keys::of::<A>();
        let settings = keys.iter().filter(|key| key.kind != Kind::Checks).map(setting).collect();
        Self { settings, checks }
    }

    /// The keys whose values differ in the other.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = self.settings.iter().zip(&other.settings);
        let differ = pairs.filter(|(ours, theirs)| ours.values != theirs.values);
        let differ = differ.map(|(ours, _)| ours.key.clone());
        differ.chain(self.different_checks(other)).collect()
    }

    /// Checks that came, went or changed, by name.
    fn different_checks(&self, other: &Self) -> Vec<String> {
        let lacks = |checks: &[Picture], check: &Picture| !checks.iter().any(|c| c.says(check));
        let ours = self.checks.iter().filter(|check| lacks(&other.checks, check));
        let theirs = other.checks.iter().filter(|check| lacks(&self.checks, check));
        let mut names: Vec<_> =
            ours.chain(theirs).map(|check| format!("{TABLE} {}", check.name())).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Takes over what the other says of these keys.
    pub(crate) fn take_from(&mut self, other: Self, keys: &[String]) {
        for (ours, theirs) in self.settings.iter_mut().zip(other.settings) {
            if keys.contains(&ours.key) {
                *ours = theirs;
            }
        }
    }

    /// Where the value of this key comes from; `None` for a key that the command does not have.
    pub(crate) fn place_of(&self, key: &str) -> Option<String> {
        self.settings.iter().find(|setting| setting.key == key).map(Setting::place)
    }

    /// A file that says the same, each line with the place that it comes from.
    pub(crate) fn to_text(&self) -> String {
        let lines: Vec<_> = self.settings.iter().map(Setting::to_line).collect();
        let width =
            lines.iter().map(|line| line.chars().count()).filter(|width| *width <= WIDTH_MAX);
        let width = width.max().unwrap_or_default();
        let mut text = String::new();
        for (line, setting) in lines.iter().zip(&self.settings) {
            let _ = writeln!(text, "{line:width$}  # {}", setting.place());
        }
        for check in &self.checks {
            text.push('\n');
            text.push_str(&check.to_text());
        }
        text
    }

    /// The checks, for machines.
    pub(crate) fn checks_to_json(&self) -> Value {
        self.checks.iter().map(Picture::to_json).collect()
    }

    /// The same for machines.
    pub(crate) fn to_json(&self) -> Value {
        self.settings.iter().map(Setting::to_json).collect()
    }
}

/// A longer line does not move the places of all others.
const WIDTH_MAX: usize = 44;

fn default(key: &Key) -> Option<Vec<String>> {
    let values = key.arg.get_default_values();
    match key.kind {
        Kind::Switch => Some(vec!["false".to_owned()]),
        _ if values.is_empty() => None,
        _ => Some(values.iter().map(|value| value.to_string_lossy().into_owned()).collect()),
    }
}

impl Setting {
    fn to_line(&self) -> String {
        match self.to_value() {
            Some(value) => format!("{} = {}", self.key, in_toml(&value)),
            None => format!("# {}", self.key),
        }
    }

    fn place(&self) -> String {
        match (&self.place, &self.values) {
            (Place::Given(origin), _) => origin.to_string(),
            (Place::Default, Some(_)) => "default".to_owned(),
            (Place::Default, None) => "not set".to_owned(),
            (Place::Derived(reason), Some(_)) => format!("derived: {reason}"),
            (Place::Derived(reason), None) => format!("not set: {reason}"),
        }
    }

    fn to_json(&self) -> Value {
        let (from, file, line, name) = match &self.place {
            Place::Given(origin) => origin.parts(),
            Place::Default => ("default", None, None, None),
            Place::Derived(_) => ("derived", None, None, None),
        };
        let reason = match &self.place {
            Place::Derived(reason) => Some(reason),
            _ => None,
        };
        json!({
            "key": self.key, "value": self.to_value(), "from": from,
            "file": file, "line": line, "variable": name, "reason": reason,
        })
    }

    /// Fit to be shown.
    fn to_value(&self) -> Option<Value> {
        let values = self.values.as_ref()?;
        if self.kind == Kind::Words {
            return Some(shown_words(values.iter().map(String::as_str)).into());
        }
        if self.is_list {
            return Some(values.iter().map(|value| shown_value(&self.key, value)).collect());
        }
        let value = values.first().map(String::as_str).unwrap_or_default();
        Some(match self.kind {
            Kind::Switch => (value == "true" || value == "1").into(),
            Kind::Number if !is_secret(&self.key) => {
                value.parse::<u64>().map_or_else(|_| shown(value).into(), Value::from)
            }
            Kind::Factor => value.parse::<f64>().map_or_else(|_| shown(value).into(), Value::from),
            _ => shown_value(&self.key, value).into(),
        })
    }
}

/// JSON's texts, numbers and lists are TOML's as well.
fn in_toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        single => single.to_string(),
    }
}
