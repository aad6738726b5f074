//! Checks as they are shown.
//!
//! Owns what of a check's value is fit for a terminal, and the form that can be pasted into a file: `${NAME}` stays
//! as it was written. Must never show what a variable holds.

use std::fmt::Write;

use serde_json::{Value, json};
use vestibule::check::{Gating, Spec};
use vestibule_checks::{Kind, Wants};

use super::expand::{Piece, pieces};
use super::judge::Judged;
use super::keys::{COMMON, Form, form};
use super::{Declared, Entry, Raw, TABLE};
use crate::config::given::Origin;
use crate::config::shown::{HIDDEN, is_secret, shown, shown_value, shown_words};

/// A check, each key with its value and place.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    name: String,
    origin: Origin,
    lines: Vec<Line>,
    /// As it was written: what differs after a reload is seen here.
    entries: Vec<Entry>,
}

/// One key.
#[derive(Clone, Debug)]
struct Line {
    key: &'static str,
    /// Fit to be shown; `None` if it is not set.
    value: Option<Value>,
    place: Place,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
enum Place {
    Given(Origin),
    Default,
    Derived(&'static str),
}

impl Picture {
    /// Of a check that is right in itself.
    pub(crate) fn new(declared: &Declared, judged: &Judged) -> Self {
        let common = COMMON.iter().map(|common| common.name).filter(|name| *name != "name");
        let own = judged.kind.keys().iter().map(|key| key.name);
        let line = |key| Line::new(key, declared, judged);
        let mut entries = declared.entries.clone();
        // Where it stands changes nothing.
        entries.iter_mut().for_each(|entry| entry.origin = Origin::Flag);
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Self {
            name: declared.name.clone(),
            origin: declared.origin.clone(),
            lines: common.chain(own).map(line).collect(),
            entries,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the other says the same.
    pub(crate) fn says(&self, other: &Self) -> bool {
        self.name == other.name && self.entries == other.entries
    }

    /// A table that says the same, each line with the place that it comes from.
    pub(crate) fn to_text(&self) -> String {
        let head = [(format!("[[{TABLE}]]"), self.origin.to_string())];
        let name = [(format!("name = \"{}\"", self.name), self.origin.to_string())];
        let lines = self.lines.iter().map(|line| (line.to_line(), line.place()));
        let lines: Vec<_> = head.into_iter().chain(name).chain(lines).collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|w| *w <= WIDTH_MAX);
        let width = width.max().unwrap_or_default();
        let mut text = String::new();
        for (line, place) in lines {
            let _ = writeln!(text, "{line:width$}  # {place}");
        }
        text
    }

    /// The same for machines.
    pub(crate) fn to_json(&self) -> Value {
        let settings: Value = self.lines.iter().map(Line::to_json).collect();
        json!({ "name": self.name, "place": self.origin.to_string(), "settings": settings })
    }
}

/// A longer line does not move the places of all others.
const WIDTH_MAX: usize = 44;

impl Line {
    fn new(key: &'static str, declared: &Declared, judged: &Judged) -> Self {
        if let Some(entry) = declared.entry(key) {
            let form = form(key, Some(judged.kind)).unwrap_or(Form::Kinds(Wants::Text));
            let place = Place::Given(entry.origin.clone());
            return Self { key, value: value(entry, form), place };
        }
        let default = by_default(key, &judged.spec);
        let (value, place) = match (key, declared.part) {
            ("kind", Some(_)) => {
                (word(judged.kind), Place::Derived("what its url says, or is usual"))
            }
            ("kind", None) => (word(judged.kind), Place::Derived("the url's scheme")),
            ("group" | "timeout" | "attempts", Some(_)) => {
                (default, Place::Given(declared_by(declared)))
            }
            _ => (default, Place::Default),
        };
        Self { key, value, place }
    }

    fn to_line(&self) -> String {
        match &self.value {
            Some(Value::Array(items)) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                format!("{} = [{}]", self.key, items.join(", "))
            }
            Some(value) => format!("{} = {value}", self.key),
            None => format!("# {}", self.key),
        }
    }

    fn place(&self) -> String {
        match (&self.place, &self.value) {
            (Place::Given(origin), _) => origin.to_string(),
            (Place::Default, Some(_)) => "default".to_owned(),
            (Place::Default, None) => "not set".to_owned(),
            (Place::Derived(reason), _) => format!("derived: {reason}"),
        }
    }

    fn to_json(&self) -> Value {
        let (from, file, line, variable) = match &self.place {
            Place::Given(origin) => origin.parts(),
            Place::Default => ("default", None, None, None),
            Place::Derived(_) => ("derived", None, None, None),
        };
        json!({
            "key": self.key, "value": self.value, "from": from,
            "file": file, "line": line, "variable": variable,
        })
    }
}

fn declared_by(declared: &Declared) -> Origin {
    declared.profile.map_or_else(|| declared.origin.clone(), Origin::Profile)
}

fn word(kind: Kind) -> Option<Value> {
    Some(kind.as_str().into())
}

/// What holds where nobody says anything.
fn by_default(key: &str, spec: &Spec) -> Option<Value> {
    let time = |time| Some(Value::from(crate::duration::written(time)));
    match key {
        "group" => Some(spec.group.as_str().into()),
        "timeout" => time(spec.timeout),
        "attempts" => Some(spec.attempts.into()),
        "backoff" => time(spec.backoff.base),
        "critical" => Some(true.into()),
        "gate" => Some(Gating::Startup.as_str().into()),
        "max_age" => time(spec.max_age),
        "interval" => time(spec.interval),
        "fall" => Some(spec.fall.into()),
        "rise" => Some(spec.rise.into()),
        _ => None,
    }
}

/// A value as it was written, without what is a secret in it.
fn value(entry: &Entry, form: Form) -> Option<Value> {
    let listed = matches!(form, Form::Kinds(Wants::Words));
    match &entry.raw {
        Raw::Text(text) | Raw::Typed(text) if listed => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(shown_list(&entry.key, parts))
        }
        Raw::Text(text) => Some(shown_text(&entry.key, text).into()),
        Raw::Typed(text) => Some(match form {
            Form::Count(..) | Form::Kinds(Wants::Number) => text
                .parse::<u64>()
                .map_or_else(|_| shown_text(&entry.key, text).into(), Value::from),
            Form::Switch | Form::Kinds(Wants::Switch) => (text == "true" || text == "1").into(),
            _ => shown_text(&entry.key, text).into(),
        }),
        Raw::Words(words) => Some(shown_list(&entry.key, words.iter().map(String::as_str))),
        Raw::Number(number) => u64::try_from(*number).ok().map(Value::from),
        Raw::Switch(yes) => Some((*yes).into()),
        Raw::Other => None,
    }
}

fn shown_list<'w>(key: &str, words: impl Iterator<Item = &'w str>) -> Value {
    if is_secret(key) {
        return words.map(|word| if is_reference(word) { word } else { HIDDEN }).collect();
    }
    shown_words(words).into()
}

/// A text. What is nothing but the name of a variable is no secret, wherever it stands.
fn shown_text(key: &str, text: &str) -> String {
    if is_reference(text) {
        return shown(text);
    }
    match text.split_once("://") {
        Some((scheme, rest)) if !is_secret(key) => shown(&shown_url(scheme, rest)),
        _ => without_defaults(key, text),
    }
}

/// Anything else: a default may be what a variable would have hidden.
fn without_defaults(key: &str, text: &str) -> String {
    let has_default = |piece: &Piece<'_>| matches!(piece, Piece::Variable(_, Some(_)));
    let secret = is_secret(key) && pieces(text).is_ok_and(|pieces| pieces.iter().any(has_default));
    if secret { HIDDEN.to_owned() } else { shown_value(key, text) }
}

/// An address: whose user and password are variables alone may be seen whole. The last `@` ends them, as a password
/// may have any character in it.
fn shown_url(scheme: &str, rest: &str) -> String {
    let (address, query) = match rest.split_once('?') {
        Some((address, query)) if !query.contains('@') => (address, Some(query)),
        _ => (rest, None),
    };
    let address = match address.rsplit_once('@') {
        Some((user, host)) if is_bare(user) => format!("{user}@{host}"),
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => address.to_owned(),
    };
    let query = query.map(|query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_harmless(name) || is_reference(value) => pair.to_owned(),
            Some((name, _)) => format!("{name}={HIDDEN}"),
            None => HIDDEN.to_owned(),
        });
        pairs.collect::<Vec<_>>().join("&")
    });
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{address}{query}")
}

/// A user and a password, of which the second is a variable; or a variable alone, as a token is no name.
fn is_bare(user: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match user.split_once(':') {
        Some((name, password)) => {
            (name.chars().all(is_word) || is_reference(name)) && is_reference(password)
        }
        None => is_reference(user),
    }
}

/// Names in a query whose values are words of a protocol.
fn is_harmless(name: &str) -> bool {
    const HARMLESS: [&str; 5] =
        ["sslmode", "connect_timeout", "application_name", "target_session_attrs", "protocol"];
    HARMLESS.contains(&name)
}

/// `${NAME}` and nothing else.
fn is_reference(text: &str) -> bool {
    matches!(
        pieces(text).as_deref(),
        Ok([Piece::Plain(""), Piece::Variable(_, None), Piece::Plain("")])
    )
}

#[cfg(test)]
mod tests {
    //! Breaks what is shown of a check with secrets in each place where one may stand.
    use super::*;

    #[test]
    fn a32_of_a_checks_value_only_what_is_no_secret_is_shown() {
        let rows = [
            ("url", "postgres://db:5432/chat", "postgres://db:5432/chat"),
            ("url", "postgres://me:pw@db/chat", "postgres://(hidden)@db/chat"),
            ("url", "postgres://${U}:${P}@db/chat", "postgres://${U}:${P}@db/chat"),
            ("url", "postgres://me:${P}@db/chat", "postgres://me:${P}@db/chat"),
            ("url", "redis://:${P}@cache/0", "redis://:${P}@cache/0"),
            ("url", "postgres://me:${P}pw@db/chat", "postgres://(hidden)@db/chat"),
            ("url", "postgres://me:${P:-pw}@db/chat", "postgres://(hidden)@db/chat"),
            ("url", "postgres://me:p?w@db/x", "postgres://(hidden)@db/x"),
            ("url", "postgres://me:p@w@db/x", "postgres://(hidden)@db/x"),
            ("url", "redis://:pw@cache/0", "redis://(hidden)@cache/0"),
            ("url", "nats://pw@bus:4222", "nats://(hidden)@bus:4222"),
            ("url", "nats://a:pw@x,nats://b:pw@y", "nats://(hidden)@y"),
            (
                "url",
                "http://h/x?token=pw&sslmode=require",
                "http://h/x?token=(hidden)&sslmode=require",
            ),
            ("url", "http://h/x?token=${T}", "http://h/x?token=${T}"),
            ("url", "http://h/x?pw", "http://h/x?(hidden)"),
            ("url", "${DATABASE_URL}", "${DATABASE_URL}"),
            ("url", "host=db password=pw", HIDDEN),
            ("token", "pw", HIDDEN),
            ("token", "${T}", "${T}"),
            ("token", "${T:-pw}", HIDDEN),
            ("token", "pw${T}", HIDDEN),
            ("query", "select 1", "select 1"),
        ];
        for (key, text, wanted) in rows {
            assert_eq!(shown_text(key, text), wanted, "{key} = {text}");
        }
        let list = shown_list("headers", ["Authorization: Bearer pw", "${H}"].into_iter());
        assert_eq!(list, json!([HIDDEN, "${H}"]));
    }
}
