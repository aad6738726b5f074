//! Where we run.
//!
//! Owns the answer to "which environment, on which platform", with its evidence: which variable said what,
//! which lost, and why. Must never guess in silence: what contradicts is named as a conflict, and an unknown
//! value never becomes another. Reads once, from an [`EnvSource`].

mod platform;
mod source;

use std::fmt;

pub use self::platform::Platform;
pub use self::source::{EnvSource, Process};

use self::platform::{COMPANIONS, MARKERS};

/// Variables of test runners, which count only off every platform; `TESTING` counts if it says yes.
const TEST_RUNNERS: [&str; 5] =
    ["PYTEST_CURRENT_TEST", "JEST_WORKER_ID", "VITEST", "NEXTEST", "TESTING"];

/// Variables whose suffix may name the environment, the nearest to the service first.
const NAMED_AFTER: [&str; 6] = [
    "K_SERVICE",
    "CLOUD_RUN_JOB",
    "GAE_SERVICE",
    "GAE_APPLICATION",
    "GOOGLE_CLOUD_PROJECT",
    "GCP_PROJECT_ID",
];

/// Where we run, and why we think so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The environment's name.
    pub name: Name,
    /// What we run on.
    pub platform: Platform,
    /// Every variable that spoke, in the order in which they were asked.
    pub evidence: Vec<Evidence>,
    /// Values that are no name. The name was found as if they were not set; each deserves a warning.
    pub unknown: Vec<Unknown>,
    /// What contradicts; each deserves a warning.
    pub conflicts: Vec<Conflict>,
}

impl Environment {
    /// The name by which to be patient: see [`patience`].
    #[must_use]
    pub const fn patience(&self) -> Name {
        patience(self.name, self.platform)
    }

    /// What somebody should read who set these variables: unknown values, then conflicts.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let unknown = self.unknown.iter().map(ToString::to_string);
        unknown.chain(self.conflicts.iter().map(ToString::to_string))
    }
}

/// A value that is no name. It never silently becomes another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The variable.
    pub variable: &'static str,
    /// What it was set to, without spaces around. May be a secret that went astray: [`Unknown::shown`] is not.
    pub value: String,
}

impl Unknown {
    /// The value if it could be a name, and else that it is none.
    #[must_use]
    pub fn shown(&self) -> &str {
        shown(&self.value)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, .. } = self;
        let value = self.shown();
        write!(f, "{variable}={value} is none of production, staging, development, test, local")
    }
}

/// The name whose patience applies: a managed platform's wins over an impatient name, since a development
/// timeout that runs in a cloud is an outage.
#[must_use]
pub const fn patience(name: Name, platform: Platform) -> Name {
    if platform.is_managed() && !name.is_patient() { Name::Production } else { name }
}

/// The environment's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// Real users.
    Production,
    /// The rehearsal for it.
    Staging,
    /// Somebody's work in progress.
    Development,
    /// A test run.
    Test,
    /// Somebody's own machine.
    Local,
}

impl Name {
    /// Every name.
    pub const ALL: [Self; 5] =
        [Self::Production, Self::Staging, Self::Development, Self::Test, Self::Local];

    /// Reads a name in its usual spellings, in any case, with spaces around; `None` for any other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "production" | "prod" => Some(Self::Production),
            "staging" | "stage" | "stg" => Some(Self::Staging),
            "development" | "develop" | "dev" => Some(Self::Development),
            "test" | "testing" => Some(Self::Test),
            "local" => Some(Self::Local),
            _ => None,
        }
    }

    /// The name in logs and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
            Self::Test => "test",
            Self::Local => "local",
        }
    }

    /// Whether real clients, or their rehearsal, are waited for: production and staging.
    #[must_use]
    pub const fn is_patient(self) -> bool {
        matches!(self, Self::Production | Self::Staging)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One variable that spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The variable.
    pub variable: &'static str,
    /// What it was set to, without spaces around.
    pub value: String,
    /// What that means.
    pub says: Says,
    /// Why it did not decide; `None` if it did.
    pub lost: Option<&'static str>,
}

/// What a variable means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It names the environment.
    Name(Name),
    /// It is a platform's marker.
    Platform(Platform),
    /// It means nothing that we know.
    Nothing,
}

/// Two things that cannot both be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// An impatient name on a managed platform: the name stays, the platform's patience is kept.
    #[error("ENVIRONMENT says {name}, but this is {platform}: its patience is kept")]
    ImpatientName {
        /// The name.
        name: Name,
        /// The platform.
        platform: Platform,
    },
    /// A test runner's variable on a platform: it does not count.
    #[error("{variable} is set, but this is {platform}: it does not count")]
    TestOnPlatform {
        /// The variable.
        variable: &'static str,
        /// The platform.
        platform: Platform,
    },
    /// Markers of two platforms that exclude each other.
    #[error("{variable} is a marker of {said}, but this was taken for {platform}")]
    TwoPlatforms {
        /// The marker that lost.
        variable: &'static str,
        /// Its platform.
        said: Platform,
        /// The platform that won.
        platform: Platform,
    },
}

/// Longest value that is shown.
const SHOWN_MAX: usize = 32;

/// A value that could be a name. Anything else may be a secret, or act on a terminal.
fn shown(value: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if value.len() <= SHOWN_MAX && value.chars().all(is_word) { value } else { "(not a word)" }
}

/// Finds out where we run.
#[must_use]
pub fn detect(source: &dyn EnvSource) -> Environment {
    let mut found = Environment {
        name: Name::Development,
        platform: Platform::LocalHost,
        evidence: Vec::new(),
        unknown: Vec::new(),
        conflicts: Vec::new(),
    };
    found.find_platform(source);
    let explicit = found.read_explicit_name(source);
    let tested = found.read_test_runners(source, explicit);
    let suffixed = found.read_suffixes(source, explicit);
    let fallback = if found.platform.is_cloud() { Name::Production } else { Name::Development };
    found.name = explicit.or(tested).or(suffixed).unwrap_or(fallback);
    if found.patience() != found.name {
        found
            .conflicts
            .push(Conflict::ImpatientName { name: found.name, platform: found.platform });
    }
    found
}

impl Environment {
    fn find_platform(&mut self, source: &dyn EnvSource) {
        let markers: Vec<_> = MARKERS
            .into_iter()
            .filter_map(|(variable, says)| Some((variable, says, read(source, variable)?)))
            .collect();
        let says: Vec<_> = markers.iter().map(|(v, says, _)| (*v, *says)).collect();
        self.platform = platform::decide(&says);
        for (variable, said, value) in markers {
            let platform = self.platform;
            let agrees = platform::agrees(platform, said);
            let decides = agrees && (said != Platform::GoogleCloud || said == platform);
            if !agrees {
                self.conflicts.push(Conflict::TwoPlatforms { variable, said, platform });
            }
            let lost = (!decides).then_some("another platform's marker comes before it");
            self.note(variable, value, Says::Platform(said), lost);
        }
        for variable in COMPANIONS {
            if let Some(value) = read(source, variable) {
                let lost = Some("only K_SERVICE makes a platform of it");
                self.note(variable, value, Says::Nothing, lost);
            }
        }
    }

    fn read_explicit_name(&mut self, source: &dyn EnvSource) -> Option<Name> {
        let value = read(source, "ENVIRONMENT")?;
        let name = Name::parse(&value);
        if name.is_none() {
            self.unknown.push(Unknown { variable: "ENVIRONMENT", value: value.clone() });
        }
        let lost = name.is_none().then_some("not a known name");
        self.note("ENVIRONMENT", value, says_name(name), lost);
        name
    }

    fn read_test_runners(&mut self, source: &dyn EnvSource, won: Option<Name>) -> Option<Name> {
        let mut tested = None;
        for variable in TEST_RUNNERS {
            let Some(value) = read(source, variable) else {
                continue;
            };
            if variable == "TESTING" && !is_yes(&value) {
                self.note(variable, value, Says::Nothing, Some("it does not say yes"));
                continue;
            }
            let platform = self.platform;
            let lost = if platform.is_cloud() {
                self.conflicts.push(Conflict::TestOnPlatform { variable, platform });
                Some("test variables do not count on a platform")
            } else {
                tested = Some(Name::Test);
                won.map(|_| "ENVIRONMENT wins")
            };
            self.note(variable, value, Says::Name(Name::Test), lost);
        }
        tested
    }

    fn read_suffixes(&mut self, source: &dyn EnvSource, won: Option<Name>) -> Option<Name> {
        if !self.platform.is_cloud() {
            return None;
        }
        let mut first = None;
        for variable in NAMED_AFTER {
            let named = read(source, variable).and_then(|value| Some((suffix(&value)?, value)));
            let Some((name, value)) = named else {
                continue;
            };
            let lost = match (won, first) {
                (Some(_), _) => Some("ENVIRONMENT wins"),
                (None, Some(_)) => Some("a name nearer to the service wins"),
                (None, None) => None,
            };
            first = first.or(Some(name));
            self.note(variable, value, Says::Name(name), lost);
        }
        first
    }

    fn note(
        &mut self,
        variable: &'static str,
        value: String,
        says: Says,
        lost: Option<&'static str>,
    ) {
        self.evidence.push(Evidence { variable, value, says, lost });
    }
}

/// A variable that is set to nothing is not set.
fn read(source: &dyn EnvSource, variable: &str) -> Option<String> {
    let value = source.get(variable)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn says_name(name: Option<Name>) -> Says {
    name.map_or(Says::Nothing, Says::Name)
}

/// `chat-staging` is staging, `chat-prod` is production. Any other suffix says nothing: production is the
/// patient choice, and a suffix is too weak a sign for an impatient one.
fn suffix(value: &str) -> Option<Name> {
    let (_, last) = value.rsplit_once('-')?;
    Name::parse(last).filter(|name| name.is_patient())
}

fn is_yes(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests;
