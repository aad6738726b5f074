//! Certificates of a server behind TLS, each with a fault of its own.

use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use vestibule::check::Reason;
use vestibule_checks::Options;

use crate::asked::{Asked, text};
use crate::certificates::{Authority, Signed};
use crate::declared;
use crate::grpc_server::Grpc;

/// TLS before a server.
struct Front {
    port: u16,
    task: AbortHandle,
}

impl Front {
    async fn before(server: u16, signed: &Signed, protocol: &[u8]) -> Self {
        let certificate = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut client) = acceptor.accept(stream).await else { continue };
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
        Self { port, task: task.abort_handle() }
    }

    fn asked(&self, trusted: &Path) -> Asked {
        let url = format!("grpcs://127.0.0.1:{}", self.port);
        declared(&Options::url(url).with("ca_file", text(trusted.display().to_string())))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn f30_grpc_with_a_good_certificate_passes_and_each_fault_has_its_reason() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, ours.pem()).unwrap();
    let server = Grpc::start();
    let good = ours.signs("127.0.0.1");
    let front = Front::before(server.port(), &good, b"h2").await;
    assert_eq!(front.asked(&trusted).passes().await, "gRPC, serving");
    for (signed, expected, word) in [
        (ours.signs("agents.internal"), Reason::TlsWrongName, "agents.internal"),
        (ours.signs_expired("127.0.0.1"), Reason::TlsExpired, "2024-02-29"),
        (theirs.signs("127.0.0.1"), Reason::TlsUnknownCa, "nobody whom we trust"),
    ] {
        let front = Front::before(server.port(), &signed, b"h2").await;
        let (reason, text, tries) = front.asked(&trusted).fails().await;
        assert_eq!((reason, tries), (expected, 1), "{text}");
        assert!(text.contains(word), "{text}");
    }
    let old = Front::before(server.port(), &good, b"http/1.1").await;
    let (reason, _, tries) = old.asked(&trusted).fails().await;
    assert!(matches!(reason, Reason::TlsFailed | Reason::Protocol), "{reason:?}");
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn grpc_with_tls_before_a_server_without_it_is_told() {
    let ours = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, ours.pem()).unwrap();
    let server = Grpc::start();
    let url = format!("grpcs://127.0.0.1:{}", server.port());
    let options = Options::url(url).with("ca_file", text(trusted.display().to_string()));
    let (reason, text, tries) = declared(&options).fails().await;
    assert_eq!((reason, tries), (Reason::TlsFailed, 1), "{text}");
}
