//! `[[check]]` tables of a file.
//!
//! Owns taking every key with its line. Must never judge one: `checks` does.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Document;
use crate::config::checks::{Entry, Raw, TABLE, Table};
use crate::config::given::Origin;
use crate::config::mistake::Mistake;

/// Checks that are looked at; far more than may be.
const TABLES_MAX: usize = 1_000;

impl<'a> Document<'a> {
    /// Takes what stands for the key of the tables.
    pub(super) fn take_tables(&mut self, origin: &Origin, value: &Spanned<DeValue<'a>>) {
        let tables = match value.get_ref() {
            DeValue::Array(items) => {
                let tables = items.iter().take(TABLES_MAX);
                let tables = tables.map(|item| (item.span(), item.get_ref().as_table()));
                tables.map(|(span, table)| Some((span, table?))).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        match tables {
            Some(tables) => {
                for (span, table) in tables {
                    let table = self.table(self.at(&span), table);
                    self.tables.push(table);
                }
            }
            None if matches!(value.get_ref(), DeValue::Table(_)) => {
                let why = "write [[check]], in two pairs of brackets, with a line name = \"...\"";
                self.mistakes.push(Mistake::in_key(origin.clone(), TABLE, why));
            }
            None => {
                let why = "write a table [[check]] for each, with a line name = \"...\"";
                self.mistakes.push(Mistake::in_key(origin.clone(), TABLE, why));
            }
        }
    }

    fn table(&self, origin: Origin, table: &DeTable<'a>) -> Table {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let origin = self.at(&key.span());
                (key.span().start, key.get_ref().to_string(), raw(value.get_ref()), origin)
            })
            .collect();
        entries.sort_by_key(|(at, ..)| *at);
        let entries = entries.into_iter().map(|(_, key, raw, origin)| Entry { key, raw, origin });
        Table { origin, entries: entries.collect() }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(yes) => Raw::Switch(*yes),
        DeValue::Integer(number) => {
            let read = i128::from_str_radix(number.as_str(), number.radix());
            read.map_or(Raw::Other, Raw::Number)
        }
        DeValue::Array(items) => {
            let words = items.iter().map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            words.collect::<Option<_>>().map_or(Raw::Other, Raw::Words)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Raw::Other,
    }
}
