//! What comes back of what we keep to ourselves.
//!
//! Owns finding pieces of a declaration's secrets in what its check says, whoever put them there: a port on which
//! something echoes, a server that repeats who we are in its error, a program that repeats its arguments. Must
//! never decide an outcome, and never hide what the check's target shows anyway.

use std::sync::Arc;

use vestibule::check::{Check, CheckFuture, Saw, Stage, Trouble};

use crate::options::Options;

/// What stands in the place of a piece.
const HIDDEN: char = '…';

/// So many characters of a secret are a piece of it: texts are cut, and so are the secrets in them.
const PIECE: usize = 8;

/// A shorter secret guards nothing, and its letters are in every text.
const SHORTEST: usize = 4;

/// Parameters of URLs whose values are words of ours or of libpq, and no secrets.
const PUBLIC: [&str; 4] = ["ssl", "target_session_attrs", "channel_binding", "connect_timeout"];

/// How names of arguments tell that a secret follows.
const TELLING: [&str; 6] = ["pass", "secret", "token", "key", "auth", "cred"];

/// A check of whose secrets nothing is told.
pub(crate) struct Discreet {
    check: Arc<dyn Check>,
    secrets: Vec<Vec<char>>,
}

impl Discreet {
    /// The same check, as it was declared by these.
    pub(crate) fn around(check: Arc<dyn Check>, options: &Options) -> Arc<dyn Check> {
        let mut found = Vec::new();
        for (key, texts) in options.texts() {
            match key {
                "headers" => texts.iter().for_each(|line| found.extend(of_header(line))),
                "command" => found.extend(of_arguments(texts)),
                "user" | "password" | "token" => found.extend_from_slice(texts),
                _ => texts.iter().for_each(|text| found.extend(of_urls(text))),
            }
        }
        let escaped: Vec<_> =
            found.iter().map(|text| text.as_bytes().escape_ascii().to_string()).collect();
        found.extend(escaped);
        found.retain(|secret| secret.chars().count() >= SHORTEST);
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return check;
        }
        let secrets = found.iter().map(|secret| secret.chars().collect()).collect();
        Arc::new(Self { check, secrets })
    }

    /// The text with each piece of a secret hidden; none if there is none.
    fn hidden(&self, text: &str) -> Option<String> {
        let text: Vec<char> = text.chars().collect();
        let target: Vec<char> = self.check.target().chars().collect();
        let mut hide = vec![false; text.len()];
        for secret in &self.secrets {
            let piece = secret.len().min(PIECE);
            for (at, window) in text.windows(piece).enumerate() {
                let is_in = |whole: &[char]| whole.windows(piece).any(|part| part == window);
                if is_in(secret) && !is_in(&target) {
                    hide[at..at + piece].fill(true);
                }
            }
        }
        if !hide.contains(&true) {
            return None;
        }
        let mut shown = String::new();
        for (at, character) in text.into_iter().enumerate() {
            match hide[at] {
                false => shown.push(character),
                true if at > 0 && hide[at - 1] => {}
                true => shown.push(HIDDEN),
            }
        }
        Some(shown)
    }
}

impl Check for Discreet {
    fn kind(&self) -> &'static str {
        self.check.kind()
    }

    fn target(&self) -> String {
        self.check.target()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            match self.check.try_once(stage).await {
                Ok(saw) => Ok(self.hidden(saw.as_str()).map_or(saw, Saw::new)),
                Err(trouble) => Err(match self.hidden(trouble.detail()) {
                    Some(detail) => Trouble::new(trouble.reason(), detail),
                    None => trouble,
                }),
            }
        })
    }

    fn changed(&self) -> CheckFuture<'_, ()> {
        self.check.changed()
    }
}

/// A header's value; of `Bearer TOKEN` also the last word alone.
fn of_header(line: &str) -> Vec<String> {
    let value = line.split_once(':').map_or(line, |(_, value)| value).trim();
    let last = value.rsplit(' ').next().unwrap_or_default();
    vec![value.to_owned(), last.to_owned()]
}

/// What `--password=VALUE`, `--password VALUE` and addresses among arguments hold. Other arguments are hosts and
/// the like, and an operator wants to read them in what a program says.
fn of_arguments(words: &[String]) -> Vec<String> {
    let tells = |name: &str| {
        let name = name.to_ascii_lowercase();
        TELLING.iter().any(|word| name.contains(word))
    };
    let mut found = Vec::new();
    let mut before = "";
    for word in words.iter().skip(1) {
        found.extend(of_urls(word));
        match word.split_once('=') {
            Some((name, value)) if tells(name) => found.push(value.to_owned()),
            _ if before.starts_with('-') && !before.contains('=') && tells(before) => {
                found.push(word.clone());
            }
            _ => {}
        }
        before = word;
    }
    found
}

/// User, password, values of the query and the fragment of each URL in a text, as they stand and decoded.
fn of_urls(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Between one address and the next stands what belongs to the first.
    let mut parts = text.split("://");
    let mut scheme = parts.next().unwrap_or_default();
    for rest in parts {
        let is_web = scheme.ends_with("http") || scheme.ends_with("https");
        scheme = rest;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A slash in a password is a mistake, and a password all the same.
        if let Some((user, _)) = base.rsplit_once('@') {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            found.extend([name, password].map(str::to_owned));
        }
        for (name, value) in query.split('&').map(|pair| pair.split_once('=').unwrap_or(("", pair)))
        {
            if !PUBLIC.iter().any(|public| name.starts_with(public)) {
                found.push(value.to_owned());
            }
        }
        // A name of some length may be the secret itself; drivers' names are known words.
        let names = query.split('&').filter_map(|pair| pair.split('=').next());
        found.extend(names.filter(|name| is_web && name.len() >= PIECE).map(str::to_owned));
        found.push(fragment.to_owned());
    }
    let decoded: Vec<_> = found.iter().map(|text| decoded(text)).collect();
    found.extend(decoded);
    found
}

fn decoded(text: &str) -> String {
    // As a parameter's value, in which all else that has a meaning is encoded first.
    let text = text.replace('+', "%2B").replace('&', "%26");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    let (name, value) = pairs.next().unwrap_or_default();
    if text.contains('=') { format!("{name}={value}") } else { name.into_owned() }
}

#[cfg(test)]
mod tests;
