//! Checks that are named by a word: a URL, or what `wait-for-it` takes.
//!
//! Owns their forms. Must never show a word in which a secret could be.

use std::sync::Arc;

use vestibule::check::{Check, Checked, Spec};
use vestibule_checks::{Kind, Options, build_with};

use crate::config::shown::shown_value;
use crate::enrolled::surroundings;
use crate::error::Error;

/// As many are waited for at once.
const NAMED_MAX: usize = 100;

/// A critical check for each word.
///
/// # Errors
/// Every word that is none, at once.
pub(super) fn checks(words: &[String]) -> Result<Vec<Checked>, Error> {
    if words.len() > NAMED_MAX {
        let message = format!("{} URLs are named: at most {NAMED_MAX} may be", words.len());
        return Err(Error::configuration(message));
    }
    let mut mistakes = Vec::new();
    let mut checks = Vec::new();
    for word in words {
        match check(word) {
            Ok(check) => {
                let target = check.target();
                let name = if target.is_empty() { check.kind().to_owned() } else { target };
                checks.push(Checked::new(Spec::new(name), check));
            }
            Err(message) => mistakes.push(format!("{}: {message}", shown_value("url", word))),
        }
    }
    if mistakes.is_empty() { Ok(checks) } else { Err(Error::configurations(mistakes)) }
}

fn check(word: &str) -> Result<Arc<dyn Check>, String> {
    let (kind, url) = named(word)?;
    build_with(kind, &Options::url(url), &surroundings()).map_err(|flaws| {
        let flaws: Vec<_> = flaws.iter().map(|flaw| flaw.message.as_str()).collect();
        flaws.join("; ")
    })
}

/// The kind of what is named, and its URL.
fn named(word: &str) -> Result<(Kind, String), String> {
    const FORMS: &str =
        "use HOST:PORT or a URL such as postgres://HOST/NAME; a command stands behind --";
    if let Some((scheme, _)) = word.split_once("://") {
        let kind = Kind::of_scheme(scheme);
        let kind = kind.ok_or_else(|| format!("no kind of check has this scheme; {FORMS}"))?;
        return Ok((kind, word.to_owned()));
    }
    if let Some(rest) = word.strip_prefix("tcp:").filter(|rest| rest.contains(':')) {
        return Ok((Kind::Tcp, format!("tcp://{rest}")));
    }
    match word.split_once(':') {
        Some(("dns", name)) if name.parse::<u16>().is_err() => {
            Ok((Kind::Dns, format!("dns://{name}")))
        }
        Some(("file", path)) => Ok((Kind::File, format!("file://{path}"))),
        _ => match word.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0) => {
                Ok((Kind::Tcp, format!("tcp://{host}:{port}")))
            }
            _ => Err(FORMS.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the reading of words with what other tools take, and with slips.
    use super::*;

    #[test]
    fn a_word_is_a_url_or_a_host_and_a_port() {
        let rows = [
            ("db:5432", Kind::Tcp, "tcp://db:5432"),
            ("tcp:db:5432", Kind::Tcp, "tcp://db:5432"),
            ("tcp:5432", Kind::Tcp, "tcp://tcp:5432"),
            ("[::1]:80", Kind::Tcp, "tcp://[::1]:80"),
            ("tcp://db:5432", Kind::Tcp, "tcp://db:5432"),
            ("postgresql+asyncpg://db/x", Kind::Postgres, "postgresql+asyncpg://db/x"),
            ("rediss://cache", Kind::Redis, "rediss://cache"),
            ("file:///run/ready", Kind::File, "file:///run/ready"),
            ("file:/run/ready", Kind::File, "file:///run/ready"),
            ("dns:db.internal", Kind::Dns, "dns://db.internal"),
        ];
        for (word, kind, url) in rows {
            assert_eq!(named(word), Ok((kind, url.to_owned())), "{word}");
        }
        for wrong in ["", "db", "db:", ":80", "db:0", "db:70000", "ftp://db", "db:5432/x"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a32_a_word_that_is_none_shows_no_secret() {
        let words = ["ftp://me:CANARY@db", "me:CANARY@db", "tcp://me:CANARY@db"];
        let error = checks(&words.map(str::to_owned)).unwrap_err().to_string();
        assert_eq!(error.matches("error: ").count(), 3, "{error}");
        assert!(!error.contains("CANARY"), "{error}");
    }
}
