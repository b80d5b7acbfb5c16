//! A switch: the wire that several machines share.

use super::namespace::{Link, Namespace, cable};
use anyhow::Result;
use std::sync::atomic::{AtomicU32, Ordering};

/// A bridge in a namespace of its own, which may have an address and so be a router, too.
#[derive(Debug)]
pub struct Switch {
    namespace: Namespace,
    ports: AtomicU32,
}

impl Switch {
    /// The bridge's interface in its namespace.
    pub const INTERFACE: &'static str = "br0";

    /// Makes a switch.
    ///
    /// # Errors
    /// As [`Namespace::new`].
    pub fn new(label: &str) -> Result<Self> {
        let namespace = Namespace::new(label)?;
        namespace.ip("link add br0 type bridge forward_delay 0")?;
        namespace.ip("link set br0 up")?;
        Ok(Self {
            namespace,
            ports: AtomicU32::new(0),
        })
    }

    /// Plugs a machine in; `interface` is what it is called there. Answers the port's name here.
    ///
    /// # Errors
    /// When the machine has an interface of that name.
    pub fn plug(&self, namespace: &Namespace, interface: &str) -> Result<String> {
        let port = format!("port{}", self.ports.fetch_add(1, Ordering::Relaxed));
        let machine = Link {
            namespace,
            interface,
        };
        let here = Link {
            namespace: &self.namespace,
            interface: &port,
        };
        cable(machine, here)?;
        self.namespace
            .ip(&format!("link set {port} master {}", Self::INTERFACE))?;
        Ok(port)
    }

    /// Pulls the plug of a port, or puts it back.
    ///
    /// # Errors
    /// When there is no such port.
    pub fn set_port(&self, port: &str, up: bool) -> Result<()> {
        let state = if up { "up" } else { "down" };
        self.namespace.ip(&format!("link set {port} {state}"))?;
        Ok(())
    }

    /// The namespace that the switch is in.
    pub const fn namespace(&self) -> &Namespace {
        &self.namespace
    }
}
