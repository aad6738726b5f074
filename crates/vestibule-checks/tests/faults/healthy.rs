//! A healthy server of each kind.
//!
//! Owns what stands behind the proxy, and the declaration of the check that asks it. Must never be the one at
//! fault.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{self, ServerConfig};
use vestibule_checks::{Kind, Options, Value};

use crate::daemon::{Daemon, program};
use crate::postgres_server::{self, Postgres};
use crate::proxy::Protocol;
use crate::redis_server::{self, Redis};

/// Whoever asks by HTTP gets a key set.
const KEY_SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"}]}"#;

/// A message of PostgreSQL whose length is said to be 16 MiB.
const HUGE: [u8; 5] = [b'R', 1, 0, 0, 0];

/// A column of the matrix: a kind of check, and its healthy server.
#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Its URL, with `{}` in place of host and port.
    pub(crate) url: String,
    pub(crate) options: Options,
    pub(crate) protocol: Protocol,
}

/// All healthy servers.
pub(crate) struct Healthy {
    pub(crate) columns: Vec<Column>,
    _nats: Daemon,
    _postgres: Postgres,
    _redis: Redis,
    _ca_file: NamedTempFile,
}

impl Healthy {
    pub(crate) async fn start() -> Self {
        let (config, ca_file) = certified();
        let trusting = |options: Options| {
            options.with("ca_file", Value::Text(ca_file.path().display().to_string()))
        };
        let nats = nats().await;
        let (postgres, redis) = tokio::join!(Postgres::start(""), Redis::start(""));
        let credentials = format!("{}:{}", postgres_server::USER, postgres_server::PASSWORD_IN_URL);
        let database = format!("postgres://{credentials}@{{}}/postgres?sslmode=disable");
        let web = web().await;
        let grpc = grpc().await;
        let wanted = || Options::default().with("body", Value::Text("Ed25519".to_owned()));
        let column = |name, kind, url: &str, origin, endless: &'static [u8], options| {
            // Within the first answer of each: `+OK` is five bytes with its end.
            let cut = if url.starts_with("redis:") { 3 } else { 20 };
            let protocol = Protocol { origin, endless, cut, asked: kind != Kind::Nats };
            Column { name, kind, url: url.to_owned(), options, protocol }
        };
        let cache = |scheme| format!("{scheme}://:{}@{{}}", redis_server::PASSWORD_IN_URL);
        let none = Options::default;
        let tls = [22, 3, 3, 64, 0].as_slice();
        let body = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
        let head = b"HTTP/1.1 200 OK\r\nx: ".as_slice();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0].as_slice();
        let secure_web = secured(web, config.clone(), b"http/1.1").await;
        let secure_grpc = secured(grpc, config.clone(), b"h2").await;
        let secure_redis = secured(at(redis.port()), config, b"").await;
        let columns = vec![
            column("tcp", Kind::Tcp, "tcp://{}", web, b"", none()),
            column("http", Kind::Http, "http://{}", web, head, wanted()),
            column("https", Kind::Http, "https://{}", secure_web, tls, trusting(wanted())),
            column("jwks", Kind::Jwks, "http://{}", web, body, none()),
            column("grpc", Kind::Grpc, "grpc://{}", grpc, settings, none()),
            column("grpcs", Kind::Grpc, "grpcs://{}", secure_grpc, tls, trusting(none())),
            column("redis", Kind::Redis, &cache("redis"), at(redis.port()), b"+", none()),
            column("rediss", Kind::Redis, &cache("rediss"), secure_redis, tls, trusting(none())),
            column("postgres", Kind::Postgres, &database, at(postgres.port()), &HUGE, none()),
            column("nats", Kind::Nats, "nats://{}", at(nats.port()), b"INFO {", none()),
        ];
        Self { columns, _nats: nats, _postgres: postgres, _redis: redis, _ca_file: ca_file }
    }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn nats() -> Daemon {
    let mut nats = Daemon::prepare(program("nats-server", &[]));
    let port = nats.port().to_string();
    nats.spawn(["-a", "127.0.0.1", "-p", &port]);
    nats.says("Server is ready", 0).await;
    nats
}

async fn grpc() -> SocketAddr {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(async move {
        let _kept = reporter;
        tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
            .unwrap();
    });
    address
}

async fn web() -> SocketAddr {
    each_connection(|mut stream| async move { answer(&mut stream).await }).await
}

async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{KEY_SET}", KEY_SET.len());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.read_u8().await;
}

/// TLS in front of a server.
async fn secured(plain: SocketAddr, mut config: ServerConfig, protocol: &[u8]) -> SocketAddr {
    if !protocol.is_empty() {
        config.alpn_protocols = vec![protocol.to_vec()];
    }
    let acceptor = TlsAcceptor::from(Arc::new(config));
    each_connection(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut session) = acceptor.accept(stream).await else { return };
            let mut plain = TcpStream::connect(plain).await.unwrap();
            let _ = copy_bidirectional(&mut session, &mut plain).await;
        }
    })
    .await
}

async fn each_connection<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A server's certificate for 127.0.0.1, and whom to trust for it.
fn certified() -> (ServerConfig, NamedTempFile) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority of the fault matrix");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    (config, file)
}
