//! Races over the cold start of the real service.
//!
//! Owns the user of whom each client has the token: it signed up in an earlier life of the service.

use std::time::Duration;

use tokio::sync::Mutex;
use vestibule_race::report::Run;
use vestibule_race::{CloudRun, Door, Outcome, Scenario, Seen, Target};

use super::account::Http;
use super::door::vestibule;
use super::service::Setup;

/// From the start of the process to readiness. On a machine that is busy with something else, the start of a process
/// alone may take as long: whoever finds that nothing was to be seen takes the next.
pub(crate) const COLD_STARTS: [Duration; 3] =
    [Duration::from_millis(600), Duration::from_millis(1200), Duration::from_millis(2400)];
/// How many clients come, over twice the cold start.
pub(crate) const CLIENTS: usize = 60;

/// One race at a time: those of one machine are to measure the service and not each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A service with one user, whose clients race.
pub(crate) struct Racer {
    scratch: tempfile::TempDir,
    access: String,
}

impl Racer {
    /// Signs up in a first life of the service.
    pub(crate) async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let own = Self { scratch, access: String::new() };
        let mut service = own.setup(Duration::ZERO).bare().await;
        service.is_ready().await;
        let access = Http::of(&service.address).sign_up().await.access;
        assert_eq!(service.process.terminate().await, 0);
        Self { access, ..own }
    }

    /// The service with its user and this cold start.
    pub(crate) fn setup(&self, cold_start: Duration) -> Setup {
        let database = format!("sqlite:{}", self.scratch.path().join("racer.db").display());
        Setup::cold(&format!("services={}ms", cold_start.as_millis()))
            .with("DATABASE_URL", &database)
            .with("SOCKETS_MAX", "1000")
    }

    /// The service alone.
    pub(crate) fn bare(&self, setup: Setup) -> Target {
        Target::Bare(setup.launch())
    }

    /// The service behind the door, with these flags.
    pub(crate) fn behind_the_door(&self, setup: Setup, flags: &[&str]) -> Target {
        let front = [vestibule(), "run", "--admin", "off"].into_iter().chain(flags.iter().copied());
        let front = front.map(str::to_owned).collect();
        Target::Door(Door { front, command: setup.launch() })
    }

    /// Sixty clients over twice the cold start. Each wants the service's greeting: that is what failed in the incident.
    pub(crate) async fn race(
        &self,
        target: Target,
        cold_start: Duration,
        platform: Option<&str>,
    ) -> Outcome {
        let _alone = ALONE.lock().await;
        // What runs already is not asked when it is ready.
        let is_ours = !matches!(target, Target::Address(_));
        let scenario = Scenario {
            platform: platform.map(|probe| CloudRun::new(probe.parse().unwrap())),
            clients: CLIENTS,
            head_start: Duration::ZERO,
            spread: cold_start * 2,
            headers: vec![("Authorization".into(), format!("Bearer {}", self.access))],
            message: Some(r#"{"type":"ping"}"#.into()),
            require_reply: true,
            settle: Duration::from_millis(150),
            timeout: Duration::from_secs(20),
            ready_path: is_ours.then(|| "/health".into()),
            ..Scenario::new(target)
        };
        let outcome = vestibule_race::run(&scenario, |_| {}).await;
        outcome.unwrap_or_else(|error| panic!("{error}: {:#?}", error.last_lines()))
    }

    /// The service alone, with a cold start in which this could be seen.
    pub(crate) async fn alone(
        &self,
        change: impl Fn(Setup) -> Setup,
        platform: Option<&str>,
        is_seen: impl Fn(&Outcome) -> bool,
    ) -> (Outcome, Duration) {
        let mut last = None;
        for cold_start in COLD_STARTS {
            let target = self.bare(change(self.setup(cold_start)));
            let outcome = self.race(target, cold_start, platform).await;
            if is_seen(&outcome) {
                return (outcome, cold_start);
            }
            last = Some(Run::judged(&outcome).tally.seen);
        }
        panic!("not seen in any of {COLD_STARTS:?}: {last:?}");
    }
}

/// How many clients saw this.
pub(crate) fn count(outcome: &Outcome, seen: Seen) -> usize {
    Run::judged(outcome).tally.of(seen)
}

/// Fails unless every client was served: it had the greeting, which only a ready service sends.
pub(crate) fn all_are_served(outcome: &Outcome) {
    let tally = Run::judged(outcome).tally;
    assert_eq!((tally.ok, tally.lost), (CLIENTS, 0), "{:?}", tally.seen);
}
