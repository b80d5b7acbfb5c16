//! `[security]` in writing; the relay table is in `relay`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mail::{Address, Domain};
use toml::{Table, Value};

use super::addresses::Context;
use super::fields::Fields;
use super::relay;
use super::writing::texts;
use crate::UserName;
use crate::settings::{Device, Network, Security, SendAs};

pub(super) fn read(mut fields: Fields, context: &Context) -> Security {
    let internal_public = internal_public(&mut fields);
    let relay = relay::read(fields.tables("relay"), &internal_public);
    let senders_held_to_own = fields.flag("senders_held_to_own", true);
    if !senders_held_to_own {
        fields.warn(
            "senders_held_to_own",
            "Everybody inside may send under anybody's name.",
            "Leave it on, and add lines to security.may_send_as and security.devices.",
        );
    }
    let scram_offered = fields.flag("scram_offered", false);
    let may_send_as = fields
        .tables("may_send_as")
        .into_iter()
        .filter_map(|entry| send_as(entry, context))
        .collect();
    let mut devices: Vec<Device> = Vec::new();
    for entry in fields.tables("devices") {
        devices.extend(device(entry, &devices));
    }
    fields.end();
    Security {
        relay,
        senders_held_to_own,
        may_send_as,
        devices,
        scram_offered,
        internal_public,
    }
}

fn internal_public(fields: &mut Fields) -> Vec<Network> {
    let networks: Vec<Network> = fields.list("internal_public");
    for network in &networks {
        if relay::is_too_wide(*network) {
            fields.problem(
                "internal_public",
                format!("{network} is too wide for a network of yours."),
                "A range is at most a /8 of IPv4 or a /32 of IPv6.",
            );
        } else if network.address.is_loopback() {
            fields.problem(
                "internal_public",
                format!("{network} is loopback, of which only 127.0.0.1 and ::1 are internal."),
                "Take it away.",
            );
        }
    }
    networks
}

fn send_as(mut fields: Fields, context: &Context) -> Option<SendAs> {
    let user: Option<UserName> = fields.required("user", "Name the user.");
    let address: Option<Address> = fields.optional("address");
    let domain: Option<Domain> = fields.optional("domain");
    if address.is_some() == domain.is_some() {
        fields.problem(
            "address",
            "A line names one address or one domain.",
            "Write either address = \"sales@office.example\" or domain = \"office.example\".",
        );
    }
    let unlisted = domain
        .as_ref()
        .filter(|domain| context.domains.find(domain).is_none());
    if let Some(domain) = unlisted {
        fields.problem(
            "domain",
            format!("{domain} is not listed."),
            "Add it to domains.list, of kind sending-only if its mail arrives elsewhere.",
        );
    }
    let stranger = user
        .as_ref()
        .filter(|user| !context.known_users.contains(user));
    if let Some(user) = stranger {
        fields.warn(
            "user",
            format!("There is no user {user} yet."),
            format!("Add the user: gatepost user add {user}."),
        );
    }
    fields.end();
    Some(SendAs {
        user: user?,
        address,
        domain,
    })
}

fn device(mut fields: Fields, before: &[Device]) -> Option<Device> {
    let name: Option<String> = fields.required("name", "Write what you call the device.");
    let address: Option<IpAddr> =
        fields.required("address", "Write the IP address that it sends from.");
    let address = address.map(|address| address.to_canonical());
    let may_send_as: Vec<Address> = fields.list("may_send_as");
    let bare_lf_allowed = fields.flag("bare_lf_allowed", false);
    let names: BTreeSet<&str> = before.iter().map(|d| d.name.as_str()).collect();
    if name
        .as_ref()
        .is_some_and(|n| n.is_empty() || names.contains(n.as_str()))
    {
        fields.problem(
            "name",
            "The name does not tell this device from the others.",
            "Give every device a name of its own.",
        );
    }
    if let Some(address) = address {
        if address.is_unspecified() || address.is_multicast() {
            fields.problem(
                "address",
                format!("{address} is the address of no machine."),
                "Write the IP address that the device sends from.",
            );
        } else if let Some(other) = before.iter().find(|d| d.address == address) {
            fields.problem(
                "address",
                format!("{address} is listed already, as {}.", other.name),
                "Put both into one device.",
            );
        }
    }
    fields.end();
    Some(Device {
        name: name?,
        address: address?,
        may_send_as,
        bare_lf_allowed,
    })
}

pub(super) fn write(security: &Security) -> Table {
    let mut table = Table::new();
    table.insert("relay".to_owned(), relay::write(&security.relay));
    table.insert(
        "senders_held_to_own".to_owned(),
        security.senders_held_to_own.into(),
    );
    table.insert("scram_offered".to_owned(), security.scram_offered.into());
    table.insert(
        "internal_public".to_owned(),
        texts(&security.internal_public),
    );
    let lines = security.may_send_as.iter().map(write_send_as);
    table.insert("may_send_as".to_owned(), Value::Array(lines.collect()));
    let devices = security.devices.iter().map(write_device);
    table.insert("devices".to_owned(), Value::Array(devices.collect()));
    table
}

fn write_send_as(line: &SendAs) -> Value {
    let mut table = Table::new();
    table.insert("user".to_owned(), line.user.as_str().into());
    if let Some(address) = &line.address {
        table.insert("address".to_owned(), address.to_string().into());
    }
    if let Some(domain) = &line.domain {
        table.insert("domain".to_owned(), domain.as_str().into());
    }
    Value::Table(table)
}

fn write_device(device: &Device) -> Value {
    let mut table = Table::new();
    table.insert("name".to_owned(), device.name.as_str().into());
    table.insert("address".to_owned(), device.address.to_string().into());
    table.insert("may_send_as".to_owned(), texts(&device.may_send_as));
    table.insert("bare_lf_allowed".to_owned(), device.bare_lf_allowed.into());
    Value::Table(table)
}
