//! `vestibule race`: reproduces the cold-start race and counts what clients saw.
//!
//! Owns its arguments. Which races they mean is `plan`'s, the racing is `vestibule-race`'s, the terminal
//! `screen`'s, the signals `session`'s.

mod plan;
mod platform;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod session;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use vestibule_race::RaceError;
use vestibule_race::report::{Run, json, junit, text};

use crate::duration::duration;
use crate::error::Error;
use crate::exit::Exit;
pub(crate) use plan::front;
use platform::PlatformArgs;
use screen::{Screen, ScreenArgs};
use session::Session;

/// Reproduce the cold-start race and count what clients saw.
///
/// Starts CMD, sends WebSocket clients at it from its first moment on, and tells what each of them
/// saw. With --compare it does so twice with the same arrivals: straight at CMD, then through
/// `vestibule run` in front of it. Exit status 1 means that a client was lost.
///
/// CMD gets its port as `vestibule run` gives it: in $PORT, and wherever an argument says {port}.
/// For exact lags it may append its CLOCK_MONOTONIC in nanoseconds, on a line, to the file in
/// $VESTIBULE_RACE_STAMP at the moment it becomes ready.
#[derive(Debug, clap::Args)]
pub(crate) struct RaceArgs {
    /// How many clients come
    #[arg(long, value_name = "COUNT", default_value_t = 200,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    clients: usize,

    /// How long after the start of CMD the first of them may come
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "200ms")]
    head_start: Duration,

    /// The window over which they come; best a little longer than CMD takes to get ready
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "4s")]
    spread: Duration,

    /// The path of the WebSocket, with its room or token if it needs one [default: /ws]
    #[arg(long, value_name = "PATH", value_parser = rooted)]
    path: Option<String>,

    /// A path that answers 200 to 399 once CMD is ready: the clock's word where CMD does not stamp, and
    /// the door's probe
    #[arg(long, value_name = "PATH", value_parser = rooted)]
    ready_path: Option<String>,

    /// How long a client waits for its 101
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    timeout: Duration,

    /// How long a socket must stay open to count as ok
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300ms")]
    settle: Duration,

    /// What each client says after its 101, {client} standing for its number; nothing if empty
    #[arg(long, value_name = "TEXT", default_value = "ping-{client}")]
    send: String,

    /// A client is ok only with an answer
    #[arg(long)]
    expect_reply: bool,

    /// A field added to each handshake; may be given more than once
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,

    /// Race CMD bare and behind the door, and show both; the door decides. On a platform also with its own
    /// best probe, and with both
    #[arg(long, conflicts_with = "url")]
    compare: bool,

    /// Race CMD behind the door only
    #[arg(long, conflicts_with_all = ["url", "compare"])]
    door_only: bool,

    /// Flags for `vestibule run` in front of CMD, separated by blanks
    #[arg(
        long,
        value_name = "FLAGS",
        allow_hyphen_values = true,
        default_value = "",
        hide_default_value = true
    )]
    door: String,

    /// Race what is already running there: ws://HOST:PORT/PATH
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    url: Option<String>,

    #[command(flatten)]
    platform: PlatformArgs,

    /// Write the result as JSON to stdout
    #[arg(long)]
    json: bool,

    /// Write the result as JUnit XML to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Let CMD's output through, on stderr
    #[arg(long)]
    show_output: bool,

    /// The seed of the arrival times
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    screen: ScreenArgs,

    /// The command and its arguments
    #[arg(last = true, required_unless_present = "url", value_name = "CMD")]
    command: Vec<String>,
}

/// Runs the races that the arguments ask for and reports them.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments whole")]
pub(crate) fn race(args: Box<RaceArgs>) -> Result<Exit, Error> {
    let screen = Screen::detect(&args.screen);
    let plan = plan::plan(&args)?;
    let session = Session::open(&screen)?;
    let Some((last, others)) = plan.races.split_last() else { return Ok(Exit::Ok) };
    let mut outcomes = Vec::with_capacity(plan.races.len());
    for planned in others {
        let outcome = session.run(&planned.scenario)?;
        if !args.json {
            session.show(text::picture(&planned.run(&outcome), screen.style))?;
        }
        outcomes.push(outcome);
    }
    outcomes.push(session.run(&last.scenario)?);
    let runs: Vec<Run<'_>> =
        plan.races.iter().zip(&outcomes).map(|(planned, outcome)| planned.run(outcome)).collect();
    let runs: Vec<&Run<'_>> = runs.iter().collect();
    report(&args, &session, &runs, || match runs[..] {
        [only] => text::single(only, screen.style),
        [.., last] => text::picture(last, screen.style) + &text::comparison(&runs, screen.style),
        [] => String::new(),
    })?;
    let lost = runs.iter().any(|run| run.judged && run.tally.lost > 0);
    Ok(if lost { Exit::ClientLost } else { Exit::Ok })
}

/// The file first: whoever reads stdout may leave, and the race's status is the clients', not its
/// reader's.
fn report(
    args: &RaceArgs,
    session: &Session,
    runs: &[&Run<'_>],
    page: impl FnOnce() -> String,
) -> Result<(), Error> {
    if let Some(file) = &args.junit {
        write_whole(file, &junit::document(runs))?;
    }
    session.show(if args.json { json::document(runs) } else { page() }).map(|_reader| ())
}

/// A report that is not whole would look like one of a smaller race. One that can't be opened is still
/// the user's, as it was.
fn write_whole(file: &Path, document: &str) -> Result<(), Error> {
    let failed = |error: io::Error| {
        Error::system(format!("cannot write {}: {error}", file.display()))
            .hint("see that its directory is there, may be written, and has room")
    };
    let mut opened = fs::File::create(file).map_err(failed)?;
    opened.write_all(document.as_bytes()).map_err(|error| {
        if file.is_file() {
            let _ = fs::remove_file(file);
        }
        failed(error)
    })
}

/// A race that could not be run, with what to do about it.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn explained(error: RaceError) -> Error {
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    let message = format!("{error}{}", source.unwrap_or_default());
    let quoted = error.last_lines().to_vec();
    let explained = match error {
        RaceError::NoCommand | RaceError::Url { .. } | RaceError::Request { .. } => {
            Error::configuration(message)
        }
        RaceError::NotFound { .. } | RaceError::CannotStart { .. } => {
            Error::configuration(message).hint("vestibule race [FLAGS] -- CMD ARGS…")
        }
        RaceError::ExitedEarly { .. } => {
            Error::system(message).hint("does the command run by itself, with PORT set?")
        }
        RaceError::PortNeverOpened { .. } => Error::system(message)
            .hint("let the command listen on $PORT, or write {port} where it takes its port")
            .hint("if its start takes longer, raise --spread and --timeout"),
        RaceError::TooManyClients { needed, .. } => {
            Error::system(message).hint(format!("raise the limit: ulimit -n {needed}"))
        }
        _ => Error::system(message),
    };
    explained.quote(&quoted)
}

fn rooted(text: &str) -> Result<String, String> {
    let good = text.starts_with('/') && !text.contains(char::is_whitespace);
    good.then(|| text.to_owned()).ok_or_else(|| "a path begins with / and has no blanks".to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("use NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
