//! From a form to settings that are always usable.
//!
//! Promises: every problem at once, each with field, problem and hint; what does not prevent
//! saving is a warning. Settings that passed, written and read again, are the same.
//! Does not: know the machine's interfaces, or whether users exist beyond a warning.

use std::collections::BTreeSet;

use super::form::{self, Report};
use super::{Problem, RawSettings, Settings};
use crate::UserName;

/// Settings that passed, and what is still worth a thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The settings.
    pub settings: Settings,
    /// What does not prevent saving.
    pub warnings: Vec<Problem>,
}

/// Parses the form; a field or tab that is not named takes its default, the host name has none.
///
/// # Errors
/// Every problem there is, all at once; show them beside their fields.
pub fn check(raw: &RawSettings, known_users: &BTreeSet<UserName>) -> Result<Checked, Vec<Problem>> {
    let report = Report::default();
    let settings = form::read(raw, known_users, &report);
    let (problems, warnings) = report.into_parts();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Checked { settings, warnings }),
        Some(_) | None => Err(problems),
    }
}
