//! What was raced, as a report names it.
//!
//! Owns the names. Must never decide which race is judged.

use crate::{
    platform::probe::Ask,
    race::{Outcome, Role},
};

/// One arrangement of app, door and platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Clients dial the app, the door or an address straight.
    Direct(Role),
    /// On a platform: the app alone, which takes traffic once its port is open.
    None,
    /// On a platform: the app alone, which takes traffic once its ready path says yes.
    HttpProbe,
    /// On a platform: the door, whose port is open at once.
    Vestibule,
    /// On a platform: the door, which takes traffic once its health path says yes.
    Both,
}

impl Column {
    /// The arrangement of one race.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let Some(routing) = &outcome.routing else { return Self::Direct(outcome.role) };
        match (outcome.role, &routing.service.probe.ask) {
            (Role::Door, Ask::Tcp) => Self::Vestibule,
            (Role::Door, Ask::Http(_)) => Self::Both,
            (_, Ask::Tcp) => Self::None,
            (_, Ask::Http(_)) => Self::HttpProbe,
        }
    }

    /// The heading of a table.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Direct(role) => role.label(),
            Self::None => "none",
            Self::HttpProbe => "http probe",
            Self::Vestibule => "vestibule",
            Self::Both => "both",
        }
    }

    /// The same as a stable key for machines: the label with `_` for each space.
    #[must_use]
    pub fn key(self) -> String {
        self.label().replace(' ', "_")
    }

    /// The start of a sentence about its clients.
    pub(super) fn subject(self) -> &'static str {
        match self {
            Self::Direct(Role::Bare) => "Bare",
            Self::Direct(Role::Door) => "Behind the door",
            Self::Direct(Role::Address) => "There",
            Self::None => "With neither",
            Self::HttpProbe => "With the HTTP probe",
            Self::Vestibule => "With vestibule",
            Self::Both => "With both",
        }
    }

    /// What the clients of a race dialled.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Direct(Role::Bare) => "clients dial the app itself",
            Self::Direct(Role::Door) => "clients dial vestibule, in front of the same app",
            Self::Direct(Role::Address) => "clients dial a running address",
            Self::None | Self::HttpProbe => "clients dial the platform, in front of the app",
            Self::Vestibule | Self::Both => "clients dial the platform, vestibule behind it",
        }
    }
}
