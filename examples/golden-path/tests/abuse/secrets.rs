//! Secrets, and where they must not be.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::house::{House, JSON, account};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Breaks if a password or a token of any kind is in the log at any level, ours or a dependency's, whether it was right
/// or wrong.
#[tokio::test]
async fn no_secret_is_in_the_log() {
    const RIGHT: &str = "canary-right-password";
    const WRONG: &str = "canary-wrong-password";
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this process");

    let house = House::open(&[]).await;
    let made = house.post("/api/signup", &account("ann", RIGHT)).await;
    assert_eq!(made.status, 201);
    let first = made.user();
    house.post("/api/login", &account("ann", WRONG)).await.is_problem(401);
    house.post("/api/login", &account(WRONG, RIGHT)).await.is_problem(401);
    house.ask("POST /api/login", &[JSON], &format!("{{\"password\":\"{WRONG}\"")).await;
    let second = house.post("/api/refresh", &json!({ "refresh": first.refresh })).await.user();
    house.post("/api/refresh", &json!({ "refresh": first.refresh })).await.is_problem(401);
    house.get_as(&second.access, "/api/me").await.is_problem(401);
    house.get_as("canary.forged.token", "/api/me").await.is_problem(401);
    let line = format!("/api/me?token={}", second.access);
    house.get_as(&second.access, &line).await.is_problem(400);
    let mut by_cookie = account("ann", RIGHT);
    by_cookie["keep"] = json!("cookie");
    let answer = house.post("/api/login", &by_cookie).await;
    let cookie = answer.field("set-cookie").expect("a cookie").split(';').next().unwrap();
    let cookie = cookie.strip_prefix("refresh=").expect("a token").to_owned();
    let private = house.app.store.keys().await.unwrap().remove(0).private;

    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for step in ["a log-in was refused", "a refresh token was shown twice"] {
        assert!(log.contains(step), "what is looked at is the log: {step}");
    }
    let secrets = [RIGHT, WRONG, "canary", &first.refresh, &second.refresh, &cookie];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    for access in [&first.access, &second.access] {
        let signature = access.split('.').nth(2).expect("a signature");
        assert!(!log.contains(signature), "an access token is in the log");
    }
    for shown in [format!("{:?}", house.app.auth), format!("{:?}", house.app.settings)] {
        assert!(!shown.contains("private") && !shown.contains("$argon2"), "{shown}");
    }
    assert!(!log.contains(&format!("{private:?}")), "a key is in the log");
}
