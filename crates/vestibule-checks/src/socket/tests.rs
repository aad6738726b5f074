//! Breaks dialling with nobody, with a machine that has nothing left, and with errors wrapped in errors.

use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let trouble = dial("127.0.0.1", free.port(), &Stage::default()).await.unwrap_err();
    assert_eq!(trouble.to_string(), format!("refused: {free}: connection refused"));
}

#[tokio::test]
async fn somebody_on_one_family_of_a_name_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stream = dial("localhost", port, &Stage::default()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
}

#[test]
fn a31_a_name_that_leads_to_the_metadata_server_is_not_dialled() {
    for address in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[fd00:ec2::254]:80"] {
        let addresses = ["192.0.2.1:80", address].map(|text| text.parse().unwrap());
        let trouble = forbidden("rebound.example", &addresses).unwrap_err();
        assert_eq!(trouble.reason(), Reason::Unreachable, "{address}");
        assert!(forbidden("169.254.169.254", &addresses).is_ok());
        assert!(forbidden("metadata.google.internal", &addresses).is_ok());
    }
    assert!(forbidden("db", &["169.254.7.7:80".parse().unwrap()]).is_ok());
}

#[test]
fn a_machine_without_descriptors_or_ports_is_not_the_dependencys_fault() {
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL] {
        assert_eq!(trouble_of(&errno.into()).reason(), Reason::OutOfResources, "{errno:?}");
    }
}

#[test]
fn what_an_address_answered_tells_more_than_no_way_to_another() {
    let failed = [
        ("[2001:db8::1]:5".parse().unwrap(), io::Error::from(Errno::NETUNREACH)),
        ("192.0.2.1:5".parse().unwrap(), io::Error::from(Errno::CONNREFUSED)),
    ];
    let trouble = none_of("db", 5, &failed);
    let told = "refused: 192.0.2.1:5: connection refused (and 1 more address)";
    assert_eq!(trouble.to_string(), told);
}

#[test]
fn an_error_is_found_behind_those_that_wrap_it() {
    #[derive(Debug, thiserror::Error)]
    #[error("the library says no more than this")]
    struct Library(#[source] io::Error);
    let wrapped = Library(io::Error::other(Library(Errno::CONNRESET.into())));
    assert_eq!(trouble_behind(&wrapped).unwrap().reason(), Reason::Reset);
    #[derive(Debug, thiserror::Error)]
    #[error("alone")]
    struct Alone;
    assert!(trouble_behind(&Alone).is_none());
}

#[cfg(feature = "tls")]
#[test]
fn f30_an_error_of_tls_is_found_behind_one_of_a_socket() {
    use tokio_rustls::rustls::{CertificateError, Error};
    let inner = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let error = io::Error::new(ErrorKind::InvalidData, inner);
    assert_eq!(trouble_of(&error).reason(), Reason::TlsUnknownCa);
}
