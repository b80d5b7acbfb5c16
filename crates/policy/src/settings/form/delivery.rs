//! `[delivery]` in writing.
//!
//! Hosts are names or addresses; those of an inner server may carry a port: `"192.168.0.5:2525"`.

use mail::Domain;
use toml::{Table, Value};

use super::fields::Fields;
use super::text::{self, Host, HostAndPort};
use super::writing::{whole, word};
use crate::settings::{
    Delivery, DomainKind, Domains, InnerServer, RemoteMethod, Retry, SmartHost, SmartHostSignIn,
    TlsMode,
};

const METHODS: [(&str, RemoteMethod); 2] = [
    ("direct", RemoteMethod::Direct),
    ("smart-host", RemoteMethod::SmartHost),
];

const TLS_MODES: [(&str, TlsMode); 4] = [
    ("none", TlsMode::None),
    ("opportunistic", TlsMode::Opportunistic),
    ("required", TlsMode::Required),
    ("implicit", TlsMode::Implicit),
];

pub(super) fn read(mut fields: Fields, domains: &Domains) -> Delivery {
    let default = Delivery::default();
    let remote = fields.choice("remote", &METHODS, default.remote);
    let smart_host_named = fields.table("smart_host");
    if remote == RemoteMethod::SmartHost && smart_host_named.is_none() {
        fields.problem(
            "smart_host",
            "Mail shall leave by a smart host, but none is named.",
            "Write [delivery.smart_host] with host and port, or remote = \"direct\".",
        );
    }
    let smart_host = smart_host_named.and_then(smart_host);
    let mut inner: Vec<InnerServer> = Vec::new();
    for entry in fields.tables("inner") {
        inner.extend(inner_server(entry, domains, &inner));
    }
    warn_of_missing_servers(&fields, domains, &inner);
    let delivery = Delivery {
        remote,
        smart_host,
        inner,
        mx_port: fields.port("mx_port", default.mx_port),
        retry: fields.table("retry").map_or(default.retry, retry),
        connections_per_destination_max: fields.count(
            "connections_per_destination_max",
            default.connections_per_destination_max,
            1..=1000,
        ),
        connections_max: fields.count("connections_max", default.connections_max, 1..=100_000),
        messages_per_connection_max: fields.count(
            "messages_per_connection_max",
            default.messages_per_connection_max,
            1..=100_000,
        ),
    };
    fields.end();
    delivery
}

fn warn_of_missing_servers(fields: &Fields, domains: &Domains, inner: &[InnerServer]) {
    let passes = |kind| matches!(kind, DomainKind::Passed | DomainKind::Split);
    for entry in domains.list.iter().filter(|entry| passes(entry.kind)) {
        if !inner.iter().any(|server| server.domain == entry.name) {
            fields.problem(
                "inner",
                format!(
                    "{} is passed on, but no inner server is named for it.",
                    entry.name
                ),
                format!(
                    "Write [[delivery.inner]] with domain = \"{}\" and hosts = [\"192.168.0.5\"].",
                    entry.name
                ),
            );
        }
    }
}

fn smart_host(mut fields: Fields) -> Option<SmartHost> {
    let host: Option<Host> = fields.required("host", "Write the provider's server.");
    let named = fields.table("sign_in");
    let with_sign_in = named.is_some();
    let sign_in = named.and_then(sign_in);
    let default_tls = if with_sign_in {
        TlsMode::Required
    } else {
        TlsMode::Opportunistic
    };
    let port = fields.port("port", if with_sign_in { 587 } else { 25 });
    let tls = fields.choice("tls", &TLS_MODES, default_tls);
    if with_sign_in && matches!(tls, TlsMode::None | TlsMode::Opportunistic) {
        fields.problem(
            "tls",
            "The password would cross the network where others can read it.",
            "With sign_in, write tls = \"required\" (port 587) or \"implicit\" (port 465).",
        );
    }
    if with_sign_in {
        // Sealed secrets come with their own issue; until then nothing is said that is not so.
        fields.warn(
            "sign_in",
            "This version cannot keep the secret yet: mail for this server waits in the queue.",
            "Leave sign_in out where the provider knows your address.",
        );
    }
    fields.end();
    Some(SmartHost {
        host: host?.0,
        port,
        tls,
        sign_in,
    })
}

fn sign_in(mut fields: Fields) -> Option<SmartHostSignIn> {
    let user = fields.required_text("user", "Write the name at the provider.");
    let secret = fields.required_text(
        "secret",
        "Name the secret that holds the password; the password itself never stands here.",
    );
    fields.end();
    Some(SmartHostSignIn {
        user: user?,
        secret: secret?,
    })
}

fn inner_server(
    mut fields: Fields,
    domains: &Domains,
    before: &[InnerServer],
) -> Option<InnerServer> {
    let domain: Option<Domain> = fields.required("domain", "Write the domain that is passed on.");
    let hosts: Vec<HostAndPort> = fields.list("hosts");
    let tls = fields.choice("tls", &TLS_MODES, TlsMode::Opportunistic);
    if hosts.is_empty() {
        fields.problem(
            "hosts",
            "No host is named.",
            "Write hosts = [\"192.168.0.5\"], with :PORT if it is not 25.",
        );
    }
    let entry = domain.as_ref().and_then(|domain| domains.find(domain));
    let domain = match entry {
        Some(entry) => Some(entry.name.clone()),
        None => domain,
    };
    if let Some(domain) = &domain {
        if before.iter().any(|server| server.domain == *domain) {
            fields.problem(
                "domain",
                format!("{domain} has two inner servers."),
                "Name all its hosts in one entry.",
            );
        }
        if !entry.is_some_and(|e| matches!(e.kind, DomainKind::Passed | DomainKind::Split)) {
            fields.warn(
                "domain",
                format!("The inner server of {domain} is kept but not used."),
                "It is used once domains.list has the domain as passed or split.",
            );
        }
    }
    fields.end();
    Some(InnerServer {
        domain: domain?,
        hosts: hosts.into_iter().map(|host| host.0).collect(),
        tls,
    })
}

const YEAR_SECS: u64 = 366 * 86_400;

fn retry(mut fields: Fields) -> Retry {
    let default = Retry::default();
    let retry = Retry {
        first_secs: fields.number("first_secs", default.first_secs, 1..=YEAR_SECS),
        longest_secs: fields.number("longest_secs", default.longest_secs, 1..=YEAR_SECS),
        expire_secs: fields.number("expire_secs", default.expire_secs, 1..=YEAR_SECS),
        delay_notice_secs: fields.number(
            "delay_notice_secs",
            default.delay_notice_secs,
            0..=YEAR_SECS,
        ),
    };
    if retry.longest_secs < retry.first_secs {
        fields.problem(
            "longest_secs",
            "The longest pause is shorter than the first.",
            "Pauses grow from first_secs to longest_secs.",
        );
    }
    // RFC 5321 §4.5.4.1: the give-up time is generally at least 4 to 5 days.
    if retry.expire_secs < 4 * 86_400 {
        fields.warn(
            "expire_secs",
            "Mail comes back early when a far server is down for some days.",
            "432000 (5 days) is usual.",
        );
    }
    fields.end();
    retry
}

pub(super) fn write(delivery: &Delivery) -> Table {
    let mut table = Table::new();
    table.insert("remote".to_owned(), word(&METHODS, &delivery.remote));
    if let Some(host) = &delivery.smart_host {
        table.insert("smart_host".to_owned(), write_smart_host(host));
    }
    let inner = delivery.inner.iter().map(write_inner);
    table.insert("inner".to_owned(), Value::Array(inner.collect()));
    table.insert("mx_port".to_owned(), whole(delivery.mx_port));
    for (name, count) in [
        (
            "connections_per_destination_max",
            delivery.connections_per_destination_max,
        ),
        ("connections_max", delivery.connections_max),
        (
            "messages_per_connection_max",
            delivery.messages_per_connection_max,
        ),
    ] {
        table.insert(name.to_owned(), whole(count));
    }
    let mut retry = Table::new();
    for (name, secs) in [
        ("first_secs", delivery.retry.first_secs),
        ("longest_secs", delivery.retry.longest_secs),
        ("expire_secs", delivery.retry.expire_secs),
        ("delay_notice_secs", delivery.retry.delay_notice_secs),
    ] {
        retry.insert(name.to_owned(), whole(secs));
    }
    table.insert("retry".to_owned(), Value::Table(retry));
    table
}

fn write_smart_host(smart_host: &SmartHost) -> Value {
    let mut table = Table::new();
    table.insert("host".to_owned(), text::host(&smart_host.host).into());
    table.insert("port".to_owned(), whole(smart_host.port));
    table.insert("tls".to_owned(), word(&TLS_MODES, &smart_host.tls));
    if let Some(sign_in) = &smart_host.sign_in {
        let mut written = Table::new();
        written.insert("user".to_owned(), sign_in.user.as_str().into());
        written.insert("secret".to_owned(), sign_in.secret.as_str().into());
        table.insert("sign_in".to_owned(), Value::Table(written));
    }
    Value::Table(table)
}

fn write_inner(server: &InnerServer) -> Value {
    let hosts = server.hosts.iter().map(text::host_and_port);
    let mut table = Table::new();
    table.insert("domain".to_owned(), server.domain.as_str().into());
    table.insert(
        "hosts".to_owned(),
        Value::Array(hosts.map(Value::from).collect()),
    );
    table.insert("tls".to_owned(), word(&TLS_MODES, &server.tls));
    Value::Table(table)
}
