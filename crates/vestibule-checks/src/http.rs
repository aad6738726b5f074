//! `http`: a request and its answer.
//!
//! Owns what is asked for and what counts as a good answer: status, body, and how long the certificate is still
//! good. `request` is what was declared, `exchange` asks it. Must never follow a redirect (whoever answers would
//! choose where we go next), read a body that nobody asked about, nor show a header or a query.

mod exchange;
mod request;

use std::time::Duration;

use tokio_rustls::rustls::pki_types::UnixTime;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::options::{Flaw, Key, Options, Wants};
use crate::tls;

pub(crate) use self::exchange::{Answer, ask};
pub(crate) use self::request::Request;

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key { name: "url", wants: Wants::Text, about: "http://HOST[:PORT]/PATH or https://…" },
    Key {
        name: "status",
        wants: Wants::Words,
        about: "good statuses: [\"200\", \"300-399\"]; 200-399",
    },
    Key { name: "body", wants: Wants::Text, about: "a text that must be in the first 64 KiB" },
    Key { name: "method", wants: Wants::Text, about: "GET or HEAD; GET" },
    Key {
        name: "headers",
        wants: Wants::Words,
        about: "header lines, \"Name: value\"; never shown",
    },
    Key { name: "host", wants: Wants::Text, about: "the Host field, where it is not the URL's" },
    Key {
        name: "unix",
        wants: Wants::Text,
        about: "the Unix socket to dial in place of the URL's host",
    },
    Key { name: "ca_file", wants: Wants::Text, about: "PEM file of whom to trust; the system's" },
    Key {
        name: "expires_within",
        wants: Wants::Time,
        about: "fail when the certificate expires within this time",
    },
];

/// A request and what counts as a good answer.
#[derive(Debug)]
pub struct Http {
    request: Request,
    statuses: Vec<(u16, u16)>,
    body: Option<String>,
    expires_within: Option<Duration>,
}

impl Http {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let request = Request::new(options).map_err(|found| flaws.extend(found)).ok();
        let statuses = statuses(options.words("status")).map_err(|flaw| flaws.push(flaw));
        let body = options.text("body").map(str::to_owned);
        let expires_within = options.time("expires_within");
        if let Some(request) = &request {
            if body.is_some() && request.is_head() {
                flaws.push(Flaw::new("body", "an answer to HEAD has none: use GET"));
            }
            if expires_within.is_some() && !request.is_secure() {
                flaws.push(Flaw::new("expires_within", "only https has a certificate"));
            }
        }
        match (request, statuses) {
            (Some(request), Ok(statuses)) if flaws.is_empty() => {
                Ok(Self { request, statuses, body, expires_within })
            }
            _ => Err(flaws),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<Saw, Trouble> {
        let status = answer.status.as_u16();
        if !self.statuses.iter().any(|(from, to)| (*from..=*to).contains(&status)) {
            return Err(wrong_status(answer));
        }
        if let Some(text) = &self.body
            && !contains(&answer.body, text.as_bytes())
        {
            let read = if answer.cut { "the first 64 KiB of the body" } else { "the body" };
            let detail = format!("{status}, but the text is not in {read}");
            return Err(Trouble::new(Reason::BodyMismatch, detail));
        }
        if let Some(wanted) = self.expires_within {
            enough_left(answer.not_after, wanted, UnixTime::now())?;
        }
        Ok(Saw::new(shown(answer)))
    }
}

/// The word for a status that is not wanted. Who says how long to stay away is overloaded; that a service which
/// starts says 503 without that is usual, and it is asked again soon.
pub(crate) fn wrong_status(answer: &Answer) -> Trouble {
    let overloaded = match answer.status.as_u16() {
        429 => true,
        503 => answer.retry_after,
        _ => false,
    };
    let reason = if overloaded { Reason::Overloaded } else { Reason::Status };
    Trouble::new(reason, shown(answer))
}

fn shown(answer: &Answer) -> String {
    let status = &answer.status;
    match &answer.location {
        Some(location) => format!("{status}, to {location}, which is not followed"),
        None => status.to_string(),
    }
}

fn enough_left(
    not_after: Option<UnixTime>,
    wanted: Duration,
    now: UnixTime,
) -> Result<(), Trouble> {
    let Some(not_after) = not_after else {
        return Err(Trouble::new(Reason::TlsFailed, "its certificate can't be read"));
    };
    let left = not_after.as_secs().saturating_sub(now.as_secs());
    if left >= wanted.as_secs() {
        return Ok(());
    }
    let end = tls::date(not_after);
    Err(Trouble::new(Reason::ExpiresSoon, format!("its certificate expires at {end}")))
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

fn statuses(words: &[String]) -> Result<Vec<(u16, u16)>, Flaw> {
    if words.is_empty() {
        return Ok(vec![(200, 399)]);
    }
    let ranges = words.iter().map(|word| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (100 <= from && from <= to && to <= 599).then_some((from, to))
    });
    let ranges: Option<Vec<_>> = ranges.collect();
    ranges.ok_or_else(|| {
        Flaw::new("status", "use statuses and ranges from 100 to 599: \"204\", \"200-299\"")
    })
}

impl Check for Http {
    fn kind(&self) -> &'static str {
        "http"
    }

    fn target(&self) -> String {
        self.request.target()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move {
            let answer = ask(&self.request, self.body.is_some(), stage).await?;
            self.judge(&answer)
        })
    }
}

#[cfg(test)]
mod tests;
