//! The history of the stand-in store.

use std::collections::BTreeSet;

use mail::TransactionId;

use super::state::State;
use super::steps::Trim;
use crate::store::HistoryQuery;
use crate::{Story, StoryEntry, StoryHead};

/// What a story weighs in its budget, about what a real store needs for it.
fn weight_bytes(story: &Story) -> u64 {
    let words = story.head.recipients.iter().map(String::len).sum::<usize>();
    u64::try_from(500 + words + 300 * story.entries.len()).unwrap_or(u64::MAX)
}

impl State {
    pub(super) fn keep_stories(&mut self, stories: Vec<Story>) {
        for story in stories {
            self.last_id = self.last_id.max(Some(story.head.id));
            self.stories.entry(story.head.id).or_insert(story);
        }
    }

    pub(super) fn add_entries(&mut self, entries: Vec<StoryEntry>) {
        for entry in entries {
            if let Some(story) = self.stories.get_mut(&entry.id) {
                story.entries.push(entry);
            }
        }
    }

    pub(super) fn search(&self, query: &HistoryQuery) -> Vec<StoryHead> {
        self.stories
            .values()
            .rev()
            .map(|story| &story.head)
            .filter(|head| query.fits(head))
            .take(query.limit_or_default())
            .cloned()
            .collect()
    }

    pub(super) fn trim(&mut self, trim: &Trim) {
        let queued: BTreeSet<TransactionId> = self.queue.keys().map(|(id, _)| *id).collect();
        for (accepted, budget) in [(true, trim.bytes_max), (false, trim.refusals_bytes_max)] {
            let mut used = 0u64;
            let mut gone = Vec::new();
            for (id, story) in self.stories.iter().rev() {
                if story.head.accepted != accepted {
                    continue;
                }
                used = used.saturating_add(weight_bytes(story));
                let old = story.head.at < trim.before || used > budget;
                if old && !queued.contains(id) {
                    gone.push(*id);
                }
            }
            for id in gone {
                self.stories.remove(&id);
            }
        }
    }
}
