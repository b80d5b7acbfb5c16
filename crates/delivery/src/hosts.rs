//! Which addresses a next hop has, in the order they are tried.
//!
//! Promises: exchangers by preference, equals in random order, each host's IPv6 and IPv4 addresses
//! by turns; nothing at or behind our own place in the list; *does not exist* and *could not be
//! learnt* lead to different outcomes.
//! Standards: RFC 5321 §5.1, RFC 7505, RFC 6724 §6 (families by turns: RFC 8305 §4).

use std::net::{IpAddr, SocketAddr};

use contracts::{MxAnswer, MxHost, ResolveError, Resolver};
use mail::{Domain, MailHost};
use policy::Because;
use policy::route::NextHop;

use crate::ourselves::Ourselves;
use crate::random::{Random, shuffle};
use crate::why::{FarSide, Why};

/// Exchangers that are looked up for one domain.
const EXCHANGERS_MAX: usize = 12;

/// One address to try.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: MailHost,
    pub(crate) far: FarSide,
    pub(crate) address: SocketAddr,
}

/// Why there is nowhere to go.
#[derive(Clone, Debug)]
pub(crate) enum Nowhere {
    /// For good.
    Refused(Why),
    /// For now.
    Deferred(Why),
}

/// What is asked to find them.
pub(crate) struct Finder<'a> {
    pub(crate) resolver: &'a dyn Resolver,
    pub(crate) ourselves: &'a Ourselves,
    pub(crate) random: &'a dyn Random,
    pub(crate) mx_port: u16,
}

/// A host of the list with its place in it.
struct Candidate {
    preference: u16,
    host: MailHost,
    port: u16,
    told_as: Option<String>,
}

impl Finder<'_> {
    /// The addresses of `next_hop`.
    ///
    /// # Errors
    /// `Nowhere` when there is none to try.
    pub(crate) async fn targets(&self, next_hop: &NextHop) -> Result<Vec<Target>, Nowhere> {
        match next_hop {
            NextHop::Mx { domain } => self.exchangers(domain).await,
            NextHop::Literal { address } => {
                let host = MailHost::Address(*address);
                self.found(vec![candidate(0, host, self.mx_port)], None)
                    .await
            }
            NextHop::SmartHost { host } => {
                let one = candidate(0, host.host.clone(), host.port);
                self.found(vec![one], None).await.map_err(keep_ours)
            }
            NextHop::InnerServer { server } => {
                // The order of the settings is the preference.
                let hosts = server.hosts.iter().zip(0..);
                let candidates = hosts.map(|(host, preference)| Candidate {
                    told_as: Some(server.domain.to_string()),
                    ..candidate(preference, host.host.clone(), host.port)
                });
                self.found(candidates.collect(), None)
                    .await
                    .map_err(keep_ours)
            }
            NextHop::Mailboxes { .. } => Ok(Vec::new()),
        }
    }

    async fn exchangers(&self, domain: &Domain) -> Result<Vec<Target>, Nowhere> {
        let hosts = match self.resolver.mx(domain).await {
            Ok(MxAnswer::Hosts(hosts)) => self.ordered(hosts),
            // RFC 7505 §4.1: the domain takes no mail; 556 5.1.10.
            Ok(MxAnswer::Null) => {
                return Err(refused(Because::RecipientNullMx {
                    domain: domain.clone(),
                }));
            }
            // RFC 5321 §5.1: without MX the domain itself is the exchanger, at preference 0.
            Ok(MxAnswer::NoMx) => vec![MxHost {
                preference: 0,
                host: domain.clone(),
            }],
            Err(ResolveError::NoSuchDomain { .. }) => return Err(unknown(domain)),
            Err(error @ ResolveError::NotLearnt { .. }) => return Err(not_learnt(&error)),
        };
        let candidates = hosts
            .into_iter()
            .take(EXCHANGERS_MAX)
            .map(|mx| candidate(mx.preference, MailHost::Domain(mx.host), self.mx_port));
        self.found(candidates.collect(), Some(domain)).await
    }

    // RFC 5321 §5.1: lower preference first; equal ones in random order, to spread the load.
    fn ordered(&self, mut hosts: Vec<MxHost>) -> Vec<MxHost> {
        shuffle(&mut hosts, self.random);
        hosts.sort_by_key(|host| host.preference);
        hosts
    }

    /// Looks all candidates up and leaves out what leads back here.
    async fn found(
        &self,
        candidates: Vec<Candidate>,
        domain: Option<&Domain>,
    ) -> Result<Vec<Target>, Nowhere> {
        let mut places = Vec::new();
        let mut failed = None;
        for candidate in candidates {
            match self.addresses(&candidate.host).await {
                Ok(addresses) => places.push((candidate, addresses)),
                Err(error @ ResolveError::NotLearnt { .. }) => failed = Some(error),
                Err(ResolveError::NoSuchDomain { .. }) => {}
            }
        }
        let own = places.iter().find_map(|(candidate, addresses)| {
            let ours = |ip: &IpAddr| self.ourselves.is(SocketAddr::new(*ip, candidate.port));
            let host = candidate.host.to_string();
            addresses
                .iter()
                .any(ours)
                .then_some((candidate.preference, host))
        });
        if let Some((preference, _)) = &own {
            // RFC 5321 §5.1: whoever finds itself in the list drops itself and all that are not
            // better placed, so that mail moves towards its end.
            places.retain(|(candidate, _)| candidate.preference < *preference);
        }
        let targets: Vec<Target> = places.into_iter().flat_map(targets_of).collect();
        match (targets.is_empty(), failed, own, domain) {
            (false, ..) => Ok(targets),
            (true, Some(error), ..) => Err(not_learnt(&error)),
            (true, None, Some((_, host)), _) => Err(refused(Because::LoopsToOurselves { host })),
            (true, None, None, Some(domain)) => Err(unknown(domain)),
            (true, None, None, None) => Err(Nowhere::Deferred(Why::plain(
                Because::Unreachable {
                    failure: "the host has no address in DNS".to_owned(),
                },
                4,
                4,
            ))),
        }
    }

    async fn addresses(&self, host: &MailHost) -> Result<Vec<IpAddr>, ResolveError> {
        match host {
            MailHost::Address(address) => Ok(vec![*address]),
            MailHost::Domain(domain) => self.resolver.addresses(domain).await,
        }
    }
}

const fn candidate(preference: u16, host: MailHost, port: u16) -> Candidate {
    Candidate {
        preference,
        host,
        port,
        told_as: None,
    }
}

fn targets_of((candidate, addresses): (Candidate, Vec<IpAddr>)) -> Vec<Target> {
    let host = candidate.host;
    let named = host.to_string();
    let far = FarSide {
        told_as: candidate.told_as.unwrap_or_else(|| named.clone()),
        host: named,
    };
    by_turns(addresses)
        .into_iter()
        .map(|ip| Target {
            host: host.clone(),
            far: far.clone(),
            address: SocketAddr::new(ip, candidate.port),
        })
        .collect()
}

/// IPv6 and IPv4 by turns, each in its own order; addresses that no host can have are left out.
fn by_turns(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let usable = |ip: &IpAddr| {
        let ip = ip.to_canonical();
        !ip.is_unspecified() && !ip.is_multicast()
    };
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses
        .into_iter()
        .filter(usable)
        .partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut merged = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            return merged;
        }
        merged.extend(pair.into_iter().flatten());
    }
}

fn refused(because: Because) -> Nowhere {
    Nowhere::Refused(Why::refusal(because))
}

fn unknown(domain: &Domain) -> Nowhere {
    refused(Because::RecipientDomainUnknown {
        domain: domain.clone(),
    })
}

fn not_learnt(error: &ResolveError) -> Nowhere {
    let failure = error.to_string();
    // RFC 3463 §3.5: X.4.3, directory server failure.
    Nowhere::Deferred(Why::plain(Because::Unreachable { failure }, 4, 3))
}

/// A host that settings name is put right by an operator: mail waits for that.
fn keep_ours(nowhere: Nowhere) -> Nowhere {
    match nowhere {
        Nowhere::Refused(why) | Nowhere::Deferred(why) => Nowhere::Deferred(why),
    }
}

#[cfg(test)]
mod tests;
