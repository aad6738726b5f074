//! What a reader must know to trust a race's numbers, and what to change where they say little.
//!
//! Owns these remarks. Must never judge: a note does not fail a race.

use std::{fmt, time::Duration};

use super::{Run, units::seconds};
use crate::{evidence::Source, race::Role, seen::Seen, target::Exit};

/// A remark on a race.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The target ended before it was told to.
    TargetEnded {
        /// How.
        exit: Exit,
        /// When.
        after: Duration,
    },
    /// The app became ready after the last client had come.
    ReadyAfterSpread {
        /// When it was ready.
        ready: Duration,
    },
    /// Nothing told when the app was ready.
    ReadinessUnseen,
    /// Readiness is only what the first client saw.
    ReadinessGuessed,
    /// Every client came after readiness: this was no cold start.
    NoColdStart,
    /// Some clients never left this machine.
    Unreachable {
        /// How many.
        clients: usize,
    },
    /// Nobody was ok, and the app refuses handshakes by itself: not the cold start was seen.
    NoWebSocketThere {
        /// The app's answer, from 400 to 499.
        status: u16,
    },
    /// Behind the door, some clients lost a connection that the app gave up.
    GivenUp {
        /// How many.
        clients: usize,
    },
    /// The platform's probe failed for good.
    ProbeGaveUp {
        /// After how many attempts.
        failures: u32,
    },
    /// Clients waited for others to leave, since the platform sends only so many at a time.
    Crowded {
        /// How many.
        clients: usize,
        /// How many at a time.
        concurrency: usize,
    },
    /// Some clients were ok before readiness was told.
    OkBeforeReady {
        /// How many.
        clients: usize,
    },
}

/// What the door says in place of an app that drops a connection without a Close (RFC 6455,
/// section 7.4.2, registered as "Service Restart").
const RESTART: Seen = Seen::Closed(1012);

impl Note {
    /// All remarks on one race.
    #[must_use]
    pub fn of(run: &Run<'_>) -> Vec<Self> {
        let mut notes = Vec::new();
        let outcome = run.outcome;
        if let Some((exit, after)) = outcome.exit {
            notes.push(Self::TargetEnded { exit, after });
        }
        let started_by_us = outcome.role != Role::Address;
        match outcome.ready {
            // A target that ended needs no other reason.
            None if outcome.exit.is_some() => {}
            None => notes.push(Self::ReadinessUnseen),
            Some(ready) if ready.at > outcome.last_arrival => {
                notes.push(Self::ReadyAfterSpread { ready: ready.at });
            }
            Some(ready) if ready.source == Source::FirstOk => notes.push(Self::ReadinessGuessed),
            Some(ready) => {
                let first = outcome.clients.first();
                if started_by_us && first.is_some_and(|client| !client.came_early(&ready)) {
                    notes.push(Self::NoColdStart);
                }
            }
        }
        let clients = run.tally.of(Seen::Unreachable);
        if clients > 0 {
            notes.push(Self::Unreachable { clients });
        }
        notes.extend(no_websocket_there(run).map(|status| Self::NoWebSocketThere { status }));
        let clients = run.tally.of(RESTART);
        if outcome.role == Role::Door && outcome.exit.is_none() && clients > 0 {
            notes.push(Self::GivenUp { clients });
        }
        if let Some(routing) = &outcome.routing {
            let (clients, failures) = (routing.crowded, routing.probe_failures);
            if routing.gave_up {
                notes.push(Self::ProbeGaveUp { failures });
            }
            if clients > 0 {
                let concurrency = routing.service.concurrency;
                notes.push(Self::Crowded { clients, concurrency });
            }
        }
        let clients = ok_before_ready(run);
        if clients > 0 {
            notes.push(Self::OkBeforeReady { clients });
        }
        notes
    }
}

/// The status that refused more clients than any other, if it is one that waiting does not mend.
fn no_websocket_there(run: &Run<'_>) -> Option<u16> {
    let statuses = run.tally.seen.iter().filter_map(|(seen, count)| match seen {
        Seen::Status(status @ 400..=499) => Some((count, *status)),
        _ => None,
    });
    let (_, status) = statuses.max().filter(|_| run.tally.ok == 0)?;
    Some(status)
}

fn ok_before_ready(run: &Run<'_>) -> usize {
    let Some(ready) = run.outcome.ready else { return 0 };
    let ok = run.outcome.clients.iter().filter(|client| client.seen == Seen::Ok);
    ok.filter(|client| client.lag_us(&ready).is_some_and(|lag| lag < 0)).count()
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TargetEnded { exit, after } => {
                write!(f, "the target ended by itself after {}: {exit}", seconds(*after))
            }
            Self::ReadyAfterSpread { ready } => write!(
                f,
                "the app was ready at {}, after the last client had come; try --spread {:.0}s",
                seconds(*ready),
                (ready.as_secs_f64() * 1.5).ceil()
            ),
            Self::ReadinessUnseen => f.write_str(
                "nothing showed when the app was ready; try --ready-path, or let the app stamp it",
            ),
            Self::ReadinessGuessed => f.write_str(
                "ready means the first client that was ok; for true lags use --ready-path",
            ),
            Self::NoColdStart => f.write_str(
                "the app was ready before the first client came: no cold start was seen",
            ),
            Self::Unreachable { clients } => write!(
                f,
                "{clients} clients found no way to the address; is this machine out of ports?"
            ),
            Self::NoWebSocketThere { status } => write!(
                f,
                "the app answers handshakes with status {status}, ready or not; name its \
                 WebSocket with --path, and what it asks for with --header"
            ),
            Self::GivenUp { clients } => write!(
                f,
                "closed 1012 is the door's word where the app dropped a connection without a \
                 Close ({clients} times); look for the reason with --show-output"
            ),
            Self::ProbeGaveUp { failures } => write!(
                f,
                "the startup probe failed {failures} times, and the platform ended the instance"
            ),
            Self::Crowded { clients, concurrency } => write!(
                f,
                "{clients} clients came while the instance had its {concurrency} and waited for \
                 others to leave; see --concurrency"
            ),
            Self::OkBeforeReady { clients } => write!(
                f,
                "{clients} of those ok came before readiness was told, hence a lag below 0; a \
                 stamp of the app's is the exact clock"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::Readiness,
        report::sample::{bare, door},
    };

    fn notes(change: impl FnOnce(&mut crate::race::Outcome)) -> Vec<Note> {
        let mut outcome = bare();
        change(&mut outcome);
        Note::of(&Run::judged(&outcome))
    }

    #[test]
    fn a_sound_race_needs_no_note() {
        assert_eq!(notes(|_| {}), []);
        assert_eq!(Note::of(&Run::judged(&door())), []);
    }

    // Breaks the evidence in each way that makes the numbers say less than they seem to.
    #[test]
    fn weak_evidence_is_said() {
        assert_eq!(notes(|o| o.ready = None), [Note::ReadinessUnseen]);
        let at = |ms, source| {
            move |o: &mut crate::race::Outcome| {
                o.ready = Some(Readiness { at: Duration::from_millis(ms), source });
            }
        };
        assert_eq!(notes(at(2000, Source::FirstOk)), [Note::ReadinessGuessed]);
        assert_eq!(notes(at(1, Source::Stamp)), [Note::NoColdStart]);
        let late = notes(at(9800, Source::Stamp));
        assert_eq!(
            late[0].to_string(),
            "the app was ready at 9.80 s, after the last client had come; try --spread 15s"
        );
    }

    // Breaks the race so that its numbers tell of something else than the cold start.
    #[test]
    fn what_is_no_cold_start_is_said() {
        let all = |seen| {
            move |o: &mut crate::race::Outcome| o.clients.iter_mut().for_each(|c| c.seen = seen)
        };
        assert_eq!(notes(all(Seen::Status(403))), [Note::NoWebSocketThere { status: 403 }]);
        assert_eq!(notes(all(Seen::Status(503))), []);
        let some = |o: &mut crate::race::Outcome| o.clients[0].seen = Seen::Status(403);
        assert_eq!(notes(some), []);
        let mut behind = door();
        behind.clients[3].seen = Seen::Closed(1012);
        assert_eq!(Note::of(&Run::judged(&behind)), [Note::GivenUp { clients: 1 }]);
        assert_eq!(notes(|o| o.clients[3].seen = Seen::Closed(1012)), []);
    }

    #[test]
    fn a_client_that_was_ok_before_readiness_is_said() {
        let early = notes(|o| o.clients[24].seen = Seen::Ok);
        assert_eq!(early, [Note::OkBeforeReady { clients: 1 }]);
    }

    #[test]
    fn an_early_end_is_said() {
        let exit = (Exit::Status(1), Duration::from_millis(800));
        let notes = notes(|o| (o.exit, o.ready) = (Some(exit), None));
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].to_string(), "the target ended by itself after 0.80 s: exit status 1");
    }
}
