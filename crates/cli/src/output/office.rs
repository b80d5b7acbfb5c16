//! Domains, addresses, users, and the sheet.

use std::fmt::Display;
use std::io;

use operate::UserReport;
use policy::settings::{Addresses, DomainEntry, DomainKind};
use policy::sheet::{ClientSheet, SheetServer};

use super::page::Page;
use super::table::Table;

/// `a, b, c`.
pub(super) fn list<T: Display>(items: &[T]) -> String {
    let words: Vec<String> = items.iter().map(T::to_string).collect();
    words.join(", ")
}

pub(super) fn domains(page: &mut Page<'_>, domains: &[DomainEntry]) -> io::Result<()> {
    let mut table = Table::new(&["DOMAIN", "ITS MAIL", "OTHER NAMES"]);
    for entry in domains {
        let kind = match entry.kind {
            DomainKind::Hosted => "has its mailboxes here",
            DomainKind::Passed => "is passed to an inner server",
            DomainKind::Split => "is here where listed, else passed on",
            DomainKind::SendingOnly => "arrives elsewhere (sending only)",
        };
        table.row([
            entry.name.to_unicode(),
            kind.to_owned(),
            list(&entry.aliases),
        ]);
    }
    page.table(
        &table,
        "No domain yet. Make the first one: gatepost setup own-server DOMAIN --user NAME",
    )
}

pub(super) fn addresses(page: &mut Page<'_>, addresses: &Addresses) -> io::Result<()> {
    let mut table = Table::new(&["ADDRESS", "FOR"]);
    for entry in &addresses.list {
        table.row([entry.address.to_string(), list(&entry.users)]);
    }
    for entry in &addresses.catch_all {
        let users = format!("{} (names nobody has)", list(&entry.users));
        table.row([format!("*@{}", entry.domain), users]);
    }
    if !addresses.postmaster.is_empty() {
        let names = "postmaster, abuse".to_owned();
        let users = format!("{} (where not listed)", list(&addresses.postmaster));
        table.row([names, users]);
    }
    page.table(
        &table,
        "No address yet. Give one to a user: gatepost address add NAME@DOMAIN USER",
    )?;
    match addresses.plus_separator {
        Some(sign) if !table.is_empty() => page.line(format!(
            "What follows a {sign} in a name is ignored: bob{sign}shop is bob."
        )),
        _ => Ok(()),
    }
}

pub(super) fn users(page: &mut Page<'_>, users: &[UserReport]) -> io::Result<()> {
    let mut table = Table::new(&["USER", "NAME", "STATE", "ADDRESSES", "APP PASSWORDS"]);
    for user in users {
        let state = match (user.enabled, user.scram) {
            (true, false) => "enabled",
            (true, true) => "enabled, SCRAM",
            (false, _) => "disabled",
        };
        let apps = user.app_passwords.iter();
        let apps: Vec<String> = apps
            .map(|password| format!("{} {}", password.number, password.label))
            .collect();
        table.row([
            user.name.to_string(),
            user.full_name.clone(),
            state.to_owned(),
            list(&user.addresses),
            list(&apps),
        ]);
    }
    page.table(&table, "No user yet. Add one: gatepost user add NAME")
}

pub(super) fn app_password(page: &mut Page<'_>, number: u32, password: &str) -> io::Result<()> {
    page.line(format!("App password {number}, shown this once:"))?;
    page.gap()?;
    page.line(format!("    {password}"))
}

pub(super) fn sheet(page: &mut Page<'_>, sheet: &ClientSheet) -> io::Result<()> {
    page.line(format!("Mail for {}", sheet.user))?;
    page.gap()?;
    match sheet.addresses.as_slice() {
        [] => page.line("No address yet: gatepost address add NAME@DOMAIN USER")?,
        [first] => page.field("address", first.to_string())?,
        [first, others @ ..] => {
            page.field("address", first.to_string())?;
            page.field("also", list(others))?;
        }
    }
    page.field("sign in as", sheet.user.as_str())?;
    page.field("password", "your own, or an app password")?;
    page.gap()?;
    servers(page, "INCOMING", &sheet.incoming)?;
    page.gap()?;
    servers(page, "OUTGOING", &sheet.outgoing)?;
    page.gap()?;
    page.line("Use the first line of each; the second is for programs that lack it.")?;
    page.line(format!(
        "Where names are looked up for the office, {} works in the place of the address.",
        sheet.host_name
    ))?;
    if !sheet.fingerprint.is_empty() {
        page.gap()?;
        page.line("A mail program may show this certificate and ask; it is the right one if its")?;
        page.line("SHA-256 fingerprint is:")?;
        page.line(format!("    {}", sheet.fingerprint))?;
    }
    Ok(())
}

fn servers(page: &mut Page<'_>, head: &str, servers: &[SheetServer]) -> io::Result<()> {
    let mut table = Table::new(&[head, "SERVER", ">PORT", "SECURITY", "FROM OUTSIDE"]);
    for server in servers {
        let outside = if server.open_to_internet { "yes" } else { "no" };
        table.row([
            server.service.label().to_owned(),
            server.host.clone(),
            server.port.to_string(),
            server.security.label().to_owned(),
            outside.to_owned(),
        ]);
    }
    page.table(&table, "Nothing to type in.")
}
