//! The JSON Schema of a configuration file, for editors.
//!
//! Owns its form. Its content is the arguments' definition. Must never know a key by name, except
//! where a command's words need their own form.

use serde_json::{Map, Value, json};

use vestibule_checks::{Kind as Asked, Wants};

use super::Command;
use super::checks::CHECKS_MAX;
use super::checks::keys::{COMMON, Form, having};
use super::keys::{Key, Kind};

/// Lengths of time as editors may check them; the program knows more spellings.
const TIME: &str = r"^\s*(0|([0-9]+(\.[0-9]+)?\s*[A-Za-zµ]+,?\s*)+)\s*$";

/// The document, as it is committed in `docs/vestibule.schema.json`.
pub(crate) fn text() -> String {
    let mut properties = Map::new();
    for command in [Command::Run, Command::Serve] {
        for key in command.keys().iter() {
            properties.entry(key.name.clone()).or_insert_with(|| property(key));
        }
    }
    let document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Vestibule",
        "description": "Settings of vestibule run and vestibule serve",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{document:#}\n")
}

fn property(key: &Key) -> Value {
    let single = match &key.kind {
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Time => json!({ "type": "string", "pattern": TIME }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Factor => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Kind::Checks => return checks(key),
        Kind::Address => json!({ "type": ["string", "integer"] }),
        Kind::Text | Kind::Words => json!({ "type": "string" }),
    };
    let mut property = if key.is_list || key.kind == Kind::Words {
        json!({ "type": "array", "items": single })
    } else {
        single
    };
    if let Value::Object(property) = &mut property {
        if key.kind == Kind::Words {
            property.insert("minItems".to_owned(), 1.into());
        }
        let help = key.arg.get_help().map(ToString::to_string).unwrap_or_default();
        property.insert("description".to_owned(), help.into());
        if let [default] = key.arg.get_default_values() {
            property.insert("default".to_owned(), default_of(key, &default.to_string_lossy()));
        }
    }
    property
}

/// A table for each check. The keys of the kinds stand beside each other: which of them a check may have follows from
/// its kind, which a schema can't always see.
fn checks(key: &Key) -> Value {
    let mut properties = Map::new();
    for common in COMMON {
        properties.insert(common.name.to_owned(), checks_property(common.form, common.about));
    }
    let of_kinds = Asked::ALL.into_iter().flat_map(|kind| kind.keys());
    for wanted in of_kinds {
        let kinds = having(wanted.name);
        let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let about = format!("{}: {}", words.join(", "), wanted.about);
        let form = Form::Kinds(wanted.wants);
        properties.entry(wanted.name).or_insert_with(|| checks_property(form, &about));
    }
    let help = key.arg.get_help().map(ToString::to_string).unwrap_or_default();
    json!({
        "type": "array",
        "maxItems": CHECKS_MAX,
        "description": help,
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": properties,
        },
    })
}

fn checks_property(form: Form, about: &str) -> Value {
    let mut property = match form {
        Form::Name => json!({ "type": "string", "pattern": "^[a-z0-9_-]{1,40}$" }),
        Form::Word(word) => json!({ "enum": word.all() }),
        Form::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Switch | Form::Kinds(Wants::Switch) => json!({ "type": "boolean" }),
        Form::Time(_) | Form::Kinds(Wants::Time) => json!({ "type": "string", "pattern": TIME }),
        Form::Kinds(Wants::Text) => json!({ "type": "string" }),
        Form::Kinds(Wants::Number) => json!({ "type": "integer", "minimum": 0 }),
        Form::Kinds(Wants::Words) => json!({ "type": "array", "items": { "type": "string" } }),
    };
    if let Value::Object(property) = &mut property {
        property.insert("description".to_owned(), about.into());
    }
    property
}

fn default_of(key: &Key, text: &str) -> Value {
    match key.kind {
        Kind::Number => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `vestibule check-config --schema > docs/vestibule.schema.json` makes it so.
    #[test]
    fn the_schema_of_the_file_is_the_committed_one() {
        assert_eq!(text(), include_str!("../../../../docs/vestibule.schema.json"));
    }
}
