//! Breaks the page: its picture, its width, its escape codes. The races are those of `sample`:
//! forty clients over 4 s, the port open at 0.5 s, readiness at 2.5 s.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    evidence::{Readiness, Source},
    platform::Probe,
    race::Outcome,
    report::sample::{bare, door, on_a_platform},
    seen::{Client, Seen},
    target::Exit,
};

const BLOCKS: Style = Style { colour: false, unicode: true };
const COLOURS: Style = Style { colour: true, unicode: true };

#[test]
fn a_comparison_shows_the_picture_at_a_glance() {
    let (bare, door) = (bare(), door());
    let page = compare(&[&Run::for_comparison(&bare), &Run::judged(&door)], BLOCKS);
    let expected = "
BARE   clients dial the app itself
       40 clients within 4 s at 127.0.0.1:20001

  refused        █████▄▄                                         5  13 %
  closed 1011         ▄▄████████████████████▄▄                  20  50 %
  ok                                        ▄▄███████████████   15  38 %
                 ├─────────┼──────────┼──────────┼──────────┼
                 0 s       1 s        2 s        3 s        4 s
                      ▲ port open 0.50 s    ▲ ready 2.50 s

DOOR   clients dial vestibule, in front of the same app
       40 clients within 4 s at 127.0.0.1:20001

  waiting        ▁▁▁▁▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▅▆▆▆▇▇▇█                    25  peak
  ok             ████████████████████████████████████████████   40 100 %
                 ├─────────┼──────────┼──────────┼──────────┼
                 0 s       1 s        2 s        3 s        4 s
                 ▲ port open 0.01 s         ▲ ready 2.50 s

                                               BARE           DOOR
  ok                                       15  38 %       40 100 %
  refused                                   5  13 %        0
  closed 1011                              20  50 %        0
  ────────────────────────────────────────────────────────────────
  lost                                     25  63 %        0
  lag behind readiness    p50                     -          17 ms
                          p99                     -          29 ms
                          max                     -          29 ms
  handshake once ready    p50                2.0 ms         3.0 ms
                          p99                2.0 ms         3.0 ms
                          max                2.0 ms         3.0 ms

  Bare, 25 of 40 clients were lost (63 %).
✔ Behind the door, all 40 clients were served.
";
    assert_eq!(page, expected[1..], "\n{page}");
}

#[test]
fn four_columns_fit_the_page_and_say_which_is_which() {
    let long = format!("/{}", "x".repeat(100));
    let outcomes = [
        on_a_platform(bare(), Probe::tcp()),
        on_a_platform(door_less(door()), Probe::http("/health")),
        on_a_platform(door(), Probe::tcp()),
        on_a_platform(door(), Probe::http(&long)),
    ];
    let runs: Vec<Run<'_>> = outcomes
        .iter()
        .map(|o| if o.role == Role::Door { Run::judged(o) } else { Run::for_comparison(o) })
        .collect();
    let page = compare(&runs.iter().collect::<Vec<_>>(), BLOCKS);
    let expected = "
                                  NONE HTTP PROBE  VESTIBULE       BOTH
  ok                          15  38 %   40 100 %   40 100 %   40 100 %
  refused                      5  13 %    0          0          0
  closed 1011                 20  50 %    0          0          0
  ─────────────────────────────────────────────────────────────────────
  lost                        25  63 %    0          0          0
  lag behind readiness p50           -      17 ms      17 ms      17 ms
                       p99           -      29 ms      29 ms      29 ms
                       max           -      29 ms      29 ms      29 ms
  handshake once ready p50      2.0 ms     3.0 ms     3.0 ms     3.0 ms
                       p99      2.0 ms     3.0 ms     3.0 ms     3.0 ms
                       max      2.0 ms     3.0 ms     3.0 ms     3.0 ms

  With neither, 25 of 40 clients were lost (63 %).
  With the HTTP probe, all 40 clients were served.
✔ With vestibule, all 40 clients were served.
✔ With both, all 40 clients were served.
";
    assert!(page.ends_with(&expected[1..]), "\n{page}");
    for part in [
        "NONE   clients dial the platform, in front of the app\n",
        "HTTP PROBE   clients dial the platform, in front of the app\n",
        "             startup probe: GET /health every 1 s\n",
        "▲ routed 0.51 s",
    ] {
        assert!(page.contains(part), "no {part:?} in\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= WIDTH), "{page}");
}

/// The same visits without a door.
fn door_less(outcome: Outcome) -> Outcome {
    Outcome { role: Role::Bare, ..outcome }
}

#[test]
fn one_race_reads_in_ascii_too() {
    let page = single(&Run::judged(&bare()), Style::PLAIN);
    let expected = "
BARE   clients dial the app itself
       40 clients within 4 s at 127.0.0.1:20001

  refused        #####::                                         5  13 %
  closed 1011         ::####################::                  20  50 %
  ok                                        ::###############   15  38 %
                 |---------|----------|----------|----------|
                 0 s       1 s        2 s        3 s        4 s
                      ^ port open 0.50 s    ^ ready 2.50 s

  handshake once ready    p50 2.0 ms   p99 2.0 ms   max 2.0 ms
  ready according to      the app's own stamp

FAIL Bare, 25 of 40 clients were lost (63 %).
";
    assert_eq!(page, expected[1..], "\n{page}");
    assert!(page.is_ascii());
}

#[test]
fn a_target_that_died_is_shown_with_its_last_words() {
    let mut outcome = bare();
    outcome.exit = Some((Exit::Signal(11), Duration::from_millis(700)));
    outcome.last_lines = vec!["Traceback: no database".into(), "x".repeat(500)];
    let page = single(&Run::judged(&outcome), Style::PLAIN);
    assert!(page.contains("note: the target ended by itself after 0.70 s: killed by signal 11\n"));
    assert!(page.contains("    | Traceback: no database\n"));
    assert!(page.lines().all(|line| line.len() <= WIDTH));
}

#[test]
fn nobody_is_no_failure_of_the_page() {
    let mut outcome = bare();
    outcome.clients.clear();
    outcome.last_arrival = Duration::ZERO;
    (outcome.port_open, outcome.ready) = (None, None);
    let page = single(&Run::judged(&outcome), Style::PLAIN);
    assert!(page.ends_with("PASS Bare, nobody came.\n"), "{page}");
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        Just(Seen::Ok),
        Just(Seen::Refused),
        Just(Seen::TimedOut),
        Just(Seen::ProtocolError),
        (400u16..600).prop_map(Seen::Status),
        (1000u16..5000).prop_map(Seen::Closed),
    ]
}

prop_compose! {
    fn client(spread_ms: u64)(
        arrived in 0..=spread_ms,
        wait in prop::option::of(0u64..40_000),
        seen in seen(),
    ) -> Client {
        let ms = Duration::from_millis;
        let at_101 = wait.map(|wait| ms(arrived + wait));
        Client {
            number: 0,
            arrived: ms(arrived),
            at_101,
            first_reply: None,
            ended: at_101.unwrap_or(ms(arrived)),
            seen,
        }
    }
}

prop_compose! {
    fn outcome()(spread_ms in 0u64..100_000)(
        clients in prop::collection::vec(client(spread_ms), 0..60),
        spread_ms in Just(spread_ms),
        port_open in prop::option::of(0u64..100_000),
        ready in prop::option::of(0u64..200_000),
    ) -> Outcome {
        let ms = Duration::from_millis;
        Outcome {
            clients,
            last_arrival: ms(spread_ms),
            port_open: port_open.map(ms),
            ready: ready.map(|at| Readiness { at: ms(at), source: Source::Probe }),
            ..bare()
        }
    }
}

/// The text without its escape codes.
fn stripped(page: &str) -> String {
    let mut parts = page.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

proptest! {
    // Breaks the drawing with any race: no panic, no line too long, no outcome without its row,
    // and colour that changes nothing but colour.
    #[test]
    fn any_race_fits_its_page(outcome in outcome()) {
        let run = Run::judged(&outcome);
        let page = single(&run, BLOCKS);
        for line in page.lines() {
            prop_assert!(line.chars().count() <= WIDTH && !line.ends_with(' '), "{}", line);
        }
        let chart = timeline::draw(&run, WIDTH, BLOCKS);
        for (seen, count) in &run.tally.seen {
            let row = chart.lines().find(|row| row.starts_with(&format!("  {} ", seen.label())));
            let row = row.unwrap();
            prop_assert!(row.contains(&format!(" {count} ")), "{}", row);
            prop_assert!(row.contains(|c| ('▁'..='█').contains(&c)), "{}", row);
        }
        prop_assert_eq!(stripped(&single(&run, COLOURS)), page);
        prop_assert!(single(&run, Style::PLAIN).is_ascii());
    }
}
