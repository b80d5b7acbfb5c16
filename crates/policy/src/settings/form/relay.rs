//! `[[security.relay]]` in writing, and the lines that cannot be saved (S4.7).
//!
//! `who` is `"internal"`, `"signed-in"`, `"anyone"`, an address or a range.

use std::net::IpAddr;

use toml::{Table, Value};

use super::fields::Fields;
use super::writing::word;
use crate::Direction;
use crate::settings::{Network, RelayEntry, Who};
use crate::trust::is_private_network;

const DIRECTIONS: [(&str, Direction); 4] = [
    ("local-to-local", Direction::LocalToLocal),
    ("local-to-outside", Direction::LocalToOutside),
    ("outside-to-local", Direction::OutsideToLocal),
    ("outside-to-outside", Direction::OutsideToOutside),
];

pub(super) fn read(entries: Vec<Fields>, internal_public: &[Network]) -> Vec<RelayEntry> {
    let mut lines: Vec<RelayEntry> = Vec::new();
    for mut fields in entries {
        let name: Option<String> = fields.required("name", "Write what you call this line.");
        let who: Option<Who> = fields.required(
            "who",
            "Write \"internal\", \"signed-in\", \"anyone\", an address or a range.",
        );
        let allows = fields.choices("allows", &DIRECTIONS);
        if let Some(name) = &name
            && (name.is_empty() || lines.iter().any(|line| line.name == *name))
        {
            fields.problem(
                "name",
                format!("\"{name}\" does not tell this line from the others."),
                "Give every line a name of its own: decisions are explained by it.",
            );
        }
        if let Some(who) = &who {
            check_line(&fields, who, &allows, internal_public);
        }
        fields.end();
        if let (Some(name), Some(who)) = (name, who) {
            lines.push(RelayEntry { name, who, allows });
        }
    }
    lines
}

fn check_line(fields: &Fields, who: &Who, allows: &[Direction], internal_public: &[Network]) {
    let outward = allows.iter().any(|direction| match direction {
        Direction::LocalToOutside | Direction::OutsideToOutside => true,
        Direction::LocalToLocal | Direction::OutsideToLocal => false,
    });
    match who {
        Who::Anyone if outward => fields.problem(
            "allows",
            "This would let every stranger send mail to others through this gateway.",
            "Take local-to-outside and outside-to-outside away, or name who may: internal, \
             signed-in, an address or a range.",
        ),
        Who::Range { network } => check_range(fields, *network, internal_public),
        Who::Host { address } => check_host(fields, *address, outward),
        Who::Internal | Who::SignedIn | Who::Anyone => {}
    }
    if allows.is_empty() {
        fields.warn(
            "allows",
            "This line allows nothing.",
            "Choose from local-to-local, local-to-outside, outside-to-local, outside-to-outside.",
        );
    }
}

// ADR 3: a range wider than /8 or /32, or with a public address that is not on-link
// inside, cannot be saved unless it is one host.
fn check_range(fields: &Fields, network: Network, internal_public: &[Network]) {
    if is_too_wide(network) {
        fields.problem(
            "who",
            format!("{network} is too wide for a network of yours."),
            "A range is at most a /8 of IPv4 or a /32 of IPv6.",
        );
    } else if !is_private_network(network) && !internal_public.iter().any(|n| n.covers(&network)) {
        fields.problem(
            "who",
            format!("{network} has public addresses, which strangers may have."),
            "Name single addresses, or list the range in security.internal_public if it is your \
             own network.",
        );
    }
}

pub(super) const fn is_too_wide(network: Network) -> bool {
    match network.address {
        IpAddr::V4(_) => network.prefix < 8,
        IpAddr::V6(_) => network.prefix < 32,
    }
}

fn check_host(fields: &Fields, address: IpAddr, outward: bool) {
    if address.is_unspecified() || address.is_multicast() {
        fields.problem(
            "who",
            format!("{address} is the address of no machine."),
            "Write the address that the machine sends from.",
        );
    } else if outward && !crate::trust::is_private(address) && !address.is_loopback() {
        fields.warn(
            "who",
            format!("{address} is a public address, and whoever has it may send to anywhere."),
            "Signing in is safer.",
        );
    }
}

pub(super) fn write(lines: &[RelayEntry]) -> Value {
    let lines = lines.iter().map(|line| {
        let allows = line
            .allows
            .iter()
            .map(|direction| word(&DIRECTIONS, direction));
        let mut table = Table::new();
        table.insert("name".to_owned(), line.name.as_str().into());
        table.insert("who".to_owned(), line.who.to_string().into());
        table.insert("allows".to_owned(), Value::Array(allows.collect()));
        Value::Table(table)
    });
    Value::Array(lines.collect())
}
