//! What a fresh gateway begins with: closed, and without a domain.

use mail::Domain;

use super::{
    Addresses, CertificateSource, Delivery, Domains, History, Machine, Receiving, RemoteMethod,
    Retry, Security, Services, Settings,
};

const MIB: u64 = 1024 * 1024;

/// Settings of a fresh gateway: every default, no domain, no relay line, nothing open.
pub fn starter(host_name: Domain) -> Settings {
    Settings {
        machine: Machine {
            host_name,
            certificate: CertificateSource::LocalAuthority,
            dns_servers: Vec::new(),
            history: History::default(),
        },
        domains: Domains::default(),
        addresses: Addresses {
            plus_separator: Some('+'),
            ..Addresses::default()
        },
        security: Security::default(),
        receiving: Receiving::default(),
        delivery: Delivery::default(),
        services: Services::default(),
    }
}

impl Default for History {
    fn default() -> Self {
        Self {
            days: 90,
            size_bytes_max: 512 * MIB,
            refusals_bytes_max: 64 * MIB,
        }
    }
}

impl Default for Security {
    fn default() -> Self {
        Self {
            relay: Vec::new(),
            senders_held_to_own: true,
            may_send_as: Vec::new(),
            devices: Vec::new(),
            scram_offered: false,
            internal_public: Vec::new(),
        }
    }
}

impl Default for Receiving {
    fn default() -> Self {
        Self {
            disk_free_bytes_min: 256 * MIB,
            message_bytes_max: 50 * MIB,
            recipients_max: 1000,
            bad_commands_max: 10,
            sender_domain_must_resolve: true,
            numeric_domains_refused: true,
            null_reverse_path_refused: false,
            own_domain_spoofing_refused: true,
            connections_max: 2000,
            connections_per_source_max: 20,
            messages_per_source_per_minute_max: 120,
            hops_max: 100,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first_secs: 300,
            longest_secs: 7200,
            expire_secs: 432_000,
            delay_notice_secs: 14_400,
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            remote: RemoteMethod::Direct,
            smart_host: None,
            inner: Vec::new(),
            mx_port: 25,
            retry: Retry::default(),
            connections_per_destination_max: 5,
            connections_max: 100,
            messages_per_connection_max: 100,
        }
    }
}
