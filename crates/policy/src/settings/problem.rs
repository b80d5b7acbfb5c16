//! What is wrong with a settings form, field by field.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing to put right, or to think about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Path of the field, such as `addresses.list[2].users`; counted from 1.
    pub field: String,
    /// What is wrong, as a sentence.
    pub problem: String,
    /// What to do about it, as a sentence.
    pub hint: String,
}

impl Problem {
    /// A problem of one field.
    pub fn new(
        field: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.field, self.problem, self.hint)
    }
}
