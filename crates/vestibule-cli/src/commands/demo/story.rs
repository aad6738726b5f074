//! The demo's words: what is about to happen, what happened, what to do next.
//!
//! Owns the sentences, filled from what was counted. Must never say what the counts do not.

use std::fmt::Write as _;

use vestibule_race::report::{Run, Style};
use vestibule_race::{Outcome, Readiness, Role, Seen};

use super::INCIDENT;

/// Before the races.
pub(super) fn opening(style: Style) -> String {
    format!(
        "{}\n\
         A chat backend starts. Its port opens after 0.5 s; it works after 2.5 s.\n\
         Until then it accepts WebSockets and closes them with 1011. 200 clients\n\
         come over 4 s: first straight at it, then through `vestibule run`.\n\n",
        title("vestibule demo", style)
    )
}

/// After them.
pub(super) fn ending(bare: &Run<'_>, door: &Run<'_>, style: Style) -> String {
    let mut text = format!("\n{}\n", title("What happened", style));
    for line in happened(bare, door) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "\n{}", title("Next", style));
    text.push_str(
        "  vestibule run -- YOUR COMMAND             put the door before your service\n  \
           vestibule race --compare -- YOUR COMMAND  see this race with your service\n",
    );
    if bare.outcome.trace.is_none() {
        text.push_str("  vestibule demo --trace                    see the bytes of one client\n");
    }
    text
}

/// Over the bytes of one client.
pub(super) fn trace_title(outcome: &Outcome, style: Style) -> String {
    let whose = match outcome.role {
        Role::Bare => "bare",
        Role::Door => "through the door",
        Role::Address => "there",
    };
    format!("\n{}\n", title(&format!("The bytes of one client, {whose}"), style))
}

fn happened(bare: &Run<'_>, door: &Run<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let refused = bare.tally.of(Seen::Refused);
    if refused > 0 {
        lines.push(format!("Bare, {refused} clients found no open port."));
    }
    let closed = bare.tally.of(INCIDENT);
    match closed {
        0 => lines.push("Bare, nobody saw a 1011: this run does not show the race.".into()),
        closed => lines.push(format!(
            "Bare, {closed} clients were accepted, then closed with 1011: the port was\n  \
             open, the service was not ready. To their users it looked broken."
        )),
    }
    let early = door.outcome.ready.map_or(0, |ready| came_early(door.outcome, &ready));
    match (door.tally.lost, door.tally.lag_early) {
        (0, Some(lag)) => lines.push(format!(
            "The door listened at once. It held {early} handshakes until the service\n  \
             was ready and had handed over 99 % of them {} ms later.",
            (lag.p99_us.max(0) + 999) / 1000
        )),
        (0, None) => lines.push("Behind the door nobody was lost.".into()),
        (lost, _) => {
            lines.push(format!("Behind the door, {lost} clients were lost: please report it."));
        }
    }
    lines
}

fn came_early(outcome: &Outcome, ready: &Readiness) -> usize {
    outcome.clients.iter().filter(|client| client.came_early(ready)).count()
}

/// Bold where there is colour.
fn title(text: &str, style: Style) -> String {
    if style.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}
