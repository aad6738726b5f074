//! What the service needs, ready to be asked.
//!
//! Owns building the checks that are declared, and the factors by which their timeouts are stretched, each with the
//! setting that gave it. Must never ask one.

use vestibule::check::Checked;
use vestibule::environment::{EnvSource, Environment};
use vestibule::timeouts::{Factors, Sourced};
use vestibule_checks::{Flaw, Key, Options, Value, Wants, build_with};

use crate::args::checks::ChecksArgs;
use crate::config::checks::Declared;
use crate::config::checks::judge::{Judged, judge};
use crate::config::checks::picture::Picture;
use crate::config::keys::flag_of;
use crate::config::layers::Settled;
use crate::config::{Mistake, Origin};
use crate::enrolled::surroundings;

/// Stands in an address for the private port of the command.
const PORT: &str = "{port}";

/// A port by which an address with one is judged before the command has any.
const ANY_PORT: u16 = 9;

/// What may be said of the place of a command that `run` starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// `run` will know it.
    Later,
    /// `serve` starts nothing.
    Never,
}

/// Checks whose address has the command's port in it, which is known late. Until then they stand in the list with
/// another port.
#[derive(Debug, Default)]
pub(crate) struct OnPort(Vec<(usize, Ready)>);

/// One that can be built.
#[derive(Debug)]
struct Ready {
    declared: Declared,
    judged: Judged,
}

/// Builds every check that is declared, and remembers those that wait for a port.
pub(super) fn checks<A>(
    given: &mut Settled<A>,
    port: Port,
    source: &dyn EnvSource,
) -> (Vec<Checked>, OnPort, Vec<Picture>) {
    let (mut built, mut late, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for declared in &given.declared {
        let Some(judged) = judge(declared, source, &mut given.mistakes) else { continue };
        let ready = Ready { declared: declared.clone(), judged };
        pictures.push(Picture::new(&ready.declared, &ready.judged));
        match (ready.with_port(), port) {
            (Some(key), Port::Never) => {
                let why = "{port} is that of a command which `run` starts: write the service's own";
                given.mistakes.push(ready.wrong(&Flaw::new(key, why)));
                continue;
            }
            (Some(_), Port::Later) => match ready.build(ANY_PORT) {
                Ok(checked) => {
                    late.push((built.len(), ready));
                    built.push(checked);
                }
                Err(mistakes) => given.mistakes.extend(mistakes),
            },
            (None, _) => match ready.build(ANY_PORT) {
                Ok(checked) => built.push(checked),
                Err(mistakes) => given.mistakes.extend(mistakes),
            },
        }
    }
    (built, OnPort(late), pictures)
}

impl OnPort {
    /// Takes these checks out of the list, for somebody who starts no command.
    pub(crate) fn take_out(&self, checks: &mut Vec<Checked>) -> Vec<Checked> {
        let mut taken = Vec::new();
        // From behind, so that the places before stay what they are.
        for (at, _) in self.0.iter().rev() {
            if *at < checks.len() {
                taken.push(checks.remove(*at));
            }
        }
        taken.reverse();
        taken
    }

    /// Puts the checks of the command that listens on this port into the list.
    ///
    /// # Errors
    /// What is wrong now and was not before: a file that a check names has gone, for one.
    pub(crate) fn put(&self, port: u16, checks: &mut [Checked]) -> Result<(), Vec<Mistake>> {
        for (at, ready) in &self.0 {
            let built = ready.build(port)?;
            if let Some(place) = checks.get_mut(*at) {
                *place = built;
            }
        }
        Ok(())
    }
}

impl Ready {
    /// The key whose value has the port in it.
    fn with_port(&self) -> Option<&'static str> {
        let is_in =
            |key: &Key| texts(&self.judged.options, key).iter().any(|text| text.contains(PORT));
        self.judged
            .kind
            .keys()
            .iter()
            .find(|key| may_have_port(key) && is_in(key))
            .map(|key| key.name)
    }

    fn build(&self, port: u16) -> Result<Checked, Vec<Mistake>> {
        let Judged { spec, kind, options } = &self.judged;
        let put = |text: &String| text.replace(PORT, &port.to_string());
        let keys = kind.keys().iter().filter(|key| may_have_port(key));
        let options = keys.fold(options.clone(), |options, key| {
            let texts: Vec<_> = texts(&options, key).iter().map(put).collect();
            match (key.wants, texts.first()) {
                (_, None) => options,
                (Wants::Words, Some(_)) => options.with(key.name, Value::Words(texts)),
                (_, Some(text)) => options.with(key.name, Value::Text(text.clone())),
            }
        });
        let check = build_with(*kind, &options, &surroundings());
        let check =
            check.map_err(|flaws| flaws.iter().map(|flaw| self.wrong(flaw)).collect::<Vec<_>>())?;
        Ok(Checked::new(spec.clone(), check))
    }

    /// A flaw where its key stands; where the check does, if the key was not given.
    fn wrong(&self, flaw: &Flaw) -> Mistake {
        let Declared { name, origin, .. } = &self.declared;
        match self.declared.entry(flaw.key) {
            Some(entry) => Mistake::in_check(name, entry, None, &flaw.message),
            None => Mistake::of_check(name, origin, &flaw.to_string()),
        }
    }
}

/// A command's words and an address. A pattern or a query may mean the characters themselves.
fn may_have_port(key: &Key) -> bool {
    key.name == "url" || key.wants == Wants::Words
}

fn texts(options: &Options, key: &Key) -> Vec<String> {
    match key.wants {
        Wants::Text => options.text(key.name).map(str::to_owned).into_iter().collect(),
        Wants::Words => options.words(key.name).to_vec(),
        Wants::Number | Wants::Switch | Wants::Time => Vec::new(),
    }
}

/// The factors: what was given, else what follows from where we run.
pub(super) fn factors<A: clap::Args>(
    args: &ChecksArgs,
    environment: &Environment,
    given: &mut Settled<A>,
) -> Factors {
    let mut factors = Factors::derive(environment.name, environment.platform);
    if let Some(value) = args.timeout_multiplier {
        factors.multiplier = Sourced::new(value, said(given, "timeout_multiplier"));
    }
    if let Some(value) = args.timeout_margin {
        factors.margin = Sourced::new(value, said(given, "timeout_margin"));
    }
    if let Some(value) = args.timeout_floor {
        factors.floor = Sourced::new(value, said(given, "timeout_floor"));
    }
    if let Some(value) = args.validation_budget {
        factors.validation = Sourced::new(value, said(given, "validation_budget"));
    }
    let keys = ["timeout_floor", "validation_budget"];
    if factors.floor.value > factors.validation.value && given.is_sound(&keys) {
        let (floor, budget) = (factors.floor.to_string(), factors.validation.to_string());
        let message =
            format!("longer than the validation_budget of {budget}, of which it is a part");
        given.reject("timeout_floor", 0, &message);
        if args.timeout_floor.is_none() {
            let message =
                format!("shorter than the timeout_floor of {floor}, which is a part of it");
            given.reject("validation_budget", 0, &message);
        }
    }
    factors
}

/// `timeout_floor in vestibule.toml:3`
fn said<A>(given: &Settled<A>, key: &str) -> String {
    match given.given.get(key).map(|given| &given.origin) {
        Some(Origin::Flag) => flag_of(key),
        Some(Origin::Variable(name)) => name.clone(),
        Some(origin) => format!("{key} in {origin}"),
        None => key.to_owned(),
    }
}
