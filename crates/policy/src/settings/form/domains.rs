//! `[[domains.list]]` in writing.

use mail::Domain;
use toml::{Table, Value};

use super::fields::Fields;
use super::text::public_suffix;
use super::writing::{texts, word};
use crate::settings::{DomainEntry, DomainKind, Domains};

const KINDS: [(&str, DomainKind); 4] = [
    ("hosted", DomainKind::Hosted),
    ("passed", DomainKind::Passed),
    ("split", DomainKind::Split),
    ("sending-only", DomainKind::SendingOnly),
];

pub(super) fn read(mut fields: Fields) -> Domains {
    let mut domains = Domains::default();
    for entry in fields.tables("list") {
        domains.list.extend(read_entry(entry, &domains));
    }
    fields.end();
    domains
}

fn read_entry(mut fields: Fields, before: &Domains) -> Option<DomainEntry> {
    let name: Option<Domain> = fields.required("name", "Write the domain, such as office.example.");
    let kind = fields.choice("kind", &KINDS, DomainKind::Hosted);
    let aliases: Vec<Domain> = fields.list("aliases");
    let mut names: Vec<&Domain> = Vec::new();
    for (field, domain) in name
        .iter()
        .map(|name| ("name", name))
        .chain(aliases.iter().map(|alias| ("aliases", alias)))
    {
        check_name(&fields, field, domain);
        if before.find(domain).is_some() || names.contains(&domain) {
            fields.problem(
                field,
                format!("{domain} is listed twice."),
                "List every domain once, as a name or as an alias.",
            );
        }
        names.push(domain);
    }
    fields.end();
    Some(DomainEntry {
        name: name?,
        kind,
        aliases,
    })
}

fn check_name(fields: &Fields, field: &str, domain: &Domain) {
    if domain.is_numeric() {
        fields.problem(
            field,
            format!("{domain} is an IP address."),
            "Write a domain name, such as office.example.",
        );
        return;
    }
    match public_suffix(domain) {
        Some(true) => fields.problem(
            field,
            format!("{domain} is a name under which others register their domains."),
            "Write your own domain, with the part in front of it.",
        ),
        Some(false) => fields.warn(
            field,
            format!("{domain} is a name under which others have their own domains."),
            "Go on only if the whole of it is yours.",
        ),
        None if !domain.is_qualified() => fields.warn(
            field,
            format!("{domain} has a single label, so nobody outside can write to it."),
            "Use a domain that you registered, unless mail stays inside.",
        ),
        None => {}
    }
}

pub(super) fn write(domains: &Domains) -> Table {
    let entries = domains.list.iter().map(|entry| {
        let mut table = Table::new();
        table.insert("name".to_owned(), entry.name.as_str().into());
        table.insert("kind".to_owned(), word(&KINDS, &entry.kind));
        table.insert("aliases".to_owned(), texts(&entry.aliases));
        Value::Table(table)
    });
    let mut table = Table::new();
    table.insert("list".to_owned(), Value::Array(entries.collect()));
    table
}
