//! The Resolver contract on hickory's stub resolver, with its cache.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use contracts::{MxAnswer, RecordSource, ResolveError, Resolver};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RecordType};
use mail::Domain;
use policy::RecordKind;

use crate::answer::{self, Absence};

/// The resolver could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The system's own list of DNS servers could not be read.
    #[error("cannot read the system's DNS servers: {failure}")]
    SystemServers {
        /// What the system said.
        failure: String,
    },
    /// hickory refused the configuration.
    #[error("cannot set up DNS: {failure}")]
    Refused {
        /// What it said.
        failure: String,
    },
}

/// One try waits this long; the whole question at most `ATTEMPTS` times that, over UDP and TCP.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;
/// A question that is not answered by then counts as not learnt.
const DEADLINE: Duration = Duration::from_secs(12);
const CACHED_ANSWERS: u64 = 8192;

/// DNS by hickory; its cache is shared by all who ask.
pub struct HickoryResolver {
    inner: RwLock<Arc<TokioResolver>>,
}

impl std::fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HickoryResolver")
    }
}

impl HickoryResolver {
    /// Asks `servers`, or those of the system when there are none. Needs a tokio runtime.
    ///
    /// # Errors
    /// `SetUpError` when there is nobody to ask.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, SetUpError> {
        Ok(Self {
            inner: RwLock::new(Arc::new(build(servers)?)),
        })
    }

    /// Asks other servers from now on, with an empty cache.
    ///
    /// # Errors
    /// `SetUpError`; the old servers are asked on.
    pub fn reconfigure(&self, servers: &[SocketAddr]) -> Result<(), SetUpError> {
        let fresh = Arc::new(build(servers)?);
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    async fn lookup(&self, domain: &Domain, kind: RecordType) -> Result<Lookup, Absence> {
        let resolver = Arc::clone(&self.inner.read().unwrap_or_else(PoisonError::into_inner));
        let not_learnt = |failure: String| {
            Absence::Failed(ResolveError::NotLearnt {
                name: domain.to_string(),
                failure,
            })
        };
        // RFC 1035 §2.3.4: what is too long for a name in DNS cannot exist there.
        let mut name = Name::from_ascii(domain.as_str()).map_err(|_| {
            Absence::Failed(ResolveError::NoSuchDomain {
                name: domain.to_string(),
            })
        })?;
        // Fully qualified: no search list is ever tried.
        name.set_fqdn(true);
        match tokio::time::timeout(DEADLINE, resolver.lookup(name, kind)).await {
            Ok(Ok(lookup)) => Ok(lookup),
            Ok(Err(error)) => Err(answer::absence(domain, &error)),
            Err(_) => Err(not_learnt("no answer in time".to_owned())),
        }
    }
}

fn build(servers: &[SocketAddr]) -> Result<TokioResolver, SetUpError> {
    let config = if servers.is_empty() {
        let (config, _) = hickory_resolver::system_conf::read_system_conf().map_err(|error| {
            SetUpError::SystemServers {
                failure: error.to_string(),
            }
        })?;
        ResolverConfig::from_name_servers(config.name_servers().to_vec())
    } else {
        ResolverConfig::from_name_servers(
            servers.iter().map(|server| name_server(*server)).collect(),
        )
    };
    let mut options = ResolverOpts::default();
    options.timeout = TRY_TIMEOUT;
    options.attempts = ATTEMPTS;
    options.cache_size = CACHED_ANSWERS;
    options.use_hosts_file = ResolveHosts::Never;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .map_err(|error| SetUpError::Refused {
            failure: error.to_string(),
        })
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = vec![port(ConnectionConfig::udp()), port(ConnectionConfig::tcp())];
    NameServerConfig::new(server.ip(), true, connections)
}

#[async_trait::async_trait]
impl RecordSource for HickoryResolver {
    async fn values(&self, name: &Domain, kind: RecordKind) -> Result<Vec<String>, ResolveError> {
        let asked = match kind {
            RecordKind::Mx => RecordType::MX,
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
            RecordKind::Txt => RecordType::TXT,
            RecordKind::Ptr => RecordType::PTR,
        };
        match self.lookup(name, asked).await {
            Ok(lookup) => Ok(answer::values(&lookup, kind)),
            Err(Absence::NoRecords | Absence::Failed(ResolveError::NoSuchDomain { .. })) => {
                Ok(Vec::new())
            }
            Err(Absence::Failed(error)) => Err(error),
        }
    }
}

#[async_trait::async_trait]
impl Resolver for HickoryResolver {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        match self.lookup(domain, RecordType::MX).await {
            Ok(lookup) => answer::exchangers(domain, &lookup),
            Err(Absence::NoRecords) => Ok(MxAnswer::NoMx),
            Err(Absence::Failed(error)) => Err(error),
        }
    }

    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        let (v6, v4) = tokio::join!(
            self.lookup(host, RecordType::AAAA),
            self.lookup(host, RecordType::A)
        );
        let mut found = Vec::new();
        let mut failed = None;
        for answer in [v6, v4] {
            match answer {
                Ok(lookup) => found.extend(answer::addresses(&lookup)),
                Err(Absence::NoRecords) => {}
                Err(Absence::Failed(error)) => failed = Some(error),
            }
        }
        match failed {
            // One family that answered is enough to go on with.
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }
}
