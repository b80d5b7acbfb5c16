//! The queue of the stand-in store.

use mail::{QueueId, Timestamp};

use super::state::State;
use super::steps::{Change, Claim};
use crate::StoryEntry;
use crate::store::{
    AttemptRecord, NewQueueEntry, QueueAction, QueueEntry, QueueFilter, QueueState,
    RecipientResult, ResultEnd,
};

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    entry: NewQueueEntry,
    leased_until: Option<Timestamp>,
    held: bool,
    attempts: u32,
    last_reply: Option<String>,
    delay_noticed: bool,
}

impl Queued {
    pub(super) const fn new(entry: NewQueueEntry) -> Self {
        Self {
            entry,
            leased_until: None,
            held: false,
            attempts: 0,
            last_reply: None,
            delay_noticed: false,
        }
    }

    /// When it may be tried; `None` while it is held.
    fn wakes_at(&self) -> Option<Timestamp> {
        if self.held {
            None
        } else {
            Some(self.leased_until.unwrap_or(self.entry.due_at))
        }
    }

    const fn state(&self) -> QueueState {
        if self.held {
            QueueState::Held
        } else if self.leased_until.is_some() {
            QueueState::Leased
        } else {
            QueueState::Waiting
        }
    }
}

impl State {
    fn shown(&self, id: QueueId, queued: &Queued) -> Option<QueueEntry> {
        let message = self.messages.get(&id)?;
        Some(QueueEntry {
            id,
            recipient_no: queued.entry.recipient_no,
            recipient: queued.entry.recipient.clone(),
            mail: message.mail.clone(),
            size_bytes: message.size_octets(&[]),
            destination: queued.entry.destination.clone(),
            state: queued.state(),
            queued_at: message.at,
            due_at: queued.entry.due_at,
            attempts: queued.attempts,
            last_reply: queued.last_reply.clone(),
            delay_noticed: queued.delay_noticed,
        })
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Vec<QueueEntry> {
        let mut due: Vec<(Timestamp, (QueueId, u32))> = self
            .queue
            .iter()
            .filter(|(_, queued)| !claim.skip.contains(&queued.entry.destination))
            .filter_map(|(key, queued)| Some((queued.wakes_at()?, *key)))
            .filter(|(wakes_at, _)| *wakes_at <= claim.now)
            .collect();
        due.sort_unstable();
        due.truncate(claim.limit);
        let mut leased = Vec::new();
        for (_, key) in due {
            if let Some(queued) = self.queue.get_mut(&key) {
                queued.leased_until = Some(claim.lease_until);
                let queued = queued.clone();
                leased.extend(self.shown(key.0, &queued));
            }
        }
        leased
    }

    pub(super) fn release(&mut self, entries: &[(QueueId, u32)]) {
        for key in entries {
            if let Some(queued) = self.queue.get_mut(key) {
                queued.leased_until = None;
            }
        }
    }

    /// Gives every lease back: who held it is gone.
    pub(super) fn release_all(&mut self) {
        for queued in self.queue.values_mut() {
            queued.leased_until = None;
        }
    }

    pub(super) fn record_attempt(&mut self, record: AttemptRecord) {
        for result in record.results {
            self.record_result(record.id, result);
        }
        for report in record.reports {
            self.accept(report);
        }
        self.add_entries(record.story);
        self.collect(record.id);
    }

    fn record_result(&mut self, id: QueueId, result: RecipientResult) {
        let key = (id, result.recipient_no);
        let Some(queued) = self.queue.get_mut(&key) else {
            return;
        };
        match result.end {
            ResultEnd::Done => {
                self.queue.remove(&key);
            }
            ResultEnd::Again {
                due_at,
                delay_noticed,
            } => {
                queued.leased_until = None;
                queued.entry.due_at = due_at;
                queued.attempts += u32::from(result.counts);
                queued.delay_noticed |= delay_noticed;
                if result.last_reply.is_some() {
                    queued.last_reply = result.last_reply;
                }
            }
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.queue.values().filter_map(Queued::wakes_at).min()
    }

    pub(super) fn list_queue(&self, filter: &QueueFilter) -> Vec<QueueEntry> {
        self.queue
            .iter()
            .filter(|((id, _), queued)| fits(filter, *id, queued))
            .filter_map(|((id, _), queued)| self.shown(*id, queued))
            .take(filter.limit.unwrap_or(usize::MAX))
            .collect()
    }

    pub(super) fn change_queue(&mut self, change: &Change) -> u64 {
        let keys: Vec<(QueueId, u32)> = self
            .queue
            .iter()
            .filter(|((id, _), queued)| fits(&change.filter, *id, queued))
            .filter(|(_, queued)| applies(change.action, queued, change.at))
            .map(|(key, _)| *key)
            .take(change.filter.limit.unwrap_or(usize::MAX))
            .collect();
        for key in &keys {
            self.change_entry(*key, change);
        }
        u64::try_from(keys.len()).unwrap_or(u64::MAX)
    }

    fn change_entry(&mut self, key: (QueueId, u32), change: &Change) {
        let Some(queued) = self.queue.get_mut(&key) else {
            return;
        };
        let recipient = queued.entry.recipient.path.clone();
        let event = change.action.event(&change.operator, recipient);
        match change.action {
            QueueAction::Retry => queued.entry.due_at = change.at,
            QueueAction::Hold => queued.held = true,
            QueueAction::Release => {
                queued.held = false;
                queued.entry.due_at = change.at;
            }
            QueueAction::Delete => {
                self.queue.remove(&key);
            }
        }
        self.add_entries(vec![StoryEntry {
            id: key.0,
            at: change.at,
            event,
        }]);
        self.collect(key.0);
    }
}

/// Whether the action changes anything about the entry.
fn applies(action: QueueAction, queued: &Queued, at: Timestamp) -> bool {
    let tried_now = queued.leased_until.is_some_and(|until| until > at);
    match action {
        QueueAction::Retry => !queued.held && !tried_now,
        QueueAction::Hold => !queued.held,
        QueueAction::Release => queued.held,
        QueueAction::Delete => !tried_now,
    }
}

fn fits(filter: &QueueFilter, id: QueueId, queued: &Queued) -> bool {
    filter.id.is_none_or(|wanted| wanted == id)
        && filter
            .destination
            .as_ref()
            .is_none_or(|wanted| *wanted == queued.entry.destination)
        && filter.state.is_none_or(|wanted| wanted == queued.state())
}
