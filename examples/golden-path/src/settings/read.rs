//! The reading of single variables.
//!
//! Owns the words for what is wrong with one. Must never stop at the first mistake: who starts a service wants to see
//! all of them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use url::Url;
use vestibule::environment::EnvSource;
use vestibule::startup::Phase;

use super::{Endpoint, PHASES};

/// What is wrong with a variable. It never has the value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    variable: &'static str,
    wants: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.wants)
    }
}

/// An environment that is being read.
pub(super) struct Reader<'s> {
    source: &'s dyn EnvSource,
    mistakes: Vec<Mistake>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s dyn EnvSource) -> Self {
        Self { source, mistakes: Vec::new() }
    }

    /// What was read, unless something is wrong.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Vec<Mistake>> {
        if self.mistakes.is_empty() { Ok(read) } else { Err(self.mistakes) }
    }

    /// A variable; one that is empty counts as not set.
    pub(super) fn text(&self, variable: &'static str) -> Option<String> {
        self.source.get(variable).filter(|value| !value.trim().is_empty())
    }

    pub(super) fn parsed<T: FromStr>(
        &mut self,
        variable: &'static str,
        what: &str,
        default: T,
    ) -> T {
        self.read(variable, |value| value.parse().map_err(|_| format!("it is to be {what}")))
            .unwrap_or(default)
    }

    pub(super) fn flag(&mut self, variable: &'static str, default: bool) -> bool {
        let read = |value: &str| match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err("it is to be 1 or 0".to_owned()),
        };
        self.read(variable, read).unwrap_or(default)
    }

    /// One of these words; the first where nothing is said.
    pub(super) fn choice<T: Copy>(&mut self, variable: &'static str, words: &[(&str, T); 2]) -> T {
        let read = |value: &str| {
            let found = words.iter().find(|(word, _)| *word == value);
            let known = words.map(|(word, _)| word).join(" or ");
            found.map(|(_, chosen)| *chosen).ok_or_else(|| format!("it is to be {known}"))
        };
        self.read(variable, read).unwrap_or(words[0].1)
    }

    pub(super) fn count(&mut self, variable: &'static str, default: u32) -> NonZeroU32 {
        let default = NonZeroU32::new(default).unwrap_or(NonZeroU32::MIN);
        self.parsed(variable, "a whole number from 1 on", default)
    }

    pub(super) fn time(&mut self, variable: &'static str, default: Duration) -> Duration {
        self.read(variable, time).unwrap_or(default)
    }

    /// A time that is not nothing.
    pub(super) fn some_time(&mut self, variable: &'static str, default: Duration) -> Duration {
        let read = |value: &str| match time(value)? {
            Duration::ZERO => Err("it is to be longer than nothing".to_owned()),
            time => Ok(time),
        };
        self.read(variable, read).unwrap_or(default)
    }

    pub(super) fn origins(&mut self, variable: &'static str, https_only: bool) -> Vec<String> {
        let read = |value: &str| {
            let origins = value.split(',').map(str::trim).filter(|origin| !origin.is_empty());
            origins.map(|origin| fit_origin(origin, https_only)).collect()
        };
        self.read(variable, read).unwrap_or_default()
    }

    pub(super) fn endpoint(&mut self) -> Option<Endpoint> {
        let read = |value: &str| {
            let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            url.filter(Url::has_host)
                .ok_or_else(|| "it is to be a URL such as https://HOST/v1".to_owned())
        };
        let url = self.read("MODEL_URL", read)?;
        let Some(name) = self.text("MODEL_NAME") else {
            let wants = "it is to name a model that MODEL_URL has".into();
            self.mistakes.push(Mistake { variable: "MODEL_NAME", wants });
            return None;
        };
        Some(Endpoint { url, name, key: self.text("MODEL_API_KEY") })
    }

    pub(super) fn cold_start(&mut self, variable: &'static str) -> Vec<(Phase, Duration)> {
        self.read(variable, cold_start).unwrap_or_default()
    }

    fn read<T>(
        &mut self,
        variable: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.text(variable)?.trim()) {
            Ok(read) => Some(read),
            Err(wants) => {
                self.mistakes.push(Mistake { variable, wants });
                None
            }
        }
    }
}

fn time(value: &str) -> Result<Duration, String> {
    parsed_time(value).ok_or_else(|| "it is to be a time such as 500ms, 20s or 2h".into())
}

fn parsed_time(value: &str) -> Option<Duration> {
    let signed: jiff::SignedDuration = value.trim().parse().ok()?;
    Duration::try_from(signed).ok()
}

fn fit_origin(origin: &str, https_only: bool) -> Result<String, String> {
    let url = Url::parse(origin).ok().filter(|url| url.origin().ascii_serialization() == origin);
    match url {
        Some(url) if url.scheme() == "https" || !https_only => Ok(origin.to_owned()),
        Some(_) => Err("in production each is to begin with https://: pages over http can be changed by anybody".into()),
        None => Err("each is to be scheme://host or scheme://host:port, in lower case and without a slash".into()),
    }
}

/// `phase=time,…`, or one time that all phases share.
fn cold_start(value: &str) -> Result<Vec<(Phase, Duration)>, String> {
    if let Some(all) = parsed_time(value) {
        return Ok(PHASES.map(|phase| (phase, all / PHASES.len() as u32)).to_vec());
    }
    let one = |part: &str| {
        let (name, lasts) = part.trim().split_once('=')?;
        let phase = PHASES.into_iter().find(|phase| phase.as_str() == name)?;
        Some((phase, parsed_time(lasts)?))
    };
    let names = PHASES.map(Phase::as_str).join(", ");
    let wants = format!("it is to be a time, or PHASE=TIME,… with the phases {names}");
    value.split(',').map(one).collect::<Option<_>>().ok_or(wants)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use crate::settings::Settings;

    fn read(variables: &[(&'static str, &'static str)]) -> Result<Settings, Vec<String>> {
        let source: HashMap<&str, &str> = variables.iter().copied().collect();
        Settings::read(&source)
            .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
    }

    /// Breaks if a mistake hides another, or if a secret gets into the log with it.
    #[test]
    fn all_mistakes_are_told_at_once_and_without_values() {
        let mistakes = read(&[
            ("PORT", "eighty"),
            ("HEARTBEAT", "0s"),
            ("ORIGINS", "https://a.example/,https://b.example"),
            ("MODEL_URL", "hunter2"),
            ("COLD_START", "coffee=2s"),
            ("BIND_LATE", "maybe"),
        ])
        .expect_err("six mistakes");
        let named: Vec<&str> = mistakes.iter().filter_map(|text| text.split(':').next()).collect();
        assert_eq!(named, ["PORT", "ORIGINS", "MODEL_URL", "COLD_START", "BIND_LATE", "HEARTBEAT"]);
        assert!(!mistakes.concat().contains("hunter2"));
    }

    /// Breaks if production takes pages over http.
    #[test]
    fn production_on_a_platform_wants_https() {
        let cloud_run = [
            ("K_SERVICE", "s"),
            ("K_REVISION", "s-1"),
            ("K_CONFIGURATION", "s"),
            ("PORT", "8080"),
            ("ENVIRONMENT", "production"),
        ];
        assert!(read(&cloud_run).expect("settings").https_only);
        assert!(!read(&[]).expect("settings").https_only);
        let mut with_http = cloud_run.to_vec();
        with_http.push(("ORIGINS", "http://a.example"));
        let mistakes = read(&with_http).expect_err("an origin over http");
        assert!(mistakes[0].contains("https://"), "{mistakes:?}");
        let local = read(&[("ORIGINS", "http://localhost:3000, https://a.example")]);
        assert_eq!(local.expect("settings").origins.len(), 2);
    }

    /// Breaks if a cold start can't be made at each phase.
    #[test]
    fn a_cold_start_is_made_of_phases() {
        let settings = read(&[("COLD_START", "database=2s,websocket=500ms")]).expect("settings");
        let parts: Vec<(&str, u128)> = settings
            .cold_start
            .iter()
            .map(|(phase, lasts)| (phase.as_str(), lasts.as_millis()))
            .collect();
        assert_eq!(parts, [("database", 2000), ("websocket", 500)]);
        let all = read(&[("COLD_START", "7s")]).expect("settings").cold_start;
        assert_eq!((all.len(), all[0].1.as_millis()), (7, 1000));
    }
}
