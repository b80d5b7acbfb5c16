//! Settings to and from their written form, one file per tab.
//!
//! Promises: `read` notes every problem there is; `write` writes every field, so that a settings
//! file shows what can be set; what was written reads back equal.

mod addresses;
mod delivery;
mod domains;
mod fields;
mod machine;
mod receiving;
mod relay;
mod security;
mod text;
mod writing;

use std::collections::BTreeSet;

use addresses::Context;
use fields::Fields;

pub(super) use fields::Report;
pub(crate) use text::bytes_in_words;

use super::{RawSettings, Services, Settings};
use crate::settings::{Addresses, Domains, RelayEntry, Who};
use crate::{Direction, UserName};

/// Reads all tabs; `None` only where the report has a problem.
pub(super) fn read(
    raw: &RawSettings,
    known_users: &BTreeSet<UserName>,
    report: &Report,
) -> Option<Settings> {
    let tab = |name| Fields::new(name, raw.tab(name), report);
    let machine = machine::read(tab("machine"));
    let domains = domains::read(tab("domains"));
    let context = Context {
        domains: &domains,
        known_users,
    };
    let addresses = addresses::read(tab("addresses"), &context);
    let security = security::read(tab("security"), &context);
    let receiving = receiving::read(tab("receiving"));
    let delivery = delivery::read(tab("delivery"), &domains);
    let services = receiving::read_services(tab("services"));
    warn_of_silence(report, &domains, &addresses, &security.relay, services);
    Some(Settings {
        machine: machine?,
        domains,
        addresses,
        security,
        receiving,
        delivery,
        services,
    })
}

/// Settings that can be saved but let no mail in.
fn warn_of_silence(
    report: &Report,
    domains: &Domains,
    addresses: &Addresses,
    relay: &[RelayEntry],
    services: Services,
) {
    let lets_in = |line: &RelayEntry| {
        line.who == Who::Anyone && line.allows.contains(&Direction::OutsideToLocal)
    };
    if services.smtp_open_to_internet && !relay.iter().any(lets_in) {
        report.warn(
            "security.relay",
            "Port 25 is open to the Internet, but no line lets mail for you in.",
            "Add a line with who = \"anyone\" and allows = [\"outside-to-local\"].",
        );
    }
    if !domains.list.is_empty() && relay.is_empty() {
        report.warn(
            "security.relay",
            "The relay table is empty, so all mail is refused.",
            "Add a line with who = \"internal\" and what internal machines may send.",
        );
    }
    if domains.list.is_empty() && !addresses.list.is_empty() {
        report.warn(
            "domains.list",
            "No domain is listed, so no address can be used.",
            "Add the office's domain.",
        );
    }
}

/// The written form of settings.
pub(super) fn write(settings: &Settings) -> RawSettings {
    RawSettings {
        machine: Some(machine::write(&settings.machine)),
        domains: Some(domains::write(&settings.domains)),
        addresses: Some(addresses::write(&settings.addresses)),
        security: Some(security::write(&settings.security)),
        receiving: Some(receiving::write(&settings.receiving)),
        delivery: Some(delivery::write(&settings.delivery)),
        services: Some(receiving::write_services(settings.services)),
    }
}
