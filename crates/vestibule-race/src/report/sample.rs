//! Races made up for the tests of the reports: forty clients over 4 s, the port open at 0.5 s,
//! readiness at 2.5 s.

use std::time::Duration;

use crate::{
    evidence::{Readiness, Source},
    race::{Outcome, Role},
    seen::{Client, Seen},
};

fn client(number: usize, arrived_ms: u64, at_101_ms: Option<u64>, seen: Seen) -> Client {
    let ms = Duration::from_millis;
    Client {
        number,
        arrived: ms(arrived_ms),
        at_101: at_101_ms.map(ms),
        first_reply: None,
        ended: ms(at_101_ms.map_or(arrived_ms, |at| at + 300)),
        seen,
    }
}

fn outcome(role: Role, clients: Vec<Client>) -> Outcome {
    Outcome {
        role,
        address: "127.0.0.1:20001".into(),
        clients,
        last_arrival: Duration::from_secs(4),
        port_open: Some(match role {
            Role::Door => Duration::from_millis(8),
            _ => Duration::from_millis(500),
        }),
        ready: Some(Readiness { at: Duration::from_millis(2500), source: Source::Stamp }),
        exit: None,
        last_lines: Vec::new(),
        routing: None,
        trace: None,
    }
}

/// The app alone: refused, then closed with 1011, then ok.
pub(crate) fn bare() -> Outcome {
    let clients = (0..40u64).map(|n| {
        let at = n * 100 + 50;
        let number = n as usize;
        match at {
            ..500 => client(number, at, None, Seen::Refused),
            500..2500 => client(number, at, Some(at + 1), Seen::Closed(1011)),
            _ => client(number, at, Some(at + 2), Seen::Ok),
        }
    });
    outcome(Role::Bare, clients.collect())
}

/// The app behind the door: held until it is ready, then ok.
pub(crate) fn door() -> Outcome {
    let clients = (0..40u64).map(|n| {
        let at = n * 100 + 50;
        let at_101 = if at < 2500 { 2505 + n } else { at + 3 };
        client(n as usize, at, Some(at_101), Seen::Ok)
    });
    outcome(Role::Door, clients.collect())
}

/// A race on a platform; its instance was started at 0.2 s.
pub(crate) fn on_a_platform(outcome: Outcome, probe: crate::Probe) -> Outcome {
    let ms = |ms| Some(Duration::from_millis(ms));
    let routing = crate::Routing {
        service: crate::CloudRun::new(probe),
        started: ms(200),
        routed_from: ms(510),
        probe_failures: 0,
        gave_up: false,
        pending_peak: 5,
        crowded: 0,
        refused: 0,
    };
    Outcome { routing: Some(routing), ..outcome }
}
