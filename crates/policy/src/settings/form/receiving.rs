//! `[receiving]` and `[services]` in writing.

use toml::Table;

use super::fields::Fields;
use super::text::bytes_in_words;
use super::writing::whole;
use crate::settings::{Receiving, Services};

pub(super) fn read(mut fields: Fields) -> Receiving {
    let default = Receiving::default();
    let receiving = Receiving {
        disk_free_bytes_min: fields.bytes(
            "disk_free_bytes_min",
            default.disk_free_bytes_min,
            0..=1 << 50,
        ),
        // RFC 5321 §4.5.3.1.7: messages of 64K octets must be taken.
        message_bytes_max: fields.bytes(
            "message_bytes_max",
            default.message_bytes_max,
            65_536..=1 << 40,
        ),
        // RFC 5321 §4.5.3.1.8: at least 100 recipients must be taken.
        recipients_max: fields.count("recipients_max", default.recipients_max, 100..=100_000),
        bad_commands_max: fields.count("bad_commands_max", default.bad_commands_max, 1..=1000),
        sender_domain_must_resolve: fields.flag(
            "sender_domain_must_resolve",
            default.sender_domain_must_resolve,
        ),
        numeric_domains_refused: fields
            .flag("numeric_domains_refused", default.numeric_domains_refused),
        null_reverse_path_refused: fields.flag(
            "null_reverse_path_refused",
            default.null_reverse_path_refused,
        ),
        own_domain_spoofing_refused: fields.flag(
            "own_domain_spoofing_refused",
            default.own_domain_spoofing_refused,
        ),
        connections_max: fields.count("connections_max", default.connections_max, 1..=1_000_000),
        connections_per_source_max: fields.count(
            "connections_per_source_max",
            default.connections_per_source_max,
            1..=1_000_000,
        ),
        messages_per_source_per_minute_max: fields.count(
            "messages_per_source_per_minute_max",
            default.messages_per_source_per_minute_max,
            1..=10_000_000,
        ),
        hops_max: fields.count("hops_max", default.hops_max, 10..=1000),
    };
    warn_of(&receiving, &fields);
    fields.end();
    receiving
}

fn warn_of(receiving: &Receiving, fields: &Fields) {
    // RFC 5321 §6.3: the threshold is normally at least 100.
    if receiving.hops_max < 100 {
        fields.warn(
            "hops_max",
            "Mail that went through many hosts may be refused as a loop.",
            "100 or more is usual.",
        );
    }
    if receiving.null_reverse_path_refused {
        fields.warn(
            "null_reverse_path_refused",
            "Reports of failed delivery come with the null reverse-path and will be lost.",
            "Leave it off unless you know why.",
        );
    }
}

pub(super) fn write(receiving: &Receiving) -> Table {
    let mut table = Table::new();
    for (name, bytes) in [
        ("disk_free_bytes_min", receiving.disk_free_bytes_min),
        ("message_bytes_max", receiving.message_bytes_max),
    ] {
        table.insert(name.to_owned(), bytes_in_words(bytes).into());
    }
    for (name, count) in [
        ("recipients_max", receiving.recipients_max),
        ("bad_commands_max", receiving.bad_commands_max),
        ("connections_max", receiving.connections_max),
        (
            "connections_per_source_max",
            receiving.connections_per_source_max,
        ),
        (
            "messages_per_source_per_minute_max",
            receiving.messages_per_source_per_minute_max,
        ),
        ("hops_max", receiving.hops_max),
    ] {
        table.insert(name.to_owned(), whole(count));
    }
    for (name, flag) in [
        (
            "sender_domain_must_resolve",
            receiving.sender_domain_must_resolve,
        ),
        ("numeric_domains_refused", receiving.numeric_domains_refused),
        (
            "null_reverse_path_refused",
            receiving.null_reverse_path_refused,
        ),
        (
            "own_domain_spoofing_refused",
            receiving.own_domain_spoofing_refused,
        ),
    ] {
        table.insert(name.to_owned(), flag.into());
    }
    table
}

pub(super) fn read_services(mut fields: Fields) -> Services {
    let services = Services {
        smtp_open_to_internet: fields.flag("smtp_open_to_internet", false),
        submission_open_to_internet: fields.flag("submission_open_to_internet", false),
        submissions_open_to_internet: fields.flag("submissions_open_to_internet", false),
        pop3s_open_to_internet: fields.flag("pop3s_open_to_internet", false),
    };
    fields.end();
    services
}

pub(super) fn write_services(services: Services) -> Table {
    let mut table = Table::new();
    for (name, open) in [
        ("smtp_open_to_internet", services.smtp_open_to_internet),
        (
            "submission_open_to_internet",
            services.submission_open_to_internet,
        ),
        (
            "submissions_open_to_internet",
            services.submissions_open_to_internet,
        ),
        ("pop3s_open_to_internet", services.pop3s_open_to_internet),
    ] {
        table.insert(name.to_owned(), open.into());
    }
    table
}
