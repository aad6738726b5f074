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
}

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
        notes
    }
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

    #[test]
    fn an_early_end_is_said() {
        let exit = (Exit::Status(1), Duration::from_millis(800));
        let notes = notes(|o| (o.exit, o.ready) = (Some(exit), None));
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].to_string(), "the target ended by itself after 0.80 s: exit status 1");
    }
}
