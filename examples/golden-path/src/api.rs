//! The service's HTTP routes.
//!
//! Owns the router and what a request may look like. Must never decide anything: the rooms behind it do.

pub mod accounts;
pub mod threads;

pub(crate) mod credentials;
pub(crate) mod forwarded;
pub(crate) mod origin;
pub(crate) mod refusal;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use self::refusal::Refusal;
use crate::auth::Auth;
use crate::bus::Bus;
use crate::chat::Chat;
use crate::settings::Settings;
use crate::socket::Sockets;
use crate::store::Store;
use crate::{page, socket};

/// How long a browser may remember what it may ask from another origin.
const CORS_FOR: Duration = Duration::from_secs(600);

/// What the routes of a started service work with.
#[derive(Clone)]
pub struct App {
    /// Accounts.
    pub auth: Auth,
    /// What must last.
    pub store: Store,
    /// Who hears of what.
    pub bus: Bus,
    /// Messages and runs.
    pub chat: Chat,
    /// The sockets of this instance.
    pub sockets: Sockets,
    /// What the environment said.
    pub settings: Arc<Settings>,
}

/// All routes of a started service. Its requests need [`axum::extract::ConnectInfo`] of a socket address.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(accounts::routes())
        .merge(threads::routes())
        .merge(socket::routes())
        .merge(page::routes())
        .fallback(async || Refusal::NothingHere)
        .layer(from_fn_with_state(app.clone(), own_origins))
        .layer(cors(&app))
        .layer(from_fn_with_state(app.clone(), forwarded::https_only))
        .layer(from_fn(plain))
        .with_state(app)
}

/// What pages of other origins may ask: those that are listed, and no others.
fn cors(app: &App) -> CorsLayer {
    let settings = Arc::clone(&app.settings);
    let allowed =
        AllowOrigin::predicate(move |_, parts| origin::is_allowed(&parts.headers, &settings));
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .max_age(CORS_FOR)
}

/// Refuses what pages of other origins ask for: a browser would ask first, or not show them the answer, but it would
/// have been done.
async fn own_origins(State(app): State<App>, request: Request, next: Next) -> Response {
    if origin::is_allowed(request.headers(), &app.settings) {
        next.run(request).await
    } else {
        Refusal::Origin.into_response()
    }
}

/// What no answer is ever to be taken for.
async fn plain(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
