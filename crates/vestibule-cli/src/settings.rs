//! Validated settings.
//!
//! Owns what each missing value means, and what two values mean together. Must never start anything.

pub(crate) mod admin;
pub(crate) mod checks;
mod derived;
mod phases;
pub(crate) mod places;

use std::num::NonZeroUsize;
use std::str::FromStr;

use vestibule::check::Checked;
use vestibule::environment::{self, EnvSource, Environment, Platform};
use vestibule::gate::Limits;
use vestibule::startup::Phases;
use vestibule::timeouts::{Budgets, Factors};
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

use self::admin::Admin;
use self::checks::{OnPort, Port};
use crate::args::{DoorArgs, LogFormat, Refusal, RunArgs, ServeArgs};
use crate::config::keys::COMMAND;
use crate::config::layers::Settled;
use crate::config::variables::text_of;
use crate::config::view::View;
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
    /// The platform's variable says so, if the user does not.
    pub(crate) port_is_given: bool,
    /// What the front needs.
    pub(crate) front: front::Settings,
    /// How readiness is learnt.
    pub(crate) source: Source,
    /// What the service needs before it may be ready.
    pub(crate) checks: Vec<Checked>,
    /// Those of them that wait for the command's port.
    pub(crate) on_port: OnPort,
    /// What stretches the checks' timeouts.
    pub(crate) factors: Factors,
    /// Where health, metrics and events are shown, if anywhere.
    pub(crate) admin: Option<Admin>,
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
    /// Every setting with its origin.
    pub(crate) view: View,
}

/// What `serve` needs.
#[derive(Debug)]
pub(crate) struct Serve {
    /// What it shares with `run`.
    pub(crate) door: Door,
    /// Where the service listens.
    pub(crate) upstream: Upstream,
    /// Every setting with its origin.
    pub(crate) view: View,
}

/// Makes settings of `run` of what was given.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn run(
    mut given: Settled<RunArgs>,
    source: &dyn EnvSource,
) -> Result<Run, Vec<Mistake>> {
    if given.is_missing(COMMAND) {
        given.mistakes.push(missing("-- CMD", "the command", "run [FLAGS] -- CMD", COMMAND));
    }
    let Some(args) = given.args.take() else { return Err(in_order(given.mistakes)) };
    let (door, view) = door(&args.door, &mut given, Port::Later, source);
    if given.is_sound(&["listen"])
        && args.child_port.is_some_and(|port| places::port(&door.listen) == Some(port))
    {
        given.reject("child_port", 0, places::IS_THE_DOOR);
    }
    if given.mistakes.is_empty() {
        Ok(Run { door, args, view })
    } else {
        Err(in_order(given.mistakes))
    }
}

/// Makes settings of `serve` of what was given.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn serve(
    mut given: Settled<ServeArgs>,
    source: &dyn EnvSource,
) -> Result<Serve, Vec<Mistake>> {
    if given.is_missing("upstream") {
        let usage = "serve [FLAGS] --upstream ADDR";
        given.mistakes.push(missing("--upstream", "the service's address", usage, "upstream"));
    }
    let Some(args) = given.args.take() else { return Err(in_order(given.mistakes)) };
    if args.door.ready == Some(Readiness::Notify) {
        let message = "a service that we did not start can't send us notifications; \
                       use ready_path, or let `vestibule run` start it";
        given.reject("ready", 0, message);
    }
    let (door, view) = door(&args.door, &mut given, Port::Never, source);
    if given.is_sound(&["listen"])
        && args.upstream.as_ref().is_some_and(|upstream| places::leads_to(&door.listen, upstream))
    {
        given.reject("upstream", 0, places::IS_THE_DOOR);
    }
    match args.upstream {
        Some(upstream) if given.mistakes.is_empty() => Ok(Serve { door, upstream, view }),
        _ => Err(in_order(given.mistakes)),
    }
}

fn in_order(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    mistakes.sort_by(Mistake::by_place);
    mistakes
}

fn missing(flag: &str, what: &str, usage: &str, key: &str) -> Mistake {
    let message =
        format!("{what} is missing. Usage: vestibule {usage}, or the key {key} in a file");
    Mistake::in_words(Origin::Flag, flag, message)
}

fn door<A: clap::Args>(
    args: &DoorArgs,
    given: &mut Settled<A>,
    port: Port,
    variables: &dyn EnvSource,
) -> (Door, View) {
    let environment = environment::detect(variables);
    let budgets = Budgets::derive(environment.name, environment.platform);
    let by_port = listen_by_port(variables);
    let port_is_given = matches!(by_port, Ok(Some(_)));
    let listen = match (&args.listen, by_port) {
        (Some(listen), _) => listen.clone(),
        (None, Ok(listen)) => listen.unwrap_or(Listen::Everywhere(PORT_DEFAULT)),
        (None, Err(mistake)) => {
            given.mistakes.push(mistake);
            Listen::Everywhere(PORT_DEFAULT)
        }
    };
    let patience = patience(args, &budgets, given);
    let admin = admin::admin(&args.admin, &listen, given, variables);
    let log = log(args, environment.platform, variables);
    let phases = phases::phases(&args.checks.phases, given);
    let front = front(args, &environment, &budgets, (patience, phases));
    let runtime_directory = variables.get("XDG_RUNTIME_DIR");
    let family_around = variables.get(FAMILY);
    let source = Source {
        by_default: args.readiness().is_none(),
        readiness: args.readiness().unwrap_or(Readiness::Tcp),
    };
    let factors = checks::factors(&args.checks, &environment, given);
    let (checks, on_port, pictures) = checks::checks(given, port, variables);
    let door = Door {
        listen,
        port_is_given,
        front,
        source,
        checks,
        on_port,
        factors,
        admin,
        log,
        environment,
        runtime_directory,
        family_around,
    };
    let view = View::new(given, derived::derived(args, &door, &budgets), pictures);
    (door, view)
}

fn front(
    args: &DoorArgs,
    environment: &Environment,
    budgets: &Budgets,
    (patience, phases): (Patience, Phases),
) -> front::Settings {
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
        patience,
        phases,
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

/// What `PORT`, which platforms set, says.
fn listen_by_port(variables: &dyn EnvSource) -> Result<Option<Listen>, Mistake> {
    let Some(text) = text_of(variables, "PORT")? else { return Ok(None) };
    match u16::from_str(text.trim()) {
        Ok(port) => Ok(Some(Listen::Everywhere(port))),
        Err(_) => {
            let origin = Origin::Variable("PORT".to_owned());
            let message = "not a port number: use 1 to 65535, or say where to listen by --listen";
            Err(Mistake::in_words(origin, &format!("PORT={text}"), message).about("listen"))
        }
    }
}

fn patience<A: clap::Args>(args: &DoorArgs, budgets: &Budgets, given: &mut Settled<A>) -> Patience {
    let drain = args.drain.unwrap_or(budgets.drain.value);
    // By default a quarter of the drain is the child's, so that a short drain alone is no mistake.
    let child_grace = budgets.child_grace.value.min(drain / 4);
    let patience = Patience {
        startup: args.startup_timeout.unwrap_or(budgets.startup.value),
        lame_duck: args.lame_duck.unwrap_or(budgets.lame_duck.value),
        drain,
        child_grace: args.child_grace.unwrap_or(child_grace),
    };
    if patience.child_grace > patience.drain && given.is_sound(&["drain", "child_grace"]) {
        let message = format!("longer than drain ({:?}), of which it is a part", patience.drain);
        given.reject("child_grace", 0, &message);
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
    if trust_is_platforms(platform) { Trust::Platform } else { Trust::Nobody }
}

/// Whether every peer is the platform.
const fn trust_is_platforms(platform: Platform) -> bool {
    matches!(platform, Platform::CloudRun | Platform::AppEngine)
}

#[cfg(test)]
mod tests;
