//! Queued mail whose way leads to a mailbox here, because settings changed since it was accepted.
//!
//! Promises: mailbox and queue change in one step; the message comes to rest as any other does,
//! with its Return-Path, under an id of its own.

use std::sync::Arc;

use contracts::store::{
    Acceptance, AttemptRecord, LocalDelivery, QueueEntry, RecipientResult, Rendition, ResultEnd,
    SpooledBody,
};
use contracts::{Event, StoreError, Story, StoryEntry, StoryHead, Terminal};
use mail::{Envelope, received};
use policy::{Because, Decision, UserName};

use crate::message::Message;
use crate::runner::Parties;

/// Delivers one entry to `users`.
///
/// # Errors
/// When the store fails: the entry stays in the queue.
pub(crate) async fn deliver(
    parties: &Parties,
    entry: &QueueEntry,
    users: &[UserName],
    because: Because,
) -> Result<(), StoreError> {
    let store = &parties.attempter.store;
    let at = parties.attempter.opener.clock.now();
    let id = parties.ids.next(at);
    let (body, ends_with_crlf) = copy(parties, entry).await?;
    let ended = |story| StoryEntry {
        id: story,
        at,
        event: Event::Ended {
            recipient: entry.recipient.path.clone(),
            terminal: Terminal::InMailbox {
                users: users.to_vec(),
            },
            decision: Decision::accept(because.clone()),
        },
    };
    let head = StoryHead {
        id,
        at,
        connection: None,
        sender: entry.mail.reverse_path.to_string(),
        recipients: vec![entry.recipient.path.to_string()],
        subject: None,
        size_bytes: body.size_bytes,
        accepted: true,
    };
    let acceptance = Acceptance {
        id,
        at,
        body,
        rendition: Rendition::default(),
        ends_with_crlf,
        envelope: Envelope {
            mail: entry.mail.clone(),
            recipients: vec![entry.recipient.clone()],
        },
        deliveries: deliveries(entry, users),
        queue: Vec::new(),
        story: Story {
            head,
            entries: vec![ended(id)],
        },
    };
    let result = RecipientResult {
        recipient_no: entry.recipient_no,
        end: ResultEnd::Done,
        last_reply: None,
        counts: true,
    };
    let record = AttemptRecord {
        id: entry.id,
        results: vec![result],
        reports: vec![acceptance],
        story: vec![ended(entry.id)],
    };
    store.record_attempt(record).await
}

fn deliveries(entry: &QueueEntry, users: &[UserName]) -> Vec<LocalDelivery> {
    let prefix = received::return_path(&entry.mail.reverse_path).into_bytes();
    let delivery = |user: &UserName| LocalDelivery {
        user: user.clone(),
        prefix: prefix.clone(),
    };
    users.iter().map(delivery).collect()
}

/// A body of its own for the message, and whether it ends in CRLF.
async fn copy(parties: &Parties, entry: &QueueEntry) -> Result<(SpooledBody, bool), StoreError> {
    let store = &parties.attempter.store;
    let block_bytes = parties.attempter.opener.limits.session.block_bytes;
    let message = Message::open(Arc::clone(store), entry.id, block_bytes).await?;
    let mut writer = store.new_body();
    let mut ends_with_crlf = true;
    loop {
        let block = message.block(writer.size_bytes()).await?;
        writer.write(&block).await?;
        if let Some(last_octet) = block.last() {
            ends_with_crlf = *last_octet == b'\n';
        }
        if message.is_last(&block) {
            let body = writer.finish().await?;
            return Ok((body, ends_with_crlf));
        }
    }
}
