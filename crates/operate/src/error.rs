//! Why a request was not carried out.

use contracts::{AuthenticateError, InterfacesError, ServicesError, StoreError};
use policy::settings::Problem;
use serde::{Deserialize, Serialize};

/// Why not, and what to do about it. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "kebab-case")]
pub enum OperateError {
    /// Settings that cannot be put in force.
    #[error("{}", sentences(.problems))]
    Problems {
        /// All that is wrong.
        problems: Vec<Problem>,
    },
    /// Somebody else changed the settings first.
    #[error(
        "the settings were changed meanwhile: revision {found} is in force, not {expected}; look at it and try again"
    )]
    Conflict {
        /// The revision that was expected.
        expected: u64,
        /// The one in force.
        found: u64,
    },
    /// There is no such thing.
    #[error("{what} does not exist")]
    NotFound {
        /// What was named.
        what: String,
    },
    /// It is there already.
    #[error("{what} exists already")]
    Exists {
        /// What was named.
        what: String,
    },
    /// It cannot be done like this.
    #[error("{why}; {remedy}")]
    Refused {
        /// What is in the way.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// A part of the machine did not do its work.
    #[error("{failure}")]
    Outside {
        /// What it said.
        failure: String,
    },
}

fn sentences(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {} ({})", problem.field, problem.problem, problem.hint))
        .collect();
    lines.join("\n")
}

impl From<StoreError> for OperateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { expected, found } => Self::Conflict { expected, found },
            StoreError::NotFound { what } => Self::NotFound { what },
            StoreError::Io { .. }
            | StoreError::Full { .. }
            | StoreError::Damaged { .. }
            | StoreError::InUse
            | StoreError::Closing => Self::Outside {
                failure: error.to_string(),
            },
        }
    }
}

impl From<ServicesError> for OperateError {
    fn from(error: ServicesError) -> Self {
        Self::Outside {
            failure: error.to_string(),
        }
    }
}

impl From<AuthenticateError> for OperateError {
    fn from(error: AuthenticateError) -> Self {
        Self::Outside {
            failure: error.to_string(),
        }
    }
}

impl From<InterfacesError> for OperateError {
    fn from(error: InterfacesError) -> Self {
        Self::Outside {
            failure: error.to_string(),
        }
    }
}
