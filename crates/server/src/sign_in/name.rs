//! What people type as their name: the user name, or an address of theirs.
//!
//! Promises: an address that several users share names nobody; what is no name at all names
//! nobody.

use mail::{Address, MailHost};
use policy::UserName;
use policy::settings::Settings;

/// The user that `typed` means.
pub(crate) fn user_of(settings: &Settings, typed: &str) -> Option<UserName> {
    let typed = typed.trim();
    if let Ok(name) = typed.parse() {
        return Some(name);
    }
    let address = Address::parse(typed).ok()?.folded();
    let address = in_first_name(settings, address);
    let entry = settings
        .addresses
        .list
        .iter()
        .find(|entry| entry.address.folded() == address)?;
    match entry.users.as_slice() {
        [user] => Some(user.clone()),
        _ => None,
    }
}

/// The address in the first name of its domain, where it was written in another one.
fn in_first_name(settings: &Settings, address: Address) -> Address {
    let entry = address
        .domain()
        .and_then(|domain| settings.domains.find(domain));
    match entry {
        Some(entry) => Address::new(address.local, MailHost::Domain(entry.name.clone())),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use mail::Domain;
    use policy::settings::{AddressEntry, DomainEntry, DomainKind, starter};

    use super::*;

    #[test]
    fn a_name_or_an_address_of_one_user_is_understood() {
        let domain = |name| Domain::parse(name).unwrap();
        let mut settings = starter(domain("mail.office.test"));
        settings.domains.list.push(DomainEntry {
            name: domain("office.test"),
            kind: DomainKind::Hosted,
            aliases: vec![domain("office.example")],
        });
        for (address, users) in [
            ("robert@office.test", &["bob"][..]),
            ("sales@office.test", &["bob", "alice"]),
        ] {
            settings.addresses.list.push(AddressEntry {
                address: address.parse().unwrap(),
                users: users.iter().map(|user| user.parse().unwrap()).collect(),
            });
        }
        let found = |typed| user_of(&settings, typed).map(|user| user.as_str().to_owned());
        for bob in [
            "bob",
            " BOB ",
            "robert@office.test",
            "Robert@OFFICE.test",
            "robert@office.example",
        ] {
            assert_eq!(found(bob).as_deref(), Some("bob"), "{bob}");
        }
        for nobody in [
            "sales@office.test",
            "eve@office.test",
            "robert@elsewhere.test",
            "",
            "a b",
        ] {
            assert_eq!(found(nobody), None, "{nobody}");
        }
    }
}
