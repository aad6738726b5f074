//! Where settings come from: flags, variables, a file.
//!
//! Owns the way from three kinds of text to one value for each key, with its origin: a flag outranks
//! a `VESTIBULE_...` variable, a variable outranks the file, and what none of them says is for
//! `settings` to derive. Names, kinds and rules are those of the arguments; nothing is written down
//! twice. All mistakes are told at once. Must never read the process environment itself, start
//! anything, or show a value that came from outside without `shown` having looked at it.

pub(crate) mod checks;
pub(crate) mod document;
pub(crate) mod file;
pub(crate) mod flags;
pub(crate) mod given;
pub(crate) mod keys;
pub(crate) mod layers;
pub(crate) mod mistake;
pub(crate) mod nearest;
pub(crate) mod schema;
pub(crate) mod shown;
pub(crate) mod variables;
pub(crate) mod view;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, FromArgMatches};
use vestibule::environment::EnvSource;

pub use self::given::Origin;
pub use self::mistake::Mistake;

use self::checks::judge::judge;
use self::checks::variables::Variable;
use self::flags::Typed;
use self::given::Given;
use self::keys::{Key, Keys};
use self::layers::Settled;
use crate::args::{RunArgs, ServeArgs};

/// The variable that names the file, as `--config` does.
const FILE_VARIABLE: &str = "VESTIBULE_CONFIG";

/// Whose settings these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `vestibule run`.
    Run,
    /// `vestibule serve`.
    Serve,
}

impl Command {
    /// As it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Serve => "serve",
        }
    }

    /// The one that has this key, if only one of the two has it.
    pub(crate) fn with(key: impl Fn(&Key) -> bool) -> Option<Self> {
        let mut having = [Self::Run, Self::Serve].into_iter().filter(|c| c.keys().iter().any(&key));
        having.next().filter(|_| having.next().is_none())
    }

    pub(crate) fn keys(self) -> Keys {
        match self {
            Self::Run => Keys::of::<RunArgs>(),
            Self::Serve => Keys::of::<ServeArgs>(),
        }
    }
}

/// Looks at a configuration file's bytes as `command` would, without the flags and variables around
/// it, and touches nothing else. `name` is what mistakes call the file.
///
/// # Errors
/// Every mistake in it.
pub fn check(bytes: &[u8], name: &str, command: Command) -> Result<(), Vec<Mistake>> {
    let name: Arc<str> = name.into();
    let document::Parsed { given, tables, mut mistakes } =
        document::parse(bytes, &name, &command.keys());
    let layers = [given];
    let declared = match command {
        Command::Run => {
            let settled = layers::settle::<RunArgs>(&layers).with_checks(tables, Vec::new());
            mistakes.extend(settled.mistakes);
            settled.declared
        }
        Command::Serve => {
            let settled = layers::settle::<ServeArgs>(&layers).with_checks(tables, Vec::new());
            mistakes.extend(settled.mistakes);
            settled.declared
        }
    };
    let nothing: HashMap<String, String> = HashMap::new();
    for declared in &declared {
        judge(declared, &nothing, &mut mistakes);
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// Everything that settings are made of. The file is read anew by each [`Self::settle`].
#[derive(Debug)]
pub(crate) struct Sources {
    command: Command,
    flags: Vec<Given>,
    variables: Vec<Given>,
    of_checks: Vec<Variable>,
    file: Option<PathBuf>,
    /// Wrong already before the file is read; can't get better by reading again.
    mistakes: Vec<Mistake>,
    /// What deserves a warning, as far as it is known before the file.
    warnings: Vec<String>,
}

impl Sources {
    /// Takes what was typed, and looks for the rest in `environment`.
    pub(crate) fn new(typed: Typed, environment: &dyn EnvSource, command: Command) -> Self {
        let found = variables::read(environment, &command.keys());
        let mut mistakes = typed.mistakes;
        mistakes.extend(found.mistakes);
        let file = typed.file.or_else(|| {
            let named = variables::text_of(environment, FILE_VARIABLE);
            let named = named.map_err(|mistake| mistakes.push(mistake)).ok().flatten();
            named.filter(|name| !name.trim().is_empty()).map(PathBuf::from)
        });
        let (flags, variables, warnings) = (typed.given, found.given, found.warnings);
        Self { command, flags, variables, of_checks: found.of_checks, file, mistakes, warnings }
    }

    /// Whose settings these are.
    pub(crate) const fn command(&self) -> Command {
        self.command
    }

    /// The configuration file's name, fit to be shown; empty without one.
    pub(crate) fn file_name(&self) -> String {
        self.file.as_ref().map(|path| shown::shown(&path.to_string_lossy())).unwrap_or_default()
    }

    /// The configuration file, if there is one.
    pub(crate) fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }

    /// Reads the file and lays the layers over each other.
    pub(crate) fn settle<A: Args + FromArgMatches>(&self) -> Settled<A> {
        let keys = Keys::of::<A>();
        let mut mistakes = self.mistakes.clone();
        let mut layers = vec![self.flags.clone(), self.variables.clone()];
        let mut tables = Vec::new();
        if let Some(path) = &self.file {
            let parsed = file::load(path, &keys);
            mistakes.extend(parsed.mistakes);
            layers.push(parsed.given);
            tables = parsed.tables;
        }
        let settled = layers::settle::<A>(&layers).with_checks(tables, self.of_checks.clone());
        mistakes.extend(settled.mistakes);
        let warnings = self.warnings.iter().cloned().chain(settled.warnings).collect();
        Settled { mistakes, warnings, ..settled }
    }
}
