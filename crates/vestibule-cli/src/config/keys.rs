//! The keys that may be set, made of the definition of the arguments.
//!
//! Owns how a flag's name becomes a variable's and a key's, and which kind of value each takes.
//! Must never list a key by hand: what `args` defines is there.

use clap::{Arg, ArgAction, Args, Command};

/// How variables of ours begin.
pub(crate) const PREFIX: &str = "VESTIBULE_";
/// The key of what stands behind `--` on a command line. It has no flag and no variable.
pub(crate) const COMMAND: &str = "command";
/// Flags that say where settings come from, and are none.
const NO_KEYS: [&str; 3] = ["config", "help", "version"];

/// All keys of one command.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    definition: Command,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// As in a file.
    pub(crate) name: String,
    /// What its values look like.
    pub(crate) kind: Kind,
    /// May have several values.
    pub(crate) is_list: bool,
    /// Its definition.
    pub(crate) arg: Arg,
}

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Yes or no.
    Switch,
    /// A whole number.
    Number,
    /// A length of time.
    Time,
    /// One of these words.
    Choice(Vec<String>),
    /// An address, of which a bare port is one.
    Address,
    /// Any other text.
    Text,
    /// A number that may have a point.
    Factor,
    /// Checks: tables in a file, `NAME=URL` elsewhere.
    Checks,
    /// Words, as on a command line.
    Words,
}

impl Keys {
    /// The keys of the command with these arguments.
    pub(crate) fn of<A: Args>() -> Self {
        let definition = A::augment_args(Command::new("vestibule"));
        let keys = definition.get_arguments().filter_map(Key::new).collect();
        Self { keys, definition }
    }

    /// Every key, in the order of the help.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The keys that this one can't stand beside.
    pub(crate) fn conflicts(&self, key: &Key) -> Vec<&Key> {
        let one_way = |a: &Key, b: &Key| {
            let others = self.definition.get_arg_conflicts_with(&a.arg);
            others.iter().any(|other| other.get_id() == b.arg.get_id())
        };
        self.keys.iter().filter(|other| one_way(key, other) || one_way(other, key)).collect()
    }
}

impl Key {
    fn new(arg: &Arg) -> Option<Self> {
        if NO_KEYS.contains(&arg.get_id().as_str()) {
            return None;
        }
        let name = match arg.get_long() {
            Some(long) => key_of(long),
            None => arg.is_last_set().then(|| COMMAND.to_owned())?,
        };
        let kind = Kind::of(arg);
        let is_list = matches!(arg.get_action(), ArgAction::Append) && kind != Kind::Words;
        Some(Self { name, kind, is_list, arg: arg.clone() })
    }
}

impl Kind {
    /// By what the help calls the value. A number that is taken for a text only loses its
    /// spelling without quotes.
    fn of(arg: &Arg) -> Self {
        if arg.is_last_set() {
            return Self::Words;
        }
        if !arg.get_action().takes_values() {
            return Self::Switch;
        }
        let choices: Vec<_> =
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if !choices.is_empty() {
            return Self::Choice(choices);
        }
        let name = arg.get_value_names().and_then(|names| names.first());
        match name.map_or("", |name| name.as_str()) {
            "TIME" => Self::Time,
            "COUNT" | "BYTES" | "PORT" | "CODE" => Self::Number,
            "ADDR" => Self::Address,
            "FACTOR" => Self::Factor,
            "NAME=URL" => Self::Checks,
            _ => Self::Text,
        }
    }
}

/// `max_held`, of `max-held`.
pub(crate) fn key_of(long: &str) -> String {
    long.replace('-', "_")
}

/// `--max-held`, of `max_held`.
pub(crate) fn flag_of(key: &str) -> String {
    if key == COMMAND { "-- CMD".to_owned() } else { format!("--{}", key.replace('_', "-")) }
}

/// `VESTIBULE_MAX_HELD`, of `max_held`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}
