//! Default routes and the neighbours behind them, read from the kernel's tables under `/proc/net`.
//!
//! Promises: a default route that is written as halves (as VPN programs do) is found too; so are
//! further IPv4 addresses of a next hop, by its hardware address.
//! Does not: see IPv4 routes outside of the main table, or further IPv6 addresses of a next hop.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One default route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultRoute {
    /// The interface it leaves by.
    pub(crate) interface: String,
    /// The next hop; none on a point-to-point link.
    pub(crate) next_hop: Option<IpAddr>,
}

/// Reads `/proc/net/route` text: IPv4, little-endian hexadecimal.
pub(crate) fn parse_v4(table: &str) -> Vec<DefaultRoute> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let interface = columns.next()?;
            let destination = columns.next()?;
            let gateway = u32::from_str_radix(columns.next()?, 16).ok()?;
            let mask = columns.nth(4)?;
            let destination = u32::from_str_radix(destination, 16).ok()?.swap_bytes();
            let mask = u32::from_str_radix(mask, 16).ok()?.swap_bytes();
            // 0.0.0.0/0, or one of its halves.
            if mask.leading_ones() > 1 || destination & !(1 << 31) != 0 {
                return None;
            }
            let gateway = Ipv4Addr::from(gateway.to_le_bytes());
            Some(DefaultRoute {
                interface: interface.to_owned(),
                next_hop: (!gateway.is_unspecified()).then_some(IpAddr::V4(gateway)),
            })
        })
        .collect()
}

/// Reads `/proc/net/ipv6_route` text; routes that reject (on `lo`) do not count.
pub(crate) fn parse_v6(table: &str) -> Vec<DefaultRoute> {
    table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [_, prefix, _, _, next_hop, _, _, _, _, interface] = columns.as_slice() else {
                return None;
            };
            let to = u128::from_str_radix(columns.first()?, 16).ok()?;
            // ::/0, one of its halves, or 2000::/3, which is all that is public.
            let all = match u8::from_str_radix(prefix, 16).ok()? {
                0 | 1 => true,
                3 => to >> 125 == 1,
                _ => false,
            };
            if !all || *interface == "lo" {
                return None;
            }
            let next_hop = Ipv6Addr::from(u128::from_str_radix(next_hop, 16).ok()?);
            Some(DefaultRoute {
                interface: (*interface).to_owned(),
                next_hop: (!next_hop.is_unspecified()).then_some(IpAddr::V6(next_hop)),
            })
        })
        .collect()
}

/// One line of the table of IPv4 neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) address: IpAddr,
    pub(crate) hardware: String,
    pub(crate) interface: String,
}

/// Reads `/proc/net/arp` text, without neighbours whose hardware address is not known.
pub(crate) fn parse_neighbours(table: &str) -> Vec<Neighbour> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [address, _, _, hardware, _, interface] = columns.as_slice() else {
                return None;
            };
            let known = hardware.bytes().any(|digit| !matches!(digit, b'0' | b':'));
            Some(Neighbour {
                address: address.parse().ok()?,
                hardware: (*hardware).to_owned(),
                interface: (*interface).to_owned(),
            })
            .filter(|_| known)
        })
        .collect()
}

/// Further addresses of the machine that has `next_hop`, as far as the neighbours tell: a router
/// may speak for strangers from an address that no route names.
pub(crate) fn aliases<'a>(
    route: &'a DefaultRoute,
    neighbours: &'a [Neighbour],
) -> impl Iterator<Item = IpAddr> + 'a {
    let here = || {
        let on_link = neighbours.iter();
        on_link.filter(|neighbour| neighbour.interface == route.interface)
    };
    let hardware = route.next_hop.and_then(|hop| {
        let found = here().find(|neighbour| neighbour.address == hop);
        found.map(|neighbour| neighbour.hardware.as_str())
    });
    here()
        .filter(move |neighbour| Some(neighbour.hardware.as_str()) == hardware)
        .map(|neighbour| neighbour.address)
        .filter(|address| Some(*address) != route.next_hop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v4_default_route_is_found_and_others_are_not() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
                     ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
        let routes = parse_v4(table);
        assert_eq!(routes.len(), 2);
        assert_eq!(routes[0].next_hop, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(
            routes[1],
            DefaultRoute {
                interface: "ppp0".to_owned(),
                next_hop: None
            }
        );
    }

    #[test]
    fn a_default_route_in_halves_is_found() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
                     tun0\t00000080\t0100080A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n\
                     eth1\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n\
                     eth2\t000000C0\t00000000\t0001\t0\t0\t0\t000000C0\t0\t0\t0\n";
        let interfaces: Vec<String> = parse_v4(table).into_iter().map(|r| r.interface).collect();
        assert_eq!(interfaces, ["tun0", "tun0"]);
        let zero = "0".repeat(32);
        let line = |to: &str, prefix: &str| {
            format!("{to:0<32} {prefix} {zero} 00 {zero} 00000400 2 0 00000003 tun0\n")
        };
        for (to, prefix, found) in [
            ("0", "01", 1),
            ("8", "01", 1),
            ("2", "03", 1),
            ("e", "03", 0),
            ("fd", "08", 0),
        ] {
            assert_eq!(parse_v6(&line(to, prefix)).len(), found, "{to}/{prefix}");
        }
    }

    #[test]
    fn further_addresses_of_a_next_hop_are_known_by_its_hardware_address() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     192.168.0.1      0x1         0x2         52:54:00:00:00:01     *        eth0\n\
                     192.168.0.254    0x1         0x2         52:54:00:00:00:01     *        eth0\n\
                     192.168.0.23     0x1         0x2         52:54:00:00:00:23     *        eth0\n\
                     192.168.0.77     0x1         0x0         00:00:00:00:00:00     *        eth0\n\
                     10.0.0.1         0x1         0x2         52:54:00:00:00:01     *        eth1\n";
        let neighbours = parse_neighbours(table);
        assert_eq!(neighbours.len(), 4);
        let route = |hop: &str| DefaultRoute {
            interface: "eth0".to_owned(),
            next_hop: Some(hop.parse().unwrap()),
        };
        let of = |hop: &str| aliases(&route(hop), &neighbours).collect::<Vec<_>>();
        assert_eq!(
            of("192.168.0.1"),
            ["192.168.0.254".parse::<IpAddr>().unwrap()]
        );
        assert!(of("192.168.0.77").is_empty() && of("192.168.0.9").is_empty());
    }

    #[test]
    fn v6_default_route_is_found_and_the_reject_route_is_not() {
        let zero = "0".repeat(32);
        let table = format!(
            "{zero} 00 {zero} 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n\
             fe800000000000000000000000000000 40 {zero} 00 {zero} 00000100 00000002 00000000 00000001     eth0\n\
             {zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        );
        let routes = parse_v6(&table);
        assert_eq!(routes.len(), 1);
        assert_eq!(routes[0].next_hop, Some("fd00::1".parse().unwrap()));
    }
}
