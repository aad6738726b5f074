//! `postgres` and `redis` over TLS, with certificates of ours, of strangers, of yesterday, and for another name.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use tempfile::NamedTempFile;
use vestibule::check::Reason;
use vestibule_checks::{Kind, Options, Value};

use crate::asked::{Asked, check};
use crate::certificates::{Authority, Signed};
use crate::postgres_server::{PASSWORD_IN_URL, Postgres, USER};
use crate::redis_server::{PASSWORD_IN_URL as REDIS_PASSWORD, Redis};
use crate::rig::{PATIENT, fails, passes};

/// An authority and the file by which it is trusted.
struct Trusted {
    authority: Authority,
    file: NamedTempFile,
}

impl Trusted {
    fn new(name: &str) -> Self {
        let (authority, mut file) = (Authority::new(name), NamedTempFile::new().unwrap());
        file.write_all(authority.pem().as_bytes()).unwrap();
        Self { authority, file }
    }
}

/// Gives a server its certificate and key, which must be its own.
fn install(folder: &Path, name: &str, signed: &Signed) {
    for (ending, text) in [("pem", &signed.certificate), ("key", &signed.key)] {
        let file = folder.join(format!("{name}.{ending}"));
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((_, user, group)) = crate::daemon::servant() {
            chown(&file, Some(user), Some(group)).unwrap();
        }
    }
}

fn trusting(url: String, trusted: Option<&Trusted>) -> Options {
    match trusted {
        Some(trusted) => {
            let file = trusted.file.path().display().to_string();
            Options::url(url).with("ca_file", Value::Text(file))
        }
        None => Options::url(url),
    }
}

const NOT_VERIFIED: &str = ", certificate not verified";

#[tokio::test]
async fn f30_each_sslmode_verifies_what_libpq_does_and_says_what_it_does_not() {
    let (ours, theirs) = (Trusted::new("ours"), Trusted::new("theirs"));
    let tls = "ssl = on\nssl_cert_file = '../good.pem'\nssl_key_file = '../good.key'";
    let mut server = Postgres::prepare(tls).await;
    let authority = &ours.authority;
    install(server.daemon().folder(), "good", &authority.signs("localhost"));
    install(server.daemon().folder(), "old", &authority.signs_expired("localhost"));
    let hba = server.daemon().folder().join("data/pg_hba.conf");
    fs::write(&hba, "hostssl all all all scram-sha-256\n").unwrap();
    server.run().await;
    let port = server.port();
    let at = |host: &str, query: &str| {
        format!("postgres://{USER}:{PASSWORD_IN_URL}@{host}:{port}/postgres?{query}")
    };
    let rig = |url: String, trusted| {
        Asked::within(check(Kind::Postgres, &trusting(url, trusted)), PATIENT, 2)
    };

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
        let saw = passes(&rig(at(host, query), trusted)).await;
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
        let (reason, detail, tries) = fails(&rig(at(host, query), trusted)).await;
        assert_eq!((reason, tries), (wanted, 1), "{host}?{query}: {detail}");
        assert!(detail.contains(word), "{host}?{query}: {detail}");
    }

    server.stop();
    server.configure("ssl_cert_file = '../old.pem'\nssl_key_file = '../old.key'");
    server.run().await;
    let expired = rig(at("localhost", "sslmode=verify-full"), Some(&ours));
    let (reason, detail, tries) = fails(&expired).await;
    assert_eq!((reason, tries), (Reason::TlsExpired, 1), "{detail}");
    assert!(detail.contains("2024-02-29"), "{detail}");
}

#[tokio::test]
async fn f30_a_postgres_without_tls_is_named_where_tls_is_demanded() {
    let server = Postgres::start("").await;
    let rig =
        |mode| Asked::within(check(Kind::Postgres, &Options::url(server.url(mode))), PATIENT, 2);
    let (reason, detail, _) = fails(&rig("?sslmode=require")).await;
    assert_eq!(reason, Reason::TlsFailed);
    assert_eq!(detail, "it has no TLS, and sslmode demands it");
    assert!(passes(&rig("?sslmode=prefer")).await.ends_with("read-write"));
}

#[tokio::test]
async fn f30_a_redis_is_only_trusted_by_its_certificate() {
    let (ours, theirs) = (Trusted::new("ours"), Trusted::new("theirs"));
    let start = async |name: &str, signed: &Signed| {
        let mut server = Redis::prepare("");
        install(server.daemon().folder(), name, signed);
        server.argue(&format!("--tls-port {} --port 0 --tls-auth-clients no", server.port()));
        server.argue(&format!("--tls-cert-file {name}.pem --tls-key-file {name}.key"));
        server.run().await;
        server
    };
    let of_today = ours.authority.signs("localhost");
    let of_yesterday = ours.authority.signs_expired("localhost");
    let (good, old) = tokio::join!(start("good", &of_today), start("old", &of_yesterday));
    let at =
        |server: &Redis, host: &str| format!("rediss://:{REDIS_PASSWORD}@{host}:{}", server.port());
    let rig = |url, trusted| Asked::within(check(Kind::Redis, &trusting(url, trusted)), PATIENT, 2);
    assert_eq!(passes(&rig(at(&good, "localhost"), Some(&ours))).await, "PONG");
    let bad = [
        (at(&good, "127.0.0.1"), Some(&ours), Reason::TlsWrongName),
        (at(&good, "localhost"), Some(&theirs), Reason::TlsUnknownCa),
        (at(&good, "localhost"), None, Reason::TlsUnknownCa),
        (at(&old, "localhost"), Some(&ours), Reason::TlsExpired),
    ];
    for (url, trusted, wanted) in bad {
        let (reason, detail, tries) = fails(&rig(url, trusted)).await;
        assert_eq!((reason, tries), (wanted, 1), "{detail}");
    }
    // Asked without TLS, it hangs up or answers by an alert.
    let plain = at(&good, "localhost").replace("rediss:", "redis:");
    let (reason, detail, _) = fails(&rig(plain, None)).await;
    assert!(matches!(reason, Reason::Reset | Reason::Protocol), "{reason:?}: {detail}");
}
