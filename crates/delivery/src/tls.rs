//! TLS as client: any certificate for strangers' exchangers, a checked one for our own hosts.
//!
//! Promises: where a certificate is checked, it is checked by name against the platform's roots
//! (else the roots compiled in) and those handed in; TLS 1.2 and 1.3 only.
//! Standards: RFC 3207, RFC 7435 (opportunistic), RFC 8314.

use std::sync::Arc;

use mail::MailHost;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use crate::dialer::Stream;

/// What the certificate of the far side is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Any will do: it is this or clear text.
    Anybody,
    /// It must be the host's.
    ByName,
}

/// TLS for outgoing connections.
#[derive(Clone)]
pub struct Tls {
    anybody: TlsConnector,
    by_name: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// TLS cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS for outgoing connections: {failure}")]
pub struct TlsError {
    /// What is wrong.
    pub failure: String,
}

/// A stream under TLS, and its version.
pub(crate) struct Secured {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) version: String,
}

impl Tls {
    /// With the platform's roots, those compiled in where it has none, and `extra_roots`.
    ///
    /// # Errors
    /// `TlsError` when the library offers no version of TLS that we want.
    pub fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let platform = rustls_native_certs::load_native_certs();
        let (taken, _) = roots.add_parsable_certificates(platform.certs);
        if taken == 0 {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots.add_parsable_certificates(extra_roots.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let by_name = versions(&provider)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let anybody = versions(&provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Ok(Self {
            anybody: TlsConnector::from(Arc::new(anybody)),
            by_name: TlsConnector::from(Arc::new(by_name)),
        })
    }

    /// Shakes hands.
    pub(crate) async fn connect(
        &self,
        stream: Box<dyn Stream>,
        host: &MailHost,
        trust: Trust,
    ) -> Result<Secured, std::io::Error> {
        let connector = match trust {
            Trust::Anybody => &self.anybody,
            Trust::ByName => &self.by_name,
        };
        let stream = connector.connect(server_name(host)?, stream).await?;
        let version = stream.get_ref().1.protocol_version();
        let version = match version {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            other => format!("{other:?}"),
        };
        Ok(Secured {
            stream: Box::new(stream),
            version,
        })
    }
}

fn versions(
    provider: &Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError {
            failure: error.to_string(),
        })
}

fn server_name(host: &MailHost) -> Result<ServerName<'static>, std::io::Error> {
    match host {
        MailHost::Address(address) => Ok(ServerName::from(*address)),
        MailHost::Domain(domain) => ServerName::try_from(domain.as_str().to_owned())
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error)),
    }
}

/// Takes any certificate, but still holds its owner to its key.
// RFC 7435 §3: encryption without authentication is better than none, where none is the rest.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
