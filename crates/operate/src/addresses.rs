//! Addresses: list, add, remove, catch-all.

use mail::{Address, Domain};
use policy::UserName;
use policy::settings::{AddressEntry, CatchAll, Settings};

use crate::{Answer, Office, OperateError, Operator};

impl Office {
    pub(crate) fn addresses(&self) -> Answer {
        Answer::Addresses {
            addresses: self.current().settings.addresses.clone(),
        }
    }

    pub(crate) async fn add_address(
        &self,
        by: &Operator,
        address: Address,
        users: Vec<UserName>,
    ) -> Result<Answer, OperateError> {
        let what = format!("address {address} given to {}", names(&users));
        self.edit(by, what, |settings| add(settings, &address, users))
            .await
    }

    pub(crate) async fn remove_address(
        &self,
        by: &Operator,
        address: Address,
        users: Vec<UserName>,
    ) -> Result<Answer, OperateError> {
        let whose = if users.is_empty() {
            "everybody".to_owned()
        } else {
            names(&users)
        };
        let what = format!("address {address} taken from {whose}");
        self.edit(by, what, |settings| remove(settings, &address, &users))
            .await
    }

    pub(crate) async fn catch_all(
        &self,
        by: &Operator,
        domain: Domain,
        users: Vec<UserName>,
    ) -> Result<Answer, OperateError> {
        let whose = if users.is_empty() {
            "nobody".to_owned()
        } else {
            names(&users)
        };
        let what = format!("unknown names of {domain} go to {whose}");
        self.edit(by, what, |settings| {
            set_catch_all(settings, domain, users);
            Ok(())
        })
        .await
    }
}

fn names(users: &[UserName]) -> String {
    let names: Vec<&str> = users.iter().map(UserName::as_str).collect();
    names.join(", ")
}

/// The address in the first name of its domain, under which it is listed.
fn in_first_name(settings: &Settings, address: &Address) -> Address {
    let entry = address.domain().and_then(|d| settings.domains.find(d));
    match entry {
        Some(entry) => Address::new(address.local.clone(), entry.name.clone().into()),
        None => address.clone(),
    }
}

fn add(
    settings: &mut Settings,
    address: &Address,
    users: Vec<UserName>,
) -> Result<(), OperateError> {
    let address = &in_first_name(settings, address);
    let folded = address.folded();
    let list = &mut settings.addresses.list;
    let Some(entry) = list
        .iter_mut()
        .find(|entry| entry.address.folded() == folded)
    else {
        list.push(AddressEntry {
            address: address.clone(),
            users,
        });
        return Ok(());
    };
    let before = entry.users.len();
    for user in users {
        if !entry.users.contains(&user) {
            entry.users.push(user);
        }
    }
    if entry.users.len() == before {
        return Err(OperateError::Exists {
            what: format!("address {address} of these users"),
        });
    }
    Ok(())
}

fn remove(
    settings: &mut Settings,
    address: &Address,
    users: &[UserName],
) -> Result<(), OperateError> {
    let address = &in_first_name(settings, address);
    let folded = address.folded();
    let list = &mut settings.addresses.list;
    let not_found = || OperateError::NotFound {
        what: format!("address {address}"),
    };
    let entry = list
        .iter_mut()
        .find(|entry| entry.address.folded() == folded);
    let entry = entry.ok_or_else(not_found)?;
    if users.is_empty() {
        entry.users.clear();
    } else {
        let before = entry.users.len();
        entry.users.retain(|user| !users.contains(user));
        if entry.users.len() == before {
            return Err(OperateError::NotFound {
                what: format!("address {address} of these users"),
            });
        }
    }
    list.retain(|entry| !entry.users.is_empty());
    Ok(())
}

fn set_catch_all(settings: &mut Settings, domain: Domain, users: Vec<UserName>) {
    let entry = settings.domains.find(&domain);
    let domain = entry.map_or(domain, |entry| entry.name.clone());
    let list = &mut settings.addresses.catch_all;
    list.retain(|entry| entry.domain != domain);
    if !users.is_empty() {
        list.push(CatchAll { domain, users });
    }
}
