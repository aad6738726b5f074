//! One declaration for each name.
//!
//! Owns who outranks whom, key by key, and that names are names. Must never read a value.

use std::collections::BTreeMap;

use vestibule_checks::profile::{Part, Profile};

use super::keys::is_name;
use super::listed::name_and_url;
use super::variables::{self, Variable, stem_of};
use super::{CHECKS_MAX, Declared, Entry, Raw, TABLE, Table};
use crate::config::given::{Given, Origin};
use crate::config::mistake::Mistake;

/// What each layer declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    /// `[[check]]` tables.
    pub(crate) file: Vec<Table>,
    /// `VESTIBULE_CHECK` and `--check`, the higher one last.
    pub(crate) listed: Vec<Given>,
    /// `VESTIBULE_CHECK_NAME_KEY`.
    pub(crate) variables: Vec<Variable>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merged {
    /// Every check, the profile's first, then in the order of the file.
    pub(crate) declared: Vec<Declared>,
    /// What is wrong with names; values are for `judge`.
    pub(crate) mistakes: Vec<Mistake>,
    /// What changes nothing.
    pub(crate) warnings: Vec<String>,
}

/// Lays the layers over each other.
pub(crate) fn merge(layers: &Layers, profile: Option<Profile>) -> Merged {
    let mut merged = Merged::default();
    if let Some(profile) = profile {
        let parts = profile.parts().iter();
        merged.declared.extend(parts.map(|part| of_part(profile, *part)));
    }
    for table in &layers.file {
        merged.take_table(table);
    }
    for given in &layers.listed {
        merged.take_listed(given);
    }
    merged.tell_twins();
    variables::lay(&layers.variables, &mut merged);
    if let Some(one_more) = merged.declared.get(CHECKS_MAX) {
        let why =
            format!("more than {CHECKS_MAX} checks: ask what the service can't start without");
        merged.mistakes.push(Mistake::of_check(&one_more.name, &one_more.origin, &why));
    }
    merged
}

/// The url of a part is that of its variable.
fn of_part(profile: Profile, part: Part) -> Declared {
    let origin = Origin::Profile(profile.as_str());
    let raw = Raw::Text(format!("${{{}}}", part.variable));
    let url = Entry { key: "url".to_owned(), raw, origin: origin.clone() };
    Declared {
        name: part.name.to_owned(),
        origin,
        entries: vec![url],
        part: Some(part),
        profile: Some(profile.as_str()),
    }
}

impl Merged {
    fn take_table(&mut self, table: &Table) {
        let named = table.entries.iter().find(|entry| entry.key == "name");
        let name = match named.map(|entry| (entry, &entry.raw)) {
            Some((_, Raw::Text(name))) if is_name(name) => name.clone(),
            Some((entry, raw)) => {
                let why = "a name is a text of a-z, 0-9, - and _, at most 40 of them";
                let shown =
                    raw.written().map(|raw| crate::config::shown::shown_value("name", &raw));
                self.mistakes.push(Mistake::in_check("", entry, shown.as_deref(), why));
                String::new()
            }
            None => {
                let why = "has no name: add name = \"database\", by which it is told";
                self.mistakes.push(Mistake::of_check("", &table.origin, why));
                String::new()
            }
        };
        let others = |declared: &&Declared| declared.name == name && !name.is_empty();
        let twin = self.declared.iter().find(others).map(|twin| twin.origin.clone());
        if let Some(twin @ Origin::File(..)) = twin {
            let why = format!("there is one of this name at {twin}: give it another");
            self.mistakes.push(Mistake::of_check(&name, &table.origin, &why));
            return;
        }
        let entries = table.entries.iter().filter(|entry| entry.key != "name");
        match self.declared.iter_mut().find(|declared| declared.name == name && !name.is_empty()) {
            Some(declared) => {
                declared.origin = table.origin.clone();
                entries.for_each(|entry| declared.lay(entry.clone()));
            }
            None => {
                let (origin, entries) = (table.origin.clone(), entries.cloned().collect());
                self.declared.push(Declared { name, origin, entries, part: None, profile: None });
            }
        }
    }

    fn take_listed(&mut self, given: &Given) {
        let mut seen: BTreeMap<String, ()> = BTreeMap::new();
        for (value, origin) in &given.values {
            let Some(text) = value.to_str() else {
                let why = "is not text: write it in UTF-8";
                self.mistakes.push(Mistake::in_key(origin.clone(), TABLE, why));
                continue;
            };
            let (name, url) = match name_and_url(text) {
                Ok(pair) => pair,
                Err(why) => {
                    self.mistakes.push(Mistake::in_key(origin.clone(), TABLE, why));
                    continue;
                }
            };
            if seen.insert(name.to_owned(), ()).is_some() {
                let why = "given more than once: keep one";
                self.mistakes.push(Mistake::of_check(name, origin, why));
                continue;
            }
            let raw = Raw::Typed(url.to_owned());
            let url = Entry { key: "url".to_owned(), raw, origin: origin.clone() };
            match self.declared.iter_mut().find(|declared| declared.name == name) {
                Some(declared) => declared.lay(url),
                None => {
                    let (name, origin) = (name.to_owned(), origin.clone());
                    self.declared.push(Declared {
                        name,
                        origin,
                        entries: vec![url],
                        part: None,
                        profile: None,
                    });
                }
            }
        }
    }

    /// Two names that no variable could tell apart.
    fn tell_twins(&mut self) {
        let mut stems: BTreeMap<String, &str> = BTreeMap::new();
        for declared in self.declared.iter().filter(|declared| !declared.name.is_empty()) {
            if let Some(other) = stems.insert(stem_of(&declared.name), &declared.name) {
                let why = format!("its variables would be those of {other}: give it another name");
                self.mistakes.push(Mistake::of_check(&declared.name, &declared.origin, &why));
            }
        }
    }
}
