//! The order of exchangers, seen with a resolver that says what the test wants.

use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
struct Zone {
    mx: BTreeMap<String, Result<MxAnswer, ResolveError>>,
    addresses: BTreeMap<String, Result<Vec<IpAddr>, ResolveError>>,
}

fn nxdomain(name: &Domain) -> ResolveError {
    ResolveError::NoSuchDomain {
        name: name.to_string(),
    }
}

fn silent(name: &str) -> ResolveError {
    ResolveError::NotLearnt {
        name: name.to_owned(),
        failure: "timed out".to_owned(),
    }
}

#[async_trait::async_trait]
impl Resolver for Zone {
    async fn mx(&self, domain: &Domain) -> Result<MxAnswer, ResolveError> {
        let known = self.mx.get(domain.as_str()).cloned();
        known.unwrap_or_else(|| Err(nxdomain(domain)))
    }

    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, ResolveError> {
        let known = self.addresses.get(host.as_str()).cloned();
        known.unwrap_or_else(|| Err(nxdomain(host)))
    }
}

struct Counting(std::sync::atomic::AtomicU64);

impl Random for Counting {
    fn number(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

impl Zone {
    fn with_mx(mut self, name: &str, hosts: &[(u16, &str)]) -> Self {
        let hosts = hosts
            .iter()
            .map(|(preference, host)| MxHost {
                preference: *preference,
                host: domain(host),
            })
            .collect();
        self.mx.insert(name.to_owned(), Ok(MxAnswer::Hosts(hosts)));
        self
    }

    fn with(mut self, host: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.addresses.insert(host.to_owned(), Ok(addresses));
        self
    }

    async fn tried(&self, own: &[&str], seed: u64) -> Result<Vec<String>, Nowhere> {
        let ourselves = Ourselves::new(None);
        ourselves.set(own.iter().map(|text| text.parse().unwrap()).collect());
        let random = Counting(seed.into());
        let finder = Finder {
            resolver: self,
            ourselves: &ourselves,
            random: &random,
            mx_port: 25,
        };
        let next_hop = NextHop::Mx {
            domain: domain("hotmail.test"),
        };
        let targets = finder.targets(&next_hop).await?;
        Ok(targets.iter().map(|one| one.address.to_string()).collect())
    }
}

fn because(result: Result<Vec<String>, Nowhere>) -> (bool, Because) {
    match result.unwrap_err() {
        Nowhere::Refused(why) => (true, why.because),
        Nowhere::Deferred(why) => (false, why.because),
    }
}

#[tokio::test]
async fn lower_preference_comes_first_and_families_take_turns() {
    let zone = Zone::default()
        .with_mx("hotmail.test", &[(20, "b.test"), (10, "a.test")])
        .with("b.test", &["192.0.2.9"])
        .with("a.test", &["2001:db8::1", "2001:db8::2", "192.0.2.1"]);
    assert_eq!(
        zone.tried(&[], 0).await.unwrap(),
        [
            "[2001:db8::1]:25",
            "192.0.2.1:25",
            "[2001:db8::2]:25",
            "192.0.2.9:25"
        ]
    );
}

#[tokio::test]
async fn equals_come_in_any_order() {
    let zone = Zone::default()
        .with_mx("hotmail.test", &[(10, "a.test"), (10, "b.test")])
        .with("a.test", &["192.0.2.1"])
        .with("b.test", &["192.0.2.2"]);
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..4 {
        orders.insert(zone.tried(&[], seed).await.unwrap());
    }
    assert_eq!(orders.len(), 2);
}

#[tokio::test]
async fn without_mx_the_domain_itself_is_tried() {
    let mut zone = Zone::default().with("hotmail.test", &["192.0.2.1"]);
    zone.mx
        .insert("hotmail.test".to_owned(), Ok(MxAnswer::NoMx));
    assert_eq!(zone.tried(&[], 0).await.unwrap(), ["192.0.2.1:25"]);
    zone.addresses.clear();
    let (refused, because) = because(zone.tried(&[], 0).await);
    assert!(refused && matches!(because, Because::RecipientDomainUnknown { .. }));
}

#[tokio::test]
async fn a_null_mx_and_a_missing_domain_are_final_and_silence_is_not() {
    let mut zone = Zone::default();
    let (refused, missing) = because(zone.tried(&[], 0).await);
    assert!(refused && matches!(missing, Because::RecipientDomainUnknown { .. }));
    zone.mx
        .insert("hotmail.test".to_owned(), Ok(MxAnswer::Null));
    let (refused, null) = because(zone.tried(&[], 0).await);
    assert!(refused && matches!(null, Because::RecipientNullMx { .. }));
    zone.mx
        .insert("hotmail.test".to_owned(), Err(silent("hotmail.test")));
    let (refused, silence) = because(zone.tried(&[], 0).await);
    assert!(!refused && matches!(silence, Because::Unreachable { .. }));
}

#[tokio::test]
async fn one_exchanger_that_could_not_be_looked_up_does_not_hide_the_other() {
    let mut zone = Zone::default()
        .with_mx("hotmail.test", &[(10, "a.test"), (20, "b.test")])
        .with("b.test", &["192.0.2.2"]);
    zone.addresses
        .insert("a.test".to_owned(), Err(silent("a.test")));
    assert_eq!(zone.tried(&[], 0).await.unwrap(), ["192.0.2.2:25"]);
    zone.addresses.remove("b.test");
    assert!(!because(zone.tried(&[], 0).await).0, "it may come back");
}

#[tokio::test]
async fn our_own_place_in_the_list_ends_it() {
    let zone = Zone::default()
        .with_mx(
            "hotmail.test",
            &[
                (10, "a.test"),
                (20, "us.test"),
                (20, "b.test"),
                (30, "c.test"),
            ],
        )
        .with("a.test", &["192.0.2.1"])
        .with("us.test", &["192.0.2.2", "127.0.0.1"])
        .with("b.test", &["192.0.2.3"])
        .with("c.test", &["192.0.2.4"]);
    let own = ["127.0.0.1:25"];
    assert_eq!(zone.tried(&own, 0).await.unwrap(), ["192.0.2.1:25"]);
    let zone = zone.with_mx("hotmail.test", &[(10, "us.test"), (20, "a.test")]);
    let (refused, because) = because(zone.tried(&own, 0).await);
    assert!(refused && matches!(because, Because::LoopsToOurselves { .. }));
}

#[tokio::test]
async fn another_port_of_our_own_address_is_not_ourselves() {
    let zone = Zone::default()
        .with_mx("hotmail.test", &[(10, "us.test")])
        .with("us.test", &["127.0.0.1"]);
    let tried = zone.tried(&["127.0.0.1:2525"], 0).await.unwrap();
    assert_eq!(tried, ["127.0.0.1:25"]);
}

#[tokio::test]
async fn addresses_that_no_host_can_have_are_never_dialled() {
    let zone = Zone::default()
        .with_mx("hotmail.test", &[(10, "a.test")])
        .with("a.test", &["0.0.0.0", "::", "224.0.0.1"]);
    let (refused, because) = because(zone.tried(&[], 0).await);
    assert!(refused && matches!(because, Because::RecipientDomainUnknown { .. }));
}
