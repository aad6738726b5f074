//! Certificates of a real server, each with a fault of its own.

use std::path::Path;

use vestibule::check::Reason;
use vestibule_checks::Options;

use crate::asked::{Asked, text};
use crate::certificates::{Authority, Signed};
use crate::declared;
use crate::nats_server::Nats;

const TLS: &str = "tls { cert_file: \"FOLDER/cert.pem\", key_file: \"FOLDER/key.pem\" }";

async fn server(signed: Signed) -> Nats {
    let mut server = Nats::prepare(TLS);
    server.file("cert.pem", &signed.certificate);
    server.file("key.pem", &signed.key);
    server.run().await;
    server
}

fn asked(scheme: &str, server: &Nats, trusted: &Path) -> Asked {
    let url = format!("{scheme}://127.0.0.1:{}", server.port());
    declared(&Options::url(url).with("ca_file", text(trusted.display().to_string())))
}

#[tokio::test]
async fn f30_nats_with_a_good_certificate_passes_and_each_fault_has_its_reason() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, ours.pem()).unwrap();
    let good = server(ours.signs("127.0.0.1")).await;
    for scheme in ["tls", "nats"] {
        assert_eq!(asked(scheme, &good, &trusted).passes().await, "NATS 2.9.10");
    }
    for (signed, expected, word) in [
        (ours.signs("bus.internal"), Reason::TlsWrongName, "bus.internal"),
        (ours.signs_expired("127.0.0.1"), Reason::TlsExpired, "2024-02-29"),
        (theirs.signs("127.0.0.1"), Reason::TlsUnknownCa, "nobody whom we trust"),
    ] {
        let server = server(signed).await;
        let (reason, text, tries) = asked("tls", &server, &trusted).fails().await;
        assert_eq!((reason, tries), (expected, 1), "{text}");
        assert!(text.contains(word), "{text}");
    }
}

#[tokio::test]
async fn nats_without_tls_never_learns_who_we_are_where_tls_is_wanted() {
    let ours = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, ours.pem()).unwrap();
    let plain = Nats::start("").await;
    let (reason, text, tries) = asked("tls", &plain, &trusted).fails().await;
    assert_eq!((reason, tries), (Reason::TlsFailed, 1));
    assert_eq!(text, "the server offers no TLS");
}
