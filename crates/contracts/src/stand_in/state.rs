//! What the stand-in store has durably: messages, mailboxes, and the office.

use std::collections::BTreeMap;

use bytes::Bytes;
use mail::{MailParameters, QueueId, Timestamp, TransactionId};
use policy::UserName;
use policy::facts::ServiceName;

use crate::store::{
    Acceptance, AuditEntry, MaildropMessage, MessageRef, Rendition, Revision, RevisionHead,
    SettingsChange, SpooledContent, StoreError, Uid,
};
use crate::{Story, UserRecord};

use super::state_queue::Queued;

/// One message as long as somebody refers to it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) body: Bytes,
    pub(super) rendition: Rendition,
    pub(super) ends_with_crlf: bool,
    pub(super) mail: MailParameters,
    pub(super) at: Timestamp,
}

impl Message {
    /// Octets that a reader gets, where `own_prefix` stands before the rendition.
    pub(super) fn size_octets(&self, own_prefix: &[u8]) -> u64 {
        let final_crlf = if self.ends_with_crlf { 0 } else { 2 };
        let body_bytes = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        u64::try_from(own_prefix.len()).unwrap_or(u64::MAX)
            + self.rendition.size_bytes(body_bytes)
            + final_crlf
    }
}

/// One message in one mailbox.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) id: QueueId,
    pub(super) prefix: Vec<u8>,
    pub(super) size_octets: u64,
    pub(super) at: Timestamp,
}

/// One mailbox.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    pub(super) last_uid: u64,
    pub(super) messages: BTreeMap<Uid, Delivered>,
}

/// Everything durable.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) messages: BTreeMap<QueueId, Message>,
    pub(super) mailboxes: BTreeMap<UserName, Mailbox>,
    pub(super) queue: BTreeMap<(QueueId, u32), Queued>,
    pub(super) stories: BTreeMap<TransactionId, Story>,
    pub(super) last_id: Option<TransactionId>,
    pub(super) revisions: Vec<Revision>,
    pub(super) users: BTreeMap<UserName, UserRecord>,
    pub(super) stopped: Vec<ServiceName>,
    pub(super) audit: Vec<AuditEntry>,
}

impl State {
    /// Whether none of the ids was accepted before.
    pub(super) fn check_new(&self, ids: &[QueueId]) -> Result<(), StoreError> {
        for (index, id) in ids.iter().enumerate() {
            let twice = ids.iter().take(index).any(|other| other == id);
            if twice || self.messages.contains_key(id) || self.stories.contains_key(id) {
                return Err(StoreError::Damaged {
                    attempted: "accept message",
                    failure: format!("the id {id} was given before"),
                });
            }
        }
        Ok(())
    }

    pub(super) fn accept(&mut self, acceptance: Acceptance) {
        let SpooledContent::Memory(body) = acceptance.body.content else {
            return; // `MemoryStore` unwraps what it spooled before it takes the step.
        };
        let id = acceptance.id;
        let message = Message {
            body: body.into(),
            rendition: acceptance.rendition,
            ends_with_crlf: acceptance.ends_with_crlf,
            mail: acceptance.envelope.mail,
            at: acceptance.at,
        };
        for delivery in acceptance.deliveries {
            let mailbox = self.mailboxes.entry(delivery.user).or_default();
            mailbox.last_uid += 1;
            let delivered = Delivered {
                id,
                size_octets: message.size_octets(&delivery.prefix),
                prefix: delivery.prefix,
                at: acceptance.at,
            };
            mailbox.messages.insert(Uid(mailbox.last_uid), delivered);
        }
        for entry in acceptance.queue {
            let key = (id, entry.recipient_no);
            self.queue.insert(key, Queued::new(entry));
        }
        self.messages.insert(id, message);
        self.keep_stories(vec![acceptance.story]);
        self.collect(id);
    }

    pub(super) fn delete(&mut self, user: &UserName, uids: &[Uid]) {
        let Some(mailbox) = self.mailboxes.get_mut(user) else {
            return;
        };
        let gone: Vec<QueueId> = uids
            .iter()
            .filter_map(|uid| mailbox.messages.remove(uid))
            .map(|delivered| delivered.id)
            .collect();
        for id in gone {
            self.collect(id);
        }
    }

    /// Drops a message that nobody refers to any more.
    pub(super) fn collect(&mut self, id: QueueId) {
        let delivered = self
            .mailboxes
            .values()
            .any(|mailbox| mailbox.messages.values().any(|message| message.id == id));
        let queued = self.queue.range((id, 0)..=(id, u32::MAX)).next().is_some();
        if !delivered && !queued {
            self.messages.remove(&id);
        }
    }

    pub(super) fn list(&self, user: &UserName) -> Vec<MaildropMessage> {
        let Some(mailbox) = self.mailboxes.get(user) else {
            return Vec::new();
        };
        mailbox
            .messages
            .iter()
            .map(|(uid, delivered)| MaildropMessage {
                uid: *uid,
                size_octets: delivered.size_octets,
                id: delivered.id,
                delivered_at: delivered.at,
            })
            .collect()
    }

    pub(super) fn read(
        &self,
        reference: &MessageRef,
        offset: u64,
        max_bytes: usize,
    ) -> Result<Bytes, StoreError> {
        let absent = || StoreError::NotFound {
            what: "the message".to_owned(),
        };
        let (id, own_prefix) = match reference {
            MessageRef::InMaildrop { user, uid } => {
                let mailbox = self.mailboxes.get(user).ok_or_else(absent)?;
                let delivered = mailbox.messages.get(uid).ok_or_else(absent)?;
                (delivered.id, delivered.prefix.as_slice())
            }
            MessageRef::Queued { id } => {
                let mut entries = self.queue.range((*id, 0)..=(*id, u32::MAX));
                entries.next().ok_or_else(absent)?;
                (*id, [].as_slice())
            }
        };
        let message = self.messages.get(&id).ok_or_else(absent)?;
        let body_bytes = u64::try_from(message.body.len()).unwrap_or(u64::MAX);
        let rendition = &message.rendition;
        let window = rendition.window(own_prefix.len(), body_bytes, offset, max_bytes);
        let prefix = [own_prefix, &rendition.prefix].concat();
        let mut read = prefix
            .get(window.prefix)
            .map(<[u8]>::to_vec)
            .unwrap_or_default();
        for range in window.body {
            let start = usize::try_from(range.start).unwrap_or(usize::MAX);
            let end = usize::try_from(range.end).unwrap_or(usize::MAX);
            read.extend_from_slice(message.body.get(start..end).unwrap_or_default());
        }
        Ok(read.into())
    }

    pub(super) fn save_settings(
        &mut self,
        expected: u64,
        change: SettingsChange,
    ) -> Result<u64, StoreError> {
        let found = self.revisions.last().map_or(0, |last| last.head.number);
        if found != expected {
            return Err(StoreError::Conflict { expected, found });
        }
        let head = RevisionHead {
            number: found + 1,
            operator: change.operator,
            why: change.why,
            at: change.at,
        };
        self.revisions.push(Revision {
            head,
            toml: change.toml,
        });
        Ok(found + 1)
    }

    pub(super) fn remove_user(
        &mut self,
        name: &UserName,
        audit: AuditEntry,
    ) -> Result<(), StoreError> {
        if self.users.remove(name).is_none() {
            return Err(StoreError::NotFound {
                what: format!("the user {name}"),
            });
        }
        self.audit.push(audit);
        Ok(())
    }
}
