//! A started service in this process: its own SQLite, its own port, and a client that writes requests byte by byte,
//! so that it can write what no proper client would.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use golden_path::agent::{embedded::Embedded, tools};
use golden_path::api::{App, router};
use golden_path::auth::Auth;
use golden_path::bus::Bus;
use golden_path::chat::{Chat, ChatParts};
use golden_path::settings::Settings;
use golden_path::socket::Sockets;
use golden_path::store::Store;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How long an answer may take on a machine with much else to do.
const WITHIN: Duration = Duration::from_secs(30);
/// What everybody's password is, unless a test says otherwise.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The field that most requests need.
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A service. It ends with this value.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// What a service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A log-in.
pub(crate) struct User {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl House {
    /// One that was told so by its environment.
    pub(crate) async fn open(told: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("house.db").display());
        let store = Store::open(&url).await.expect("a database");
        Self::with(store, folder, told).await
    }

    /// One with what is in this database already.
    pub(crate) async fn with(
        store: Store,
        folder: tempfile::TempDir,
        told: &[(&str, &str)],
    ) -> Self {
        let environment: HashMap<&str, &str> = told.iter().copied().collect();
        let settings = Arc::new(Settings::read(&environment).expect("settings"));
        let bus = Bus::open(None).await.expect("a bus");
        let auth = Auth::open(store.clone(), settings.auth.clone()).await.expect("accounts");
        let chat = Chat::begin(ChatParts {
            store: store.clone(),
            bus: bus.clone(),
            model: Arc::new(Embedded::new(Duration::ZERO)),
            tools: tools::registry().expect("tools"),
            service: Arc::new(|| json!({})),
            instance: "house".into(),
            lease: settings.lease,
        });
        let app = App { auth, store, bus, chat, sockets: Sockets::new("house"), settings };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move {
            axum::serve(listener, service).await.expect("served");
        });
        Self { app, address, serving, _folder: folder }
    }

    /// Sends a request and reads the answer. `Host`, `Content-Length` and `Connection` are added where they are not
    /// among the fields.
    pub(crate) async fn ask(&self, line: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{line} HTTP/1.1\r\n");
        let has = |name: &str| fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name));
        let host = self.address.to_string();
        let length = body.len().to_string();
        let added = [("host", &*host), ("content-length", &*length), ("connection", "close")];
        let added = added.iter().filter(|(name, _)| !has(name));
        for (name, value) in fields.iter().chain(added) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let bytes = tokio::time::timeout(WITHIN, self.exchange(&head, body)).await;
        Answer::read(&bytes.unwrap_or_else(|_| panic!("no answer in time: {line}")))
    }

    async fn exchange(&self, head: &str, body: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("written");
        // Who refuses a body need not read it.
        let _ = stream.write_all(body.as_bytes()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        bytes
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(&format!("POST {path}"), &[JSON], &body.to_string()).await
    }

    /// Posts JSON as somebody whose address the door has seen.
    pub(crate) async fn post_from(&self, chain: &str, path: &str, body: &Value) -> Answer {
        let fields = [JSON, ("x-forwarded-for", chain)];
        self.ask(&format!("POST {path}"), &fields, &body.to_string()).await
    }

    /// Asks as somebody who shows this token.
    pub(crate) async fn get_as(&self, access: &str, path: &str) -> Answer {
        let bearer = format!("Bearer {access}");
        self.ask(&format!("GET {path}"), &[("authorization", &bearer)], "").await
    }

    /// Makes a user, who is logged in.
    pub(crate) async fn sign_up(&self, name: &str) -> User {
        let answer = self.post("/api/signup", &account(name, PASSWORD)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.user()
    }

    /// Logs in.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Answer {
        self.post("/api/login", &account(name, password)).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let fields = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.expect("a status"),
            fields: fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
        }
    }

    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| &**value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The log-in that was given.
    pub(crate) fn user(&self) -> User {
        let said = self.json();
        let text = |name: &str| said[name].as_str().expect("a token").to_owned();
        User { access: text("access"), refresh: text("refresh") }
    }

    /// Breaks unless this is a refusal as RFC 9457 has it, of this status.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.field("cache-control"), Some("no-store"), "{self:?}");
        let said = self.json();
        assert_eq!(said["status"], status, "{said}");
        for name in ["type", "title", "detail"] {
            assert!(said[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {said}");
        }
    }
}

/// What is posted to sign up or log in.
pub(crate) fn account(name: &str, password: &str) -> Value {
    json!({ "name": name, "password": password })
}
