//! Settings as people write them: TOML, one table per tab, unchecked.
//!
//! Promises: a tab that is not named stays away (`None`), so that applying one tab leaves the
//! others; what was read is written back as it was.
//! Does not: say whether any of it makes sense; that is `check`.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{Problem, Settings, form};

/// The tabs of a settings file, each as the table that was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSettings {
    /// `[machine]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Table>,
    /// `[domains]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domains: Option<Table>,
    /// `[addresses]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Table>,
    /// `[security]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Table>,
    /// `[receiving]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving: Option<Table>,
    /// `[delivery]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Table>,
    /// `[services]`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Table>,
}

/// Names of the tabs, in the order they are written.
pub const TABS: [&str; 7] = [
    "machine",
    "domains",
    "addresses",
    "security",
    "receiving",
    "delivery",
    "services",
];

impl RawSettings {
    /// Reads TOML text.
    ///
    /// # Errors
    /// Problems of syntax, tabs that do not exist, and tabs that are no tables; show them all.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Problem>> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            vec![Problem::new(
                "(file)",
                format!("This is not TOML: {}.", one_line(&error.to_string())),
                "Compare with what `gatepost settings export` writes.",
            )]
        })?;
        let mut raw = Self::default();
        let mut problems = Vec::new();
        for (name, value) in table {
            match (raw.tab_mut(&name), value) {
                (Some(tab), Value::Table(table)) => *tab = Some(table),
                (Some(_), _) => problems.push(Problem::new(
                    &name,
                    "This must be a table.",
                    format!("Write [{name}] on a line of its own and the fields below it."),
                )),
                (None, _) => problems.push(Problem::new(
                    &name,
                    "There is no such tab.",
                    format!("The tabs are {}.", TABS.join(", ")),
                )),
            }
        }
        if problems.is_empty() {
            Ok(raw)
        } else {
            Err(problems)
        }
    }

    /// Writes TOML text, tabs in the order of the console.
    pub fn to_toml(&self) -> String {
        let mut parts = Vec::new();
        for name in TABS {
            if let Some(tab) = self.tab(name) {
                let mut whole = Table::new();
                whole.insert(name.to_owned(), Value::Table(tab.clone()));
                parts.push(whole.to_string());
            }
        }
        parts.join("\n")
    }

    /// This over `current`: a tab that is named here replaces the one there whole.
    #[must_use]
    pub fn apply_over(&self, current: &Self) -> Self {
        let mut result = current.clone();
        for name in TABS {
            if let (Some(tab), Some(place)) = (self.tab(name), result.tab_mut(name)) {
                *place = Some(tab.clone());
            }
        }
        result
    }

    /// Only the tab of that name; `None` when there is no such tab or it is not named here.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<Self> {
        let mut result = Self::default();
        *result.tab_mut(name)? = Some(self.tab(name)?.clone());
        Some(result)
    }

    /// The tab of that name, if there is one and it is named here.
    pub fn tab(&self, name: &str) -> Option<&Table> {
        match name {
            "machine" => self.machine.as_ref(),
            "domains" => self.domains.as_ref(),
            "addresses" => self.addresses.as_ref(),
            "security" => self.security.as_ref(),
            "receiving" => self.receiving.as_ref(),
            "delivery" => self.delivery.as_ref(),
            "services" => self.services.as_ref(),
            _ => None,
        }
    }

    fn tab_mut(&mut self, name: &str) -> Option<&mut Option<Table>> {
        match name {
            "machine" => Some(&mut self.machine),
            "domains" => Some(&mut self.domains),
            "addresses" => Some(&mut self.addresses),
            "security" => Some(&mut self.security),
            "receiving" => Some(&mut self.receiving),
            "delivery" => Some(&mut self.delivery),
            "services" => Some(&mut self.services),
            _ => None,
        }
    }
}

impl From<&Settings> for RawSettings {
    fn from(settings: &Settings) -> Self {
        form::write(settings)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
