//! The keys of a check.
//!
//! Owns those that every check has, as data, beside those of the kinds. A file's mistakes, its schema and what is
//! shown are made of them. Must never read a value.

use vestibule::check::{Gating, Group};
use vestibule_checks::{Kind, Wants};

use crate::config::Command;
use crate::config::layers::one_of;
use crate::config::nearest::nearest;

/// A key that every check has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    /// Its name in a file.
    pub(crate) name: &'static str,
    /// What its value looks like.
    pub(crate) form: Form,
    /// What it means, in one line.
    pub(crate) about: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The name: [`is_name`].
    Name,
    /// One of [`Word`]'s.
    Word(Word),
    /// A whole number between two others, both included.
    Count(u32, u32),
    /// Yes or no.
    Switch,
    /// A length of time, at least so many milliseconds.
    Time(u64),
    /// What a kind wants.
    Kinds(Wants),
}

/// Which words there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Kinds of checks.
    Kind,
    /// Groups of checks.
    Group,
    /// When a check gates.
    Gate,
}

/// Every key that all checks have, in the order in which they are shown.
pub(crate) const COMMON: [Common; 12] = [
    common("name", Form::Name, "Its name in logs, metrics and documents"),
    common("kind", Form::Word(Word::Kind), "What is asked [default: what the url's scheme says]"),
    common("group", Form::Word(Word::Group), "With whom it is asked; groups go in this order"),
    common("timeout", Form::Time(1), "One try's time, before the environment stretches it"),
    common("attempts", Form::Count(1, vestibule::check::ATTEMPTS_MAX), "Tries in a pass"),
    common("backoff", Form::Time(1), "The longest first pause between tries; it doubles"),
    common("critical", Form::Switch, "Whether there is no readiness without it, or only degraded"),
    common("gate", Form::Word(Word::Gate), "Until the first ready (startup), or afterwards too"),
    common("max_age", Form::Time(100), "How old an outcome may be, where it gates always"),
    common("interval", Form::Time(100), "After the first ready: from one try to the next"),
    common(
        "fall",
        Form::Count(1, 100),
        "After the first ready: failures in a row that make it down",
    ),
    common("rise", Form::Count(1, 100), "Successes in a row that make it up again"),
];

const fn common(name: &'static str, form: Form, about: &'static str) -> Common {
    Common { name, form, about }
}

impl Word {
    /// All of them.
    pub(crate) fn all(self) -> Vec<&'static str> {
        match self {
            Self::Kind => Kind::ALL.iter().map(|kind| kind.as_str()).collect(),
            Self::Group => Group::ALL.iter().map(|group| group.as_str()).collect(),
            Self::Gate => [Gating::Startup, Gating::Always].map(Gating::as_str).to_vec(),
        }
    }
}

/// Whether a check may be called so.
pub(crate) fn is_name(text: &str) -> bool {
    let is_in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    (1..=40).contains(&text.len()) && text.chars().all(is_in_name)
}

/// The form of a key's values in a check of this kind; where the kind is not known, of any.
///
/// # Errors
/// What is wrong with the key.
pub(crate) fn form(key: &str, kind: Option<Kind>) -> Result<Form, String> {
    if let Some(common) = COMMON.iter().find(|common| common.name == key) {
        return Ok(common.form);
    }
    let kinds = having(key);
    let found = kinds.iter().find(|having| kind.is_none_or(|kind| kind == **having));
    if let Some(wants) = found.and_then(|kind| wants(*kind, key)) {
        return Ok(Form::Kinds(wants));
    }
    let words: Vec<_> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let is = kind.map_or(String::new(), |kind| format!(" and this is {}", kind.as_str()));
    Err(match words.as_slice() {
        [] => unknown(key, kind),
        [word] => format!("a key of kind {word} alone,{is}: leave it out"),
        _ => format!(
            "a key of the kinds {},{is}: leave it out",
            one_of(&words).replace(" or ", " and ")
        ),
    })
}

/// The kinds that have this key.
pub(crate) fn having(key: &str) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| wants(*kind, key).is_some()).collect()
}

fn wants(kind: Kind, key: &str) -> Option<Wants> {
    kind.keys().iter().find(|known| known.name == key).map(|known| known.wants)
}

fn is_setting(key: &str) -> bool {
    [Command::Run, Command::Serve].into_iter().any(|command| command.keys().get(key).is_some())
}

fn unknown(key: &str, kind: Option<Kind>) -> String {
    let kinds = Kind::ALL.into_iter().filter(|known| kind.is_none_or(|kind| kind == *known));
    let own = kinds.flat_map(|kind| kind.keys().iter().map(|key| key.name));
    let known = COMMON.iter().map(|common| common.name).chain(own);
    match nearest(key, known).filter(|_| !is_setting(key)) {
        Some(meant) => format!("no such key of a check; did you mean {meant}?"),
        None if is_setting(key) => {
            "a setting, and no key of a check: write it above the first [[check]]".to_owned()
        }
        None => "no such key of a check; docs/checks has all of them".to_owned(),
    }
}
