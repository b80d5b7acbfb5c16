//! What a scenario fills in. It is read when settings are made, never when mail is decided.
//!
//! Promises: what the scenario does not speak of stays as it was.

use mail::{Address, Domain, LocalPart, MailHost};

use crate::UserName;
use crate::relay::scenario_one;
use crate::settings::{AddressEntry, DomainEntry, DomainKind, RemoteMethod, Settings};

/// Scenario 1: the gateway holds the mailboxes of `domain` and sends by itself.
///
/// `first_user` gets the address of that name, and the mail of postmaster and abuse if nobody has
/// it yet. The relay table of scenario 1 is filled in where there is none; `open_internet` is the
/// answer to S4.11 for port 25.
#[must_use]
pub fn own_server(
    current: &Settings,
    domain: &Domain,
    first_user: &UserName,
    open_internet: bool,
) -> Settings {
    let mut settings = current.clone();
    host(&mut settings, domain);
    let name = settings
        .domains
        .find(domain)
        .map_or_else(|| domain.clone(), |entry| entry.name.clone());
    if let Some(address) = address_of(first_user, name) {
        add_address(&mut settings, &address, first_user);
    }
    if settings.addresses.postmaster.is_empty() {
        settings.addresses.postmaster.push(first_user.clone());
    }
    if settings.security.relay.is_empty() {
        settings.security.relay = scenario_one();
    }
    settings.delivery.remote = RemoteMethod::Direct;
    settings.services.smtp_open_to_internet = open_internet;
    settings
}

fn host(settings: &mut Settings, domain: &Domain) {
    let list = &mut settings.domains.list;
    let known = list
        .iter_mut()
        .find(|entry| &entry.name == domain || entry.aliases.contains(domain));
    match known {
        Some(entry) => entry.kind = DomainKind::Hosted,
        None => list.push(DomainEntry {
            name: domain.clone(),
            kind: DomainKind::Hosted,
            aliases: Vec::new(),
        }),
    }
}

/// The address of a user at a domain; `None` where the two together are too long.
pub fn address_of(user: &UserName, domain: Domain) -> Option<Address> {
    // A name such as `a..b` needs quotes as a local-part.
    let local = LocalPart::parse(user.as_str())
        .or_else(|_| LocalPart::parse(&format!("\"{user}\"")))
        .ok()?;
    let address = Address::new(local, MailHost::Domain(domain));
    Address::parse(&address.to_string()).ok()
}

fn add_address(settings: &mut Settings, address: &Address, user: &UserName) {
    let list = &mut settings.addresses.list;
    match list
        .iter_mut()
        .find(|entry| entry.address.folded() == address.folded())
    {
        Some(entry) if entry.users.contains(user) => {}
        Some(entry) => entry.users.push(user.clone()),
        None => list.push(AddressEntry {
            address: address.clone(),
            users: vec![user.clone()],
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::office::{self, user};
    use crate::settings::{RawSettings, check, starter};

    fn fresh() -> Settings {
        starter("mail.office.example".parse().unwrap())
    }

    #[test]
    fn a_fresh_gateway_is_closed_and_takes_mail_for_nobody() {
        let settings = fresh();
        assert!(settings.domains.list.is_empty() && settings.security.relay.is_empty());
        for service in crate::facts::ServiceName::ALL {
            assert!(!settings.services.is_open(service));
        }
    }

    #[test]
    fn one_domain_one_user_and_one_answer_make_an_office_that_passes() {
        let domain = "office.example".parse().unwrap();
        let settings = own_server(&fresh(), &domain, &user("bob"), true);
        let known = BTreeSet::from([user("bob")]);
        let checked = check(&RawSettings::from(&settings), &known).unwrap();
        assert_eq!(checked.settings, settings);
        assert_eq!(checked.warnings, []);
        assert_eq!(
            settings.addresses.list[0].address,
            office::address("bob@office.example")
        );
        assert!(settings.services.smtp_open_to_internet);
        assert!(!settings.services.pop3s_open_to_internet);
    }

    #[test]
    fn setting_up_again_adds_and_takes_nothing_away() {
        let mut settings = office::settings();
        settings.security.relay.truncate(1);
        let domain = "office.test".parse().unwrap();
        let again = own_server(&settings, &domain, &user("alice"), false);
        assert_eq!(again.domains, settings.domains);
        assert_eq!(again.addresses, settings.addresses);
        assert_eq!(again.security, settings.security);
        assert!(!again.services.smtp_open_to_internet);
    }

    #[test]
    fn every_user_name_gives_an_address() {
        for name in ["bob", "a..b", "b.", "0_-"] {
            let address = address_of(&user(name), "office.example".parse().unwrap());
            let address = address.map(|a| a.local.as_str().to_owned());
            assert_eq!(address.as_deref(), Some(name));
        }
    }
}
