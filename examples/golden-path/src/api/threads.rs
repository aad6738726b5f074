//! A user's threads over HTTP.
//!
//! Owns the routes under `/api/threads`. Must never tell another user's thread from one that does not exist.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::credentials::{claims, pairs};
use super::refusal::Refusal;
use crate::api::App;
use crate::event::ThreadId;
use crate::store::Thread;

/// The longest title, in characters.
const TITLE_MAX: usize = 200;
/// The largest body, in bytes: a title with each character escaped, and room.
const BODY_MAX: usize = 16 * 1024;
/// How many events a page has if nothing is said, and at most.
const PAGE: i64 = 100;
const PAGE_MAX: i64 = 500;

/// `GET` and `POST /api/threads`, `GET /api/threads/ID/events?after=N&limit=…`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/threads", get(list).post(create))
        .route("/api/threads/{id}/events", get(events))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// What makes a thread.
#[derive(Deserialize)]
struct NewThread {
    title: String,
}

async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let claims = claims(&app, &headers, query.as_deref()).await?;
    let threads = app.store.threads(claims.user).await?;
    let threads: Vec<Value> = threads.iter().map(thread_json).collect();
    Ok(private(&json!({ "threads": threads })))
}

async fn create(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Json<NewThread>, JsonRejection>,
) -> Result<Response, Refusal> {
    let claims = claims(&app, &headers, query.as_deref()).await?;
    let Json(NewThread { title }) = body.map_err(|_| Refusal::Body)?;
    let title = title.trim();
    let is_fit = !title.is_empty()
        && title.chars().nth(TITLE_MAX).is_none()
        && !title.chars().any(char::is_control);
    if !is_fit {
        return Err(Refusal::Title);
    }
    let thread = app.store.create_thread(claims.user, title).await?;
    Ok((StatusCode::CREATED, private(&thread_json(&thread))).into_response())
}

async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let claims = claims(&app, &headers, query.as_deref()).await?;
    let (after, limit) = page(query.as_deref())?;
    // What is no number of a thread is a thread that nobody has.
    let thread: ThreadId = id.parse().map_err(|_| Refusal::NoSuchThread)?;
    let events = app
        .store
        .thread_events(claims.user, thread, after, limit)
        .await?
        .ok_or(Refusal::NoSuchThread)?;
    let is_full = i64::try_from(events.len()).is_ok_and(|count| count >= limit);
    Ok(private(&json!({ "events": events, "more": is_full })))
}

/// Which part of a thread is asked for.
fn page(query: Option<&str>) -> Result<(i64, i64), Refusal> {
    let (mut after, mut limit) = (None, None);
    for (name, value) in pairs(query)? {
        let (slot, bounds) = match name.as_str() {
            "after" => (&mut after, 0..=i64::MAX),
            "limit" => (&mut limit, 1..=PAGE_MAX),
            _ => continue,
        };
        let number = value.parse().ok().filter(|number| bounds.contains(number));
        if slot.replace(number.ok_or(Refusal::Query)?).is_some() {
            return Err(Refusal::Query);
        }
    }
    Ok((after.unwrap_or(0), limit.unwrap_or(PAGE)))
}

fn thread_json(thread: &Thread) -> Value {
    json!({ "id": thread.id, "title": thread.title, "made_ms": thread.made_ms })
}

/// An answer for this user alone: no cache may keep it.
fn private(body: &Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks if a page has no bound, or if a wrong number is taken for none.
    #[test]
    fn a_page_has_bounds() {
        assert_eq!(page(None), Ok((0, PAGE)));
        assert_eq!(page(Some("after=7&limit=500")), Ok((7, 500)));
        for wrong in ["limit=0", "limit=501", "after=-1", "after=x", "after=1&after=2", "limit="] {
            assert_eq!(page(Some(wrong)), Err(Refusal::Query), "{wrong}");
        }
        assert_eq!(page(Some("token=x")), Err(Refusal::TokenInQuery));
    }
}
