//! One value of a check.
//!
//! Owns what each form of a key takes, from a file or as it is typed. Must never say a value: a message tells what
//! was wanted, and the caller whether the value may be shown beside it.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use vestibule::environment::EnvSource;
use vestibule_checks::{Value, Wants};

use super::Raw;
use super::expand::expand;
use super::keys::Form;
use crate::config::layers::one_of;
use crate::config::nearest::nearest;
use crate::duration::duration;

/// What separates the texts of a list in a variable.
const SEPARATOR: char = ',';

/// Reads a value, and expands the variables in its texts.
///
/// # Errors
/// What was wanted.
pub(crate) fn read(form: Form, raw: &Raw, environment: &dyn EnvSource) -> Result<Value, String> {
    let expanded =
        |text: &str| expand(text, |name| environment.get(name)).map_err(|why| why.to_string());
    let raw = match raw {
        Raw::Text(text) => Raw::Text(expanded(text)?),
        Raw::Typed(text) => Raw::Typed(expanded(text)?),
        Raw::Words(words) => {
            Raw::Words(words.iter().map(|word| expanded(word)).collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    };
    match form {
        Form::Name | Form::Kinds(Wants::Text) => text(raw),
        Form::Kinds(Wants::Words) => words(raw),
        Form::Kinds(Wants::Number) => whole(&raw, (0, u64::MAX)),
        Form::Count(least, most) => whole(&raw, (least.into(), most.into())),
        Form::Switch | Form::Kinds(Wants::Switch) => switch(&raw),
        Form::Time(least) => time(&raw, Duration::from_millis(least)),
        Form::Kinds(Wants::Time) => time(&raw, Duration::from_millis(1)),
        Form::Word(words) => word(&raw, &words.all()),
    }
}

fn text(raw: Raw) -> Result<Value, String> {
    match raw {
        Raw::Text(text) | Raw::Typed(text) if text.contains('\0') => {
            Err("no text of a check can have a zero byte in it".to_owned())
        }
        Raw::Text(text) | Raw::Typed(text) => Ok(Value::Text(text)),
        _ => Err("use a text, in quotes".to_owned()),
    }
}

fn words(raw: Raw) -> Result<Value, String> {
    match raw {
        Raw::Words(words) => Ok(Value::Words(words)),
        Raw::Typed(text) => {
            let parts = text.split(SEPARATOR).map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::Words(parts.map(str::to_owned).collect()))
        }
        _ => Err("use a list of texts, as in [\"one\", \"another\"]".to_owned()),
    }
}

fn whole(raw: &Raw, (least, most): (u64, u64)) -> Result<Value, String> {
    let read = match raw {
        Raw::Number(number) => u64::try_from(*number).ok(),
        Raw::Typed(text) => u64::from_str(text).ok(),
        _ => return Err("use a whole number, without quotes".to_owned()),
    };
    let wanted = || {
        if most == u64::MAX {
            format!("use a whole number, {least} or more")
        } else {
            format!("use a whole number from {least} to {most}")
        }
    };
    let number = read.filter(|number| (least..=most).contains(number)).ok_or_else(wanted)?;
    Ok(Value::Number(number))
}

fn switch(raw: &Raw) -> Result<Value, String> {
    match raw {
        Raw::Switch(yes) => Ok(Value::Switch(*yes)),
        Raw::Typed(text) if matches!(text.as_str(), "true" | "1") => Ok(Value::Switch(true)),
        Raw::Typed(text) if matches!(text.as_str(), "false" | "0") => Ok(Value::Switch(false)),
        Raw::Typed(_) => Err("use true or false".to_owned()),
        _ => Err("use true or false, without quotes".to_owned()),
    }
}

fn time(raw: &Raw, least: Duration) -> Result<Value, String> {
    let time = match raw {
        Raw::Text(text) | Raw::Typed(text) => duration(text)?,
        Raw::Number(number) => return Err(without_unit(number)),
        _ => return Err("use a length of time in quotes, such as \"10s\"".to_owned()),
    };
    if time < least {
        return Err(format!("shorter than can be: use {least:?} or more"));
    }
    Ok(Value::Time(time))
}

/// What a number alone should have been.
fn without_unit(number: impl Display) -> String {
    format!("a length of time needs its unit: write \"{number}s\" for seconds")
}

fn word(raw: &Raw, known: &[&str]) -> Result<Value, String> {
    let (Raw::Text(text) | Raw::Typed(text)) = raw else {
        return Err("use a text, in quotes".to_owned());
    };
    if known.contains(&text.as_str()) {
        return Ok(Value::Text(text.clone()));
    }
    let words: Vec<_> = known.iter().map(|word| (*word).to_owned()).collect();
    let meant = nearest(text, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    Err(format!("use {}{meant}", one_of(&words)))
}
