//! What the service reports of its start over HTTP.
//!
//! Owns the bounds of such a body, and the answers. Must never echo it.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use crate::service::Report;
use crate::shared::Shared;
use crate::upstream::dial::Dial;

use super::guard::Turned;
use super::reply::{self, Reply};

/// Largest body: a reason of some length.
const BODY_MAX: usize = 1024;
/// From the head to the body's end.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Reads a report and obeys it. The guard has admitted who sends it.
pub(super) async fn take<D: Dial>(front: &Shared<D>, body: Incoming) -> Reply {
    let body = match timeout(BODY_WITHIN, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return reply::turned_away(Turned::Body),
        Err(_elapsed) => return reply::and_close(reply::text(408, "the body took too long\n")),
    };
    let Some(report) = Report::of_body(&body) else {
        let what = "not understood: the name of a phase, {\"phase\":\"NAME\"} or {\"failed\":\"REASON\"}\n";
        return reply::text(400, what);
    };
    match front.service.reports(&report, Instant::now()) {
        Ok(()) => reply::text(200, "taken\n"),
        Err(why) => reply::text(409, &format!("not taken: {}\n", why.as_str())),
    }
}
