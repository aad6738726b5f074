//! What a service needs, and what was seen of it.
//!
//! Owns the [`Check`] that anybody can write, its [`Spec`], and the words of what came back: a success is only
//! made of what was [`Saw`], a failure is a [`Trouble`] with a [`Reason`]. Must never dial, wait or retry.

mod from_fn;
mod reason;
mod spec;
mod stage;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

#[cfg(feature = "tower")]
pub(crate) use self::from_fn::with_causes;

pub use self::from_fn::from_fn;
pub use self::reason::{Class, Reason};
pub use self::spec::{ATTEMPTS_MAX, Criticality, Gating, Group, Spec, TIMEOUT_MIN};
pub use self::stage::Stage;

/// A future that a check hands out.
pub type CheckFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Longest text of a check that is kept, in characters.
const TEXT_MAX: usize = 200;

/// Asks one dependency one question.
///
/// A try is dropped at its timeout, and may panic: it is then a failed one. It must not block its thread, must
/// bound what it reads, and must not retry: whoever asks it does.
pub trait Check: Send + Sync + 'static {
    /// The kind in metrics and documents: `postgres`, `redis`, … A word, not a name.
    fn kind(&self) -> &'static str {
        "custom"
    }

    /// Where it asks, fit to be shown: no user, no password, no query.
    fn target(&self) -> String {
        String::new()
    }

    /// One try. It says in `stage` what it waits for, so that a timeout can be told from another.
    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>>;

    /// Resolves when the dependency itself says that it changed, so that nobody has to wait for the next pass.
    /// A check without such a source never resolves.
    fn changed(&self) -> CheckFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// A check and how it is asked.
#[derive(Clone)]
pub struct Checked {
    /// How it is asked.
    pub spec: Arc<Spec>,
    /// What is asked.
    pub check: Arc<dyn Check>,
}

impl Checked {
    /// A check asked in this way.
    pub fn new(spec: Spec, check: Arc<dyn Check>) -> Self {
        Self { spec: Arc::new(spec), check }
    }
}

/// The same check, asked in the same way.
impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec && Arc::ptr_eq(&self.check, &other.check)
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// What a successful try saw, for an operator: `PostgreSQL 15.4, read-write`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saw(Arc<str>);

impl Saw {
    /// What was seen; it is cut to one short line without characters that a terminal obeys.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(one_line(text.as_ref()))
    }

    /// In words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a failed try met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.as_str())]
pub struct Trouble {
    reason: Reason,
    detail: Arc<str>,
}

impl Trouble {
    /// A trouble and what came back, which must hold no secret; it is cut to one short line.
    pub fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { reason, detail: one_line(detail.as_ref()) }
    }

    /// The word for it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What came back, in words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// What a pass says of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was seen to work.
    Passed(Saw),
    /// Its last try failed.
    Failed(Trouble),
    /// It was not asked: never a success.
    Skipped(Skipped),
}

impl Outcome {
    /// Every word that [`Outcome::as_str`] may return.
    pub const WORDS: [&'static str; 3] = ["passed", "failed", "skipped"];

    /// The word in metrics and documents.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// The word for why it did not pass.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Passed(_) => None,
            Self::Failed(trouble) => Some(trouble.reason().as_str()),
            Self::Skipped(why) => Some(why.as_str()),
        }
    }

    /// Whether it was seen to work.
    #[must_use]
    pub const fn is_passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }
}

/// Why a check was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skipped {
    /// A critical check of an earlier group failed.
    EarlierGroup,
    /// Its breaker is open.
    BreakerOpen,
    /// The validation budget was used up.
    NoTimeLeft,
}

impl Skipped {
    /// The word in metrics and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EarlierGroup => "earlier_group",
            Self::BreakerOpen => "breaker_open",
            Self::NoTimeLeft => "no_time_left",
        }
    }
}

/// An outcome and its time: how stale it is can always be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// When it was decided.
    pub at: Instant,
    /// What was decided.
    pub outcome: Outcome,
}

/// One short line, without characters that a terminal obeys.
fn one_line(text: &str) -> Arc<str> {
    let visible = |c: char| {
        let obeyed = c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if obeyed { ' ' } else { c }
    };
    text.trim().chars().take(TEXT_MAX).map(visible).collect::<String>().into()
}
