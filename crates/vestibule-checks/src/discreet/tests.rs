//! Breaks discretion with servers that repeat what they were told, whole, cut, decoded and escaped.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use vestibule::check::Reason;

use super::*;
use crate::options::Value;
use crate::{Kind, build};

const SECRET: &str = "Xq7Tr0ub4dor";

/// Says this and fails.
struct Says(&'static str);

impl Check for Says {
    fn target(&self) -> String {
        "postgres:5432/chatroom".to_owned()
    }

    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async { Err(Trouble::new(Reason::Other, self.0)) })
    }
}

async fn told(options: &Options, says: &'static str) -> String {
    let check = Discreet::around(Arc::new(Says(says)), options);
    let trouble = check.try_once(&Stage::default()).await.unwrap_err();
    trouble.detail().to_owned()
}

#[tokio::test]
async fn a32_pieces_of_a_secret_are_hidden_and_what_the_target_shows_is_not() {
    let url = Options::url(
        "postgres://postgres:p%22w%2Fo=rd+12@postgres:5432/chatroom?token=tok%20en88&sslmode=verify-full",
    );
    for (says, shown) in [
        ("postgres:5432: connection refused", "postgres:5432: connection refused"),
        ("sslmode=verify-full", "sslmode=verify-full"),
        ("no: p\"w/o=rd+12 is wrong", "no: … is wrong"),
        ("no: p\\\"w/o=rd+12", "no: …"),
        ("p%22w%2Fo=rd+12", "…"),
        ("cut off: p\"w/o=rd", "cut off: …"),
        ("?token=tok en88!", "?token=…!"),
    ] {
        assert_eq!(told(&url, says).await, shown);
    }
    let header = Options::default()
        .with("headers", Value::Words(vec![format!("Authorization: Bearer {SECRET}")]));
    assert_eq!(told(&header, "bad token 'Xq7Tr0ub4dor'").await, "bad token '…'");
    let words = ["pg_isready", "--password", SECRET, "-h", "db.internal"].map(str::to_owned);
    let command = Options::default().with("command", Value::Words(words.to_vec()));
    assert_eq!(told(&command, "db.internal: no Xq7Tr0ub4dor").await, "db.internal: no …");
}

/// What a check of this kind says before a server that repeats all that it hears behind this greeting.
async fn echoed(
    kind: Kind,
    greeting: &'static str,
    before: &'static str,
    options: impl Fn(u16) -> Options,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(greeting.as_bytes()).await;
            let mut heard = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut heard).await {
                let said = [before.as_bytes(), &heard[..read], b"\r\n\r\n"].concat();
                if stream.write_all(&said).await.is_err() {
                    break;
                }
            }
        }
    });
    let check = build(kind, &options(port)).unwrap();
    let stage = Stage::default();
    let asked = timeout(Duration::from_secs(2), check.try_once(&stage)).await;
    server.abort();
    match asked {
        Ok(Ok(saw)) => saw.as_str().to_owned(),
        Ok(Err(trouble)) => trouble.to_string(),
        Err(_) => stage.cut_off().to_string(),
    }
}

#[tokio::test]
async fn a25_a32_a_dependency_that_echoes_tells_nobody_who_we_are() {
    let at = |scheme: &'static str| {
        move |port| Options::url(format!("{scheme}://{SECRET}u:{SECRET}@127.0.0.1:{port}"))
    };
    let web = |scheme: &'static str| {
        move |port| {
            Options::url(format!("{scheme}://127.0.0.1:{port}/?{SECRET}={SECRET}"))
                .with("headers", Value::Words(vec![format!("A: {SECRET}")]))
        }
    };
    let jwks = |port| Options::url(format!("http://127.0.0.1:{port}/?k={SECRET}"));
    let info = "INFO {\"server_id\":\"x\",\"version\":\"2.9\",\"max_payload\":1024}\r\n";
    for before in ["", "HTTP/1.1 ", "-", "+", "-ERR ", "-ERR '", "E\0\0"] {
        for (name, said) in [
            ("redis", echoed(Kind::Redis, "", before, at("redis")).await),
            ("postgres", echoed(Kind::Postgres, "", before, at("postgres")).await),
            ("nats", echoed(Kind::Nats, info, before, at("nats")).await),
            ("http", echoed(Kind::Http, "", before, web("http")).await),
            ("jwks", echoed(Kind::Jwks, "", before, jwks).await),
        ] {
            assert!(!said.contains(&SECRET[..PIECE]), "{name} behind {before:?}: {said}");
        }
    }
}
