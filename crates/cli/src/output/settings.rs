//! Settings, what changes in them, their history, and the audit.

use std::io;

use contracts::store::{AuditEntry, Revision, RevisionHead};
use policy::settings::{Change, Problem, RawSettings};

use super::Layout;
use super::page::{Page, count};
use super::table::Table;
use super::time::{minute, with_distance};

pub(super) fn done(
    page: &mut Page<'_>,
    what: &str,
    revision: Option<u64>,
    warnings: &[Problem],
) -> io::Result<()> {
    match revision {
        Some(number) => page.line(format!("Done: {what} (settings revision {number})."))?,
        None => page.line(format!("Done: {what}."))?,
    }
    watch(page, warnings)
}

pub(super) fn changes(
    page: &mut Page<'_>,
    revision: Option<u64>,
    changes: &[Change],
    warnings: &[Problem],
) -> io::Result<()> {
    let number = changes.len() as u64;
    match revision {
        Some(revision) => {
            let what = count(number, "change", "changes");
            page.line(format!("Settings revision {revision} is in force: {what}."))?;
        }
        None if changes.is_empty() => page.line("Nothing changes.")?,
        None => {
            let what = count(number, "change", "changes");
            page.line(format!("Nothing was saved. It would be {what}:"))?;
        }
    }
    for change in changes {
        let sign = match (&change.before, &change.after) {
            (None, Some(_)) => '+',
            (Some(_), None) => '-',
            _ => '~',
        };
        page.line(format!("  {sign} {change}"))?;
    }
    let gone: Vec<&str> = changes.iter().filter_map(stops_receiving).collect();
    if !gone.is_empty() {
        page.gap()?;
        let verb = if revision.is_some() {
            "no longer"
        } else {
            "would no longer"
        };
        page.line(format!(
            "These {verb} receive mail here: {}",
            gone.join(", ")
        ))?;
    }
    watch(page, warnings)
}

/// The address or domain that is taken away by a change.
fn stops_receiving(change: &Change) -> Option<&str> {
    if change.after.is_some() {
        return None;
    }
    ["addresses.list[", "addresses.catch_all[", "domains.list["]
        .iter()
        .find_map(|list| change.field.strip_prefix(list)?.strip_suffix(']'))
}

fn watch(page: &mut Page<'_>, warnings: &[Problem]) -> io::Result<()> {
    if warnings.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.line("Keep an eye on:")?;
    for warning in warnings {
        page.line(format!("  {}: {}", warning.field, warning.problem))?;
        page.line(format!("      {}", warning.hint))?;
    }
    Ok(())
}

pub(super) fn text(
    page: &mut Page<'_>,
    revision: Option<&RevisionHead>,
    toml: &str,
    layout: &Layout,
) -> io::Result<()> {
    let tab = match layout {
        Layout::File { tab } => tab,
        Layout::Tab { tab } => {
            head(page, revision)?;
            tab
        }
        Layout::Usual | Layout::Whole => &None,
    };
    match tab {
        None => page.text(toml),
        Some(tab) => page.text(&only(toml, tab)),
    }
}

fn head(page: &mut Page<'_>, revision: Option<&RevisionHead>) -> io::Result<()> {
    match revision {
        None => page.line("# No revision yet: these are the defaults.")?,
        Some(head) => page.line(format!("# {}", of_revision(page, head)))?,
    }
    page.gap()
}

fn of_revision(page: &Page<'_>, head: &RevisionHead) -> String {
    let at = with_distance(head.at, page.now);
    let why = match head.why.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    format!("Revision {}, by {}, {at}{why}", head.number, head.operator)
}

/// One tab of the text; nothing when the tab has no field.
fn only(toml: &str, tab: &str) -> String {
    let raw = RawSettings::from_toml(toml).ok();
    let tab = raw.and_then(|raw| raw.only(tab));
    tab.map(|tab| tab.to_toml()).unwrap_or_default()
}

pub(super) fn revisions(page: &mut Page<'_>, revisions: &[RevisionHead]) -> io::Result<()> {
    let mut table = Table::new(&[">REVISION", "WHEN (UTC)", "WHO", "WHY"]);
    for head in revisions {
        table.row([
            head.number.to_string(),
            minute(head.at),
            head.operator.clone(),
            head.why.clone(),
        ]);
    }
    page.table(&table, "No revision yet: the defaults are in force.")
}

pub(super) fn revision(page: &mut Page<'_>, revision: &Revision) -> io::Result<()> {
    head(page, Some(&revision.head))?;
    page.text(&revision.toml)
}

pub(super) fn audit(page: &mut Page<'_>, entries: &[AuditEntry]) -> io::Result<()> {
    let mut table = Table::new(&["WHEN (UTC)", "WHO", "WHAT"]);
    for entry in entries {
        table.row([
            minute(entry.at),
            entry.operator.clone(),
            entry.action.clone(),
        ]);
    }
    page.table(&table, "Nobody did anything yet.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(field: &str, after: Option<&str>) -> Change {
        Change {
            field: field.to_owned(),
            before: Some("x".to_owned()),
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_is_taken_away_whole_stops_receiving() {
        let gone = change("addresses.list[bob@office.example]", None);
        assert_eq!(stops_receiving(&gone), Some("bob@office.example"));
        let kept = change("addresses.list[bob@office.example].users", Some("alice"));
        assert_eq!(stops_receiving(&kept), None);
        let other = change("security.devices[scanner]", None);
        assert_eq!(stops_receiving(&other), None);
    }
}
