//! DNS as mail needs it.
//!
//! Promises: *does not exist* and *could not be learnt* are never mixed up (F-DNS,
//! reliability anchors); every question has a deadline.

use std::net::IpAddr;

use mail::Domain;
use policy::RecordKind;
use policy::facts::DomainStanding;

/// One mail exchanger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxHost {
    /// Lower is tried first.
    pub preference: u16,
    /// Its name.
    pub host: Domain,
}

/// What MX says of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MxAnswer {
    /// Exchangers, by rising preference; never empty.
    Hosts(Vec<MxHost>),
    /// A null MX: the domain takes no mail (RFC 7505).
    Null,
    /// The domain exists and has no MX: its own address is the exchanger (RFC 5321 §5.1).
    NoMx,
}

/// Why DNS gave no records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// NXDOMAIN.
    #[error("{name} does not exist in DNS")]
    NoSuchDomain {
        /// The name asked for.
        name: String,
    },
    /// No answer in time, SERVFAIL, or an answer that makes no sense.
    #[error("DNS gave no answer for {name}: {failure}")]
    NotLearnt {
        /// The name asked for.
        name: String,
        /// What went wrong.
        failure: String,
    },
}

impl ResolveError {
    /// Whether asking again later may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::NotLearnt { .. })
    }
}

/// Looks records up as they stand, for checks that people read.
#[async_trait::async_trait]
pub trait RecordSource: Send + Sync {
    /// The values of `name` and `kind` as a zone file writes them; empty when there are none.
    ///
    /// # Errors
    /// `NotLearnt` only: a name that does not exist has no values.
    async fn values(&self, name: &Domain, kind: RecordKind) -> Result<Vec<String>, ResolveError>;
}

/// Asks DNS.
#[async_trait::async_trait]
pub trait Resolver: Send + Sync {
    /// The mail exchangers of `domain`, following CNAMEs.
    ///
    /// # Errors
    /// `NoSuchDomain` is final; `NotLearnt` asks for another try.
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError>;

    /// The addresses of `host`, IPv6 first, empty when the name exists without any.
    ///
    /// # Errors
    /// `NoSuchDomain` is final; `NotLearnt` asks for another try.
    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError>;

    /// Whether a sender's domain could receive a reply.
    ///
    /// # Errors
    /// `NotLearnt` only: a domain that does not exist is an answer.
    async fn domain_standing(&self, domain: &Domain) -> Result<DomainStanding, ResolveError> {
        let missing = |failed| match failed {
            ResolveError::NoSuchDomain { .. } => Ok(DomainStanding::Unknown),
            ResolveError::NotLearnt { .. } => Err(failed),
        };
        match self.mx(domain).await {
            Ok(MxAnswer::Hosts(_)) => Ok(DomainStanding::Exists),
            Ok(MxAnswer::Null) => Ok(DomainStanding::NullMx),
            Ok(MxAnswer::NoMx) => match self.addresses(domain).await {
                Ok(addresses) if addresses.is_empty() => Ok(DomainStanding::Unknown),
                Ok(_) => Ok(DomainStanding::Exists),
                Err(failed) => missing(failed),
            },
            Err(failed) => missing(failed),
        }
    }
}
