//! One cell: one pass of one check over one fault.
//!
//! Owns what a pass may take and what must be true of it whatever the fault. Must never judge which outcome a
//! fault should have: `expected.txt` does.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};
use vestibule::check::{Checked, Spec};
use vestibule::timeouts::{Factors, Sourced};
use vestibule::validation::{Mode, Validation};
use vestibule_checks::build;

use crate::fault::Fault;
use crate::healthy::Column;
use crate::proxy::{Came, Proxy};

/// What a pass may take.
pub(crate) const BUDGET: Duration = Duration::from_millis(900);

/// How much later than a timer that was set with it a pass may end.
pub(crate) const LATE_MAX: Duration = Duration::from_millis(50);

/// What a check reads, and what stands in the buffers of two sockets.
pub(crate) const SENT_MAX: u64 = 512 * 1024;

/// What came of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) outcome: String,
    pub(crate) detail: String,
    pub(crate) took: Duration,
    pub(crate) late: Duration,
    pub(crate) came: Came,
}

/// A pass of this check over this fault.
pub(crate) async fn pass(column: &Column, fault: Fault, aside: &Handle) -> Cell {
    let proxy = Proxy::new(fault, column.protocol.clone(), aside);
    let url = column.url.replace("{}", &proxy.address.to_string());
    let options = column.options.clone().with("url", vestibule_checks::Value::Text(url));
    let check = build(column.kind, &options).unwrap();
    let factors = Factors {
        multiplier: Sourced::new(1.0, "test"),
        margin: Sourced::new(1.0, "test"),
        validation: Sourced::new(BUDGET, "test"),
        floor: Sourced::new(Duration::ZERO, "test"),
    };
    let spec = Spec::new(column.name).within(BUDGET / 2, 2);
    let validation = Validation::new(vec![Checked::new(spec, check)], factors);
    // A machine that is busy keeps every timer waiting: only what a pass adds to that is its own.
    let timer = tokio::spawn(async {
        let began = Instant::now();
        sleep_until(began + BUDGET).await;
        began.elapsed()
    });
    let began = Instant::now();
    validation.pass(Mode::Gate).await;
    let took = began.elapsed();
    let late = took.saturating_sub(timer.await.unwrap());
    let board = validation.board();
    let last = board.standings()[0].last.clone().unwrap();
    let outcome = last.outcome.reason().unwrap_or_else(|| last.outcome.as_str()).to_owned();
    let detail = match last.outcome {
        vestibule::check::Outcome::Failed(trouble) => trouble.detail().to_owned(),
        other => format!("{other:?}"),
    };
    drop(validation);
    Cell { outcome, detail, took, late, came: proxy.close().await }
}

impl Cell {
    /// What is wrong with it, apart from its outcome.
    pub(crate) fn wrong(&self) -> Option<String> {
        if self.late > LATE_MAX {
            return Some(format!("it ended {:?} after its budget", self.late));
        }
        if self.came.sent > SENT_MAX {
            return Some(format!("it took {} bytes of one answer", self.came.sent));
        }
        (self.came.left > 0).then(|| format!("it left {} connections", self.came.left))
    }
}
