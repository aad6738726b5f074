//! Breaks the registry of tools: two with one name, in every order, from many threads, start after start.
//!
//! A service whose start is tried again must neither keep the tools of the start before nor stumble over them, and
//! whichever of two tools comes first, the other one is told so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage is that of other plays, too"
)]

#[path = "stage/stage.rs"]
mod stage;

use std::sync::{Arc, Barrier};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use golden_path::agent::registry::{NAME_MAX, RegisterError, Registry};
use golden_path::agent::{Caller, Tool, ToolSpec, tools};
use serde_json::{Value, json};

struct Named {
    name: String,
    says: String,
}

impl Tool for Named {
    fn spec(&self) -> ToolSpec {
        let (name, description) = (self.name.clone(), self.says.clone());
        ToolSpec { name, description, input: json!({ "type": "object" }) }
    }

    fn call(&self, _: Caller, _: Value) -> BoxFuture<'_, Result<Value, String>> {
        async { Ok(Value::Null) }.boxed()
    }
}

fn named(name: &str, says: &str) -> Arc<dyn Tool> {
    Arc::new(Named { name: name.into(), says: says.into() })
}

fn names(registry: &Registry) -> Vec<String> {
    registry.specs().into_iter().map(|spec| spec.name).collect()
}

/// Breaks if a second tool replaces the first, or the error leaves out which two they are.
#[test]
fn toolregistry_refuses_a_second_tool_of_a_name_and_names_both() {
    let builder = Registry::builder();
    builder.register(named("clock", "Tells the time.")).expect("the name is free");
    let error = builder.register(named("clock", "Tells the hour.")).expect_err("the name is taken");
    let (name, first, second) =
        ("clock".into(), "Tells the time.".into(), "Tells the hour.".into());
    assert_eq!(error, RegisterError::Duplicate { name, first, second });
    let said = error.to_string();
    for part in ["\"clock\"", "Tells the time.", "Tells the hour.", "rename one"] {
        assert!(said.contains(part), "{said}");
    }
    let registry = builder.freeze();
    assert_eq!(registry.specs().len(), 1);
    assert_eq!(registry.specs()[0].description, "Tells the time.");
    assert_eq!(registry.get("clock").expect("it is there").spec().description, "Tells the time.");
    assert!(registry.get("clock2").is_none());
}

/// Breaks if one tool object may be there twice.
#[test]
fn toolregistry_refuses_the_same_tool_again() {
    let tool = named("clock", "Tells the time.");
    let builder = Registry::builder();
    builder.register(Arc::clone(&tool)).expect("the name is free");
    builder.register(tool).expect_err("it is there already");
    assert_eq!(builder.freeze().specs().len(), 1);
}

/// Breaks if a name passes that models refuse, or a good one does not.
#[test]
fn toolregistry_takes_only_names_that_models_accept() {
    let longest = "x".repeat(NAME_MAX);
    let too_long = "x".repeat(NAME_MAX + 1);
    let builder = Registry::builder();
    for good in ["a", "0", "_", "my_threads2", &longest] {
        builder.register(named(good, "")).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in ["", " ", "Clock", "my-tool", "tool.name", "é", "a b", "a\n", "a\0", &too_long] {
        let error = builder.register(named(bad, "")).expect_err(bad);
        assert_eq!(error, RegisterError::Name { name: bad.into() });
        assert!(!error.to_string().contains(['\n', '\0']), "{error}");
    }
    assert_eq!(builder.freeze().specs().len(), 5);
}

/// Breaks if the order of registration decides more than which of two equals wins.
#[test]
fn toolregistry_is_the_same_set_in_every_order() {
    // The second and the last want one name.
    let tools = [("b", "1"), ("a", "2"), ("c", "3"), ("a", "4")];
    let mut orders = 0;
    for order in permutations(tools.len()) {
        let builder = Registry::builder();
        let mut lost = Vec::new();
        for &at in &order {
            if let Err(error) = builder.register(named(tools[at].0, tools[at].1)) {
                lost.push((at, error));
            }
        }
        let registry = builder.freeze();
        assert_eq!(names(&registry), ["a", "b", "c"], "{order:?}");
        let place = |tool: usize| order.iter().position(|at| *at == tool);
        let (winner, loser) = if place(1) < place(3) { (1, 3) } else { (3, 1) };
        assert_eq!(registry.specs()[0].description, tools[winner].1, "{order:?}");
        let duplicate = RegisterError::Duplicate {
            name: "a".into(),
            first: tools[winner].1.into(),
            second: tools[loser].1.into(),
        };
        assert_eq!(lost, [(loser, duplicate)], "{order:?}");
        orders += 1;
    }
    assert_eq!(orders, 24);
}

/// Every order of the numbers below `count`.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for next in 0..count {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, next);
                longer
            })
        });
        orders = longer.collect();
    }
    orders
}

/// Breaks if two of sixteen threads both win a name, or none does, or a loser is told of another than the winner.
#[test]
fn toolregistry_gives_a_name_to_one_of_sixteen_threads() {
    const THREADS: usize = 16;
    for round in 0..50 {
        let builder = Registry::builder();
        let start = Barrier::new(THREADS);
        let results: Vec<(usize, Result<(), RegisterError>)> = std::thread::scope(|scope| {
            let registering = (0..THREADS).map(|thread| {
                let (builder, start) = (&builder, &start);
                scope.spawn(move || {
                    let own = format!("own_{thread}");
                    start.wait();
                    let shared = builder.register(named("shared", &thread.to_string()));
                    builder.register(named(&own, "")).expect("nobody else wants this name");
                    (thread, shared)
                })
            });
            let registering: Vec<_> = registering.collect();
            registering.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        let winners: Vec<usize> =
            results.iter().filter(|(_, won)| won.is_ok()).map(|(thread, _)| *thread).collect();
        let [winner] = winners[..] else { panic!("round {round}: {winners:?} won") };
        for (thread, result) in results.iter().filter(|(thread, _)| *thread != winner) {
            let duplicate = RegisterError::Duplicate {
                name: "shared".into(),
                first: winner.to_string(),
                second: thread.to_string(),
            };
            assert_eq!(result, &Err(duplicate), "round {round}");
        }
        let registry = builder.freeze();
        assert_eq!(registry.specs().len(), THREADS + 1);
        let shared = registry.get("shared").expect("somebody won").spec();
        assert_eq!(shared.description, winner.to_string());
    }
}

/// Breaks if anything of a start is left for the next: a name that is taken, or a tool more.
#[test]
fn toolregistry_is_new_at_each_of_a_thousand_starts() {
    let first = tools::registry().expect("no two tools of ours have one name");
    assert_eq!(names(&first), ["my_threads", "search_my_messages", "service_state"]);
    let mut kept = Vec::new();
    for start in 0..1000 {
        if start % 3 == 0 {
            // A start that fails in the middle of its registrations.
            let broken = Registry::builder();
            broken.register(tools::all().remove(0)).expect("its names are free");
            broken.register(tools::all().remove(0)).expect_err("it is there already");
            drop(broken);
        }
        let registry = tools::registry().unwrap_or_else(|error| panic!("start {start}: {error}"));
        assert_eq!(registry.specs(), first.specs(), "start {start}");
        // The old ones live on beside the new.
        kept.push(registry);
    }
    assert!(kept.iter().all(|registry| registry.specs().len() == 3));
}

/// Breaks if starts that run at the same time meet each other's tools.
#[test]
fn toolregistry_of_one_start_knows_nothing_of_another_at_the_same_time() {
    let start = Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..20 {
                    assert_eq!(tools::registry().expect("names are free").specs().len(), 3);
                }
            });
        }
    });
}

/// Breaks if a tool that panics while it is asked its name takes the registry with it.
#[test]
fn toolregistry_outlives_a_tool_that_panics() {
    struct Broken;
    impl Tool for Broken {
        fn spec(&self) -> ToolSpec {
            panic!("it can't tell its name");
        }
        fn call(&self, _: Caller, _: Value) -> BoxFuture<'_, Result<Value, String>> {
            async { Ok(Value::Null) }.boxed()
        }
    }
    let builder = Registry::builder();
    let broken = std::thread::scope(|scope| {
        scope.spawn(|| builder.register(Arc::new(Broken))).join().map(drop)
    });
    assert!(broken.is_err());
    builder.register(named("clock", "")).expect("the name is free");
    assert_eq!(names(&builder.freeze()), ["clock"]);
}

/// Breaks if the real service, start after start on one database and over a cold start each time, trips over its own
/// tools, loses one, or has one twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn toolregistry_is_whole_after_each_start_of_the_real_service() {
    stage::watched("three starts", async {
        let scratch = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", scratch.path().join("kept.db").display());
        for start in 1..=3 {
            let setup = stage::service::Setup::cold("services=600ms");
            let mut service = setup.with("DATABASE_URL", &database).behind_the_door().await;
            let account = stage::account::Http::of(&service.address).sign_up().await;
            let thread = account.thread("tools").await;
            let mut talk = stage::talk::open(&account, None, &[]).await.unwrap();
            for (question, tool) in [
                ("Is the service ready?", "service_state"),
                ("Which threads do I have?", "my_threads"),
                ("What have I said about tea?", "search_my_messages"),
            ] {
                talk.say(&thread, question).await;
                let events = talk.until_completed(1).await.unwrap();
                let called = events.iter().filter(|event| event["type"] == "tool_completed");
                let called: Vec<_> =
                    called.map(|event| (event["tool"].as_str().unwrap(), &event["ok"])).collect();
                assert_eq!(called, [(tool, &json!(true))], "start {start}");
            }
            drop(talk);
            assert_eq!(service.process.terminate().await, 0);
            let log = service.process.log().join("\n");
            assert!(!log.contains("is taken"), "start {start}: {log}");
        }
    })
    .await;
}
