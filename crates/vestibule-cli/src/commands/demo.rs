//! `vestibule demo`: the cold-start race and its cure, with nothing but this program.
//!
//! Owns the story: one slow backend, raced bare and behind the door with the same binary, flags
//! and arrivals; only the dialled port differs. Must never show a picture of anything but a race
//! that was run.

pub(crate) mod backend;
mod story;

use std::time::Duration;

use vestibule_race::report::{Run, text, trace};
use vestibule_race::{Door, Launch, Outcome, Scenario, Seen, Target};

use super::race::front;
use super::race::screen::{Screen, ScreenArgs};
use super::race::session::Session;
use crate::error::Error;
use crate::exit::Exit;
use crate::stdout::Reader;

/// What a user saw in the incident that Vestibule answers.
const INCIDENT: Seen = Seen::Closed(1011);
/// The traced client comes while the backend accepts and is not ready.
const TRACED_ARRIVAL: Duration = Duration::from_millis(1200);

/// See the race, and see it gone: no arguments, no other software.
///
/// A slow backend opens its port after half a second and is ready two seconds later. 200 clients
/// come over its cold start, first straight at it, then through the door.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Also show the raw bytes of one client's connection, bare and through the door
    #[arg(long)]
    trace: bool,

    #[command(flatten)]
    screen: ScreenArgs,
}

/// Runs both races and tells what happened.
#[expect(clippy::needless_pass_by_value, reason = "every command takes its arguments whole")]
pub(crate) fn demo(args: DemoArgs) -> Result<Exit, Error> {
    let screen = Screen::detect(&args.screen);
    let session = Session::open(&screen)?;
    let own = front(Some("/health"), Vec::new())?;
    let backend = || Launch {
        argv: [&own[0], "demo-backend", "--port", "{port}"].map(str::to_owned).to_vec(),
        env: Vec::new(),
    };

    // Each page is shown as soon as it can be; a reader that left needs no more races.
    if session.show(story::opening(screen.style))? == Reader::Left {
        return Ok(Exit::Ok);
    }
    let bare = session.run(&scenario(Target::Bare(backend()), args.trace))?;
    let bare = Run::for_comparison(&bare);
    if session.show(text::picture(&bare, screen.style))? == Reader::Left {
        return Ok(Exit::Ok);
    }
    let door = Target::Door(Door { front: own.clone(), command: backend() });
    let door = session.run(&scenario(door, args.trace))?;
    let door = Run::judged(&door);
    session.show(
        [
            text::picture(&door, screen.style),
            text::comparison(&[&bare, &door], screen.style),
            traces([bare.outcome, door.outcome], &screen),
            story::ending(&bare, &door, screen.style),
        ]
        .concat(),
    )?;
    Ok(if told_as_promised(&bare, &door) { Exit::Ok } else { Exit::ClientLost })
}

/// The door lost nobody, and the bare backend did what the demo is about.
fn told_as_promised(bare: &Run<'_>, door: &Run<'_>) -> bool {
    door.tally.lost == 0 && bare.tally.of(INCIDENT) > 0
}

fn scenario(target: Target, traced: bool) -> Scenario {
    let scenario = Scenario::new(target);
    let trace = traced.then(|| scenario.arrivals().partition_point(|&at| at < TRACED_ARRIVAL));
    Scenario { trace, ..scenario }
}

/// The same client's bytes in both races.
fn traces(outcomes: [&Outcome; 2], screen: &Screen) -> String {
    let mut page = String::new();
    for outcome in outcomes {
        let Some(recorded) = &outcome.trace else { continue };
        page.push_str(&story::trace_title(outcome, screen.style));
        page.push_str(&trace::lines(recorded, screen.style));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_traced_client_is_the_same_in_both_races() {
        let scenario = scenario(Target::Bare(Launch::default()), true);
        let at = scenario.arrivals()[scenario.trace.unwrap()];
        assert!((1200..1260).contains(&at.as_millis()), "{at:?}");
    }
}
