//! What waited without end in the incident, and what stops it here: loops on a dead dependency, and on a phase.
//!
//! Breaks a dependency for good and for a while, counts at its own port who asks it, and reads the log. Each play
//! shows first what a loop without a breaker does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "e2e/client.rs"]
mod client;
#[path = "incident/dependency.rs"]
mod dependency;
#[path = "e2e/door.rs"]
mod door;
#[path = "incident/listening.rs"]
mod listening;
#[path = "incident/premature.rs"]
mod premature;
#[path = "e2e/stage.rs"]
mod stage;
#[path = "incident/watchdog.rs"]
mod watchdog;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use dependency::{Dependency, ask};
use door::Door;
use listening::Listening;
use stage::Stage;
use tokio::time::{Instant, sleep, timeout};
use vestibule::breaker::{FAILURES_MAX, OPEN};
use vestibule::check::{ATTEMPTS_MAX, Check, CheckFuture, Checked, Reason, Saw, Spec, Trouble};
use vestibule::environment::{Name, Platform};
use vestibule::startup::{self, NotReached, Phase, Phases};
use vestibule::timeouts::Factors;
use vestibule::validation::{Mode, Opinion, Validation};
use watchdog::watched;

/// How long a loop may go on in these plays.
const WHILE: Duration = Duration::from_secs(2);

struct Asks(SocketAddr);

impl Check for Asks {
    fn try_once<'a>(
        &'a self,
        _: &'a vestibule::check::Stage,
    ) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async {
            match ask(self.0).await {
                Ok(true) => Ok(Saw::new("well")),
                Ok(false) => Err(Trouble::new(Reason::ShuttingDown, "503")),
                Err(error) => Err(Trouble::new(Reason::Refused, error.to_string())),
            }
        })
    }
}

fn validation(dependency: &Dependency, attempts: u32) -> Validation {
    let spec = Spec::new("database").within(Duration::from_secs(1), attempts);
    let checked = Checked::new(spec, Arc::new(Asks(dependency.address)));
    Validation::new(vec![checked], Factors::derive(Name::Production, Platform::CloudRun))
}

/// How often a dead dependency is asked by this while it goes on.
async fn asked_by(dependency: &Dependency, act: impl Future<Output = ()>) -> usize {
    dependency.gets(false);
    let _ = timeout(WHILE, act).await;
    dependency.asked()
}

#[tokio::test]
async fn a_dead_dependency_is_hammered_by_a_loop_and_left_alone_by_a_breaker() {
    watched("asked a bounded number of times", async {
        let log = Listening::begin();
        let dependency = Dependency::start(false).await;
        // Without: the loop that waits until it is there.
        let naive = asked_by(&dependency, async {
            while !ask(dependency.address).await.unwrap_or(false) {
                tokio::task::yield_now().await;
            }
        });
        let naive = naive.await;
        // With: passes without end, each of whose tries asks the breaker first.
        let validation = validation(&dependency, 5);
        let kept = asked_by(&dependency, validation.keep()).await;
        let openings = WHILE.as_millis() / OPEN.floor.as_millis();
        let bound = FAILURES_MAX as usize + usize::try_from(openings).unwrap() + 1;
        assert!(kept <= bound, "asked {kept} times, at most {bound}");
        assert!(kept >= FAILURES_MAX as usize, "the breaker never opened: asked {kept} times");
        assert!(naive > 5 * kept, "{naive} by the loop, {kept} behind the breaker");
        // Each trip is told, with how long and why.
        let trips = validation.board().standings()[0].breaker.trips();
        let told = log.with("breaker opened");
        assert!(trips > 0 && told.len() as u64 == trips, "{trips} trips, told: {told:#?}");
        for words in ["check=database", "reason=", "failures=", "open_ms=", "advice="] {
            assert!(told[0].contains(words), "no {words} in {}", told[0]);
        }
    })
    .await;
}

#[tokio::test]
async fn one_pass_asks_no_more_often_than_its_attempts() {
    watched("a pass ends", async {
        let dependency = Dependency::start(false).await;
        for wanted in [1, 3, 10_000] {
            dependency.gets(false);
            let validation = validation(&dependency, wanted);
            let began = Instant::now();
            assert_eq!(validation.pass(Mode::Gate).await, Opinion::Waiting { passed: None });
            // Whatever was wanted; and its open breaker may bar the last of them.
            let (asked, most) = (dependency.asked(), wanted.min(ATTEMPTS_MAX) as usize);
            assert!((most.min(FAILURES_MAX as usize)..=most).contains(&asked), "{asked} of {most}");
            assert!(began.elapsed() < Duration::from_secs(9), "longer than its budget");
        }
    })
    .await;
}

/// A door whose dependency gates always.
async fn gated_always(stage: &Stage, dependency: &Dependency, upstream: SocketAddr) -> Door {
    let file = stage.path("vestibule.toml");
    let text = format!(
        "[[check]]\nname = \"db\"\nurl = \"http://{}/\"\ngate = \"always\"\nattempts = 3\n\
         interval = \"400ms\"\nmax_age = \"300ms\"\ntimeout = \"2s\"\nfall = 2\nrise = 1\n",
        dependency.address
    );
    std::fs::write(&file, text).unwrap();
    stage.serve(&["--config", &file, "--upstream", &upstream.to_string()]).await
}

#[tokio::test]
async fn newcomers_are_refused_at_once_while_the_breaker_is_open_and_one_probe_recovers() {
    let stage = Stage::new();
    let upstream = premature::free_address();
    let play = async {
        let dependency = Dependency::start(true).await;
        let door = gated_always(&stage, &dependency, upstream).await;
        door.client().await.is_served().await;
        dependency.gets(false);
        let trip = door.logs("breaker opened").await;
        door.logs("a breaker is open: refusing").await;
        assert!(trip.contains("db"), "{trip}");
        // Fail fast: an answer at once, with when to come again.
        let began = Instant::now();
        door.client().await.answer().await.is_refusal("breaker_open");
        assert!(began.elapsed() < Duration::from_secs(2), "held for {:?}", began.elapsed());
        // A crowd of newcomers does not become a crowd of questions.
        dependency.gets(false);
        for _ in 0..40 {
            assert_eq!(door.client().await.answer().await.status, 503);
        }
        sleep(Duration::from_millis(500)).await;
        let asked = dependency.asked();
        assert!(asked < 20, "asked {asked} times for 40 refusals");
        // One probe is enough, and there is one at a time.
        dependency.gets(true);
        door.logs("checks that gate are well again").await;
        assert!((1..=2).contains(&dependency.asked()), "{} probes", dependency.asked());
        assert_eq!(dependency.at_once_most(), 1);
        door.client().await.is_served().await;
        let trips = door.log().iter().filter(|line| line.contains("breaker opened")).count();
        assert!(trips >= 1, "told for each trip");
    };
    tokio::select! {
        () = watched("refused at once, recovered by one probe", play) => {}
        () = premature::serve(upstream, premature::Unready::Closes, Instant::now()) => {}
    }
}

// Without a door the same dead dependency is nobody's business: the client gets its socket, and a failure on it.
#[tokio::test]
async fn without_a_gate_the_newcomer_of_a_dead_dependency_is_accepted_and_closed() {
    let upstream = premature::free_address();
    let never = Instant::now() + Duration::from_secs(3600);
    let play = async {
        let address = upstream.to_string();
        while Client::connect(&address).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
        let mut client = Client::handshake(&address).await;
        assert_eq!(client.answer().await.status, 101);
        assert_eq!(client.close().await, 1011);
    };
    tokio::select! {
        () = watched("accepted, then 1011", play) => {}
        () = premature::serve(upstream, premature::Unready::Closes, never) => {}
    }
}

#[tokio::test]
async fn a_wait_for_a_phase_that_never_comes_is_bounded_and_says_so() {
    watched("the wait's own breaker", async {
        let log = Listening::begin();
        let (publisher, mut watch) = startup::channel("start of chat", Phases::default());
        // Somebody begins the start again and again: the incident's loop, seen from the waiter.
        let wild = async || loop {
            publisher.enter(Phase::DATABASE).unwrap();
            publisher.restart();
            tokio::task::yield_now().await;
        };
        // Without: a loop that looks at the phase until it has come would still look after any number of looks.
        let naive = async {
            let mut looks = 0_u32;
            while watch.timeline().has_reached(Phase::COMPLETE) != Some(true) && looks < 100_000 {
                looks += 1;
                tokio::task::yield_now().await;
            }
            looks
        };
        let looks = tokio::select! {
            looks = naive => looks,
            () = wild() => 0,
        };
        assert_eq!(looks, 100_000, "it ended by our count and by nothing of its own");
        // With: the wait wakes a bounded number of times, long before its deadline.
        let deadline = Instant::now() + Duration::from_secs(3600);
        let ended = tokio::select! {
            ended = watch.wait_for(Phase::COMPLETE, deadline) => ended,
            () = wild() => Ok(()),
        };
        let wake_ups = startup::WAKE_UPS_MAX;
        assert!(
            matches!(&ended, Err(NotReached::Wild { wake_ups: woke, .. }) if *woke == wake_ups),
            "{ended:?}"
        );
        let told = log.with("gave up a wait for a startup phase");
        assert_eq!(told.len(), 1, "{told:?}");
        for words in ["phase=", &format!("wake_ups={wake_ups}"), "elapsed_ms="] {
            assert!(told[0].contains(words), "no {words} in {}", told[0]);
        }
    })
    .await;
}
