//! Arguments as they are typed.
//!
//! Owns names, help and spelling; variables and the keys of a configuration file are made of the
//! same definitions, by `config`. Must never decide what a missing one means: `settings` does.

pub(crate) mod admin;
pub(crate) mod checks;
pub(crate) mod doctor;
pub(crate) mod teaching;
mod values;
pub(crate) mod wait;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use vestibule_front::head::forwarded::Cidr;
use vestibule_front::listener::Listen;
use vestibule_front::tunnel::close::CloseCode;
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::Readiness;

use self::admin::AdminArgs;
use self::checks::ChecksArgs;
use self::doctor::DoctorArgs;
use self::values::{Count, close_code, path};
use self::wait::WaitArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::demo::DemoArgs;
use crate::commands::demo::backend::BackendArgs;
use crate::commands::man::ManArgs;
use crate::commands::race::RaceArgs;
use crate::duration::{above_zero, duration};

/// Keeps WebSocket users whole while the service behind it starts, restarts, or stops.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version = crate::version::SHORT, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<RunArgs>),
    Serve(Box<ServeArgs>),
    CheckConfig(Box<CheckConfigArgs>),
    Doctor(Box<DoctorArgs>),
    Wait(Box<WaitArgs>),
    Race(Box<RaceArgs>),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    #[command(hide = true)]
    DemoBackend(BackendArgs),
}

/// Reads a whole command line, the program's name included.
///
/// # Errors
/// Help that was asked for, or what is wrong with the line: see `usage`.
pub(crate) fn typed(line: &[OsString]) -> Result<Args, clap::Error> {
    let definition = teaching::taught(Args::command());
    Args::from_arg_matches(&definition.try_get_matches_from(line)?)
}

/// The definition of what people type: without commands that only programs start.
pub(crate) fn visible() -> clap::Command {
    let whole = Args::command();
    let commands = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    clap::Command::new("vestibule")
        .version(crate::version::SHORT)
        .about(whole.get_about().cloned().unwrap_or_default())
        .args(whole.get_arguments().cloned())
        .subcommands(commands.collect::<Vec<_>>())
        .subcommand_required(true)
}

/// Where settings may stand besides flags and variables.
#[derive(Debug, ClapArgs)]
pub(crate) struct FileArgs {
    /// Read settings from this file; flags and VESTIBULE_... variables outrank it
    /// [default: $VESTIBULE_CONFIG, else none]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Print every setting and where it comes from, or every mistake.
///
/// Exit status 78 means that `vestibule run` or `serve` would not start with these settings.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckConfigArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Print as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print the JSON Schema of the file, for editors, and nothing else
    #[arg(long, global = true)]
    pub(crate) schema: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Checked>,
}

/// Whose settings are checked [default: those of `serve` if only an upstream is named, else `run`]
#[derive(Debug, Subcommand)]
pub(crate) enum Checked {
    /// Check what `run` would do with these flags
    Run(Box<RunArgs>),
    /// Check what `serve` would do with these flags
    Serve(Box<ServeArgs>),
}

/// Start a command behind the door: the container's entry point.
///
/// Listens at once, starts the command on a private port (in $PORT, and wherever an argument says
/// {port}), holds WebSocket handshakes until it is ready, then hands them over.
#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) door: DoorArgs,

    /// The private port of the command, if it can't be told one [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = Count::new(1_u16, u16::MAX))]
    pub(crate) child_port: Option<u16>,

    /// Whether a command that ends by itself is started again
    #[arg(long, value_enum, default_value_t)]
    pub(crate) restart: Restart,

    /// On SIGTERM, who goes first: the tunnels, or the command (for one that closes its own
    /// sockets well)
    #[arg(long, value_enum, default_value_t)]
    pub(crate) child_term: ChildTerm,

    /// The command and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Stand before a service that something else starts.
///
/// Listens at once, holds WebSocket handshakes until the service is ready, then hands them over. It
/// asks the service again whenever it is lost, for as long as it lives.
#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) door: DoorArgs,

    /// Where the service listens: HOST:PORT, PORT or unix:PATH
    #[arg(long, value_name = "ADDR")]
    pub(crate) upstream: Option<Upstream>,
}

/// What `run` and `serve` share.
#[derive(Debug, ClapArgs)]
pub(crate) struct DoorArgs {
    /// Where clients connect: HOST:PORT, :PORT, PORT or unix:PATH [default: $PORT, else 8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<Listen>,

    /// How readiness is learnt: notify, http:/PATH or tcp [default: http with --ready-path, else
    /// tcp; notify for a command that speaks sd_notify]
    #[arg(long, value_name = "SOURCE", conflicts_with = "ready_path")]
    pub(crate) ready: Option<Readiness>,

    /// Short for --ready http:PATH
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(crate) ready_path: Option<String>,

    /// How long the service may take to get ready [default: 240s on Cloud Run and Kubernetes,
    /// else 60s]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(crate) startup_timeout: Option<Duration>,

    /// How long one client may be held [default: 60s in production and staging, else 10s]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(crate) hold: Option<Duration>,

    /// How many clients may be held
    #[arg(long, value_name = "COUNT", default_value = "10000",
          value_parser = Count::new(1_usize, usize::MAX))]
    pub(crate) max_held: usize,

    /// How many of them one client may have: an IPv4 address, or an IPv6 network of 64 bits; 0: no
    /// limit [default: a tenth of --max-held, at least 8, where a platform or --trust-proxy tells
    /// who the client is; else none]
    #[arg(long, value_name = "COUNT", value_parser = Count::new(0_usize, usize::MAX))]
    pub(crate) max_held_per_client: Option<usize>,

    /// How a handshake is refused: http (503), or close (accepted, then 1013: browsers see it)
    #[arg(long, value_enum, default_value_t)]
    pub(crate) refusal: Refusal,

    /// A path that we answer ourselves, at once: 503 before readiness, then 200
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub(crate) public_health: Option<String>,

    /// How long the first hand-overs must survive before everyone is released
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "100ms")]
    pub(crate) settle: Duration,

    /// How many connections to the service may be dialled ahead while clients are held; 0: none
    #[arg(long, value_name = "COUNT", default_value = "1024",
          value_parser = Count::new(0_usize, usize::MAX))]
    pub(crate) dial_ahead: usize,

    /// One probe's time, and a first try's while the service is young
    #[arg(long, value_name = "TIME", value_parser = above_zero, default_value = "1s")]
    pub(crate) try_timeout: Duration,

    /// 403 and 404 also mean "not yet": for services that mount their routes late
    #[arg(long)]
    pub(crate) late_routes: bool,

    /// Believe the forwarded fields of peers in this network; may be given more than once
    #[arg(long, value_name = "CIDR")]
    pub(crate) trust_proxy: Vec<Cidr>,

    /// After this long the platform ends a request [default: 300s on Cloud Run]
    #[arg(long, value_name = "TIME", value_parser = above_zero)]
    pub(crate) request_timeout: Option<Duration>,

    /// From accept to the end of a request's head
    #[arg(long, value_name = "TIME", value_parser = above_zero, default_value = "15s")]
    pub(crate) head_timeout: Duration,

    /// How large a request's head may be, in bytes
    #[arg(long, value_name = "BYTES", default_value = "32768",
          value_parser = Count::new(1024_usize, 1024 * 1024))]
    pub(crate) head_bytes_max: usize,

    /// How many fields a request's head may have
    #[arg(long, value_name = "COUNT", default_value = "100",
          value_parser = Count::new(16_usize, 1000))]
    pub(crate) head_fields_max: usize,

    /// How long a connection may stay idle between requests
    #[arg(long, value_name = "TIME", value_parser = above_zero, default_value = "620s")]
    pub(crate) client_idle: Duration,

    /// After SIGTERM, how long newcomers are still admitted [default: 5s on Kubernetes, else 0]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lame_duck: Option<Duration>,

    /// How long tunnels and the service may take to end, after SIGTERM and --lame-duck [default: 8s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) drain: Option<Duration>,

    /// The part of --drain that is the service's own [default: 2s, at most a quarter of --drain]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) child_grace: Option<Duration>,

    /// The Close code of a drain
    #[arg(long, value_name = "CODE", value_parser = close_code, default_value = "1012")]
    pub(crate) drain_code: CloseCode,

    #[command(flatten)]
    pub(crate) checks: ChecksArgs,

    #[command(flatten)]
    pub(crate) admin: AdminArgs,

    /// How log lines are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogFormat,

    /// Also log what only someone who looks for a fault wants to see
    #[arg(long)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Restart {
    /// End with its status
    #[default]
    Never,
    /// Start it again, with a growing pause, unless it ended with status 0
    OnFailure,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChildTerm {
    /// The command gets its SIGTERM before the tunnels are closed
    First,
    /// The command gets its SIGTERM when the tunnels are closed
    #[default]
    Last,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Refusal {
    /// 503 with Retry-After
    #[default]
    Http,
    /// Accepted, then closed with 1013 (Try Again Later)
    Close,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// JSON on a detected Google Cloud platform, else text
    #[default]
    Auto,
    /// For people
    Text,
    /// For Cloud Logging and others that read one JSON object a line
    Json,
}

impl DoorArgs {
    /// Where the service's readiness is learnt, if the user said so.
    pub(crate) fn readiness(&self) -> Option<Readiness> {
        self.ready.clone().or_else(|| self.ready_path.clone().map(Readiness::Http))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }
}
