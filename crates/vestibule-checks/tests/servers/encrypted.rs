//! `postgres` and `redis` over TLS, with certificates of ours, of strangers, of yesterday, and for another name.

use std::fs;

use vestibule::check::Reason;
use vestibule_checks::{Kind, Options, Value};

use crate::authority::Authority;
use crate::postgres_server::{PASSWORD_IN_URL, Postgres, USER};
use crate::redis_server::{PASSWORD_IN_URL as REDIS_PASSWORD, Redis};
use crate::rig::{PATIENT, Rig};

fn trusting(url: String, authority: Option<&Authority>) -> Options {
    match authority {
        Some(authority) => {
            Options::url(url).with("ca_file", Value::Text(authority.file().display().to_string()))
        }
        None => Options::url(url),
    }
}

const NOT_VERIFIED: &str = ", certificate not verified";

#[tokio::test]
async fn f30_each_sslmode_verifies_what_libpq_does_and_says_what_it_does_not() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let tls = "ssl = on\nssl_cert_file = '../good.pem'\nssl_key_file = '../good.key'";
    let mut server = Postgres::prepare(tls).await;
    ours.sign(server.daemon().folder(), "good", false);
    ours.sign(server.daemon().folder(), "old", true);
    let hba = server.daemon().folder().join("data/pg_hba.conf");
    fs::write(&hba, "hostssl all all all scram-sha-256\n").unwrap();
    server.run().await;
    let port = server.port();
    let at = |host: &str, query: &str| {
        format!("postgres://{USER}:{PASSWORD_IN_URL}@{host}:{port}/postgres?{query}")
    };
    let rig = |url: String, trusted| Rig::new(Kind::Postgres, &trusting(url, trusted), PATIENT, 2);

    // (host, parameters, whom we trust, whether the certificate is verified)
    let good = [
        ("localhost", "sslmode=verify-full", Some(&ours), true),
        ("localhost", "sslmode=verify-full&channel_binding=require", Some(&ours), true),
        ("127.0.0.1", "sslmode=verify-ca", Some(&ours), true),
        ("127.0.0.1", "sslmode=require", Some(&ours), true),
        ("127.0.0.1", "sslmode=require", None, false),
        ("127.0.0.1", "ssl=require", None, false),
        ("127.0.0.1", "", None, false),
    ];
    for (host, query, trusted, verified) in good {
        let saw = rig(at(host, query), trusted).passes().await;
        assert_eq!(!saw.ends_with(NOT_VERIFIED), verified, "{host}?{query}: {saw}");
    }
    let bad = [
        (
            "127.0.0.1",
            "sslmode=verify-full",
            Some(&ours),
            Reason::TlsWrongName,
            "not for 127.0.0.1",
        ),
        ("localhost", "sslmode=verify-full", Some(&theirs), Reason::TlsUnknownCa, "signed"),
        ("localhost", "sslmode=verify-full", None, Reason::TlsUnknownCa, "signed"),
        ("localhost", "sslmode=verify-ca", Some(&theirs), Reason::TlsUnknownCa, "signed"),
        ("localhost", "sslmode=prefer", Some(&theirs), Reason::TlsUnknownCa, "signed"),
        ("localhost", "sslmode=disable", None, Reason::WrongCredentials, "see sslmode"),
    ];
    for (host, query, trusted, wanted, word) in bad {
        let (reason, detail, tries) = rig(at(host, query), trusted).fails().await;
        assert_eq!((reason, tries), (wanted, 1), "{host}?{query}: {detail}");
        assert!(detail.contains(word), "{host}?{query}: {detail}");
    }

    server.stop();
    server.configure("ssl_cert_file = '../old.pem'\nssl_key_file = '../old.key'");
    server.run().await;
    let expired = rig(at("localhost", "sslmode=verify-full"), Some(&ours));
    let (reason, detail, tries) = expired.fails().await;
    assert_eq!((reason, tries), (Reason::TlsExpired, 1), "{detail}");
    assert!(detail.contains("2024-02-29"), "{detail}");
}

#[tokio::test]
async fn f30_a_postgres_without_tls_is_named_where_tls_is_demanded() {
    let server = Postgres::start("").await;
    let rig = |mode| Rig::new(Kind::Postgres, &Options::url(server.url(mode)), PATIENT, 2);
    let (reason, detail, _) = rig("?sslmode=require").fails().await;
    assert_eq!(reason, Reason::TlsFailed);
    assert_eq!(detail, "it has no TLS, and sslmode demands it");
    assert!(rig("?sslmode=prefer").passes().await.ends_with("read-write"));
}

#[tokio::test]
async fn f30_a_redis_is_only_trusted_by_its_certificate() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let start = async |name: &str| {
        let mut server = Redis::prepare("");
        ours.sign(server.daemon().folder(), name, name == "old");
        server.argue(&format!("--tls-port {} --port 0 --tls-auth-clients no", server.port()));
        server.argue(&format!("--tls-cert-file {name}.pem --tls-key-file {name}.key"));
        server.run().await;
        server
    };
    let (good, old) = tokio::join!(start("good"), start("old"));
    let at =
        |server: &Redis, host: &str| format!("rediss://:{REDIS_PASSWORD}@{host}:{}", server.port());
    let rig = |url, trusted| Rig::new(Kind::Redis, &trusting(url, trusted), PATIENT, 2);
    assert_eq!(rig(at(&good, "localhost"), Some(&ours)).passes().await, "PONG");
    let bad = [
        (at(&good, "127.0.0.1"), Some(&ours), Reason::TlsWrongName),
        (at(&good, "localhost"), Some(&theirs), Reason::TlsUnknownCa),
        (at(&good, "localhost"), None, Reason::TlsUnknownCa),
        (at(&old, "localhost"), Some(&ours), Reason::TlsExpired),
    ];
    for (url, trusted, wanted) in bad {
        let (reason, detail, tries) = rig(url, trusted).fails().await;
        assert_eq!((reason, tries), (wanted, 1), "{detail}");
    }
    // Asked without TLS, it hangs up or answers by an alert.
    let plain = at(&good, "localhost").replace("rediss:", "redis:");
    let (reason, detail, _) = rig(plain, None).fails().await;
    assert!(matches!(reason, Reason::Reset | Reason::Protocol), "{reason:?}: {detail}");
}
