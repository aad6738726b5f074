//! One value for each key.
//!
//! Owns who outranks whom, and that every value of every layer is right: a wrong line in a file is a
//! mistake even where a flag outranks it today. Must never know where a layer was read.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Args, Command, FromArgMatches, Id};
use vestibule_checks::profile::Profile;

use super::checks::layers::{Layers, merge};
use super::checks::variables::Variable;
use super::checks::{Declared, Table};
use super::given::{Given, Origin};
use super::keys::{COMMAND, Key, Keys, Kind, flag_of};
use super::mistake::Mistake;

/// Words that say yes, and no.
const YES: [&str; 2] = ["true", "1"];
const NO: [&str; 2] = ["false", "0"];

/// The outcome: arguments as if all layers had been typed, and where each comes from.
#[derive(Debug)]
pub(crate) struct Settled<A> {
    /// As if typed. A value that is wrong is left out of it. `None` only if there are mistakes.
    pub(crate) args: Option<A>,
    /// Who won, by key.
    pub(crate) given: BTreeMap<String, Given>,
    /// All mistakes.
    pub(crate) mistakes: Vec<Mistake>,
    /// What must be given may still come from elsewhere.
    pub(crate) is_partial: bool,
    /// What flags and variables list of checks, the higher layer last.
    pub(crate) listed: Vec<Given>,
    /// The checks of all layers.
    pub(crate) declared: Vec<Declared>,
    /// What deserves a warning.
    pub(crate) warnings: Vec<String>,
}

impl<A: Args> Settled<A> {
    /// Tells a value that is right by itself and wrong beside others, or in this place. One that nobody
    /// gave can't be wrong.
    pub(crate) fn reject(&mut self, key: &str, nth: usize, message: &str) {
        let keys = Keys::of::<A>();
        let value = self.given.get(key).and_then(|given| given.values.get(nth));
        if let (Some(key), Some((value, origin))) = (keys.get(key), value) {
            self.mistakes.push(wrong(key, value, origin, message));
        }
    }
}

impl<A> Settled<A> {
    /// Lays what the layers say of checks over each other.
    pub(crate) fn with_checks(mut self, file: Vec<Table>, variables: Vec<Variable>) -> Self {
        let profile = self.given.get("profile").and_then(|given| given.values.first());
        let profile = profile.and_then(|(word, _)| Profile::parse(word.to_str()?));
        let layers = Layers { file, listed: std::mem::take(&mut self.listed), variables };
        let merged = merge(&layers, profile);
        self.declared = merged.declared;
        self.mistakes.extend(merged.mistakes);
        self.warnings.extend(merged.warnings);
        self
    }

    /// Whether nobody gave this key, which must be given. Not known while the file can't be read.
    pub(crate) fn is_missing(&self, key: &str) -> bool {
        let unread = |mistake: &Mistake| mistake.is_of_whole_file();
        let is_given = self.given.contains_key(key) || self.is_partial;
        !is_given && self.is_sound(&[key]) && !self.mistakes.iter().any(unread)
    }

    /// Whether any value of these keys is wrong, so that nothing can be said of them together.
    pub(crate) fn is_sound(&self, keys: &[&str]) -> bool {
        let wrong = |key: &&str| self.mistakes.iter().any(|mistake| mistake.key() == Some(key));
        !keys.iter().any(wrong)
    }
}

/// Lays `layers` over each other, the first on top.
pub(crate) fn settle<A: Args + FromArgMatches>(layers: &[Vec<Given>]) -> Settled<A> {
    let keys = Keys::of::<A>();
    let mut mistakes = Vec::new();
    let mut winners: BTreeMap<String, Given> = BTreeMap::new();
    for layer in layers {
        let on_top: Vec<String> = winners.keys().cloned().collect();
        for given in layer {
            let Some(key) = keys.get(&given.key).filter(|key| key.kind != Kind::Checks) else {
                continue;
            };
            let wrong = mistakes.len();
            mistakes.extend(given.values.iter().filter_map(|(value, at)| check(key, value, at)));
            let beside = keys.conflicts(key).into_iter().find_map(|other| winners.get(&other.name));
            match beside {
                // A higher layer's word on either of the two is the word on both.
                Some(other) if on_top.contains(&other.key) => continue,
                Some(other) => mistakes.push(beside_each_other(given, other)),
                None => {}
            }
            if mistakes.len() == wrong && !on_top.contains(&given.key) {
                winners.insert(given.key.clone(), given.clone());
            }
        }
    }
    let args = typed::<A>(&keys, &winners);
    if let Err(error) = &args
        && mistakes.is_empty()
    {
        // Each value is right and none contradicts another: only a definition that this module
        // does not understand leads here.
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        mistakes.push(Mistake::in_words(Origin::Flag, line, "can't be"));
    }
    let listed = layers
        .iter()
        .rev()
        .flatten()
        .filter(|given| keys.get(&given.key).is_some_and(|key| key.kind == Kind::Checks));
    let listed = listed.cloned().collect();
    let (declared, warnings) = (Vec::new(), Vec::new());
    Settled {
        args: args.ok(),
        given: winners,
        mistakes,
        is_partial: false,
        listed,
        declared,
        warnings,
    }
}

fn beside_each_other(given: &Given, other: &Given) -> Mistake {
    let named = match &other.origin {
        Origin::Flag => flag_of(&other.key),
        Origin::Variable(name) => name.clone(),
        Origin::Profile(_) => other.origin.to_string(),
        Origin::File(_, line) => match line {
            Some(line) => format!("{} (line {line})", other.key),
            None => other.key.clone(),
        },
    };
    let message = format!("can't stand beside {named}: keep one of the two");
    Mistake::in_key(given.origin.clone(), &given.key, message)
}

/// The arguments as if all of it had been typed.
fn typed<A: Args + FromArgMatches>(
    keys: &Keys,
    winners: &BTreeMap<String, Given>,
) -> Result<A, clap::Error> {
    let mut line = vec![OsString::from("vestibule")];
    let mut words = Vec::new();
    for given in winners.values() {
        let Some(key) = keys.get(&given.key) else { continue };
        for (value, _) in &given.values {
            match key.kind {
                Kind::Words => words.push(value.clone()),
                Kind::Switch if is_one_of(value, &YES) => line.push(flag_of(&key.name).into()),
                Kind::Switch => {}
                _ => line.push(option(&key.name, value)),
            }
        }
    }
    line.push("--".into());
    line.append(&mut words);
    let definition = A::augment_args(Command::new("vestibule"));
    A::from_arg_matches(&definition.try_get_matches_from(line)?)
}

fn option(key: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(flag_of(key));
    word.push("=");
    word.push(value);
    word
}

fn is_one_of(value: &OsStr, words: &[&str]) -> bool {
    words.iter().any(|word| value == *word)
}

/// Asks the argument's own parser about one value.
fn check(key: &Key, value: &OsStr, origin: &Origin) -> Option<Mistake> {
    let message = match key.kind {
        Kind::Words => return None,
        Kind::Switch => {
            let known = is_one_of(value, &YES) || is_one_of(value, &NO);
            (!known).then(|| "use true or false".to_owned())?
        }
        _ => {
            let arg = alone(&key.arg);
            let definition = Command::new(COMMAND).no_binary_name(true).arg(arg);
            let error = definition.try_get_matches_from([option(&key.name, value)]).err()?;
            what_is_wrong(&error)
        }
    };
    Some(wrong(key, value, origin, &message))
}

fn wrong(key: &Key, value: &OsStr, origin: &Origin, message: &str) -> Mistake {
    let (origin, text) = (origin.clone(), value.to_string_lossy());
    match key.kind {
        Kind::Number | Kind::Factor => Mistake::in_value(origin, &key.name, &text, message),
        _ => Mistake::in_text(origin, &key.name, &text, message),
    }
}

/// The argument without what ties it to others.
pub(crate) fn alone(arg: &Arg) -> Arg {
    arg.clone()
        .required(false)
        .conflicts_with(Resettable::<Id>::Reset)
        .overrides_with(Resettable::<Id>::Reset)
        .requires(Resettable::<Id>::Reset)
        .default_value(Resettable::Reset)
}

/// What a parser of a single value said, without what clap puts around it.
fn what_is_wrong(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::InvalidUtf8 {
        return "is not text: write it in UTF-8".to_owned();
    }
    if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue) {
        if words.is_empty() {
            return "needs a value".to_owned();
        }
        return format!("use {}", one_of(words));
    }
    let source = std::error::Error::source(error).map(ToString::to_string);
    source.unwrap_or_else(|| "is not understood".to_owned())
}

/// `a, b or c`.
pub(crate) fn one_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
