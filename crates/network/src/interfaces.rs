//! Interfaces with their addresses and default routes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::{Clock, InterfaceSource, InterfacesError};
use mail::Timestamp;
use nix::net::if_::InterfaceFlags;
use policy::facts::{Interface, Interfaces};

use crate::routes::{self, DefaultRoute, Neighbour};

/// How old an answer may be.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// Reads the kernel's view. Interfaces and routes are kept for five seconds; neighbours are not,
/// since one may appear together with the connection that is to be judged.
pub struct SystemInterfaces {
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Timestamp, Network)>>,
}

/// What is kept.
#[derive(Clone)]
struct Network {
    by_name: BTreeMap<String, Interface>,
    defaults: Vec<DefaultRoute>,
}

impl std::fmt::Debug for SystemInterfaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemInterfaces")
    }
}

impl SystemInterfaces {
    /// A reader that measures age by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            kept: Mutex::new(None),
        }
    }
}

impl InterfaceSource for SystemInterfaces {
    fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
        let now = self.clock.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept
            .as_ref()
            .filter(|(at, _)| now >= *at && now.since(*at) < FRESH_FOR);
        let network = if let Some((_, network)) = fresh {
            network.clone()
        } else {
            let network = read()?;
            *kept = Some((now, network.clone()));
            network
        };
        drop(kept);
        let neighbours = routes::parse_neighbours(&table("/proc/net/arp"));
        Ok(with_next_hops(network, &neighbours))
    }
}

fn table(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn read() -> Result<Network, InterfacesError> {
    let failed = |failure: String| InterfacesError { failure };
    let mut by_name: BTreeMap<String, Interface> = BTreeMap::new();
    for entry in nix::ifaddrs::getifaddrs().map_err(|error| failed(error.to_string()))? {
        if !entry.flags.contains(InterfaceFlags::IFF_UP) {
            continue;
        }
        let interface = by_name
            .entry(entry.interface_name.clone())
            .or_insert_with(|| Interface {
                name: entry.interface_name.clone(),
                addresses: Vec::new(),
                default_next_hops: Vec::new(),
                has_default_route: false,
            });
        if let Some(address) = entry.address.as_ref().and_then(ip_of) {
            let prefix = entry
                .netmask
                .as_ref()
                .and_then(ip_of)
                .map_or(0, prefix_length);
            interface.addresses.push((address, prefix));
        }
    }
    let mut defaults = routes::parse_v4(&table("/proc/net/route"));
    defaults.extend(routes::parse_v6(&table("/proc/net/ipv6_route")));
    Ok(Network { by_name, defaults })
}

fn with_next_hops(network: Network, neighbours: &[Neighbour]) -> Interfaces {
    let mut interfaces = network.by_name;
    for route in &network.defaults {
        if let Some(interface) = interfaces.get_mut(&route.interface) {
            interface.has_default_route = true;
            let hops = route.next_hop.into_iter();
            for hop in hops.chain(routes::aliases(route, neighbours)) {
                if !interface.default_next_hops.contains(&hop) {
                    interface.default_next_hops.push(hop);
                }
            }
        }
    }
    Interfaces {
        list: interfaces.into_values().collect(),
    }
}

fn ip_of(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

fn prefix_length(mask: IpAddr) -> u8 {
    let ones = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    u8::try_from(ones).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use contracts::SystemClock;

    use super::*;

    #[test]
    fn loopback_is_seen_without_a_default_route() {
        let source = SystemInterfaces::new(Arc::new(SystemClock));
        let interfaces = source.interfaces().unwrap();
        let loopback = interfaces
            .list
            .iter()
            .find(|interface| interface.name == "lo")
            .unwrap();
        assert!(
            loopback
                .addresses
                .contains(&("127.0.0.1".parse().unwrap(), 8))
        );
        assert!(!loopback.has_default_route);
    }
}
