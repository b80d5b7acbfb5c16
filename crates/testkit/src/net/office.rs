//! An office and the Internet around it, in the shapes that offices have.
//!
//! Promises: the same names in every shape: the gateway, a desk, the router, and on the Internet a
//! DNS server, another site's mail server and a stranger. Addresses are from the documentation and
//! private ranges, the same in each office: namespaces keep them apart.

use super::namespace::Namespace;
use super::switch::Switch;
use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A machine and the address it is known by.
#[derive(Debug)]
pub struct Host {
    /// Its network.
    pub namespace: Namespace,
    /// Its address.
    pub address: IpAddr,
}

/// The shape of an office's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The gateway is the router: one card to the LAN, one to the provider.
    TwoCards,
    /// The same, and everybody has IPv6 as well as IPv4.
    DualStack,
    /// One card; a router forwards the mail ports and keeps the peer's address.
    BehindRouter,
    /// One card; a router forwards the mail ports and puts its own address in the peer's place.
    BehindMasqueradingRouter,
    /// A rented server: one card with a public address, strangers on the same wire, no LAN.
    RentedServer,
}

/// The whole test network.
#[derive(Debug)]
pub struct Office {
    /// Its shape.
    pub place: Place,
    /// Where the subject runs; `address` is what desks use.
    pub gateway: Host,
    /// What the Internet uses to reach the gateway.
    pub outside_address: IpAddr,
    /// A client machine: on the LAN, or on the Internet where there is no LAN.
    pub desk: Host,
    /// A machine that shares the gateway's outer wire, where strangers do so.
    pub neighbour: Option<Host>,
    /// The router in front of a gateway with one card.
    pub router: Option<Host>,
    /// The Internet's DNS server.
    pub dns: Host,
    /// Another site's mail server.
    pub hotmail: Host,
    /// Anybody on the Internet.
    pub stranger: Host,
    lan: Switch,
    access: Switch,
    core: Switch,
    plug: String,
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// The provider's router, next hop of the office.
const PROVIDER: IpAddr = v4(203, 0, 113, 1);
/// The office's public address.
const PUBLIC: IpAddr = v4(203, 0, 113, 10);
const NEIGHBOUR: IpAddr = v4(203, 0, 113, 77);
/// The Internet core.
const CORE: IpAddr = v4(198, 51, 100, 1);
const DNS: IpAddr = v4(198, 51, 100, 53);
const HOTMAIL: IpAddr = v4(198, 51, 100, 25);
const STRANGER: IpAddr = v4(198, 51, 100, 99);
const FAR_DESK: IpAddr = v4(198, 51, 100, 11);
/// The LAN's default gateway: the gateway itself with two cards, else the router.
const LAN_ROUTER: IpAddr = v4(192, 168, 10, 1);
const LAN_GATEWAY: IpAddr = v4(192, 168, 10, 2);
const LAN_DESK: IpAddr = v4(192, 168, 10, 11);

impl Office {
    /// The gateway's interface towards the Internet (its only one in most shapes).
    pub const OUTSIDE: &'static str = "eth0";
    /// The gateway's interface towards the LAN with two cards.
    pub const INSIDE: &'static str = "eth1";

    /// Builds an office of a shape.
    ///
    /// # Errors
    /// When namespaces cannot be made (see [`Namespace::new`]).
    pub fn build(place: Place) -> Result<Self> {
        let core = Switch::new("core")?;
        let access = Switch::new("access")?;
        let lan = Switch::new("lan")?;
        // The core switch is the provider's router, too: one leg on each side.
        access.plug(core.namespace(), "access")?;
        core.namespace().add_address("access", &mask(PROVIDER))?;
        core.namespace()
            .add_address(Switch::INTERFACE, &mask(CORE))?;
        core.namespace().forward_packets();
        let on_core = |label, address| host(label, &core, address, CORE);
        let gateway = Namespace::new("gateway")?;
        let mut neighbour = None;
        let mut router = None;
        let (inside, plug, desk) = match place {
            Place::TwoCards | Place::DualStack => {
                let plug = attach(&gateway, &access, Self::OUTSIDE, PUBLIC, Some(PROVIDER))?;
                attach(&gateway, &lan, Self::INSIDE, LAN_ROUTER, None)?;
                let desk = host("desk", &lan, LAN_DESK, LAN_ROUTER)?;
                // Nothing here passes packets on for desks, so they have no DNS to wait for.
                desk.namespace.resolve_nothing()?;
                (LAN_ROUTER, plug, desk)
            }
            Place::BehindRouter | Place::BehindMasqueradingRouter => {
                let (built, plug) =
                    forwarding_router(&lan, &access, place == Place::BehindMasqueradingRouter)?;
                router = Some(built);
                attach(&gateway, &lan, Self::OUTSIDE, LAN_GATEWAY, Some(LAN_ROUTER))?;
                let desk = host("desk", &lan, LAN_DESK, LAN_ROUTER)?;
                (LAN_GATEWAY, plug, desk)
            }
            Place::RentedServer => {
                let plug = attach(&gateway, &access, Self::OUTSIDE, PUBLIC, Some(PROVIDER))?;
                neighbour = Some(host("neighbour", &access, NEIGHBOUR, PROVIDER)?);
                (PUBLIC, plug, on_core("desk", FAR_DESK)?)
            }
        };
        gateway.resolve_with(DNS)?;
        let office = Self {
            place,
            gateway: Host {
                namespace: gateway,
                address: inside,
            },
            outside_address: PUBLIC,
            desk,
            neighbour,
            router,
            dns: on_core("dns", DNS)?,
            hotmail: on_core("hotmail", HOTMAIL)?,
            stranger: on_core("stranger", STRANGER)?,
            lan,
            access,
            core,
            plug,
        };
        if place == Place::DualStack {
            office.add_ipv6()?;
        }
        Ok(office)
    }

    /// The gateway's address for desks with IPv6: only in [`Place::DualStack`].
    pub const GATEWAY_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 1));
    /// The gateway's address for the Internet with IPv6: only in [`Place::DualStack`].
    pub const PUBLIC_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 0x10));

    /// Gives IPv6 addresses to everybody: unique local ones on the LAN, documentation ones outside.
    fn add_ipv6(&self) -> Result<()> {
        let core = self.core.namespace();
        core.add_address(Switch::INTERFACE, "2001:db8:1::1/64")?;
        core.add_address("access", "2001:db8:2::1/64")?;
        let gateway = &self.gateway.namespace;
        gateway.add_address(Self::INSIDE, &format!("{}/64", Self::GATEWAY_IPV6))?;
        gateway.add_address(Self::OUTSIDE, &format!("{}/64", Self::PUBLIC_IPV6))?;
        gateway.ip("-6 route add default via 2001:db8:2::1")?;
        self.desk.namespace.add_address("eth0", "fd00:10::11/64")?;
        for (host, address) in [
            (&self.hotmail, "2001:db8:1::25/64"),
            (&self.stranger, "2001:db8:1::99/64"),
        ] {
            host.namespace.add_address("eth0", address)?;
            host.namespace
                .ip("-6 route add default via 2001:db8:1::1")?;
        }
        Ok(())
    }

    /// One more client machine on the LAN; `last` is the last number of its address.
    ///
    /// # Errors
    /// As [`Namespace::new`].
    pub fn add_desk(&self, last: u8) -> Result<Host> {
        let desk = host("desk", &self.lan, v4(192, 168, 10, last), LAN_ROUTER)?;
        if matches!(self.place, Place::TwoCards | Place::DualStack) {
            desk.namespace.resolve_nothing()?;
        }
        Ok(desk)
    }

    /// One more machine on the Internet; `last` is the last number of its address.
    ///
    /// # Errors
    /// As [`Namespace::new`].
    pub fn add_stranger(&self, last: u8) -> Result<Host> {
        host("stranger", &self.core, v4(198, 51, 100, last), CORE)
    }

    /// Pulls the cable to the provider, or puts it back. Interfaces and routes stay as they are.
    ///
    /// # Errors
    /// When the switch does not obey.
    pub fn set_outside_link(&self, up: bool) -> Result<()> {
        self.access.set_port(&self.plug, up)
    }

    /// Begins to count what the gateway sends towards the Internet: attempts, not successes.
    ///
    /// # Errors
    /// When nftables is missing.
    pub fn count_outbound(&self) -> Result<()> {
        let interface = Self::OUTSIDE;
        self.gateway.namespace.nft(&format!(
            "table inet testkit {{\n counter opened {{ }}\n counter sent {{ }}\n chain out {{\n \
             type filter hook output priority 0;\n \
             oifname != \"{interface}\" accept\n ip daddr 192.168.10.0/24 accept\n \
             meta l4proto {{ tcp, udp }} counter name sent\n \
             tcp flags & (syn|ack) == syn counter name opened\n }}\n}}\n"
        ))?;
        Ok(())
    }

    /// How many TCP connections the gateway tried to open to the Internet since it was asked to count.
    ///
    /// # Errors
    /// When [`Office::count_outbound`] was not called.
    pub fn outbound_connections(&self) -> Result<u64> {
        self.counter("opened")
    }

    /// How many packets of any kind, questions to DNS among them, it has sent there since.
    ///
    /// # Errors
    /// When [`Office::count_outbound`] was not called.
    pub fn outbound_packets(&self) -> Result<u64> {
        self.counter("sent")
    }

    fn counter(&self, name: &str) -> Result<u64> {
        let mut list = self.gateway.namespace.command("nft");
        list.args(["list", "counter", "inet", "testkit", name]);
        let listed = crate::running::run(list, b"")?.succeeded()?;
        listed
            .output
            .split_once("packets ")
            .and_then(|(_, rest)| rest.split(' ').next())
            .and_then(|number| number.parse().ok())
            .context("nft shows no counter")
    }
}

/// The router of an office whose gateway has one card; also answers its port on the access wire.
fn forwarding_router(lan: &Switch, access: &Switch, masquerade_in: bool) -> Result<(Host, String)> {
    let router = Namespace::new("router")?;
    let plug = attach(&router, access, "wan", PUBLIC, Some(PROVIDER))?;
    attach(&router, lan, "lan", LAN_ROUTER, None)?;
    router.forward_packets();
    let inward = if masquerade_in {
        format!("ip daddr {LAN_GATEWAY} iifname \"wan\" oifname \"lan\" masquerade")
    } else {
        String::new()
    };
    router.nft(&format!(
        "table ip nat {{\n chain pre {{\n type nat hook prerouting priority -100;\n \
         iifname \"wan\" tcp dport {{ 25, 110, 143, 465, 587, 993, 995 }} dnat to {LAN_GATEWAY}\n }}\n \
         chain post {{\n type nat hook postrouting priority 100;\n \
         oifname \"wan\" masquerade\n {inward}\n }}\n}}\n"
    ))?;
    let host = Host {
        namespace: router,
        address: LAN_ROUTER,
    };
    Ok((host, plug))
}

/// A machine with one card on a switch.
fn host(label: &str, switch: &Switch, address: IpAddr, next_hop: IpAddr) -> Result<Host> {
    let namespace = Namespace::new(label)?;
    attach(&namespace, switch, "eth0", address, Some(next_hop))?;
    namespace.resolve_with(DNS)?;
    Ok(Host { namespace, address })
}

/// Plugs a card in and gives it an address; answers the switch's port.
fn attach(
    namespace: &Namespace,
    switch: &Switch,
    interface: &str,
    address: IpAddr,
    next_hop: Option<IpAddr>,
) -> Result<String> {
    let port = switch.plug(namespace, interface)?;
    namespace.add_address(interface, &mask(address))?;
    if let Some(next_hop) = next_hop {
        namespace.default_route(next_hop)?;
    }
    Ok(port)
}

/// Every network here is a /24.
fn mask(address: IpAddr) -> String {
    format!("{address}/24")
}
