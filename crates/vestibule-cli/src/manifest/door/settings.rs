//! What a door is told in a manifest.
//!
//! Owns the way from words, variables and a file to the values that rules compare, by the layers and defaults of the
//! door itself. Must never take what is out of sight for what is not given.

use std::collections::HashMap;
use std::ffi::OsString;

use clap::{Args, FromArgMatches};
use vestibule::environment::{self, Conflict};
use vestibule::timeouts::Budgets;
use vestibule_front::admin::guard::TOKEN_VARIABLE;
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::Readiness;

use super::line::Line;
use super::{AdminIs, ConfigFile, Door};
use crate::args::admin::AdminAddress;
use crate::args::{DoorArgs, RunArgs, ServeArgs};
use crate::config::document;
use crate::config::flags::{Asked, Typed, read as read_flags};
use crate::config::keys::{flag_of, variable_of};
use crate::config::layers::settle;
use crate::config::mistake::Mistake;
use crate::config::{Command, Origin, variables};
use crate::manifest::model::{Container, Platform};
use crate::manifest::yaml::{At, Text};
use crate::settings::places::{bound, port};

/// Where clients connect if neither flag nor variable says so; also what Cloud Run and Knative send requests to.
const PORT_DEFAULT: u16 = 8080;
/// The variable that names a file.
const FILE_VARIABLE: &str = "VESTIBULE_CONFIG";

/// The values of all layers, and what is wrong with them.
struct Layers {
    /// `None` only if no arguments can be made of them at all.
    taken: Option<Taken>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
    keys: Vec<String>,
}

/// What is taken out of the arguments.
struct Taken {
    door: DoorArgs,
    child_port: Option<u16>,
    upstream: Option<u16>,
}

impl From<DoorArgs> for Taken {
    fn from(door: DoorArgs) -> Self {
        Self { door, child_port: None, upstream: None }
    }
}

/// Reads them.
pub(super) fn read(
    line: &Line,
    container: &Container,
    (platform, workload): (Platform, &str),
    file: Option<&ConfigFile>,
) -> Door {
    let (plain, hidden_flags) = without_references(&line.words);
    let words: Vec<OsString> = plain.iter().map(|word| OsString::from(&word.text)).collect();
    let (command, typed) = match read_flags(&words) {
        Some(Asked::Do(command, typed)) => (command, typed),
        _ => (Command::Run, Typed::default()),
    };
    let (environment, hidden_variables) = variables_of(container, platform, workload);
    let named = typed.file.as_deref().map(|path| path.to_string_lossy().into_owned());
    let named = named.or_else(|| environment.get(FILE_VARIABLE).cloned());
    let layers = layers_of(command, &typed, &environment, file);
    let unread = named.filter(|name| !name.is_empty() && file.is_none());
    let is_whole = line.is_whole && !hidden_flags && !hidden_variables && unread.is_none();
    let places = Places { line, container };
    let found = environment::detect(&environment);
    let budgets = Budgets::derive(found.name, found.platform);
    let taken = layers.taken.as_ref();
    let own = taken.map(|taken| &taken.door);
    let listen = own.and_then(|args| args.listen.clone());
    let port_is_set = layers.keys.iter().any(|key| key == "listen");
    let readiness = own.and_then(DoorArgs::readiness);
    Door {
        at: line.at,
        shell: line.shell,
        is_whole,
        unread: unread.map(|name| Text::new(places.of_key("config"), name)),
        port: match listen {
            Some(listen) => port(&listen),
            None if port_is_set => None,
            None => told_port(container, platform),
        },
        public_health: own.and_then(|args| args.public_health.clone()),
        ready_path: match readiness {
            Some(Readiness::Http(target)) => {
                Some(target.split('?').next().unwrap_or_default().to_owned())
            }
            _ => None,
        },
        child_port: taken.and_then(|taken| taken.child_port),
        upstream: taken.and_then(|taken| taken.upstream),
        startup: own.and_then(|args| args.startup_timeout).unwrap_or(budgets.startup.value),
        request_timeout: own
            .and_then(|args| args.request_timeout)
            .or(budgets.request_timeout.value),
        lame_duck: own.and_then(|args| args.lame_duck).unwrap_or(budgets.lame_duck.value),
        drain: own.and_then(|args| args.drain).unwrap_or(budgets.drain.value),
        admin: own.map_or(AdminIs::Within, admin),
        has_token: own.is_some_and(|args| args.admin.admin_token_file.is_some())
            || container.variables.iter().any(|variable| variable.name.text == TOKEN_VARIABLE),
        serves: command == Command::Serve,
        wrong: layers
            .mistakes
            .iter()
            .map(|mistake| Text::new(places.of_mistake(mistake), mistake.to_string()))
            .collect(),
        unknown: layers.warnings.iter().map(|warning| places.warned(warning)).collect(),
        conflicts: found.conflicts.iter().map(|conflict| places.contradicted(conflict)).collect(),
        places: layers.keys.iter().map(|key| (key.clone(), places.of_key(key))).collect(),
    }
}

/// What the command makes of its flags, variables and file.
fn layers_of(
    command: Command,
    typed: &Typed,
    environment: &HashMap<String, String>,
    file: Option<&ConfigFile>,
) -> Layers {
    match command {
        Command::Run => {
            let take = |args: RunArgs| Taken { child_port: args.child_port, ..args.door.into() };
            lay(command, typed, environment, file, take)
        }
        Command::Serve => {
            let take = |args: ServeArgs| Taken {
                upstream: args.upstream.as_ref().and_then(upstream),
                ..args.door.into()
            };
            lay(command, typed, environment, file, take)
        }
    }
}

/// Lays flags, variables and file over each other.
fn lay<A: Args + FromArgMatches>(
    command: Command,
    typed: &Typed,
    environment: &HashMap<String, String>,
    file: Option<&ConfigFile>,
    take: impl FnOnce(A) -> Taken,
) -> Layers {
    let keys = command.keys();
    let found = variables::read(environment, &keys);
    let mut mistakes = typed.mistakes.clone();
    mistakes.extend(found.mistakes);
    let mut layers = vec![typed.given.clone(), found.given];
    let mut tables = Vec::new();
    if let Some(file) = file {
        let parsed = document::parse(&file.bytes, &file.name, &keys);
        mistakes.extend(parsed.mistakes);
        layers.push(parsed.given);
        tables = parsed.tables;
    }
    let settled = settle::<A>(&layers).with_checks(tables, found.of_checks);
    mistakes.extend(settled.mistakes);
    Layers {
        taken: settled.args.map(take),
        mistakes,
        warnings: found.warnings.into_iter().chain(settled.warnings).collect(),
        keys: settled.given.into_keys().collect(),
    }
}

/// The words without those that somebody else fills in: `$(NAME)`, `$NAME`, `${NAME}`. Behind `--` they are the
/// command's own.
fn without_references(words: &[Text]) -> (Vec<Text>, bool) {
    let mut plain: Vec<Text> = Vec::new();
    let mut is_hidden = false;
    for (index, word) in words.iter().enumerate() {
        if word.text == "--" {
            plain.extend_from_slice(&words[index..]);
            break;
        }
        if !is_reference(&word.text) {
            plain.push(word.clone());
            continue;
        }
        is_hidden = true;
        let is_value = !word.text.starts_with("--");
        let names_it = |word: &Text| word.text.starts_with("--") && !word.text.contains('=');
        if is_value && plain.last().is_some_and(names_it) {
            plain.pop();
        }
    }
    (plain, is_hidden)
}

/// Whether somebody else fills in a part of it.
fn is_reference(text: &str) -> bool {
    let mut after = text.split('$').skip(1);
    after.any(|rest| rest.starts_with(['(', '{', '_']) || rest.starts_with(char::is_alphabetic))
}

/// What the container's variables say, with the platform's own; and whether one of ours is held elsewhere.
fn variables_of(
    container: &Container,
    platform: Platform,
    workload: &str,
) -> (HashMap<String, String>, bool) {
    let mut known = HashMap::new();
    let mut is_hidden = false;
    for variable in &container.variables {
        let value = variable.value.as_ref().filter(|value| !is_reference(&value.text));
        match value {
            Some(value) => drop(known.insert(variable.name.text.clone(), value.text.clone())),
            None => is_hidden |= variables::is_setting(&variable.name.text),
        }
    }
    let marked = |known: &mut HashMap<String, String>, name: &str| {
        known.insert(name.to_owned(), workload.to_owned());
    };
    if matches!(platform, Platform::CloudRun | Platform::Knative) {
        marked(&mut known, "K_SERVICE");
    }
    if matches!(platform, Platform::Kubernetes | Platform::Knative) {
        marked(&mut known, "KUBERNETES_SERVICE_HOST");
    }
    (known, is_hidden)
}

/// What `PORT` would say. Cloud Run and Knative set it to the container's port.
fn told_port(container: &Container, platform: Platform) -> Option<u16> {
    if matches!(platform, Platform::CloudRun | Platform::Knative) {
        return Some(container.ports.first().and_then(|port| port.number).unwrap_or(PORT_DEFAULT));
    }
    match container.variables.iter().find(|variable| variable.name.text == "PORT") {
        Some(variable) => variable.value.as_ref()?.text.trim().parse().ok(),
        None => Some(PORT_DEFAULT),
    }
}

fn upstream(upstream: &Upstream) -> Option<u16> {
    match upstream {
        Upstream::Loopback(port) | Upstream::Host(_, port) => Some(*port),
        Upstream::Unix(_) => None,
    }
}

fn admin(args: &DoorArgs) -> AdminIs {
    match &args.admin.admin {
        Some(AdminAddress::Off) => AdminIs::Off,
        None => AdminIs::Within,
        Some(AdminAddress::At(listen)) => match bound(listen) {
            Some(address) if !address.ip().is_loopback() => AdminIs::Remote(address.port()),
            _ => AdminIs::Within,
        },
    }
}

/// Where things stand in the manifest.
struct Places<'a> {
    line: &'a Line,
    container: &'a Container,
}

impl Places<'_> {
    fn of_key(&self, key: &str) -> At {
        let flag = flag_of(key);
        let is_it = |word: &&Text| {
            word.text
                .strip_prefix(&flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let typed = self.line.words.iter().take_while(|word| word.text != "--").find(is_it);
        let name = variable_of(key);
        typed.map(|word| word.at).or_else(|| self.of_variable(&name)).unwrap_or(self.line.at)
    }

    fn of_variable(&self, name: &str) -> Option<At> {
        let variable = self.container.variables.iter().find(|one| one.name.text == name)?;
        Some(variable.name.at)
    }

    fn of_mistake(&self, mistake: &Mistake) -> At {
        let of_origin = match mistake.origin() {
            Origin::Variable(name) => self.of_variable(name),
            Origin::Flag => mistake.key().map(|key| self.of_key(key)),
            _ => None,
        };
        of_origin.unwrap_or(self.line.at)
    }

    /// A warning begins with the variable that it is about.
    fn warned(&self, warning: &str) -> Text {
        let name = warning.split(':').next().unwrap_or_default();
        Text::new(self.of_variable(name).unwrap_or(self.line.at), warning)
    }

    fn contradicted(&self, conflict: &Conflict) -> Text {
        let variable = match conflict {
            Conflict::ImpatientName { .. } => "ENVIRONMENT",
            Conflict::TestOnPlatform { variable, .. } | Conflict::TwoPlatforms { variable, .. } => {
                variable
            }
        };
        Text::new(self.of_variable(variable).unwrap_or(self.line.at), conflict.to_string())
    }
}
