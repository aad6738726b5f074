//! Validated settings.
//!
//! Owns what each missing value means, and what two values mean together. Must never start anything.

use std::num::NonZeroUsize;
use std::str::FromStr;

use vestibule::environment::{self, EnvSource, Environment, Platform};
use vestibule::gate::Limits;
use vestibule::timeouts::Budgets;
use vestibule_front::drain;
use vestibule_front::farewell::Style;
use vestibule_front::front;
use vestibule_front::head::HeadLimits;
use vestibule_front::head::forwarded::Trust;
use vestibule_front::listener::Listen;
use vestibule_front::process::guard::FAMILY;
use vestibule_front::supervise::{Patience, Source};
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::Readiness;
use vestibule_front::upstream::settle::StatusRules;

use crate::args::{DoorArgs, LogFormat, Refusal, RunArgs, ServeArgs};
use crate::config::keys::COMMAND;
use crate::config::layers::Settled;
use crate::config::{Mistake, Origin};

/// Where the Google Cloud project may stand; Cloud Run itself sets none of them.
const PROJECT_VARIABLES: [&str; 3] = ["GOOGLE_CLOUD_PROJECT", "GCP_PROJECT_ID", "GCLOUD_PROJECT"];
/// Where clients connect when neither flag nor variable says so.
const PORT_DEFAULT: u16 = 8080;
/// All held heads together, as a multiple of what a usual one takes.
const HELD_BYTES_EACH: usize = 8 * 1024;
/// However few may be held, one client may have this many: a browser's tabs are one client.
const HELD_PER_CLIENT_LEAST: usize = 8;

/// Everything that `run` and `serve` share, ready for use.
#[derive(Debug)]
pub(crate) struct Door {
    /// Where clients connect.
    pub(crate) listen: Listen,
    /// What the front needs.
    pub(crate) front: front::Settings,
    /// How long things may take.
    pub(crate) patience: Patience,
    /// How readiness is learnt.
    pub(crate) source: Source,
    /// How lines are logged.
    pub(crate) log: Log,
    /// Where we run.
    pub(crate) environment: Environment,
    /// Where the notify socket may be, besides the usual places.
    pub(crate) runtime_directory: Option<String>,
    /// Whose family we are, if another front started us.
    pub(crate) family_around: Option<String>,
}

/// How lines are logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// Also what only someone who looks for a fault wants.
    pub(crate) verbose: bool,
    /// The Google Cloud project that traces belong to.
    pub(crate) project: Option<String>,
}

/// What `run` needs.
#[derive(Debug)]
pub(crate) struct Run {
    /// What it shares with `serve`.
    pub(crate) door: Door,
    /// Its own arguments.
    pub(crate) args: RunArgs,
}

/// What `serve` needs.
#[derive(Debug)]
pub(crate) struct Serve {
    /// What it shares with `run`.
    pub(crate) door: Door,
    /// Where the service listens.
    pub(crate) upstream: Upstream,
}

/// Makes settings of `run` of what was given.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn run(
    mut given: Settled<RunArgs>,
    source: &dyn EnvSource,
) -> Result<Run, Vec<Mistake>> {
    if given.origin(COMMAND).is_none() && given.is_sound(&[COMMAND]) {
        given.mistakes.push(missing("-- CMD", "the command to start", "the key command"));
    }
    let Some(args) = given.args.take() else { return Err(given.mistakes) };
    let door = door(&args.door, &mut given, source);
    if given.mistakes.is_empty() { Ok(Run { door, args }) } else { Err(given.mistakes) }
}

/// Makes settings of `serve` of what was given.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn serve(
    mut given: Settled<ServeArgs>,
    source: &dyn EnvSource,
) -> Result<Serve, Vec<Mistake>> {
    if given.origin("upstream").is_none() && given.is_sound(&["upstream"]) {
        let instead = "VESTIBULE_UPSTREAM, or the key upstream";
        given.mistakes.push(missing("--upstream ADDR", "where the service listens", instead));
    }
    let Some(args) = given.args.take() else { return Err(given.mistakes) };
    if let (Some(Readiness::Notify), Some(origin)) = (&args.door.ready, given.origin("ready")) {
        let message = "a service that we did not start can't send us notifications; \
                       use ready_path, or let `vestibule run` start it";
        let mistake = Mistake::in_value(origin.clone(), "ready", "notify", message);
        given.mistakes.push(mistake);
    }
    let door = door(&args.door, &mut given, source);
    match args.upstream {
        Some(upstream) if given.mistakes.is_empty() => Ok(Serve { door, upstream }),
        _ => Err(given.mistakes),
    }
}

fn missing(flag: &str, what: &str, instead: &str) -> Mistake {
    let message = format!("missing: {what}; give it here, or as {instead} in a file");
    Mistake::in_words(Origin::Flag, flag, message)
}

fn door<A>(args: &DoorArgs, given: &mut Settled<A>, source: &dyn EnvSource) -> Door {
    let environment = environment::detect(source);
    let budgets = Budgets::derive(environment.name, environment.platform);
    let listen = args.listen.clone().unwrap_or_else(|| listen_by_port(source, &mut given.mistakes));
    let patience = patience(args, &budgets, given);
    let log = log(args, environment.platform, source);
    let front = front(args, &environment, &budgets);
    let runtime_directory = source.get("XDG_RUNTIME_DIR");
    let family_around = source.get(FAMILY);
    let source = Source {
        by_default: args.readiness().is_none(),
        readiness: args.readiness().unwrap_or(Readiness::Tcp),
    };
    Door { listen, front, patience, source, log, environment, runtime_directory, family_around }
}

fn front(args: &DoorArgs, environment: &Environment, budgets: &Budgets) -> front::Settings {
    let trust = trust(args, environment.platform);
    front::Settings {
        head: HeadLimits {
            bytes_max: args.head_bytes_max,
            fields_max: args.head_fields_max,
            ..HeadLimits::default()
        },
        head_timeout: args.head_timeout,
        client_idle: args.client_idle,
        hold: args.hold.unwrap_or(budgets.hold.value),
        request_timeout: args.request_timeout.or(budgets.request_timeout.value),
        limits: Limits {
            held_max: args.max_held,
            held_bytes_max: held_bytes_max(args),
            held_per_client_max: held_per_client_max(args, &trust),
            ..Limits::default()
        },
        // Until the descriptor limit is known.
        connections_max: usize::MAX,
        platform_queues: environment.platform.is_managed(),
        dial_ahead: args.dial_ahead,
        settle: args.settle,
        try_timeout: args.try_timeout,
        status_rules: StatusRules { forbidden_and_not_found: args.late_routes },
        refusal: match args.refusal {
            Refusal::Http => Style::Http,
            Refusal::Close => Style::Close,
        },
        public_health: args.public_health.clone(),
        ready_path: ready_path(args),
        trust,
        drain_code: args.drain_code,
        drain_reason: drain::REASON.to_owned(),
    }
}

fn log(args: &DoorArgs, platform: Platform, source: &dyn EnvSource) -> Log {
    Log {
        json: match args.log {
            LogFormat::Auto => is_googles(platform),
            LogFormat::Text => false,
            LogFormat::Json => true,
        },
        verbose: args.verbose,
        project: PROJECT_VARIABLES.into_iter().find_map(|name| source.get(name)),
    }
}

/// All held heads together: what so many usual ones take, and never less than the scouts' largest.
fn held_bytes_max(args: &DoorArgs) -> usize {
    let scouts = Limits::default().scouts_max.saturating_mul(args.head_bytes_max);
    args.max_held.saturating_mul(HELD_BYTES_EACH).max(scouts)
}

/// A tenth, so that it takes ten clients to fill the queue. Where nobody vouches for an address there is no limit
/// unless the user wants one: behind a proxy that we don't know, all peers are one.
fn held_per_client_max(args: &DoorArgs, trust: &Trust) -> Option<NonZeroUsize> {
    let by_default = match trust {
        Trust::Nobody => 0,
        Trust::Platform | Trust::Proxies(_) => (args.max_held / 10).max(HELD_PER_CLIENT_LEAST),
    };
    NonZeroUsize::new(args.max_held_per_client.unwrap_or(by_default))
}

fn listen_by_port(source: &dyn EnvSource, mistakes: &mut Vec<Mistake>) -> Listen {
    let Some(text) = source.get("PORT") else { return Listen::Everywhere(PORT_DEFAULT) };
    let port = u16::from_str(text.trim()).unwrap_or_else(|_| {
        let subject = format!("PORT={text}");
        let message = "not a port number: use 1 to 65535, or say where to listen with --listen";
        mistakes.push(Mistake::in_words(Origin::Variable("PORT".to_owned()), &subject, message));
        PORT_DEFAULT
    });
    Listen::Everywhere(port)
}

fn patience<A>(args: &DoorArgs, budgets: &Budgets, given: &mut Settled<A>) -> Patience {
    let drain = args.drain.unwrap_or(budgets.drain.value);
    // By default a quarter of the drain is the child's, so that a short drain alone is no mistake.
    let child_grace = budgets.child_grace.value.min(drain / 4);
    let patience = Patience {
        startup: args.startup_timeout.unwrap_or(budgets.startup.value),
        lame_duck: args.lame_duck.unwrap_or(budgets.lame_duck.value),
        drain,
        child_grace: args.child_grace.unwrap_or(child_grace),
    };
    let grace = format!("{:?}", patience.child_grace);
    if let Some(origin) = given.origin("child_grace").cloned()
        && patience.child_grace > patience.drain
        && given.is_sound(&["drain", "child_grace"])
    {
        let message = format!("longer than drain ({:?}), of which it is a part", patience.drain);
        given.mistakes.push(Mistake::in_value(origin, "child_grace", &grace, &message));
    }
    patience
}

/// Whether Cloud Logging reads what we write: a project's name alone may be set on a laptop.
const fn is_googles(platform: Platform) -> bool {
    platform.is_cloud_run() || matches!(platform, Platform::AppEngine)
}

fn ready_path(args: &DoorArgs) -> Option<String> {
    match args.readiness() {
        Some(Readiness::Http(target)) => {
            Some(target.split('?').next().unwrap_or_default().to_owned())
        }
        _ => None,
    }
}

/// On Cloud Run and App Engine the peer is the platform; elsewhere nobody is believed unless
/// the user names them.
fn trust(args: &DoorArgs, platform: Platform) -> Trust {
    if !args.trust_proxy.is_empty() {
        return Trust::Proxies(args.trust_proxy.clone());
    }
    match platform {
        Platform::CloudRunService | Platform::AppEngine => Trust::Platform,
        _ => Trust::Nobody,
    }
}

#[cfg(test)]
mod tests;
