//! Settings revisions, audit, and questions to the history.

use mail::Timestamp;
use serde::{Deserialize, Serialize};

use crate::StoryHead;

/// A new revision of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsChange {
    /// The settings as TOML.
    pub toml: String,
    /// Who changes them.
    pub operator: String,
    /// Why, in their words; may be empty.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// One revision without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionHead {
    /// Its number, from 1.
    pub number: u64,
    /// Who made it.
    pub operator: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// One revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Number, who, why, when.
    #[serde(flatten)]
    pub head: RevisionHead,
    /// The settings as TOML.
    pub toml: String,
}

/// One thing an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub operator: String,
    /// What, as a sentence.
    pub action: String,
}

/// What to look for in the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryQuery {
    /// Words that sender, recipients, subject or peer must contain; empty: all.
    pub text: String,
    /// Not older than.
    pub since: Option<Timestamp>,
    /// Not newer than.
    pub until: Option<Timestamp>,
    /// Only accepted, or only refused ones.
    pub accepted: Option<bool>,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

impl HistoryQuery {
    /// Whether a story with this head is asked for; the same in every store.
    pub fn fits(&self, head: &StoryHead) -> bool {
        self.since.is_none_or(|since| head.at >= since)
            && self.until.is_none_or(|until| head.at <= until)
            && self.accepted.is_none_or(|wanted| head.accepted == wanted)
            && self.words_found(head)
    }

    /// How many heads are wanted at most.
    pub const fn limit_or_default(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit }
    }

    fn words_found(&self, head: &StoryHead) -> bool {
        if self.text.trim().is_empty() {
            return true;
        }
        let mut shown = vec![head.id.to_string(), head.sender.clone()];
        shown.extend(head.recipients.iter().cloned());
        shown.extend(head.subject.clone());
        if let Some(connection) = &head.connection {
            shown.push(connection.peer.ip().to_string());
            shown.extend(connection.greeting_name.clone());
            shown.extend(connection.user.as_ref().map(ToString::to_string));
        }
        let shown = shown.join("\n").to_lowercase();
        let words = self.text.to_lowercase();
        words.split_whitespace().all(|word| shown.contains(word))
    }
}
