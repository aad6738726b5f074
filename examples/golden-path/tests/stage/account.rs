//! The one way in which suites sign up, log in and ask over HTTP: each step with its own bound.
//!
//! Owns those bounds. A cold start is part of them: behind the door a request waits for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};
use tokio::time::timeout;

/// How long any one request may take, the longest cold start of a suite included.
pub(crate) const REQUEST_WITHIN: Duration = Duration::from_secs(20);
/// The password of every user of the suites: no line of any log may have it.
pub(crate) const PASSWORD: &str = "canary-password-9f2c";

/// A user of one service.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) http: Http,
    pub(crate) name: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// A client of one service.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    pub(crate) address: String,
    /// What each request has besides.
    fields: Vec<(&'static str, &'static str)>,
}

impl Http {
    pub(crate) fn of(address: &str) -> Self {
        golden_path::agent::prepare_tls();
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        Self { client: client.build().unwrap(), address: address.to_owned(), fields: Vec::new() }
    }

    /// The same through a proxy that adds these fields.
    pub(crate) fn over(mut self, fields: &[(&'static str, &'static str)]) -> Self {
        self.fields = fields.to_vec();
        self
    }

    /// A request to be built further.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        self.fields.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    /// Sends it, within the bound; what went wrong instead, as text.
    pub(crate) async fn try_send(&self, request: RequestBuilder) -> Result<Response, String> {
        let sent = timeout(REQUEST_WITHIN, request.send()).await;
        sent.map_err(|_| "no answer in time".to_owned())?.map_err(|error| format!("{error:?}"))
    }

    /// Sends it: its status and its JSON.
    pub(crate) async fn send(&self, request: RequestBuilder) -> (StatusCode, Value) {
        let response = self.try_send(request).await.unwrap();
        let status = response.status();
        let body = timeout(REQUEST_WITHIN, response.bytes()).await.unwrap().unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Signs up, as a name that nobody has.
    pub(crate) async fn sign_up(&self) -> Account {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("user-{number}-{:08x}", fastrand::u32(..));
        let (status, body) =
            self.post("/api/signup", &json!({ "name": name, "password": PASSWORD })).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        self.account(&name, &body)
    }

    /// Logs in.
    pub(crate) async fn log_in(&self, name: &str) -> Account {
        let (status, body) =
            self.post("/api/login", &json!({ "name": name, "password": PASSWORD })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        self.account(name, &body)
    }

    fn account(&self, name: &str, body: &Value) -> Account {
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let (access, refresh) = (text("access"), text("refresh"));
        Account { http: self.clone(), name: name.to_owned(), access, refresh }
    }
}

impl Account {
    /// The same user at another instance.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self { http: Http::of(address), ..self.clone() }
    }

    /// A request with the user's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, path).bearer_auth(&self.access)
    }

    /// Makes a thread: its number.
    pub(crate) async fn thread(&self, title: &str) -> String {
        let request = self.request(Method::POST, "/api/threads").json(&json!({ "title": title }));
        let (status, body) = self.http.send(request).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// All events of a thread, as they are stored.
    pub(crate) async fn events(&self, thread: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        for _page in 0..1000 {
            let after = events.last().map_or(0, |event| event["id"].as_i64().unwrap());
            let path = format!("/api/threads/{thread}/events?after={after}&limit=500");
            let (status, body) = self.http.send(self.request(Method::GET, &path)).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            events.extend(body["events"].as_array().unwrap().iter().cloned());
            if body["more"] != true {
                return events;
            }
        }
        panic!("a thread without an end");
    }

    /// Logs out.
    pub(crate) async fn log_out(&self) {
        let (status, body) = self.http.send(self.request(Method::POST, "/api/logout")).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    }
}
