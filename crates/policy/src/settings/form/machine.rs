//! `[machine]` in writing.
//!
//! `certificate` is `"local-authority"` or `{ chain = "…", key = "…" }`.

use std::path::PathBuf;

use toml::{Table, Value};

use super::fields::Fields;
use super::text::{self, DnsServer};
use super::writing::{texts, whole};
use crate::settings::{CertificateSource, History, Machine};

const LOCAL_AUTHORITY: &str = "local-authority";

pub(super) fn read(mut fields: Fields) -> Option<Machine> {
    let host_name: Option<mail::Domain> = fields.required(
        "host_name",
        "Write the gateway's name as in DNS, such as mail.office.example.",
    );
    if let Some(name) = &host_name {
        if name.is_numeric() {
            fields.problem("host_name", "This is an IP address.", "Write a name.");
        } else if !name.is_qualified() {
            fields.warn(
                "host_name",
                format!("\"{name}\" has no domain, and other servers may refuse it."),
                "Use a name that DNS knows, such as mail.office.example.",
            );
        }
    }
    let certificate = certificate(&mut fields);
    let dns_servers: Vec<DnsServer> = fields.list("dns_servers");
    let history = fields
        .table("history")
        .map_or_else(History::default, history);
    fields.end();
    Some(Machine {
        host_name: host_name?,
        certificate,
        dns_servers: dns_servers.into_iter().map(|server| server.0).collect(),
        history,
    })
}

fn certificate(fields: &mut Fields) -> CertificateSource {
    match fields.either("certificate") {
        None => CertificateSource::LocalAuthority,
        Some(Value::String(word)) if word == LOCAL_AUTHORITY => CertificateSource::LocalAuthority,
        Some(Value::Table(_)) => {
            let Some(mut files) = fields.table("certificate") else {
                return CertificateSource::LocalAuthority;
            };
            let chain = files.required_text("chain", "Name the PEM file, leaf first.");
            let key = files.required_text("key", "Name the PEM file of the private key.");
            files.end();
            match (chain, key) {
                (Some(chain), Some(key)) => CertificateSource::Files {
                    chain: PathBuf::from(chain),
                    key: PathBuf::from(key),
                },
                _ => CertificateSource::LocalAuthority,
            }
        }
        Some(_) => {
            fields.problem(
                "certificate",
                "This is no source of a certificate.",
                "Write \"local-authority\" or { chain = \"FILE\", key = \"FILE\" }.",
            );
            CertificateSource::LocalAuthority
        }
    }
}

fn history(mut fields: Fields) -> History {
    let default = History::default();
    let history = History {
        days: fields.count("days", default.days, 1..=3650),
        size_bytes_max: fields.bytes("size_bytes_max", default.size_bytes_max, 1 << 20..=1 << 50),
        refusals_bytes_max: fields.bytes(
            "refusals_bytes_max",
            default.refusals_bytes_max,
            1 << 20..=1 << 50,
        ),
    };
    fields.end();
    history
}

pub(super) fn write(machine: &Machine) -> Table {
    let certificate = match &machine.certificate {
        CertificateSource::LocalAuthority => Value::from(LOCAL_AUTHORITY),
        CertificateSource::Files { chain, key } => {
            let mut files = Table::new();
            files.insert("chain".to_owned(), chain.display().to_string().into());
            files.insert("key".to_owned(), key.display().to_string().into());
            Value::Table(files)
        }
    };
    let mut history = Table::new();
    history.insert("days".to_owned(), whole(machine.history.days));
    for (name, bytes) in [
        ("size_bytes_max", machine.history.size_bytes_max),
        ("refusals_bytes_max", machine.history.refusals_bytes_max),
    ] {
        history.insert(name.to_owned(), text::bytes_in_words(bytes).into());
    }
    let mut table = Table::new();
    table.insert("host_name".to_owned(), machine.host_name.as_str().into());
    table.insert("certificate".to_owned(), certificate);
    table.insert("dns_servers".to_owned(), texts(&machine.dns_servers));
    table.insert("history".to_owned(), Value::Table(history));
    table
}
