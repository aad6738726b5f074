//! TLS for one try.
//!
//! Owns whom we trust (the system's roots, or one file), and the words for what is wrong with a certificate.
//! Must never accept a certificate that does not verify, take up an earlier session (a certificate that has
//! expired meanwhile would not be looked at), nor set a process-wide default.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, InvalidMessage, RootCertStore};
use vestibule::check::{Reason, Stage, Trouble};

use crate::socket;

/// The client that trusts the system's roots: they are some hundred certificates, read once.
static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// A client that trusts the certificates in `ca_file`, or those of the system. It reads files: make it once for
/// each check, and not in a try.
///
/// # Errors
///
/// What is wrong with the file, or that the system trusts nobody.
pub fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    match (ca_file, SYSTEM.get()) {
        (Some(file), _) => trusting(of_file(file)?),
        (None, Some(system)) => Ok(Arc::clone(system)),
        (None, None) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let config = trusting(roots)?;
            Ok(Arc::clone(SYSTEM.get_or_init(|| config)))
        }
    }
}

/// A session with `host` over this stream; the host is a name, or an address without brackets.
///
/// # Errors
///
/// What is wrong with its certificate, or that there was no session.
pub async fn session<S>(
    stream: S,
    host: &str,
    config: Arc<ClientConfig>,
    stage: &Stage,
) -> Result<TlsStream<S>, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stage.waits(Reason::Silent, "a TLS session");
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Trouble::new(Reason::TlsWrongName, format!("{host} can't be certified")))?;
    let session = TlsConnector::from(config).connect(name, stream).await;
    session.map_err(|error| socket::trouble_of(&error))
}

/// The certificates in this file.
///
/// # Errors
///
/// What is wrong with the file.
pub(crate) fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"no certificate in it; PEM is wanted"));
    }
    Ok(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    if roots.is_empty() {
        return Err("no certificate to trust: install ca-certificates, or set ca_file".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The trouble behind an error of TLS, with dates and names.
#[must_use]
pub fn trouble_of(error: &rustls::Error) -> Trouble {
    let (reason, text) = match error {
        rustls::Error::InvalidCertificate(why) => of_certificate(why),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (Reason::TlsFailed, "what answers there does not speak TLS".to_owned())
        }
        _ => (Reason::TlsFailed, error.to_string()),
    };
    Trouble::new(reason, text)
}

fn of_certificate(why: &CertificateError) -> (Reason, String) {
    match why {
        CertificateError::Expired => (Reason::TlsExpired, "its certificate has expired".into()),
        CertificateError::ExpiredContext { not_after, time } => {
            let (end, now) = (date(*not_after), date(*time));
            (Reason::TlsExpired, format!("its certificate expired at {end}, and it is {now}"))
        }
        CertificateError::NotValidYet => {
            (Reason::TlsNotYetValid, "its certificate is not valid yet".into())
        }
        CertificateError::NotValidYetContext { not_before, time } => {
            let (from, now) = (date(*not_before), date(*time));
            (
                Reason::TlsNotYetValid,
                format!("its certificate is valid from {from}, and it is {now}"),
            )
        }
        CertificateError::NotValidForName => {
            (Reason::TlsWrongName, "its certificate is for another name".into())
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let (wanted, names) = (expected.to_str(), presented.join(", "));
            let names = if names.is_empty() { "no name" } else { &names };
            (Reason::TlsWrongName, format!("its certificate is for {names}, not for {wanted}"))
        }
        CertificateError::UnknownIssuer => {
            (Reason::TlsUnknownCa, "nobody whom we trust signed its certificate".into())
        }
        // An authority that was made anew has its old name and another key.
        CertificateError::BadSignature => {
            (Reason::TlsUnknownCa, "a namesake of one whom we trust signed its certificate".into())
        }
        other => (Reason::TlsFailed, format!("its certificate is of no use: {other}")),
    }
}

/// As in RFC 3339, to the second.
pub(crate) fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_string(),
        Err(_) => "a time beyond every calendar".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! Breaks trust with certificates of yesterday, of tomorrow, of others and of nobody, in real sessions.

    use std::io::Write;
    use std::net::SocketAddr;

    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
    };
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn file(pem: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem.as_bytes()).unwrap();
        file
    }

    /// A server with this certificate for one session.
    async fn server(authority: &Authority, params: CertificateParams) -> SocketAddr {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
        });
        address
    }

    /// What a session with `localhost` meets there, when we trust one authority and another signs.
    async fn met(params: CertificateParams, signs: &Authority, trusted: &Authority) -> Trouble {
        let trusted = file(&trusted.pem());
        let config = client(Some(trusted.path())).unwrap();
        let stream = TcpStream::connect(server(signs, params).await).await.unwrap();
        let session = session(stream, "localhost", config, &Stage::default()).await;
        session.err().unwrap_or_else(|| Trouble::new(Reason::Other, "a session"))
    }

    fn valid_for(name: &str) -> CertificateParams {
        CertificateParams::new(vec![name.to_owned()]).unwrap()
    }

    #[tokio::test]
    async fn f30_each_fault_of_a_certificate_is_told_with_dates_and_names() {
        let ours = authority("ours");
        let met_ours = async |params| met(params, &ours, &ours).await;
        assert_eq!(met_ours(valid_for("localhost")).await.detail(), "a session");

        let mut expired = valid_for("localhost");
        expired.not_after = date_time_ymd(2024, 2, 29);
        let trouble = met_ours(expired).await;
        assert_eq!(trouble.reason(), Reason::TlsExpired);
        assert!(trouble.detail().contains("expired at 2024-02-29T00:00:00Z"), "{trouble}");

        let mut future = valid_for("localhost");
        future.not_before = date_time_ymd(2999, 1, 1);
        let trouble = met_ours(future).await;
        assert_eq!(trouble.reason(), Reason::TlsNotYetValid);
        assert!(trouble.detail().contains("valid from 2999-01-01T00:00:00Z"), "{trouble}");

        let trouble = met_ours(valid_for("db.internal")).await;
        assert_eq!(trouble.reason(), Reason::TlsWrongName);
        assert!(trouble.detail().contains("db.internal"), "{trouble}");
        assert!(trouble.detail().contains("not for localhost"), "{trouble}");

        for stranger in ["theirs", "ours"] {
            let trouble = met(valid_for("localhost"), &authority(stranger), &ours).await;
            assert_eq!(trouble.reason(), Reason::TlsUnknownCa, "{trouble}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let empty = file("");
        assert!(client(Some(empty.path())).unwrap_err().contains("no certificate in it"));
        let missing = client(Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(missing.starts_with("/nowhere/ca.pem: "), "{missing}");
    }
}
