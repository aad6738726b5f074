//! `vestibule race`: reproduces the cold-start race and counts what clients saw.
//!
//! Owns its arguments and the choice of races. The racing is `vestibule-race`'s, the terminal
//! `screen`'s, the signals `session`'s.

pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod session;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use vestibule_race::report::{Run, json, junit, text};
use vestibule_race::{Address, Door, Launch, Output, RaceError, Scenario, Target};

use crate::duration::duration;
use crate::error::Error;
use crate::exit::Exit;
use screen::{Screen, ScreenArgs};
use session::Session;

/// The patience of production, for a front that would take a laptop for a laptop.
const HOLD: &str = "60s";

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

    /// Race CMD bare and behind the door, and show both; the door decides
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
    let plan = plan(&args)?;
    let session = Session::open(&screen)?;
    let judged = match plan {
        Plan::One(scenario) => {
            let outcome = session.run(&scenario)?;
            let run = Run::judged(&outcome);
            let page = || text::single(&run, screen.style);
            report(&args, &session, &[&run], page)?;
            run.tally
        }
        Plan::Both { bare, door } => {
            let bare = session.run(&bare)?;
            let bare = Run::for_comparison(&bare);
            if !args.json {
                session.show(text::picture(&bare, screen.style))?;
            }
            let door = session.run(&door)?;
            let door = Run::judged(&door);
            let page = || {
                text::picture(&door, screen.style) + &text::comparison(&bare, &door, screen.style)
            };
            report(&args, &session, &[&bare, &door], page)?;
            door.tally
        }
    };
    Ok(if judged.lost == 0 { Exit::Ok } else { Exit::ClientLost })
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

/// The races to run.
#[derive(Debug)]
enum Plan {
    /// One, which is judged.
    One(Box<Scenario>),
    /// Two with the same arrivals; the door is judged.
    Both { bare: Box<Scenario>, door: Box<Scenario> },
}

fn plan(args: &RaceArgs) -> Result<Plan, Error> {
    if let Some(url) = &args.url {
        let (address, path) = Address::from_url(url).map_err(explained)?;
        let scenario = scenario(args, Target::Address(address));
        let path = args.path.clone().or(path).unwrap_or(scenario.path);
        return Ok(Plan::One(Box::new(Scenario { path, ..scenario })));
    }
    let bare = || scenario(args, Target::Bare(launch(args)));
    let door = || Ok(scenario(args, door(args)?));
    match (args.compare, args.door_only) {
        (true, _) => Ok(Plan::Both { bare: Box::new(bare()), door: Box::new(door()?) }),
        (false, true) => Ok(Plan::One(Box::new(door()?))),
        (false, false) => Ok(Plan::One(Box::new(bare()))),
    }
}

fn scenario(args: &RaceArgs, target: Target) -> Scenario {
    let usual = Scenario::new(target);
    Scenario {
        clients: args.clients,
        head_start: args.head_start,
        spread: args.spread,
        path: args.path.clone().unwrap_or(usual.path),
        headers: args.header.clone(),
        message: Some(args.send.clone()).filter(|text| !text.is_empty()),
        require_reply: args.expect_reply,
        settle: args.settle,
        timeout: args.timeout,
        ready_path: args.ready_path.clone(),
        seed: args.seed,
        trace: None,
        output: if args.show_output { Output::Show } else { Output::KeepLastLines },
        platform: None,
        target: usual.target,
    }
}

fn door(args: &RaceArgs) -> Result<Target, Error> {
    let flags = args.door.split_whitespace().map(str::to_owned).collect();
    Ok(Target::Door(Door {
        front: front(args.ready_path.as_deref(), flags)?,
        command: launch(args),
    }))
}

fn launch(args: &RaceArgs) -> Launch {
    Launch { argv: args.command.clone(), env: Vec::new() }
}

/// This very program as a front, with the user's flags after our own.
pub(crate) fn front(ready_path: Option<&str>, flags: Vec<String>) -> Result<Vec<String>, Error> {
    let mut front = vec![own_program()?, "run".to_owned()];
    let given = |name: &str| flags.iter().any(|flag| flag.split('=').next() == Some(name));
    if let Some(path) = ready_path.filter(|_| !given("--ready-path") && !given("--ready")) {
        front.extend(["--ready-path".to_owned(), path.to_owned()]);
    }
    if !given("--hold") {
        front.extend(["--hold".to_owned(), HOLD.to_owned()]);
    }
    front.extend(flags);
    Ok(front)
}

/// Where this program is. Without /proc the kernel doesn't say; then it is what it was called by.
fn own_program() -> Result<String, Error> {
    let found = std::env::current_exe().ok().map(PathBuf::into_os_string);
    let own = found.or_else(|| std::env::args_os().next()).ok_or_else(|| {
        Error::system("cannot find this program itself").hint("call it by its whole path")
    })?;
    Ok(own.to_string_lossy().into_owned())
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        race: RaceArgs,
    }

    fn typed(line: &str) -> Result<RaceArgs, clap::Error> {
        Ok(Typed::try_parse_from(format!("race {line}").split(' '))?.race)
    }

    fn only(args: &RaceArgs) -> Scenario {
        let Plan::One(scenario) = plan(args).unwrap() else { panic!("one race") };
        *scenario
    }

    // Breaks the arguments where they contradict each other or name nothing to race.
    #[test]
    fn contradictions_are_usage_errors() {
        for wrong in [
            "",
            "--url ws://h/ -- app",
            "--url ws://h/ --compare",
            "--compare --door-only -- app",
            "--clients 0 -- app",
            "--path ws -- app",
            "--spread 5 -- app",
            "--header Cookie -- app",
        ] {
            assert!(typed(wrong).is_err(), "{wrong}");
        }
        assert!(typed("-- app --port {port}").is_ok());
    }

    #[test]
    fn a_comparison_races_bare_first_and_judges_the_door() {
        let args = typed("--compare --ready-path /health --door --settle=0 -- app {port}").unwrap();
        let Plan::Both { bare, door } = plan(&args).unwrap() else { panic!("two races") };
        let Target::Bare(launch) = &bare.target else { panic!("bare first") };
        assert_eq!(launch.argv, ["app", "{port}"]);
        let Target::Door(door) = &door.target else { panic!("then the door") };
        assert_eq!(door.front[1..].join(" "), "run --ready-path /health --hold 60s --settle=0");
    }

    #[test]
    fn flags_for_the_door_outrank_ours() {
        let flags = ["--hold=5s", "--ready", "notify"].map(str::to_owned).to_vec();
        let front = front(Some("/health"), flags).unwrap();
        assert_eq!(front[1..].join(" "), "run --hold=5s --ready notify");
    }

    #[test]
    fn a_url_brings_its_path_unless_one_is_given() {
        let path = |line: &str| only(&typed(line).unwrap()).path;
        assert_eq!(path("--url ws://h:1/chat?room=1"), "/chat?room=1");
        assert_eq!(path("--url ws://h:1"), "/ws");
        assert_eq!(path("--url ws://h:1/chat --path /other"), "/other");
    }

    #[test]
    fn an_empty_message_means_none() {
        let mut args = typed("-- app").unwrap();
        args.send = String::new();
        assert_eq!(only(&args).message, None);
    }
}
