//! As much of JSON Schema as the committed one uses.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../../docs/health.schema.json");

/// Asserts that the document follows the committed schema.
pub(crate) fn follows(document: &Value) {
    follows_schema(SCHEMA, document);
}

/// Asserts that the document follows this schema.
pub(crate) fn follows_schema(schema: &str, document: &Value) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    check(&schema, document, "document");
}

fn check(schema: &Value, value: &Value, at: &str) {
    for (rule, wanted) in schema.as_object().unwrap() {
        match rule.as_str() {
            "type" => {
                let types: Vec<&Value> =
                    wanted.as_array().map_or(vec![wanted], |types| types.iter().collect());
                assert!(
                    types.iter().any(|kind| is(kind.as_str().unwrap(), value)),
                    "{at}: {value}"
                );
            }
            "const" => assert_eq!(value, wanted, "{at}"),
            "enum" => assert!(wanted.as_array().unwrap().contains(value), "{at}: {value}"),
            // Of what is no number it says nothing.
            "minimum" => {
                assert!(!value.is_number() || value.as_f64() >= wanted.as_f64(), "{at}: {value}");
            }
            "items" => {
                for (nth, item) in value.as_array().unwrap().iter().enumerate() {
                    check(wanted, item, &format!("{at}[{nth}]"));
                }
            }
            "maxItems" => {
                assert!(value.as_array().unwrap().len() as u64 <= wanted.as_u64().unwrap(), "{at}");
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    assert!(value.get(name.as_str().unwrap()).is_some(), "{at} has no {name}");
                }
            }
            "properties" => {
                for (name, value) in value.as_object().unwrap() {
                    let schema = wanted
                        .get(name)
                        .unwrap_or_else(|| panic!("{at}: {name} is not in the schema"));
                    check(schema, value, &format!("{at}.{name}"));
                }
            }
            "$schema" | "$id" | "title" | "description" | "additionalProperties" => {}
            other => panic!("a rule that this test does not know: {other}"),
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// The validator itself must be able to fail.
#[test]
fn a_document_that_says_more_than_the_schema_is_found() {
    let check =
        |text: &str| std::panic::catch_unwind(|| follows(&serde_json::from_str(text).unwrap()));
    assert!(check("{}").is_err());
    assert!(check("{\"schema\": \"vestibule.health/2\"}").is_err());
}
