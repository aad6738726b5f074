//! The checks, for as long as the front lives.
//!
//! Owns that they go on, and that what they see reaches the service and the journal. Must never judge them.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::journal::checks::Told;
use crate::service::Stage;
use crate::shared::Shared;
use crate::upstream::dial::Dial;

/// Where what was seen never grows too old, so often somebody looks all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Too old is who is older than allowed, and not who is just as old.
const OLDER: Duration = Duration::from_millis(1);

/// Keeps the checks going until we leave; never resolves.
pub(super) async fn validate<D: Dial>(front: &Arc<Shared<D>>) -> Infallible {
    if !front.validation.board().standings().is_empty() {
        tokio::select! {
            () = front.validation.keep() => {}
            () = follow(front) => {}
            () = until_leaving(front) => {}
        }
    }
    pending().await
}

/// Lets everybody know what the checks see.
async fn follow<D: Dial>(front: &Arc<Shared<D>>) {
    let mut seen = front.validation.watch();
    let mut told = Told::nothing_of(&front.validation.board());
    loop {
        // Not held while others look at it.
        let board = seen.borrow_and_update().clone();
        let now = Instant::now();
        front.service.look(now);
        told.tell(&front.journal, &board, now);
        let grows_old = board.holds_from(now).map_or(now + LOOK_AGAIN, |at| at + OLDER);
        tokio::select! {
            Ok(()) = seen.changed() => {}
            () = sleep_until(grows_old) => {}
        }
    }
}

async fn until_leaving<D: Dial>(front: &Arc<Shared<D>>) {
    let mut stage = front.service.stage();
    while stage != Stage::Leaving {
        stage = front.service.beyond(stage).await;
    }
}
