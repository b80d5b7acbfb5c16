//! One certificate with its key, ready for use, and what operators want to know of it.
//!
//! Promises: key and certificate belong together; what is shown was read from the certificate.

use std::net::IpAddr;
use std::sync::Arc;

use mail::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;

use super::CertificateError;

/// A certificate in use.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: CertificateFacts,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    pub(super) fingerprint: String,
    pub(super) names: Vec<String>,
    pub(super) not_after: Timestamp,
    pub(super) common_name: Option<String>,
}

impl Certificate {
    /// Reads chain (leaf first) and key from PEM text.
    pub(super) fn from_pem(
        chain: &[u8],
        key: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|failed| CertificateError::Pem {
                failure: failed.to_string(),
            })?;
        let leaf = chain.first().ok_or(CertificateError::NoCertificate)?;
        let facts = CertificateFacts::of(leaf)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|failed| {
            if matches!(failed, rustls_pki_types::pem::Error::NoItemsFound) {
                CertificateError::NoKey
            } else {
                CertificateError::Pem {
                    failure: failed.to_string(),
                }
            }
        })?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|failed| {
            CertificateError::Mismatch {
                failure: failed.to_string(),
            }
        })?;
        Ok(Self {
            key: Arc::new(key),
            facts,
        })
    }
}

impl CertificateFacts {
    fn of(der: &CertificateDer<'_>) -> Result<Self, CertificateError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(der).map_err(|failed| {
            CertificateError::Unreadable {
                failure: failed.to_string(),
            }
        })?;
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map_or_else(Vec::new, |extension| {
                let names = &extension.value.general_names;
                names.iter().filter_map(shown_name).collect()
            });
        let common_name = parsed.subject().iter_common_name().next();
        Ok(Self {
            fingerprint: fingerprint(der),
            names,
            not_after: Timestamp::from_millis(
                parsed.validity().not_after.timestamp().saturating_mul(1000),
            ),
            common_name: common_name.and_then(|name| name.as_str().ok().map(str::to_owned)),
        })
    }
}

fn shown_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => {
            if let Ok(four) = <[u8; 4]>::try_from(*octets) {
                return Some(IpAddr::from(four).to_string());
            }
            let sixteen = <[u8; 16]>::try_from(*octets).ok()?;
            Some(IpAddr::from(sixteen).to_string())
        }
        GeneralName::OtherName(..)
        | GeneralName::RFC822Name(_)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::URI(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => None,
    }
}

/// SHA-256 of a certificate as programs show it: `AB:CD:…`.
fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der)
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    pairs.join(":")
}
