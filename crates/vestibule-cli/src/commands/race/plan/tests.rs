//! Breaks the arguments of `race`: contradictions, what is compared with what, and whose flags win.

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
    let [only] = <[Planned; 1]>::try_from(plan(args).unwrap().races).unwrap();
    only.scenario
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
        "--probe tcp -- app",
        "--platform cloud-run --url ws://h/",
        "--platform cloud-run --probe http:/h,period=500ms -- app",
        "--platform cloud-run --concurrency 1001 -- app",
    ] {
        assert!(typed(wrong).is_err(), "{wrong}");
    }
    assert!(typed("-- app --port {port}").is_ok());
}

#[test]
fn a_comparison_races_bare_first_and_judges_the_door() {
    let args = typed("--compare --ready-path /health --door --settle=0 -- app {port}").unwrap();
    let [bare, door] = <[Planned; 2]>::try_from(plan(&args).unwrap().races).unwrap();
    assert!(!bare.judged && door.judged);
    let Target::Bare(launch) = &bare.scenario.target else { panic!("bare first") };
    assert_eq!(launch.argv, ["app", "{port}"]);
    let Target::Door(door) = &door.scenario.target else { panic!("then the door") };
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

// A comparison that leaves out the platform's own best probe, or judges a rival, is not fair.
#[test]
fn a_platform_compares_the_app_and_the_door_each_with_both_probes() {
    let line = "--platform cloud-run --compare --ready-path /health --concurrency 500 -- app";
    let races = plan(&typed(line).unwrap()).unwrap().races;
    let told = |planned: &Planned| {
        let service = planned.scenario.platform.clone().unwrap();
        assert_eq!(service.concurrency, 500);
        let door = match &planned.scenario.target {
            Target::Door(door) => door.front[1..].join(" "),
            _ => "app".into(),
        };
        (planned.judged, service.probe.to_string(), door)
    };
    let row = |judged, probe: &str, door: &str| (judged, probe.to_owned(), door.to_owned());
    assert_eq!(
        races.iter().map(told).collect::<Vec<_>>(),
        [
            row(false, "the default TCP probe", "app"),
            row(false, "GET /health every 1 s", "app"),
            row(true, "the default TCP probe", "run --ready-path /health --hold 60s"),
            row(
                true,
                "GET /vestibule-ready every 1 s",
                "run --ready-path /health --hold 60s --public-health /vestibule-ready"
            ),
        ]
    );
    let missing = plan(&typed("--platform cloud-run --compare -- app").unwrap()).unwrap_err();
    assert!(format!("{missing:?}").contains("--ready-path"), "{missing:?}");
}

#[test]
fn the_users_own_health_path_is_the_one_that_is_probed() {
    let mut args =
        typed("--platform cloud-run --compare --probe http:/up,period=5s -- app").unwrap();
    args.door = "--public-health=/mine".into();
    let races = plan(&args).unwrap().races;
    let probes = races.iter().map(|planned| planned.scenario.platform.clone().unwrap().probe);
    let shown: Vec<_> = probes.map(|probe| probe.to_string()).collect();
    assert_eq!(shown[1], "GET /up every 5 s");
    assert_eq!(shown[3], "GET /mine every 5 s");
}
