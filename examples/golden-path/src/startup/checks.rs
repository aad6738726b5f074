//! What the door asks before it lets anybody in.
//!
//! Owns the routes under `/checks`. They go to the parts themselves: the bridge's sends a signal through the bus and
//! sees it come back. Must never answer who comes through a proxy: a check costs work.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::serve::Stage;
use crate::api::App;
use crate::api::refusal::Refusal;

/// How long a signal may take to come back.
const ECHO_WITHIN: Duration = Duration::from_secs(1);

/// `GET /checks/supervisor`, `/checks/bridge` and `/checks/integration`.
pub(super) fn routes() -> Router<Stage> {
    Router::new().route("/checks/{name}", axum::routing::get(check))
}

async fn check(
    State(stage): State<Stage>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key("x-forwarded-for") {
        return Refusal::NothingHere.into_response();
    }
    let Some(app) = stage.app() else {
        return verdict(Err("not started yet".into()));
    };
    match name.as_str() {
        "supervisor" => verdict(app.chat.supervisor()),
        "bridge" => verdict(bridge(app).await),
        "integration" => verdict(integration(app).await),
        _ => Refusal::NothingHere.into_response(),
    }
}

async fn bridge(app: &App) -> Result<Value, String> {
    let took = app.bus.echo(ECHO_WITHIN).await.map_err(|error| error.to_string())?;
    Ok(json!({ "echo_us": u64::try_from(took.as_micros()).unwrap_or(u64::MAX) }))
}

/// All parts together: what a message needs on its way.
async fn integration(app: &App) -> Result<Value, String> {
    app.store.ping().await.map_err(|error| error.to_string())?;
    Ok(json!({ "supervisor": app.chat.supervisor()?, "bridge": bridge(app).await? }))
}

fn verdict(found: Result<Value, String>) -> Response {
    let (status, body) = match found {
        Ok(found) => (StatusCode::OK, json!({ "ok": true, "found": found })),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "ok": false, "reason": why })),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
