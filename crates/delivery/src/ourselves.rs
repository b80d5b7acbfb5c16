//! Which addresses are our own listeners: what loops are recognised by.
//!
//! Promises: address and port, never a name; a listener on all addresses counts for every address
//! of the machine, and for all of loopback.
//! Does not: see a router that leads back to us; Received fields are counted for that.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use contracts::InterfaceSource;

/// The listeners of this gateway that take mail.
#[derive(Default)]
pub struct Ourselves {
    listeners: RwLock<Vec<SocketAddr>>,
    interfaces: Option<Arc<dyn InterfaceSource>>,
}

impl std::fmt::Debug for Ourselves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ourselves")
            .field("listeners", &self.listeners())
            .finish_non_exhaustive()
    }
}

impl Ourselves {
    /// No listeners yet; `interfaces` tells the machine's addresses.
    pub fn new(interfaces: Option<Arc<dyn InterfaceSource>>) -> Self {
        Self {
            listeners: RwLock::default(),
            interfaces,
        }
    }

    /// Replaces the list, whenever a listener was opened or closed.
    pub fn set(&self, listeners: Vec<SocketAddr>) {
        *self
            .listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner) = listeners;
    }

    /// Whether a connection to `address` would reach ourselves.
    pub fn is(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.listeners().iter().any(|listener| {
            listener.port() == address.port()
                && if listener.ip().is_unspecified() {
                    self.is_machine(ip, listener.ip())
                } else {
                    listener.ip().to_canonical() == ip
                }
        })
    }

    fn listeners(&self) -> Vec<SocketAddr> {
        self.listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether a listener on `all` addresses answers at `ip`.
    fn is_machine(&self, ip: IpAddr, all: IpAddr) -> bool {
        // 0.0.0.0 is IPv4 only; :: may be both, as the system has it.
        if all.is_ipv4() && ip.is_ipv6() {
            return false;
        }
        if ip.is_loopback() || ip.is_unspecified() {
            return true;
        }
        let Some(interfaces) = self.interfaces.as_ref().and_then(|s| s.interfaces().ok()) else {
            return false;
        };
        let mut addresses = interfaces.list.iter().flat_map(|one| &one.addresses);
        addresses.any(|(address, _)| address.to_canonical() == ip)
    }
}

#[cfg(test)]
mod tests {
    use contracts::InterfacesError;
    use policy::facts::{Interface, Interfaces};

    use super::*;

    struct OneCard;

    impl InterfaceSource for OneCard {
        fn interfaces(&self) -> Result<Interfaces, InterfacesError> {
            Ok(Interfaces {
                list: vec![Interface {
                    name: "eth0".to_owned(),
                    addresses: vec![("192.0.2.7".parse().unwrap(), 24)],
                    default_next_hops: Vec::new(),
                    has_default_route: true,
                }],
            })
        }
    }

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_listener_is_known_by_address_and_port() {
        let ourselves = Ourselves::new(None);
        ourselves.set(vec![at("127.0.0.1:25")]);
        assert!(ourselves.is(at("127.0.0.1:25")));
        assert!(ourselves.is(at("[::ffff:127.0.0.1]:25")));
        assert!(!ourselves.is(at("127.0.0.1:26")));
        assert!(!ourselves.is(at("127.0.0.2:25")));
    }

    #[test]
    fn a_listener_on_all_addresses_is_at_every_address_of_the_machine() {
        let ourselves = Ourselves::new(Some(Arc::new(OneCard)));
        ourselves.set(vec![at("0.0.0.0:25")]);
        assert!(ourselves.is(at("192.0.2.7:25")));
        assert!(ourselves.is(at("127.0.0.5:25")));
        assert!(!ourselves.is(at("192.0.2.8:25")));
        assert!(!ourselves.is(at("[2001:db8::1]:25")));
    }
}
