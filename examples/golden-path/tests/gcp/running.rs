//! What the running service does behind the platform's proxy, which ends TLS and says so.
//!
//! The proxy is played by its fields: `X-Forwarded-Proto` and `X-Forwarded-For`, as docs/cloud-run-model.md has them.

use reqwest::header::{HeaderMap, LOCATION, ORIGIN, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::stage::account::Http;
use crate::stage::service::{Service, Setup};
use crate::stage::talk::{GOLDEN, Refusal, kinds, open};
use crate::stage::watched;

/// The page of another host that is allowed to call.
const LISTED: &str = "https://app.example.org";

/// The service as Cloud Run starts it: the platform's variables, in production.
fn on_cloud_run(cold_start: &str) -> Setup {
    let mut setup = Setup::cold(cold_start)
        .with("ENVIRONMENT", "production")
        .flag("--public-health")
        .flag("/started");
    for (name, value) in vestibule_race::platform::VARIABLES {
        setup = setup.with(name, value);
    }
    setup
}

async fn asked(http: &Http, method: Method, path: &str, fields: &[(&str, &str)]) -> Response {
    let mut request = http.request(method, path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    http.try_send(request).await.unwrap()
}

fn text(headers: &HeaderMap, name: impl reqwest::header::AsHeaderName) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

const HTTPS: (&str, &str) = ("x-forwarded-proto", "https");
const PLAIN: (&str, &str) = ("x-forwarded-proto", "http");

async fn started() -> Service {
    let service = on_cloud_run("600ms").with("ORIGINS", LISTED).behind_the_door().await;
    service.is_ready().await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_over_http_are_sent_to_https_and_everything_else_is_refused() {
    watched("https awareness", async {
        let service = started().await;
        let http = Http::of(&service.address);
        let page = asked(&http, Method::GET, "/", &[PLAIN, ("host", "chat.example.org")]).await;
        assert_eq!(page.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(text(page.headers(), LOCATION), "https://chat.example.org/");
        let body = json!({ "name": "anna", "password": "canary-password" }).to_string();
        let sign_up = async |scheme| {
            let request = http.request(Method::POST, "/api/signup").body(body.clone());
            let request =
                request.header("content-type", "application/json").header(HTTPS.0, scheme);
            http.try_send(request).await.unwrap()
        };
        assert_eq!(sign_up("http").await.status(), StatusCode::FORBIDDEN);
        let created = sign_up("https").await;
        assert_eq!(created.status(), StatusCode::CREATED);
        assert!(text(created.headers(), STRICT_TRANSPORT_SECURITY).starts_with("max-age="));
        // A token in clear is refused before it is looked at, on a handshake, too.
        let handshake = asked(&http, Method::GET, "/ws", &[PLAIN]).await;
        assert_eq!(handshake.status(), StatusCode::FORBIDDEN);
        // A cookie never goes over http again.
        let keep = json!({ "name": "anna", "password": "canary-password", "keep": "cookie" });
        let request = http.request(Method::POST, "/api/login").json(&keep).header(HTTPS.0, HTTPS.1);
        let logged_in = http.try_send(request).await.unwrap();
        let cookie = text(logged_in.headers(), SET_COOKIE);
        assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "no secure cookie");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_over_the_proxy_walks_the_golden_path_during_the_cold_start() {
    watched("a socket over the proxy", async {
        let service = on_cloud_run("600ms").with("ORIGINS", LISTED).behind_the_door().await;
        assert!(!service.has_been_ready(), "too late to see anything");
        let http = Http::of(&service.address).over(&[HTTPS]);
        let account = http.sign_up().await;
        let thread = account.thread("over https").await;
        let mut talk = open(&account, None, &[HTTPS, ("origin", LISTED)]).await.unwrap();
        talk.say(&thread, "Is the service ready?").await;
        assert_eq!(kinds(&talk.until_completed(1).await.unwrap()), GOLDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_are_answered_from_the_first_moment_and_tell_the_truth() {
    watched("health checks", async {
        let service = on_cloud_run("1200ms").behind_the_door().await;
        let http = Http::of(&service.address);
        let during = asked(&http, Method::GET, "/started", &[]).await;
        assert!(!service.has_been_ready(), "too late to see anything");
        assert_eq!(during.status(), StatusCode::SERVICE_UNAVAILABLE);
        service.is_ready().await;
        let (status, health) = http.send(http.request(Method::GET, "/health")).await;
        assert_eq!((status, health["status"].as_str()), (StatusCode::OK, Some("ready")));
        let after = asked(&http, Method::GET, "/started", &[]).await;
        assert_eq!(after.status(), StatusCode::OK);
        // The checks of its parts are the door's alone.
        let parts = asked(&http, Method::GET, "/checks/bridge", &[]).await;
        assert_eq!(parts.status(), StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_listed_https_origins_may_call() {
    watched("origins", async {
        let service = started().await;
        let http = Http::of(&service.address);
        let preflight = async |origin: &str| {
            let fields =
                [HTTPS, (ORIGIN.as_str(), origin), ("access-control-request-method", "POST")];
            asked(&http, Method::OPTIONS, "/api/login", &fields).await
        };
        let allowed = preflight(LISTED).await;
        assert_eq!(text(allowed.headers(), "access-control-allow-origin"), LISTED);
        assert_eq!(text(allowed.headers(), "access-control-allow-credentials"), "true");
        let account = Http::of(&service.address).over(&[HTTPS]).sign_up().await;
        for foreign in [
            "http://app.example.org",
            "https://app.example.org.evil.test",
            "https://evil.test",
            "null",
        ] {
            let refused = preflight(foreign).await;
            assert_eq!(text(refused.headers(), "access-control-allow-origin"), "", "{foreign}");
            let socket = open(&account, None, &[HTTPS, ("origin", foreign)]).await;
            assert_eq!(socket.err(), Some(Refusal::Status(403)), "{foreign}");
        }
        // Production takes no other list.
        let mut wrong =
            on_cloud_run("0s").with("ORIGINS", "http://app.example.org").behind_the_door().await;
        let said = wrong.process.logs("ORIGINS").await;
        assert!(said.contains("https://"), "{said}");
        assert_eq!(wrong.process.ended().await, 78);
    })
    .await;
}
