//! The certificate in use, and the TLS configurations that present it.
//!
//! Promises: loading never leaves new connections without the certificate they had before.
//! Standards: RFC 7301 (a client that says it speaks another protocol is turned away, ALPACA).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use contracts::{CertificateReport, Certificates};
use mail::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::Certificate;
use super::{AuthorityFolder, CertificateError, validity};

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateOrigin {
    /// The gateway's own authority.
    LocalAuthority(AuthorityFolder),
    /// PEM files that this process may read.
    Files {
        /// Certificate chain, leaf first.
        chain: PathBuf,
        /// Private key.
        key: PathBuf,
    },
    /// PEM texts that somebody with more rights has read.
    Pem {
        /// Certificate chain, leaf first.
        chain: Vec<u8>,
        /// Private key.
        key: Vec<u8>,
    },
}

/// Holds the certificate for new connections.
#[derive(Debug)]
pub struct CertificateHolder {
    in_use: Arc<InUse>,
    provider: Arc<CryptoProvider>,
    smtp: Arc<ServerConfig>,
    pop3: Arc<ServerConfig>,
    reload_error: ArcSwapOption<String>,
    local_authority: AtomicBool,
}

/// What `rustls` asks for each new connection.
#[derive(Debug, Default)]
struct InUse(ArcSwapOption<Certificate>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificate = self.0.load();
        certificate.as_ref().map(|found| Arc::clone(&found.key))
    }
}

impl CertificateHolder {
    /// A holder without certificate: TLS is not offered until `load` succeeded.
    ///
    /// # Errors
    /// `Tls` when the TLS library cannot be set up at all.
    pub fn new() -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let in_use = Arc::new(InUse::default());
        let config = |protocols: &[&str]| config(&provider, &in_use, protocols);
        Ok(Arc::new(Self {
            smtp: config(&["smtp", "esmtp"])?,
            pop3: config(&["pop3"])?,
            in_use,
            provider,
            reload_error: ArcSwapOption::empty(),
            local_authority: AtomicBool::new(false),
        }))
    }

    /// Puts the certificate of `origin` in use; with the local authority, makes what is missing.
    ///
    /// Call it at start, when the setting, a name or an address changed, at SIGHUP, and once a
    /// day, so that a certificate of our own is made anew in time.
    ///
    /// # Errors
    /// The certificate in use before stays in use, and `report` shows the error.
    pub fn load(&self, origin: &CertificateOrigin, now: Timestamp) -> Result<(), CertificateError> {
        match self.read(origin, now) {
            Ok(certificate) => {
                let local = matches!(origin, CertificateOrigin::LocalAuthority(_));
                self.local_authority.store(local, Ordering::Relaxed);
                self.in_use.0.store(Some(Arc::new(certificate)));
                self.reload_error.store(None);
                Ok(())
            }
            Err(failed) => {
                tracing::error!(%failed, "the certificate in use before stays in use");
                self.reload_error.store(Some(Arc::new(failed.to_string())));
                Err(failed)
            }
        }
    }

    /// Whether there is a certificate, so that TLS can be offered.
    pub fn is_ready(&self) -> bool {
        self.in_use.0.load().is_some()
    }

    pub(crate) fn smtp(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.smtp)
    }

    pub(crate) fn pop3(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.pop3)
    }

    fn read(
        &self,
        origin: &CertificateOrigin,
        now: Timestamp,
    ) -> Result<Certificate, CertificateError> {
        let certificate = match origin {
            CertificateOrigin::LocalAuthority(folder) => {
                let pem = folder.server(now, &self.provider)?;
                self.parse(pem.chain.as_bytes(), pem.key.as_bytes())?
            }
            CertificateOrigin::Files { chain, key } => {
                self.parse(&read_file(chain)?, &read_file(key)?)?
            }
            CertificateOrigin::Pem { chain, key } => self.parse(chain, key)?,
        };
        if validity::lasts(certificate.facts.not_after, now, std::time::Duration::ZERO) {
            Ok(certificate)
        } else {
            Err(CertificateError::Expired {
                expired: certificate.facts.not_after.rfc5322(),
            })
        }
    }

    fn parse(&self, chain: &[u8], key: &[u8]) -> Result<Certificate, CertificateError> {
        Certificate::from_pem(chain, key, &self.provider)
    }
}

impl Certificates for CertificateHolder {
    fn report(&self) -> Option<CertificateReport> {
        let certificate = self.in_use.0.load_full()?;
        Some(CertificateReport {
            fingerprint: certificate.facts.fingerprint.clone(),
            names: certificate.facts.names.clone(),
            not_after: certificate.facts.not_after,
            local_authority: self.local_authority.load(Ordering::Relaxed),
            reload_error: self.reload_error.load().as_deref().cloned(),
        })
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    in_use: &Arc<InUse>,
    protocols: &[&str],
) -> Result<Arc<ServerConfig>, CertificateError> {
    let resolver: Arc<dyn ResolvesServerCert> = Arc::<InUse>::clone(in_use);
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|failed| CertificateError::Tls {
            failure: failed.to_string(),
        })?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    // RFC 7301 §3.2: no common protocol ends the handshake; a client that names none is served.
    config.alpn_protocols = protocols
        .iter()
        .map(|protocol| protocol.as_bytes().to_vec())
        .collect();
    Ok(Arc::new(config))
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|failure| CertificateError::Read {
        path: path.to_owned(),
        failure,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const DAY_SECS: i64 = 86_400;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_millis((20_000 + number) * DAY_SECS * 1000)
    }

    fn origin(folder: &Path, name: &str, addresses: &[&str]) -> CertificateOrigin {
        CertificateOrigin::LocalAuthority(AuthorityFolder {
            folder: folder.join("tls"),
            host_name: mail::Domain::parse(name).unwrap(),
            names: Vec::new(),
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        })
    }

    fn fingerprint(holder: &CertificateHolder) -> String {
        holder.report().unwrap().fingerprint
    }

    #[test]
    fn a_certificate_names_host_and_addresses_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let origin = origin(
            folder.path(),
            "mail.office.test",
            &["192.168.0.100", "fd00::1"],
        );
        let holder = CertificateHolder::new().unwrap();
        assert!(!holder.is_ready());
        assert_eq!(holder.report(), None);
        holder.load(&origin, day(0)).unwrap();
        let report = holder.report().unwrap();
        assert_eq!(
            report.names,
            ["192.168.0.100", "fd00::1", "mail.office.test"]
        );
        assert!(report.local_authority);
        assert_eq!(report.fingerprint.len(), 32 * 3 - 1);
        let again = CertificateHolder::new().unwrap();
        again.load(&origin, day(300)).unwrap();
        assert_eq!(again.report(), Some(report));
    }

    #[test]
    fn keys_can_be_read_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let origin = origin(folder.path(), "mail.office.test", &[]);
        CertificateHolder::new()
            .unwrap()
            .load(&origin, day(0))
            .unwrap();
        for (name, mode) in [("authority.key", 0o600), ("server.key", 0o600)] {
            let path = folder.path().join("tls").join(name);
            let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{name}");
        }
    }

    #[test]
    fn a_new_address_or_a_near_end_makes_a_new_certificate_under_the_same_authority() {
        let folder = tempfile::tempdir().unwrap();
        let holder = CertificateHolder::new().unwrap();
        let first = origin(folder.path(), "mail.office.test", &["192.168.0.100"]);
        holder.load(&first, day(0)).unwrap();
        let one = fingerprint(&holder);
        let authority = || fs::read(folder.path().join("tls/authority.pem")).unwrap();
        let before = authority();
        let moved = origin(folder.path(), "mail.office.test", &["192.168.0.101"]);
        holder.load(&moved, day(1)).unwrap();
        let two = fingerprint(&holder);
        assert_ne!(one, two);
        holder.load(&moved, day(300)).unwrap();
        assert_eq!(fingerprint(&holder), two);
        holder.load(&moved, day(340)).unwrap();
        assert_ne!(fingerprint(&holder), two);
        assert_eq!(authority(), before);
        holder.load(&moved, day(3400)).unwrap();
        assert_ne!(authority(), before);
    }

    #[test]
    fn what_goes_away_or_changes_by_itself_makes_no_new_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let holder = CertificateHolder::new().unwrap();
        let names = ["192.168.0.100", "fd00::1", "fe80::1", "2001:db8::7a31"];
        let first = origin(folder.path(), "mail.office.test", &names);
        holder.load(&first, day(0)).unwrap();
        let before = fingerprint(&holder);
        let names = ["192.168.0.100", "fe80::2", "2001:db8::99c0"];
        let later = origin(folder.path(), "mail.office.test", &names);
        holder.load(&later, day(1)).unwrap();
        assert_eq!(fingerprint(&holder), before);
    }

    #[test]
    fn a_broken_new_certificate_keeps_the_old_one_and_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let holder = CertificateHolder::new().unwrap();
        let good = origin(folder.path(), "mail.office.test", &[]);
        holder.load(&good, day(0)).unwrap();
        let before = fingerprint(&holder);
        let chain = fs::read(folder.path().join("tls/server.pem")).unwrap();
        let other_key = fs::read(folder.path().join("tls/authority.key")).unwrap();
        let pem = |chain: &[u8], key: &[u8]| CertificateOrigin::Pem {
            chain: chain.to_vec(),
            key: key.to_vec(),
        };
        for (broken, word) in [
            (pem(b"", &other_key), "no certificate"),
            (pem(&chain, b"nothing"), "no private key"),
            (pem(&chain, &other_key), "together"),
            (
                CertificateOrigin::Files {
                    chain: folder.path().join("gone.pem"),
                    key: folder.path().join("gone.key"),
                },
                "gone.pem",
            ),
        ] {
            let failed = holder.load(&broken, day(1)).unwrap_err().to_string();
            assert!(failed.contains(word), "{failed}");
            let report = holder.report().unwrap();
            assert_eq!(report.fingerprint, before);
            assert_eq!(report.reload_error, Some(failed));
        }
        let key = fs::read(folder.path().join("tls/server.key")).unwrap();
        let expired = holder.load(&pem(&chain, &key), day(800)).unwrap_err();
        assert!(expired.to_string().contains("expired"));
        holder.load(&pem(&chain, &key), day(1)).unwrap();
        assert_eq!(holder.report().unwrap().reload_error, None);
    }
}
