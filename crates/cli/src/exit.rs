//! How a command ends: the exit codes that scripts rely on, and what is said on the way out.
//!
//! Promises: a code never changes its meaning; an error names what to do about it.

use std::io;
use std::path::Path;

use operate::control::AskError;
use operate::{Answer, OperateError};
use policy::Outcome;

use crate::Terminal;
use crate::output::printable;

/// What is printed under every help.
pub(crate) const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 refused or failed; 2 the command was not understood; 3 no such thing;
4 the settings have problems or were changed meanwhile; 5 no gateway runs.
`explain` also: 10 the message would be refused; 11 the sender would be asked to try again.";

/// Exit code: it was done.
pub const DONE: u8 = 0;
/// Exit code: the gateway refused or failed.
pub const FAILED: u8 = 1;
/// Exit code: the command was not understood.
pub const USAGE: u8 = 2;
/// Exit code: what was named does not exist.
pub const NOT_FOUND: u8 = 3;
/// Exit code: the settings have problems, or were changed meanwhile.
pub const SETTINGS: u8 = 4;
/// Exit code: no gateway runs.
pub const NOT_RUNNING: u8 = 5;
/// Exit code of `explain`: the message would be refused.
pub const WOULD_REFUSE: u8 = 10;
/// Exit code of `explain`: the sender would be asked to try again later.
pub const WOULD_DEFER: u8 = 11;

/// Why a command came to no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The command makes no sense as it was given.
    #[error("{why}")]
    Usage {
        /// What is wrong.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// The person said cancel.
    #[error("cancelled; nothing was changed")]
    Cancelled,
    /// The gateway could not be asked.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The gateway said no.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// A file or a stream did not let itself be read or written.
    #[error("{what}: {error}")]
    File {
        /// Which.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// A standard stream broke.
    #[error("{0}")]
    Stream(#[from] io::Error),
}

impl Stop {
    pub(crate) fn usage(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Usage {
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage { .. } => USAGE,
            Self::Operate(error) => match error {
                OperateError::NotFound { .. } => NOT_FOUND,
                OperateError::Problems { .. } | OperateError::Conflict { .. } => SETTINGS,
                OperateError::Exists { .. }
                | OperateError::Refused { .. }
                | OperateError::Outside { .. } => FAILED,
            },
            Self::Ask(AskError::NotRunning { .. }) => NOT_RUNNING,
            // Whoever reads only the first lines (`| head`) has got what they wanted.
            Self::Stream(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
            Self::Ask(AskError::NotAllowed { .. } | AskError::Broken { .. })
            | Self::Cancelled
            | Self::File { .. }
            | Self::Stream(_) => FAILED,
        }
    }

    /// Says why on standard error, or as one document on standard output for scripts.
    pub(crate) fn tell(&self, json: bool, folder: &Path, io: &mut Terminal<'_>) -> io::Result<()> {
        if self.code() == DONE {
            return Ok(());
        }
        if json {
            return writeln!(io.stdout, "{}", self.document());
        }
        for line in self.lines(folder) {
            writeln!(io.stderr, "{}", printable(&line))?;
        }
        Ok(())
    }

    fn document(&self) -> String {
        let failure = self.to_string();
        let document = match self {
            Self::Operate(error) => serde_json::to_value(error),
            Self::Usage { why, remedy } => {
                Ok(serde_json::json!({"error": "usage", "why": why, "remedy": remedy}))
            }
            Self::Cancelled => Ok(serde_json::json!({"error": "cancelled"})),
            Self::Ask(AskError::NotRunning { .. }) => {
                Ok(serde_json::json!({"error": "not-running", "failure": failure}))
            }
            Self::Ask(AskError::NotAllowed { .. }) => {
                Ok(serde_json::json!({"error": "not-allowed", "failure": failure}))
            }
            Self::Ask(AskError::Broken { .. }) | Self::File { .. } | Self::Stream(_) => {
                Ok(serde_json::json!({"error": "failed", "failure": failure}))
            }
        };
        document.map_or_else(|_| "{\"error\":\"failed\"}".to_owned(), |d| d.to_string())
    }

    fn lines(&self, folder: &Path) -> Vec<String> {
        match self {
            Self::Operate(OperateError::Problems { problems }) => {
                let mut lines = vec![match problems.len() {
                    1 => "The settings have a problem; nothing was changed.".to_owned(),
                    count => format!("The settings have {count} problems; nothing was changed."),
                }];
                for problem in problems {
                    lines.push(format!("  {}: {}", problem.field, problem.problem));
                    lines.push(format!("      {}", problem.hint));
                }
                lines
            }
            Self::Operate(OperateError::Refused { why, remedy }) | Self::Usage { why, remedy } => {
                vec![format!("gatepost: {why}"), format!("    {remedy}")]
            }
            Self::Ask(AskError::NotRunning { .. }) => vec![
                format!("gatepost: {self}"),
                format!(
                    "    start it (gatepost serve --data {}, or systemctl start gatepost), or name \
                     another folder with --data",
                    folder.display()
                ),
            ],
            Self::Ask(_)
            | Self::Operate(_)
            | Self::Cancelled
            | Self::File { .. }
            | Self::Stream(_) => vec![format!("gatepost: {self}")],
        }
    }
}

/// The exit code of an answer.
pub(crate) fn code_of(answer: &Answer) -> u8 {
    let Answer::Explanation { explanation } = answer else {
        return DONE;
    };
    match explanation.outcome {
        Outcome::Accept => DONE,
        Outcome::Refuse => WOULD_REFUSE,
        Outcome::Defer => WOULD_DEFER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operate(error: OperateError) -> u8 {
        Stop::Operate(error).code()
    }

    #[test]
    fn each_refusal_of_the_gateway_has_its_code() {
        let what = || "user bob".to_owned();
        assert_eq!(operate(OperateError::NotFound { what: what() }), 3);
        assert_eq!(operate(OperateError::Exists { what: what() }), 1);
        assert_eq!(operate(OperateError::Outside { failure: what() }), 1);
        assert_eq!(
            operate(OperateError::Problems {
                problems: Vec::new()
            }),
            4
        );
        let conflict = OperateError::Conflict {
            expected: 1,
            found: 2,
        };
        assert_eq!(operate(conflict), 4);
    }

    #[test]
    fn nobody_to_ask_is_told_from_not_being_allowed_to() {
        let folder = Path::new("/srv/mail").to_owned();
        let not_running = AskError::NotRunning {
            folder: folder.clone(),
        };
        assert_eq!(Stop::Ask(not_running).code(), 5);
        assert_eq!(Stop::Ask(AskError::NotAllowed { folder }).code(), 1);
    }

    #[test]
    fn a_reader_who_left_is_no_failure() {
        let left = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Stop::Stream(left).code(), 0);
    }
}
