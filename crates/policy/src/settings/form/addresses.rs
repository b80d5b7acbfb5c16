//! `[addresses]` in writing. `plus_separator = ""` turns tags off.

use std::collections::BTreeSet;

use mail::{Address, Domain, MailHost};
use toml::{Table, Value};

use super::fields::Fields;
use super::writing::texts;
use crate::UserName;
use crate::settings::{AddressEntry, Addresses, CatchAll, DomainKind, Domains};

pub(super) struct Context<'a> {
    pub(super) domains: &'a Domains,
    pub(super) known_users: &'a BTreeSet<UserName>,
}

pub(super) fn read(mut fields: Fields, context: &Context) -> Addresses {
    let plus_separator = separator(&mut fields);
    let postmaster: Vec<UserName> = fields.list("postmaster");
    context.warn_of_unknown(&fields, "postmaster", &postmaster);
    let mut list = Vec::new();
    let mut taken = BTreeSet::new();
    for entry in fields.tables("list") {
        list.extend(context.entry(entry, &mut taken));
    }
    let mut catch_all = Vec::new();
    let mut caught = BTreeSet::new();
    for entry in fields.tables("catch_all") {
        catch_all.extend(context.catch_all(entry, &mut caught));
    }
    let hosted = context.domains.list.iter();
    let mut hosted = hosted.filter(|entry| entry.kind == DomainKind::Hosted);
    if postmaster.is_empty() && hosted.next().is_some() {
        fields.warn(
            "postmaster",
            "Nobody is named for postmaster and abuse, so their mail goes to the first user listed.",
            "Name the users who look after mail: postmaster = [\"bob\"].",
        );
    }
    fields.end();
    Addresses {
        list,
        catch_all,
        plus_separator,
        postmaster,
    }
}

fn separator(fields: &mut Fields) -> Option<char> {
    let text = match fields.optional::<String>("plus_separator") {
        None => return Some('+'),
        Some(text) if text.is_empty() => return None,
        Some(text) => text,
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(separator), None) if "+-=_#~!$%&*/^".contains(separator) => Some(separator),
        _ => {
            fields.problem(
                "plus_separator",
                format!("\"{text}\" cannot stand between a name and a tag."),
                "Write \"+\" or \"-\", or \"\" for no tags.",
            );
            None
        }
    }
}

impl Context<'_> {
    fn entry(&self, mut fields: Fields, taken: &mut BTreeSet<Address>) -> Option<AddressEntry> {
        let address: Option<Address> =
            fields.required("address", "Write the address, such as bob@office.example.");
        let users = self.users(&mut fields);
        let address = address.and_then(|address| self.in_listed_domain(&fields, address));
        if let Some(address) = &address
            && !taken.insert(address.folded())
        {
            fields.problem(
                "address",
                format!("{address} is listed twice."),
                "Name all its users in one entry.",
            );
        }
        fields.end();
        Some(AddressEntry {
            address: address?,
            users,
        })
    }

    /// The address in the first name of its domain.
    fn in_listed_domain(&self, fields: &Fields, address: Address) -> Option<Address> {
        let MailHost::Domain(domain) = &address.host else {
            fields.problem(
                "address",
                format!("{address} has an IP address for a domain."),
                "Write an address of a listed domain.",
            );
            return None;
        };
        let Some(entry) = self.domains.find(domain) else {
            fields.problem(
                "address",
                format!("{address} is in {domain}, which is not listed."),
                "Add the domain to domains.list first.",
            );
            return None;
        };
        if entry.kind == DomainKind::Passed {
            fields.warn(
                "address",
                format!("{address} is kept but not used, since {domain} is passed on."),
                "The inner server has the addresses of passed domains.",
            );
        }
        Some(Address::new(
            address.local,
            MailHost::Domain(entry.name.clone()),
        ))
    }

    fn catch_all(&self, mut fields: Fields, caught: &mut BTreeSet<Domain>) -> Option<CatchAll> {
        let domain: Option<Domain> =
            fields.required("domain", "Write the domain, such as office.example.");
        let users = self.users(&mut fields);
        let entry = domain.and_then(|domain| {
            let entry = self.domains.find(&domain);
            if entry.is_none() {
                fields.problem(
                    "domain",
                    format!("{domain} is not listed."),
                    "Add the domain to domains.list first.",
                );
            }
            entry
        });
        if let Some(entry) = entry {
            if !caught.insert(entry.name.clone()) {
                fields.problem(
                    "domain",
                    format!("{} has two catch-alls.", entry.name),
                    "Name all users in one of them.",
                );
            }
            if entry.kind != DomainKind::Hosted {
                fields.warn(
                    "domain",
                    format!("The catch-all of {} is kept but not used.", entry.name),
                    "Only hosted domains have one; others pass on what is not listed.",
                );
            }
        }
        fields.end();
        Some(CatchAll {
            domain: entry?.name.clone(),
            users,
        })
    }

    fn users(&self, fields: &mut Fields) -> Vec<UserName> {
        let mut users: Vec<UserName> = Vec::new();
        for user in fields.list::<UserName>("users") {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        if users.is_empty() {
            fields.problem(
                "users",
                "Nobody is named.",
                "Name at least one user: users = [\"bob\"].",
            );
        }
        self.warn_of_unknown(fields, "users", &users);
        users
    }

    fn warn_of_unknown(&self, fields: &Fields, field: &str, users: &[UserName]) {
        for user in users.iter().filter(|user| !self.known_users.contains(user)) {
            fields.warn(
                field,
                format!("There is no user {user} yet, so mail for the address is refused."),
                format!("Add the user: gatepost user add {user}."),
            );
        }
    }
}

pub(super) fn write(addresses: &Addresses) -> Table {
    let list = addresses.list.iter().map(|entry| {
        let mut table = Table::new();
        table.insert("address".to_owned(), entry.address.to_string().into());
        table.insert("users".to_owned(), texts(&entry.users));
        Value::Table(table)
    });
    let catch_all = addresses.catch_all.iter().map(|entry| {
        let mut table = Table::new();
        table.insert("domain".to_owned(), entry.domain.as_str().into());
        table.insert("users".to_owned(), texts(&entry.users));
        Value::Table(table)
    });
    let separator = addresses.plus_separator.map(String::from);
    let mut table = Table::new();
    table.insert("list".to_owned(), Value::Array(list.collect()));
    table.insert("catch_all".to_owned(), Value::Array(catch_all.collect()));
    table.insert(
        "plus_separator".to_owned(),
        separator.unwrap_or_default().into(),
    );
    table.insert("postmaster".to_owned(), texts(&addresses.postmaster));
    table
}
