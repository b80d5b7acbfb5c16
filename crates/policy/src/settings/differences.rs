//! What changed between two revisions, field by field.
//!
//! Promises: entries of lists are matched by what they are about (a name, an address, a domain),
//! so that one added in the middle is one change; values read as in a settings file.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{RawSettings, Settings, TABS};

/// One field that changed; absent before: added; absent after: removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Path of the field; entries of lists are named by what they are about.
    pub field: String,
    /// What it was, in words.
    pub before: Option<String>,
    /// What it is, in words.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{field}: {after} (was {before})"),
            (None, Some(after)) => write!(f, "{field}: added ({after})"),
            (Some(before), None) => write!(f, "{field}: removed (was {before})"),
            (None, None) => write!(f, "{field}: unchanged"),
        }
    }
}

/// What changed, in the order of the console's tabs.
pub fn differences(before: &Settings, after: &Settings) -> Vec<Change> {
    let (before, after) = (RawSettings::from(before), RawSettings::from(after));
    let mut changes = Vec::new();
    for tab in TABS {
        if let (Some(before), Some(after)) = (before.tab(tab), after.tab(tab)) {
            of_tables(tab, before, after, &mut changes);
        }
    }
    changes
}

fn of_tables(path: &str, before: &Table, after: &Table, changes: &mut Vec<Change>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let path = format!("{path}.{name}");
        of_values(&path, before.get(name), after.get(name), changes);
    }
}

fn of_values(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Table(before)), Some(Value::Table(after))) => {
            of_tables(path, before, after, changes);
        }
        (Some(Value::Array(before)), Some(Value::Array(after)))
            if before.iter().chain(after).any(Value::is_table) =>
        {
            of_lists(path, before, after, changes);
        }
        _ => changes.push(Change {
            field: path.to_owned(),
            before: before.map(in_words),
            after: after.map(in_words),
        }),
    }
}

fn of_lists(path: &str, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    let (before, after) = (keyed(before), keyed(after));
    let of = |list: &[(String, Table)], key: &str| {
        let found = list.iter().find(|(known, _)| known == key);
        found.map(|(_, entry)| entry.clone())
    };
    for (key, old) in &before {
        let path = format!("{path}[{key}]");
        match of(&after, key) {
            Some(new) => of_tables(&path, old, &new, changes),
            None => changes.push(Change {
                field: path,
                before: Some(table_in_words(old)),
                after: None,
            }),
        }
    }
    for (key, new) in after.iter().filter(|(key, _)| of(&before, key).is_none()) {
        changes.push(Change {
            field: format!("{path}[{key}]"),
            before: None,
            after: Some(table_in_words(new)),
        });
    }
    let order = |list: &[(String, Table)], other: &[(String, Table)]| {
        let both = list.iter().filter(|(key, _)| of(other, key).is_some());
        both.map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    let (old, new) = (order(&before, &after), order(&after, &before));
    if old != new {
        changes.push(Change {
            field: format!("{path} (order)"),
            before: Some(old.join(", ")),
            after: Some(new.join(", ")),
        });
    }
}

/// The fields that say what an entry is about; taken out of it, since they name it already.
const KEYS: [&[&str]; 4] = [
    &["user", "address", "domain"],
    &["name"],
    &["address"],
    &["domain"],
];

fn keyed(list: &[Value]) -> Vec<(String, Table)> {
    let tables = list.iter().filter_map(Value::as_table);
    tables
        .map(|entry| {
            let mut entry = entry.clone();
            let key = KEYS.iter().find(|fields| {
                fields
                    .first()
                    .is_some_and(|field| entry.contains_key(*field))
            });
            let parts: Vec<String> = key
                .into_iter()
                .flat_map(|fields| fields.iter())
                .filter_map(|field| entry.remove(*field))
                .map(|value| in_words(&value))
                .collect();
            (parts.join(" as "), entry)
        })
        .collect()
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Boolean(true) => "on".to_owned(),
        Value::Boolean(false) => "off".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Table(table) => table_in_words(table),
        Value::Integer(_) | Value::Float(_) | Value::Datetime(_) => value.to_string(),
    }
}

fn table_in_words(table: &Table) -> String {
    if table.is_empty() {
        return "as listed".to_owned();
    }
    let fields = table
        .iter()
        .map(|(name, value)| format!("{name}: {}", in_words(value)));
    fields.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::own_server;
    use crate::settings::starter;

    fn office() -> Settings {
        let host = "mail.office.example".parse().unwrap();
        let domain = "office.example".parse().unwrap();
        own_server(&starter(host), &domain, &"bob".parse().unwrap(), false)
    }

    #[test]
    fn equal_settings_have_no_differences() {
        assert_eq!(differences(&office(), &office()), []);
    }

    #[test]
    fn an_added_address_is_one_change_and_a_user_on_it_another() {
        let mut after = office();
        let mut alice = after.addresses.list[0].clone();
        alice.address = "alice@office.example".parse().unwrap();
        after.addresses.list.insert(0, alice);
        after.addresses.list[1].users.push("alice".parse().unwrap());
        let lines: Vec<String> = differences(&office(), &after)
            .iter()
            .map(Change::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "addresses.list[bob@office.example].users: bob, alice (was bob)",
                "addresses.list[alice@office.example]: added (users: bob)",
            ]
        );
    }

    #[test]
    fn opening_to_the_internet_reads_as_on() {
        let mut after = office();
        after.services.smtp_open_to_internet = true;
        after.receiving.message_bytes_max = 100 << 20;
        let lines: Vec<String> = differences(&office(), &after)
            .iter()
            .map(Change::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "receiving.message_bytes_max: 100 MiB (was 50 MiB)",
                "services.smtp_open_to_internet: on (was off)",
            ]
        );
    }
}
