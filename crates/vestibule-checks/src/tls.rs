//! TLS for one try.
//!
//! Owns whom we trust (the system's roots, or one file), and the words for what is wrong with a certificate.
//! Must never accept a certificate that does not verify, nor set a process-wide default.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};
use vestibule::check::{Reason, Trouble};

/// A client that trusts the certificates in `ca_file`, or those of the system.
///
/// # Errors
///
/// What is wrong with the file, or that the system trusts nobody.
pub fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            let certificates =
                CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| error.to_string())?;
                roots.add(certificate).map_err(|error| error.to_string())?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("no certificate to trust: set ca_file".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The trouble behind an error of TLS.
#[must_use]
pub fn trouble_of(error: &rustls::Error) -> Trouble {
    let reason = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Reason::TlsExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Reason::TlsNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Reason::TlsWrongName
            }
            CertificateError::UnknownIssuer => Reason::TlsUnknownCa,
            _ => Reason::TlsFailed,
        },
        _ => Reason::TlsFailed,
    };
    Trouble::new(reason, error.to_string())
}
