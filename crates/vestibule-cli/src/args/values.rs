//! Single values as they are typed.
//!
//! Owns the rule for each kind, whether it came as a flag, as a variable or from a file. Must never
//! look at a second value: what two of them mean together is for `settings`.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::TypedValueParser;
use clap::error::Error;
use clap::{Arg, Command};
use vestibule::startup::Phase;
use vestibule_front::tunnel::close::CloseCode;
use vestibule_front::upstream::probe::is_path;

use crate::config::checks::keys::is_name;

/// A whole number between two others, both included.
#[derive(Clone, Debug)]
pub(crate) struct Count<N> {
    least: u64,
    most: u64,
    kind: PhantomData<fn() -> N>,
}

impl<N: TryInto<u64>> Count<N> {
    /// From `least` to `most`; without an upper bound if `most` is beyond 64 bits.
    pub(crate) fn new(least: N, most: N) -> Self {
        let [least, most] = [least, most].map(|bound| bound.try_into().unwrap_or(u64::MAX));
        Self { least, most, kind: PhantomData }
    }

    fn wrong(&self) -> String {
        let Self { least, most, .. } = self;
        if *most > u32::MAX.into() {
            format!("use a whole number, {least} or more")
        } else {
            format!("use a whole number from {least} to {most}")
        }
    }
}

impl<N> TypedValueParser for Count<N>
where
    N: TryInto<u64> + TryFrom<u64> + Clone + Send + Sync + 'static,
{
    type Value = N;

    fn parse_ref(&self, cmd: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<N, Error> {
        let bounds = self.clone();
        let read = move |text: &str| -> Result<N, String> {
            let number = text.parse().ok().filter(|n| (bounds.least..=bounds.most).contains(n));
            number.and_then(|n| N::try_from(n).ok()).ok_or_else(|| bounds.wrong())
        };
        TypedValueParser::parse_ref(&read, cmd, arg, value)
    }
}

/// A path on a server.
pub(crate) fn path(text: &str) -> Result<String, String> {
    let good = is_path(text) && !text.contains('?');
    good.then(|| text.into()).ok_or_else(|| "a path begins with / and has no spaces or ?".into())
}

/// A Close code that may be sent.
pub(crate) fn close_code(text: &str) -> Result<CloseCode, String> {
    text.parse().ok().and_then(CloseCode::new).ok_or_else(|| {
        "not a code that may be sent (RFC 6455 section 7.4); use 1012, 1001 or one from 3000 to 4999"
            .to_owned()
    })
}

/// The name of a phase.
pub(crate) fn phase(text: &str) -> Result<String, String> {
    let good = is_name(text) && text != Phase::COMPLETE.as_str();
    let wanted = "use a-z, 0-9, - and _, at most 40; complete is the end of every list, unsaid";
    good.then(|| text.to_owned()).ok_or_else(|| wanted.to_owned())
}

/// A number by which a time is multiplied. What is beyond these bounds would switch the checks off, or let them hang.
pub(crate) fn factor(text: &str) -> Result<f64, String> {
    let read = text.parse().ok().filter(|factor| (0.01..=100.0).contains(factor));
    read.ok_or_else(|| "use a number from 0.01 to 100".to_owned())
}
