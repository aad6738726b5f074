//! Serving, from the first moment to the last.
//!
//! Owns the port: who is asked before and after the end of the start, and how it ends on SIGTERM. Must never drop a
//! socket without a Close while there is time for one.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tower::ServiceExt as _;

use super::health::Health;
use super::report::Report;
use super::{Start, StartError, checks, early, instance_name};
use crate::api::{self, App};
use crate::settings::{Early, Settings};

/// How long sockets have to leave,
const SOCKETS_WITHIN: Duration = Duration::from_secs(3);
/// then runs to end,
const RUNS_WITHIN: Duration = Duration::from_secs(3);
/// then requests. Together less than the ten seconds that platforms give (Cloud Run, "Container runtime contract").
const REQUESTS_WITHIN: Duration = Duration::from_secs(1);

/// What serves: first the start alone, then the service. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct Stage {
    health: Health,
    early: Early,
    started: Arc<OnceLock<(App, Router)>>,
}

impl Stage {
    /// The parts of the service, once it is started.
    pub(super) fn app(&self) -> Option<&App> {
        self.started.get().map(|(app, _)| app)
    }
}

/// Starts, serves, and ends on SIGTERM or SIGINT.
///
/// # Errors
///
/// What ended it before its time.
pub async fn run(settings: Settings) -> Result<(), StartError> {
    let settings = Arc::new(settings);
    let instance = instance_name();
    let (report, watch) = Report::begin();
    let health = Health::new(&instance, watch);
    let stage = Stage { health: health.clone(), early: settings.early, started: Arc::default() };
    let until = Instant::now() + settings.start_within;
    let start = Start { settings: Arc::clone(&settings), report, until };
    let begun = tokio::select! {
        () = asked_to_end() => return Ok(()),
        begun = begin(&start, &instance, stage) => begun,
    };
    let (app, serving) = begun.inspect_err(|error| start.report.fail(&error.to_string()))?;
    start.report.complete()?;
    tracing::info!(instance, "the service is ready");
    asked_to_end().await;
    tracing::info!("the service ends");
    app.sockets.close(SOCKETS_WITHIN).await;
    app.chat.close(RUNS_WITHIN).await;
    serving.end().await;
    Ok(())
}

/// The service and its port, which is open before all else or, as some do it, after.
async fn begin(start: &Start, instance: &str, stage: Stage) -> Result<(App, Serving), StartError> {
    let early = if start.settings.bind_late {
        None
    } else {
        Some(Serving::begin(&start.settings, stage.clone()).await?)
    };
    let app = start.go(instance, stage.health.clone()).await?;
    let _ = stage.started.set((app.clone(), api::router(app.clone())));
    let serving = match early {
        Some(serving) => serving,
        None => Serving::begin(&start.settings, stage).await?,
    };
    Ok((app, serving))
}

/// A port that is served.
struct Serving {
    task: tokio::task::JoinHandle<()>,
    ending: watch::Sender<bool>,
}

impl Serving {
    async fn begin(settings: &Settings, stage: Stage) -> Result<Self, StartError> {
        let address = SocketAddr::from(settings.bind);
        let listener =
            TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))?;
        let local = listener.local_addr().map_err(|error| StartError::Listen(address, error))?;
        tracing::info!(address = %local, "listening");
        let service = router(stage).into_make_service_with_connect_info::<SocketAddr>();
        let (ending, mut ended) = watch::channel(false);
        let task = tokio::spawn(async move {
            let shutdown = async move {
                // That nobody can say so any more says so.
                let _ = ended.wait_for(|ending| *ending).await;
            };
            if let Err(error) =
                axum::serve(listener, service).with_graceful_shutdown(shutdown).await
            {
                tracing::error!(reason = %error, "serving failed");
            }
        });
        Ok(Self { task, ending })
    }

    async fn end(self) {
        self.ending.send_replace(true);
        let _ = timeout(REQUESTS_WITHIN, self.task).await;
    }
}

fn router(stage: Stage) -> Router {
    Router::new()
        .route("/health", get(health))
        .merge(checks::routes())
        .fallback(serve)
        .with_state(stage)
}

async fn health(State(stage): State<Stage>) -> Response {
    let is_ready = stage.health.is_complete();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = axum::Json(stage.health.document());
    (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

/// The service, if it is started.
async fn serve(State(stage): State<Stage>, request: Request) -> Response {
    if let Some((_, router)) = stage.started.get() {
        let Ok(response) = router.clone().oneshot(request).await;
        return response;
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    early::answer(upgrade, stage.early).await
}

/// Waits for the word to end.
async fn asked_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without signals nobody can ask, and whoever ends us does so without asking.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
