//! The gateway's own certificate authority, and the server certificate it signs.
//!
//! Promises: what is on disk and still fits is kept, so that programs that trust it go on
//! trusting it; a server certificate is made anew when a name or address is missing, when it nears
//! its end, or when it cannot be read.
//! Does not: sign for anybody else.
//! Standards: RFC 5280 §4.2, RFC 6125 §6.4.4.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use mail::{Domain, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;

use super::certificate::Certificate;
use super::folder::{AUTHORITY_CERTIFICATE, AUTHORITY_KEY, Folder, SERVER_CERTIFICATE, SERVER_KEY};
use super::{CertificateError, validity};

/// Where the authority lives and what its server certificate is to be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityFolder {
    /// Holds `authority.pem`, `authority.key`, `server.pem`, `server.key`; made if absent.
    pub folder: PathBuf,
    /// The machine's name.
    pub host_name: Domain,
    /// Further names that people may type.
    pub names: Vec<Domain>,
    /// The machine's addresses: people type those too.
    pub addresses: Vec<IpAddr>,
}

/// PEM texts of the server certificate, its authority included, and of its key.
pub(super) struct ServerPem {
    pub(super) chain: String,
    pub(super) key: String,
}

/// An authority that can sign.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl AuthorityFolder {
    /// Reads what is there, makes what is missing or no longer fits.
    pub(super) fn server(
        &self,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Result<ServerPem, CertificateError> {
        let folder = Folder::open(&self.folder)?;
        let (authority, is_new) = match Self::kept_authority(&folder, now, provider) {
            Some(authority) => (authority, false),
            None => (self.new_authority(&folder, now)?, true),
        };
        let kept = || self.kept_server(&folder, now, provider);
        if !is_new
            && let Some(server) = kept()
            && server.chain.ends_with(&authority.pem)
        {
            return Ok(server);
        }
        self.new_server(&folder, &authority, now)
    }

    fn kept_authority(
        folder: &Folder,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Option<Authority> {
        let pem = folder.read(AUTHORITY_CERTIFICATE).ok()?;
        let key = folder.read(AUTHORITY_KEY).ok()?;
        // A crash may have left a new key beside an old certificate: they must fit.
        let facts = Certificate::from_pem(pem.as_bytes(), key.as_bytes(), provider)
            .ok()?
            .facts;
        let key = KeyPair::from_pem(&key).ok()?;
        let common_name = facts.common_name.as_deref()?;
        if !validity::lasts(facts.not_after, now, validity::AUTHORITY_LEFT_MIN) {
            return None;
        }
        let issuer = Issuer::new(Self::authority_params(common_name), key);
        Some(Authority { pem, issuer })
    }

    fn new_authority(
        &self,
        folder: &Folder,
        now: Timestamp,
    ) -> Result<Authority, CertificateError> {
        let key = KeyPair::generate()?;
        // Two authorities of one name would confuse the programs that trust one of them.
        let common_name = format!("Gatepost {} {}", self.host_name.as_str(), now.as_secs());
        let mut params = Self::authority_params(&common_name);
        validity::set(&mut params, now, validity::AUTHORITY);
        let pem = params.self_signed(&key)?.pem();
        folder.write_secret(AUTHORITY_KEY, &key.serialize_pem())?;
        folder.write(AUTHORITY_CERTIFICATE, &pem)?;
        let issuer = Issuer::new(params, key);
        Ok(Authority { pem, issuer })
    }

    fn authority_params(common_name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    fn kept_server(
        &self,
        folder: &Folder,
        now: Timestamp,
        provider: &CryptoProvider,
    ) -> Option<ServerPem> {
        let chain = folder.read(SERVER_CERTIFICATE).ok()?;
        let key = folder.read(SERVER_KEY).ok()?;
        let facts = Certificate::from_pem(chain.as_bytes(), key.as_bytes(), provider)
            .ok()?
            .facts;
        let names: BTreeSet<String> = facts.names.into_iter().collect();
        // A name too many harms nobody; a new certificate makes every mail program ask again.
        let fits = names.is_superset(&self.wanted_names())
            && validity::lasts(facts.not_after, now, validity::SERVER_LEFT_MIN);
        fits.then_some(ServerPem { chain, key })
    }

    fn new_server(
        &self,
        folder: &Folder,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<ServerPem, CertificateError> {
        let names: Vec<String> = self.wanted_names().into_iter().collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named(self.host_name.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        validity::set(&mut params, now, validity::SERVER);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority.issuer)?;
        let server = ServerPem {
            chain: format!("{}{}", certificate.pem(), authority.pem),
            key: key.serialize_pem(),
        };
        folder.write_secret(SERVER_KEY, &server.key)?;
        folder.write(SERVER_CERTIFICATE, &server.chain)?;
        Ok(server)
    }

    // RFC 6125 §6.4.4: programs look at the alternative names only, addresses included.
    fn wanted_names(&self) -> BTreeSet<String> {
        let names = std::iter::once(&self.host_name).chain(&self.names);
        let names = names.map(|name| name.as_str().to_owned());
        let addresses = self.addresses.iter();
        let addresses = addresses
            .map(IpAddr::to_canonical)
            .filter(is_typed)
            .map(|address| address.to_string());
        names.chain(addresses).collect()
    }
}

/// Whether people type such an address into a mail program: private ones, and public ones of IPv4.
///
/// Other addresses of IPv6 change by themselves (RFC 8981), and the certificate would with them.
const fn is_typed(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    // A common name has at most 64 characters (RFC 5280, appendix A.1, ub-common-name).
    let short: String = common_name.chars().take(64).collect();
    name.push(DnType::CommonName, short);
    name
}
