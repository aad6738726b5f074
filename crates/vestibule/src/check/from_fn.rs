//! A check of a closure.
//!
//! Owns the shortest way to a check of one's own, and the words for errors that know none of ours. Must never
//! guess that something was seen: the closure says what.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

/// How many causes of an error are told.
const CAUSES_MAX: usize = 8;

/// A check that calls `ask` for each try.
///
/// What it answers says what was seen. An error's words go to the log and to operators: they must hold no
/// secret. An answer that does not come is cut off at the check's timeout.
///
/// ```
/// use vestibule::StartupError;
/// use vestibule::check::{self, Checked, Spec};
///
/// # #[derive(Clone)] struct Pool;
/// # impl Pool { async fn ping(&self) -> Result<u32, std::io::Error> { Ok(15) } }
/// # let pool = Pool;
/// let asks = check::from_fn(move || {
///     let pool = pool.clone();
///     async move {
///         let version = pool.ping().await?;
///         Ok::<_, StartupError>(format!("version {version}"))
///     }
/// });
/// let database = Checked::new(Spec::new("database"), asks);
/// # assert_eq!(database.check.kind(), "custom");
/// ```
pub fn from_fn<F, A, S, E>(ask: F) -> Arc<dyn Check>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<S, E>> + Send + 'static,
    S: Into<Saw>,
    E: Into<Trouble>,
{
    Arc::new(Asks(ask))
}

struct Asks<F>(F);

impl<F, A, S, E> Check for Asks<F>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<S, E>> + Send + 'static,
    S: Into<Saw>,
    E: Into<Trouble>,
{
    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        let answer = self.0();
        Box::pin(async move { answer.await.map(Into::into).map_err(Into::into) })
    }
}

impl From<&str> for Saw {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Saw {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::ConnectionRefused => Reason::Refused,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => Reason::Reset,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Reason::Unreachable,
            ErrorKind::TimedOut => Reason::TimedOut,
            ErrorKind::NotFound => Reason::NoFile,
            ErrorKind::PermissionDenied => Reason::NotPermitted,
            _ => Reason::Other,
        };
        Self::new(reason, with_causes(&error))
    }
}

impl From<Box<dyn Error + Send + Sync>> for Trouble {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        // What knows its own word keeps it.
        match error.downcast::<Self>().map(|trouble| *trouble) {
            Ok(trouble) => trouble,
            Err(error) => match error.downcast::<io::Error>() {
                Ok(error) => (*error).into(),
                Err(error) => Self::new(Reason::Other, with_causes(error.as_ref())),
            },
        }
    }
}

/// An error and its causes, as one line.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(error) = cause else { break };
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    //! Breaks the words of errors that come from elsewhere.

    use super::*;

    #[test]
    fn an_error_keeps_the_word_that_it_knows() {
        let boxed = |error: Trouble| Trouble::from(Box::<dyn Error + Send + Sync>::from(error));
        assert_eq!(boxed(Trouble::new(Reason::ReadOnly, "x")).reason(), Reason::ReadOnly);
        let refused: Box<dyn Error + Send + Sync> =
            io::Error::from(ErrorKind::ConnectionRefused).into();
        assert_eq!(Trouble::from(refused).reason(), Reason::Refused);
        let other: Box<dyn Error + Send + Sync> = "no rows".into();
        assert_eq!(Trouble::from(other).to_string(), "other: no rows");
    }
}
