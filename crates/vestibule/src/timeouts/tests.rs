//! Breaks the numbers: each row of the design's tables, every pair of environment and platform, and clocks
//! that are too short, too long, or missing.

use proptest::prelude::*;

use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn startup_lame_duck_and_request_timeout_follow_the_platform() {
    let table = [
        (Platform::CloudRun, 240, 0, Some(s(300))),
        (Platform::CloudRunJob, 240, 0, None),
        (Platform::AppEngine, 240, 0, None),
        (Platform::Knative, 240, 0, None),
        (Platform::Kubernetes, 240, 5, None),
        (Platform::GoogleCloud, 60, 0, None),
        (Platform::LocalHost, 60, 0, None),
    ];
    for (platform, startup, lame_duck, request_timeout) in table {
        for name in Name::ALL {
            let budgets = Budgets::derive(name, platform);
            assert_eq!(budgets.startup.value, s(startup), "{platform}");
            assert_eq!(budgets.lame_duck.value, s(lame_duck), "{platform}");
            assert_eq!(budgets.request_timeout.value, request_timeout, "{platform}");
            assert_eq!((budgets.drain.value, budgets.child_grace.value), (s(8), s(2)));
        }
    }
}

#[test]
fn hold_follows_the_name_but_a_managed_platform_keeps_its_patience() {
    let hold = |name, platform| Budgets::derive(name, platform).hold.value;
    for platform in Platform::ALL {
        assert_eq!(hold(Name::Production, platform), s(60));
        assert_eq!(hold(Name::Staging, platform), s(60));
        for name in [Name::Development, Name::Test, Name::Local] {
            let expected = if platform.is_managed() { 60 } else { 10 };
            assert_eq!(hold(name, platform), s(expected), "{name} on {platform}");
        }
    }
}

#[test]
fn every_budget_says_where_it_comes_from() {
    for name in Name::ALL {
        for platform in Platform::ALL {
            let b = Budgets::derive(name, platform);
            let durations = [&b.startup, &b.hold, &b.drain, &b.child_grace, &b.lame_duck];
            assert!(durations.iter().all(|budget| budget.source.len() > 10));
            assert!(!b.request_timeout.source.is_empty());
        }
    }
    let hold = Budgets::derive(Name::Production, Platform::LocalHost).hold;
    assert_eq!(hold.to_string(), "60s (default in production)");
}

#[test]
fn a_hold_ends_at_the_least_of_its_bounds() {
    let now = Instant::now();
    let table = [
        (s(60), None, None, s(60)),
        (s(60), Some(s(300)), None, s(60)),
        (s(60), Some(s(40)), None, s(40)),
        (s(60), None, Some(s(20)), s(19)),
        (s(60), Some(s(10)), Some(s(20)), s(10)),
        (s(10), Some(s(30)), Some(s(240)), s(10)),
        (s(60), None, Some(Duration::from_millis(300)), s(0)),
        (s(60), Some(s(0)), None, s(0)),
    ];
    for (hold, left, clock, expected) in table {
        assert_eq!(hold_deadline(now, hold, left, clock), now + expected);
    }
}

#[test]
fn factors_are_those_of_the_table_on_every_platform() {
    use Name::{Development, Local, Production, Staging, Test};
    // Multiplier, margin, validation budget in seconds; and the multiplier on Cloud Run.
    let table = [
        (Production, 1.0, 1.2, 8, 1.5),
        (Staging, 0.7, 1.1, 5, 1.05),
        (Development, 0.3, 1.0, 3, 1.5),
        (Test, 0.3, 1.0, 2, 1.5),
        (Local, 0.3, 1.0, 2, 1.5),
    ];
    for (name, multiplier, margin, budget, on_cloud_run) in table {
        for platform in Platform::ALL {
            let factors = Factors::derive(name, platform);
            // A managed platform keeps production's patience for an impatient name.
            let keeps = platform.is_managed() && !name.is_patient();
            let (margin, budget) = if keeps { (1.2, 8) } else { (margin, budget) };
            let (multiplier, floor_ms) = match platform {
                Platform::CloudRun | Platform::CloudRunJob => (on_cloud_run, 500),
                _ if keeps => (1.0, 0),
                _ => (multiplier, 0),
            };
            let place = format!("{name} on {platform}");
            assert!((factors.multiplier.value - multiplier).abs() < 1e-9, "{place}");
            assert!((factors.margin.value - margin).abs() < 1e-9, "{place}");
            assert_eq!(factors.validation.value, s(budget), "{place}");
            assert_eq!(factors.floor.value, Duration::from_millis(floor_ms), "{place}");
        }
    }
}

/// Would break if a laptop's test waited longer for its checks than somebody looks at a screen.
#[test]
fn local_and_test_have_two_seconds_in_all() {
    for name in [Name::Local, Name::Test] {
        let factors = Factors::derive(name, Platform::LocalHost);
        let budget = factors.validation.value;
        assert_eq!(budget, s(2));
        assert_eq!(factors.check_timeout(s(3), budget).value, Duration::from_millis(900));
        assert_eq!(factors.check_timeout(s(60), budget).value, s(2));
    }
}

#[test]
fn every_factor_says_where_it_comes_from() {
    let told = |name, platform| {
        let Factors { multiplier, margin, validation, floor } = Factors::derive(name, platform);
        [multiplier.to_string(), margin.to_string(), validation.to_string(), floor.to_string()]
    };
    assert_eq!(
        told(Name::Staging, Platform::CloudRun),
        [
            "1.05 (0.7 in staging × 1.5 on cloud_run)",
            "1.1 (in staging)",
            "5s (in staging)",
            "500ms (on cloud_run)",
        ]
    );
    assert_eq!(
        told(Name::Development, Platform::CloudRun)[0],
        "1.5 (1 in production, whose patience cloud_run keeps × 1.5 on cloud_run)"
    );
    assert_eq!(told(Name::Local, Platform::LocalHost)[3], "0ns (none in local on local)");
}

#[test]
fn a_check_has_its_stretched_base_between_floor_and_what_is_left() {
    let ms = Duration::from_millis;
    let host = Factors::derive(Name::Production, Platform::LocalHost);
    assert_eq!(host.check_timeout(s(1), s(8)).value, ms(1_200));
    assert_eq!(host.check_timeout(s(10), s(8)).value, s(8));
    let cloud = Factors::derive(Name::Production, Platform::CloudRun);
    let timeout = cloud.check_timeout(ms(100), s(8));
    assert_eq!(timeout.value, ms(500));
    assert_eq!(
        timeout.source,
        "100ms × 1.5 (1 in production × 1.5 on cloud_run) × 1.2 (in production), \
         at least 500ms (on cloud_run), at most 8s"
    );
    assert_eq!(cloud.check_timeout(ms(100), ms(80)).value, ms(80));
    // A setting replaces one number, and the formula says which.
    let set = Factors { multiplier: Sourced::new(2.0, "timeout_multiplier in a.toml:3"), ..cloud };
    let timeout = set.check_timeout(s(2), s(8));
    assert_eq!(timeout.value, ms(4_800));
    assert!(timeout.source.starts_with("2s × 2 (timeout_multiplier in a.toml:3) × 1.2"));
}

proptest! {
    #[test]
    fn no_budget_overflows_and_none_is_exceeded(
        hold: Duration, left: Option<Duration>, clock: Option<Duration>, base: Duration, rest: Duration,
    ) {
        let now = Instant::now();
        let deadline = hold_deadline(now, hold, left, clock);
        prop_assert!(deadline >= now);
        prop_assert!(deadline - now <= left.unwrap_or(hold).min(hold));
        for name in Name::ALL {
            let factors = Factors::derive(name, Platform::CloudRun);
            prop_assert!(factors.check_timeout(base, rest).value <= rest);
        }
    }
}
