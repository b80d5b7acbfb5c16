//! Internal or external: interface and source address together (ADR 3).
//!
//! Promises: the gateway's next hops and own addresses are never internal, 127.0.0.1 and `::1`
//! excepted; the fact says which rule decided. IPv4-mapped IPv6 addresses count as IPv4.
//! Does not: say what an internal peer may do; that is the relay table.
//! Standards: RFC 1918, 3927, 4193, 4291 §2.5.6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::facts::{Interface, Interfaces, Standing};
use crate::settings::{Network, Security};

/// Decides about a connection from `peer` to `local`; `interface` names the one that owns
/// `local`, where the caller knows it already.
pub fn standing(
    interfaces: &Interfaces,
    security: &Security,
    peer: IpAddr,
    local: SocketAddr,
    interface: Option<&str>,
) -> Standing {
    let peer = peer.to_canonical();
    let local = local.ip().to_canonical();
    if let Some(standing) = never_internal(interfaces, peer, local) {
        return standing;
    }
    let interface = match interface {
        Some(name) => interfaces.list.iter().find(|i| i.name == name),
        None => interface_of(interfaces, local),
    };
    match interface {
        None => external(format!(
            "{peer} reached {local}, which is on no interface that is known, so it is external"
        )),
        Some(interface) if interface.leads_outside() => {
            match neighbour_within(interfaces, interface, peer) {
                Some(inner) => on_inner(inner, security, peer),
                None => on_outer(interface, security, peer),
            }
        }
        Some(interface) => on_inner(interface, security, peer),
    }
}

/// The interface that owns the address.
pub fn interface_of(interfaces: &Interfaces, local: IpAddr) -> Option<&Interface> {
    let local = local.to_canonical();
    interfaces.list.iter().find(|i| i.owns(local))
}

/// The inner interface that a peer is a neighbour on, though it used the address of `outer`.
///
/// Desks do that with laptops, which keep the outside address in their settings. Nobody else can:
/// our side of the handshake goes to the inner interface, so a forged source never completes it.
fn neighbour_within<'a>(
    interfaces: &'a Interfaces,
    outer: &Interface,
    peer: IpAddr,
) -> Option<&'a Interface> {
    if outer.subnet_of(peer).is_some() {
        return None;
    }
    let mut inner = interfaces.list.iter().filter(|i| !i.leads_outside());
    inner.find(|i| i.subnet_of(peer).is_some())
}

/// Loopback, next hops and own addresses, which no interface makes internal.
fn never_internal(interfaces: &Interfaces, peer: IpAddr, local: IpAddr) -> Option<Standing> {
    if peer.is_loopback() || local.is_loopback() {
        return Some(on_loopback(peer, local));
    }
    let hop_of = |i: &&Interface| i.default_next_hops.iter().any(|h| h.to_canonical() == peer);
    if let Some(interface) = interfaces.list.iter().find(hop_of) {
        return Some(for_others(format!(
            "{peer} is the next hop of the default route on {}, a router that may speak for \
             strangers, so it is external",
            interface.name
        )));
    }
    let owner = interfaces.list.iter().find(|i| i.owns(peer))?;
    Some(for_others(format!(
        "{peer} is this gateway's own address on {}, which redirects speak from, so it is external",
        owner.name
    )))
}

/// Of loopback only 127.0.0.1 and `::1` are internal, and only to a loopback address.
fn on_loopback(peer: IpAddr, local: IpAddr) -> Standing {
    let this_machine = peer == Ipv4Addr::LOCALHOST || peer == Ipv6Addr::LOCALHOST;
    if !peer.is_loopback() {
        external(format!(
            "{peer} reached the loopback address {local} from elsewhere, so it is external"
        ))
    } else if !this_machine {
        external(format!(
            "{peer} is a loopback address other than 127.0.0.1 and ::1, so it is external"
        ))
    } else if !local.is_loopback() {
        external(format!(
            "{peer} reached {local}, which is no loopback address, so it is external"
        ))
    } else {
        internal(format!("{peer} is a program on this machine"))
    }
}

/// On an interface with a default route only private neighbours are internal.
fn on_outer(interface: &Interface, security: &Security, peer: IpAddr) -> Standing {
    let name = &interface.name;
    let Some(subnet) = interface.subnet_of(peer) else {
        return external(format!(
            "{peer} is beyond the networks of {name}, which has the default route, so it is external"
        ));
    };
    if is_link_local(peer) && !interface.is_of_an_office() {
        return external(format!(
            "{peer} is a link-local neighbour on {name}, which has the default route and no \
             private network, so it is external"
        ));
    }
    if is_private_network(subnet) {
        return internal(format!(
            "{peer} is in the private network {subnet} of {name}"
        ));
    }
    match declared_internal(security, peer) {
        Some(range) => internal(format!(
            "{peer} is in {subnet} of {name}, and security.internal_public lists {range}"
        )),
        None => external(format!(
            "{peer} is in the public network {subnet} of {name}, which has the default route, \
             so it is external"
        )),
    }
}

/// An interface without a default route is internal.
///
/// A public source that is not its neighbour is not: Linux takes connections to an inner address
/// on an outer interface too, so a stranger who routes through us would arrive here.
fn on_inner(interface: &Interface, security: &Security, peer: IpAddr) -> Standing {
    let name = &interface.name;
    if interface.subnet_of(peer).is_some() || is_private(peer) {
        return internal(format!(
            "{peer} came in by {name}, which has no default route"
        ));
    }
    match declared_internal(security, peer) {
        Some(range) => internal(format!(
            "{peer} came in by {name}, and security.internal_public lists {range}"
        )),
        None => external(format!(
            "{peer} is a public address beyond the networks of {name}, so it is external"
        )),
    }
}

fn declared_internal(security: &Security, peer: IpAddr) -> Option<&Network> {
    security.internal_public.iter().find(|n| n.contains(peer))
}

const fn internal(fact: String) -> Standing {
    Standing {
        internal: true,
        fact,
        speaks_for_others: false,
    }
}

const fn external(fact: String) -> Standing {
    Standing {
        internal: false,
        fact,
        speaks_for_others: false,
    }
}

const fn for_others(fact: String) -> Standing {
    Standing {
        internal: false,
        fact,
        speaks_for_others: true,
    }
}

impl Interface {
    /// Whether it carries a default route.
    pub fn leads_outside(&self) -> bool {
        self.has_default_route || !self.default_next_hops.is_empty()
    }

    /// Whether it has a private network other than the link-local one, which every interface has:
    /// on a rented server that alone would make the neighbours internal.
    fn is_of_an_office(&self) -> bool {
        let mut networks = self
            .addresses
            .iter()
            .filter_map(|(own, prefix)| Network::new(*own, *prefix));
        networks.any(|network| is_private_network(network) && !is_link_local(network.address))
    }

    fn owns(&self, address: IpAddr) -> bool {
        self.addresses
            .iter()
            .any(|(own, _)| own.to_canonical() == address)
    }

    /// The on-link network that the address lies in.
    fn subnet_of(&self, address: IpAddr) -> Option<Network> {
        self.addresses
            .iter()
            .filter_map(|(own, prefix)| Network::new(*own, *prefix))
            .find(|subnet| subnet.contains(address))
    }
}

/// RFC 1918, unique local and link-local networks.
const PRIVATE: [Network; 6] = [
    Network {
        address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)),
        prefix: 8,
    },
    Network {
        address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)),
        prefix: 12,
    },
    Network {
        address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)),
        prefix: 16,
    },
    Network {
        address: IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)),
        prefix: 16,
    },
    Network {
        address: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)),
        prefix: 7,
    },
    Network {
        address: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)),
        prefix: 10,
    },
];

/// Whether the address is private (RFC 1918), unique local or link-local.
pub fn is_private(address: IpAddr) -> bool {
    PRIVATE.iter().any(|network| network.contains(address))
}

pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Whether every address of the network is private.
pub(crate) fn is_private_network(network: Network) -> bool {
    PRIVATE.iter().any(|private| private.covers(&network))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, addresses: &[(&str, u8)], hops: &[&str]) -> Interface {
        Interface {
            name: name.to_owned(),
            addresses: addresses
                .iter()
                .map(|(address, prefix)| (address.parse().unwrap(), *prefix))
                .collect(),
            default_next_hops: hops.iter().map(|hop| hop.parse().unwrap()).collect(),
            has_default_route: !hops.is_empty(),
        }
    }

    fn with_loopback(mut list: Vec<Interface>) -> Interfaces {
        list.push(interface("lo", &[("127.0.0.1", 8), ("::1", 128)], &[]));
        Interfaces { list }
    }

    /// One card behind a router.
    fn one_card() -> Interfaces {
        with_loopback(vec![interface(
            "eth0",
            &[("192.168.0.100", 24), ("fd00::100", 64), ("fe80::100", 64)],
            &["192.168.0.1", "fe80::1"],
        )])
    }

    /// Office on eth1, provider on eth0.
    fn two_cards() -> Interfaces {
        with_loopback(vec![
            interface("eth0", &[("203.0.113.2", 24)], &["203.0.113.1"]),
            interface("eth1", &[("192.168.0.100", 24), ("198.51.100.1", 28)], &[]),
        ])
    }

    fn check(interfaces: &Interfaces, peer: &str, local: &str) -> Standing {
        standing(
            interfaces,
            &Security::default(),
            peer.parse().unwrap(),
            SocketAddr::new(local.parse().unwrap(), 25),
            None,
        )
    }

    #[test]
    fn with_one_card_the_private_subnet_is_internal_and_the_rest_is_not() {
        let net = one_card();
        for peer in [
            "192.168.0.23",
            "::ffff:192.168.0.23",
            "fd00::23",
            "fe80::23",
        ] {
            let standing = check(&net, peer, "192.168.0.100");
            assert!(standing.internal, "{standing:?}");
        }
        for peer in [
            "203.0.113.9",
            "192.168.1.23",
            "10.0.0.5",
            "2001:db8::9",
            "fd01::1",
        ] {
            assert!(!check(&net, peer, "192.168.0.100").internal, "{peer}");
        }
        assert_eq!(
            check(&net, "192.168.0.23", "192.168.0.100").fact,
            "192.168.0.23 is in the private network 192.168.0.0/24 of eth0"
        );
    }

    #[test]
    fn the_next_hop_is_never_internal() {
        for peer in ["192.168.0.1", "::ffff:192.168.0.1", "fe80::1"] {
            let standing = check(&one_card(), peer, "192.168.0.100");
            assert!(!standing.internal);
            assert!(standing.fact.contains("next hop"), "{}", standing.fact);
            assert!(standing.speaks_for_others);
        }
        assert!(!check(&one_card(), "203.0.113.9", "192.168.0.100").speaks_for_others);
        // Not on another interface either.
        assert!(!check(&two_cards(), "203.0.113.1", "192.168.0.100").internal);
    }

    #[test]
    fn own_addresses_are_never_internal() {
        for peer in ["192.168.0.100", "fd00::100"] {
            let standing = check(&one_card(), peer, "192.168.0.100");
            assert!(!standing.internal);
            assert!(standing.fact.contains("own address"), "{}", standing.fact);
        }
    }

    #[test]
    fn of_loopback_only_the_first_address_is_internal() {
        let net = one_card();
        assert!(check(&net, "127.0.0.1", "127.0.0.1").internal);
        assert!(check(&net, "127.0.0.1", "127.0.0.5").internal);
        assert!(check(&net, "::1", "::1").internal);
        assert!(check(&net, "::ffff:127.0.0.1", "::ffff:127.0.0.1").internal);
        assert!(!check(&net, "127.0.0.2", "127.0.0.1").internal);
        assert!(!check(&net, "127.0.0.1", "192.168.0.100").internal);
        assert!(!check(&net, "203.0.113.9", "127.0.0.1").internal);
        assert!(!check(&net, "192.168.0.23", "127.0.0.1").internal);
    }

    #[test]
    fn an_interface_without_the_default_route_is_internal() {
        let net = two_cards();
        // Neighbours, a subnet behind an inner router, and neighbours with public addresses.
        for peer in ["192.168.0.23", "10.1.2.3", "198.51.100.5"] {
            assert!(check(&net, peer, "192.168.0.100").internal, "{peer}");
        }
        assert!(!check(&net, "203.0.113.77", "203.0.113.2").internal);
    }

    #[test]
    fn a_desk_that_uses_the_outer_address_is_internal() {
        let desk = check(&two_cards(), "192.168.0.7", "203.0.113.2");
        assert!(desk.internal, "{}", desk.fact);
        assert!(desk.fact.contains("eth1"), "{}", desk.fact);
        // Private, but no neighbour: it may be anybody behind the provider.
        assert!(!check(&two_cards(), "192.168.1.7", "203.0.113.2").internal);
        assert!(!check(&two_cards(), "203.0.113.7", "203.0.113.2").internal);
    }

    #[test]
    fn a_stranger_who_routes_to_the_inner_address_stays_external() {
        assert!(!check(&two_cards(), "203.0.113.77", "192.168.0.100").internal);
        assert!(!check(&two_cards(), "8.8.8.8", "192.168.0.100").internal);
    }

    #[test]
    fn public_neighbours_of_a_rented_server_are_internal_only_if_listed() {
        let net = with_loopback(vec![interface(
            "eth0",
            &[("203.0.113.2", 24)],
            &["203.0.113.1"],
        )]);
        assert!(!check(&net, "203.0.113.77", "203.0.113.2").internal);
        let listed = Security {
            internal_public: vec!["203.0.113.64/26".parse().unwrap()],
            ..Security::default()
        };
        let local = "203.0.113.2:25".parse().unwrap();
        let ask = |peer: &str| standing(&net, &listed, peer.parse().unwrap(), local, Some("eth0"));
        assert!(ask("203.0.113.77").internal);
        assert!(!ask("203.0.113.20").internal);
        assert!(!ask("203.0.113.1").internal);
        assert!(!ask("203.0.113.2").internal);
    }

    #[test]
    fn link_local_neighbours_of_a_rented_server_are_strangers() {
        let rented = with_loopback(vec![interface(
            "eth0",
            &[
                ("203.0.113.2", 24),
                ("2001:db8::2", 64),
                ("fe80::100", 64),
                ("169.254.7.7", 16),
            ],
            &["203.0.113.1", "fe80::1"],
        )]);
        assert!(!check(&rented, "fe80::23", "fe80::100").internal);
        assert!(!check(&rented, "169.254.1.1", "169.254.7.7").internal);
        // In an office they are the machines that have private addresses too.
        assert!(check(&one_card(), "fe80::23", "fe80::100").internal);
        let mut inner = rented.clone();
        inner.list[0].default_next_hops.clear();
        inner.list[0].has_default_route = false;
        assert!(check(&inner, "fe80::23", "fe80::100").internal);
    }

    #[test]
    fn a_point_to_point_default_route_makes_no_peer_internal() {
        let mut ppp = interface("ppp0", &[("198.51.100.7", 32)], &[]);
        ppp.has_default_route = true;
        let net = with_loopback(vec![ppp]);
        assert!(!check(&net, "203.0.113.9", "198.51.100.7").internal);
        assert!(!check(&net, "10.0.0.1", "198.51.100.7").internal);
    }

    #[test]
    fn a_subnet_that_is_only_partly_private_is_not_private() {
        let net = with_loopback(vec![interface(
            "eth0",
            &[("192.168.0.100", 8)],
            &["192.168.0.1"],
        )]);
        assert!(!check(&net, "192.168.0.23", "192.168.0.100").internal);
        assert!(!check(&net, "192.5.5.5", "192.168.0.100").internal);
    }

    #[test]
    fn an_unknown_interface_is_external() {
        assert!(!check(&one_card(), "192.168.0.23", "10.9.9.9").internal);
        let named = standing(
            &one_card(),
            &Security::default(),
            "192.168.0.23".parse().unwrap(),
            "192.168.0.100:25".parse().unwrap(),
            Some("gone0"),
        );
        assert!(!named.internal);
    }
}
