//! Validated settings.
//!
//! Owns what each missing flag means, and all mistakes at once. Must never start anything.

use std::str::FromStr;
use std::time::Duration;

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
use vestibule_front::tunnel::close::CloseCode;
use vestibule_front::upstream::probe::Readiness;
use vestibule_front::upstream::settle::StatusRules;

use crate::args::{DoorArgs, LogFormat, Refusal};
use crate::error::Error;

/// Where the Google Cloud project may stand; Cloud Run itself sets none of them.
const PROJECT_VARIABLES: [&str; 3] = ["GOOGLE_CLOUD_PROJECT", "GCP_PROJECT_ID", "GCLOUD_PROJECT"];
/// Where clients connect when neither flag nor variable says so.
const PORT_DEFAULT: u16 = 8080;
/// All held heads together, as a multiple of what a usual one takes.
const HELD_BYTES_EACH: usize = 8 * 1024;

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

/// Makes settings of arguments and environment.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn door(args: &DoorArgs, source: &dyn EnvSource) -> Result<Door, Error> {
    let mut mistakes = Vec::new();
    let environment = environment::detect(source);
    let budgets = Budgets::derive(environment.name, environment.platform);
    let listen = args.listen.clone().unwrap_or_else(|| listen_by_port(source, &mut mistakes));
    let drain_code = CloseCode::new(args.drain_code).unwrap_or_else(|| {
        mistakes.push(format!(
            "--drain-code {}: not a code that may be sent (RFC 6455 section 7.4); \
             use 1012, 1001 or one from 3000 to 4999",
            args.drain_code
        ));
        CloseCode::RESTARTING
    });
    let patience = patience(args, &budgets, &mut mistakes);
    bounds(args, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(Error::configurations(mistakes));
    }
    let front = front::Settings {
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
        trust: trust(args, environment.platform),
        drain_code,
        drain_reason: drain::REASON.to_owned(),
    };
    let log = Log {
        json: match args.log {
            LogFormat::Auto => is_googles(environment.platform),
            LogFormat::Text => false,
            LogFormat::Json => true,
        },
        verbose: args.verbose,
        project: PROJECT_VARIABLES.into_iter().find_map(|name| source.get(name)),
    };
    let runtime_directory = source.get("XDG_RUNTIME_DIR");
    let family_around = source.get(FAMILY);
    let source = Source {
        by_default: args.readiness().is_none(),
        readiness: args.readiness().unwrap_or(Readiness::Tcp),
    };
    Ok(Door { listen, front, patience, source, log, environment, runtime_directory, family_around })
}

/// All held heads together: what so many usual ones take, and never less than the scouts' largest.
fn held_bytes_max(args: &DoorArgs) -> usize {
    let scouts = Limits::default().scouts_max.saturating_mul(args.head_bytes_max);
    args.max_held.saturating_mul(HELD_BYTES_EACH).max(scouts)
}

fn listen_by_port(source: &dyn EnvSource, mistakes: &mut Vec<String>) -> Listen {
    let Some(text) = source.get("PORT") else { return Listen::Everywhere(PORT_DEFAULT) };
    let port = u16::from_str(text.trim()).unwrap_or_else(|_| {
        mistakes.push("PORT: not a port number: use 1 to 65535, or --listen".to_owned());
        PORT_DEFAULT
    });
    Listen::Everywhere(port)
}

fn patience(args: &DoorArgs, budgets: &Budgets, mistakes: &mut Vec<String>) -> Patience {
    let drain = args.drain.unwrap_or(budgets.drain.value);
    // By default a quarter of the drain is the child's, so that a short drain alone is no mistake.
    let child_grace = budgets.child_grace.value.min(drain / 4);
    let patience = Patience {
        startup: args.startup_timeout.unwrap_or(budgets.startup.value),
        lame_duck: args.lame_duck.unwrap_or(budgets.lame_duck.value),
        drain,
        child_grace: args.child_grace.unwrap_or(child_grace),
    };
    if patience.child_grace > patience.drain {
        mistakes.push(format!(
            "--child-grace {:?} is longer than --drain {:?}, of which it is a part",
            patience.child_grace, patience.drain
        ));
    }
    patience
}

fn bounds(args: &DoorArgs, mistakes: &mut Vec<String>) {
    let never_zero = [
        ("--startup-timeout", args.startup_timeout),
        ("--hold", args.hold),
        ("--try-timeout", Some(args.try_timeout)),
        ("--head-timeout", Some(args.head_timeout)),
        ("--client-idle", Some(args.client_idle)),
    ];
    for (flag, value) in never_zero {
        if value == Some(Duration::ZERO) {
            mistakes.push(format!("{flag} 0: nothing could ever be done in no time"));
        }
    }
    if args.max_held == 0 {
        mistakes
            .push("--max-held 0: a client must be held to be handed over; use 1 or more".into());
    }
    if !(1024..=1024 * 1024).contains(&args.head_bytes_max) {
        mistakes.push("--head-bytes-max: use 1024 to 1048576".to_owned());
    }
    if !(16..=1000).contains(&args.head_fields_max) {
        mistakes.push("--head-fields-max: use 16 to 1000".to_owned());
    }
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
