//! What one run of the load generator measured, as it is handed from process to process.
//!
//! Promises: plain numbers with their units in the names; rates are worked out by the report.

use crate::clock::milliseconds;
use crate::ledger::Balance;
use crate::machine::{Memory, Work};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Messages sent by SMTP, waited for, and read back by POP3.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SmtpFigures {
    /// The books after everything was read back.
    pub(crate) balance: Balance,
    /// Refusals, and the first one's text.
    pub(crate) refused: u64,
    /// The first refusal.
    pub(crate) first_refusal: Option<String>,
    /// From the first connection to the last acknowledgement.
    pub(crate) accept_seconds: f64,
    /// From the first connection until POP3 could read the last message.
    pub(crate) through_seconds: f64,
    /// From the first POP3 connection until everything was read, checked and deleted.
    pub(crate) collect_seconds: f64,
    /// MAIL to the final reply.
    pub(crate) transaction: Spread,
    /// Final dot to the final reply.
    pub(crate) acknowledgement: Spread,
    /// What was used until POP3 could read the last message.
    pub(crate) work: Work,
    /// Octets of one message.
    pub(crate) size_bytes: u64,
}

/// Messages retrieved by POP3 from mailboxes that were filled before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pop3Figures {
    /// The books of the first time.
    pub(crate) balance: Balance,
    /// Messages retrieved the first time.
    pub(crate) retrieved_once: u64,
    /// From the first RETR to the last octet.
    pub(crate) once_seconds: f64,
    /// Messages retrieved by repeating that in the same sessions.
    pub(crate) retrieved_again: u64,
    /// How long that was repeated.
    pub(crate) again_seconds: f64,
    /// What was used while it was repeated.
    pub(crate) work: Work,
}

/// Sign-ins by POP3.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoginFigures {
    /// Sessions from connection to QUIT.
    pub(crate) logins: u64,
    /// How long all took.
    pub(crate) seconds: f64,
    /// What was used.
    pub(crate) work: Work,
}

/// Connections that say nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdleFigures {
    /// Connections that were greeted.
    pub(crate) connections: u64,
    /// Memory before the first.
    pub(crate) before: Memory,
    /// Memory while all were open.
    pub(crate) during: Memory,
}

/// How long something took, over many times.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit stands in every name that is handed from process to process"
)]
pub(crate) struct Spread {
    /// Half were faster.
    pub(crate) p50_ms: f64,
    /// One in a hundred was slower.
    pub(crate) p99_ms: f64,
    /// The slowest.
    pub(crate) max_ms: f64,
}

impl Spread {
    /// The spread of a list of durations.
    pub(crate) fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |hundredths: usize| {
            let index = durations.len().saturating_mul(hundredths) / 100;
            let index = index.min(durations.len().saturating_sub(1));
            durations.get(index).copied().map_or(0.0, milliseconds)
        };
        Self {
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_taken_from_the_sorted_list() {
        let spread = Spread::of((0..200).rev().map(Duration::from_millis).collect());
        let parts = [spread.p50_ms, spread.p99_ms, spread.max_ms];
        assert_eq!(
            parts.map(|part| format!("{part:.0}")),
            ["100", "198", "199"]
        );
        assert!(Spread::of(Vec::new()).max_ms < f64::EPSILON);
    }
}
