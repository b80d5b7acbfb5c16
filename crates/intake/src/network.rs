//! The facts of a connection that its addresses give.
//!
//! Promises: when the system does not say what its network looks like, every peer is external.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use contracts::InterfaceSource;
use policy::facts::{ConnectionFacts, Interfaces, ServiceName, Standing};
use policy::settings::Security;
use policy::trust;

/// The facts of a connection from `addresses.0` to `addresses.1`.
pub(crate) fn connection_facts(
    source: &dyn InterfaceSource,
    security: &Security,
    addresses: (SocketAddr, SocketAddr),
    service: ServiceName,
) -> ConnectionFacts {
    let (peer, local) = (canonical(addresses.0), canonical(addresses.1));
    let (interface, standing) = match source.interfaces() {
        Ok(interfaces) => {
            let interface =
                trust::interface_of(&interfaces, local.ip()).map(|found| found.name.clone());
            let standing = trust::standing(
                &interfaces,
                security,
                peer.ip(),
                local,
                interface.as_deref(),
            );
            (interface, standing)
        }
        Err(failed) => (
            None,
            Standing {
                internal: false,
                fact: format!("{failed}, so the peer counts as external"),
                speaks_for_others: true,
            },
        ),
    };
    ConnectionFacts {
        peer,
        local,
        interface,
        service,
        standing,
        tls: None,
        user: None,
        greeting_name: None,
    }
}

/// The address of ours that `peer` would most likely reach: on the interface of its own subnet,
/// else on the one with the default route; used where a question names none.
pub(crate) fn likely_local(source: &dyn InterfaceSource, peer: IpAddr, port: u16) -> SocketAddr {
    let peer = peer.to_canonical();
    let ip = if peer.is_loopback() {
        loopback_like(peer)
    } else {
        source
            .interfaces()
            .ok()
            .and_then(|interfaces| reached(&interfaces, peer))
            .unwrap_or_else(|| unspecified_like(peer))
    };
    SocketAddr::new(ip, port)
}

fn reached(interfaces: &Interfaces, peer: IpAddr) -> Option<IpAddr> {
    let fits = |address: &&(IpAddr, u8)| address.0.to_canonical().is_ipv4() == peer.is_ipv4();
    let all = || {
        interfaces.list.iter().flat_map(|interface| {
            interface
                .addresses
                .iter()
                .filter(fits)
                .map(move |address| (interface, address))
        })
    };
    let on_link = all().find(|(_, (address, prefix))| {
        policy::settings::Network {
            address: address.to_canonical(),
            prefix: *prefix,
        }
        .contains(peer)
    });
    on_link
        .or_else(|| all().find(|(interface, _)| interface.has_default_route))
        .map(|(_, (address, _))| address.to_canonical())
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

const fn loopback_like(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

const fn unspecified_like(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}
