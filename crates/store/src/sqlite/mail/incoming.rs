//! What a step writes, made ready before it reaches the writer thread.
//!
//! Promises: everything that takes time (JSON, sums) is done by whoever asks, so that the one
//! writer only binds and inserts.

use std::ops::Range;
use std::sync::Arc;

use contracts::store::{Acceptance, LocalDelivery, Rendition, SpooledBody, SpooledContent};
use contracts::{StoreError, Story, StoryEntry};
use mail::TransactionId;
use serde::Serialize;

use crate::sqlite::body::{Arriving, FileBody, INLINE_BYTES_MAX, InlineBody, Memory};
use crate::sqlite::failure;

/// A number of ours as `SQLite` keeps it.
pub(crate) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The id as `SQLite` keeps it; ids have 63 bits.
pub(crate) fn id_column(id: TransactionId) -> i64 {
    column(id.number())
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|failed| failure::damaged("write a record", failed))
}

/// Where the body is.
pub(crate) enum Body {
    Inline(InlineBody),
    File(FileBody),
}

/// A queue entry, ready to insert.
pub(crate) struct NewQueued {
    pub(crate) recipient_no: u32,
    pub(crate) destination: String,
    pub(crate) due_at: i64,
    pub(crate) recipient: String,
}

/// A message, ready to insert.
pub(crate) struct Incoming {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) body: Body,
    pub(crate) body_bytes: i64,
    /// Octets of the rendition, the final CRLF that a reader adds included.
    pub(crate) size_octets: i64,
    pub(crate) mail: String,
    pub(crate) prefix: Vec<u8>,
    pub(crate) cuts: Option<Vec<u8>>,
    pub(crate) deliveries: Vec<LocalDelivery>,
    pub(crate) queue: Vec<NewQueued>,
    pub(crate) story: NewStory,
}

impl Incoming {
    /// Makes an acceptance ready. A body in one large piece must have been spooled before.
    pub(crate) fn prepare(
        acceptance: Acceptance,
        memory: &Arc<Memory>,
    ) -> Result<Self, StoreError> {
        let body_bytes = acceptance.body.size_bytes;
        let final_crlf = if acceptance.ends_with_crlf { 0 } else { 2 };
        let size_octets = acceptance.rendition.size_bytes(body_bytes) + final_crlf;
        let queue = acceptance.queue.into_iter().map(|entry| {
            Ok(NewQueued {
                recipient_no: entry.recipient_no,
                destination: entry.destination,
                due_at: entry.due_at.as_millis(),
                recipient: json(&entry.recipient)?,
            })
        });
        Ok(Self {
            id: id_column(acceptance.id),
            at: acceptance.at.as_millis(),
            body: body(acceptance.body, memory)?,
            body_bytes: column(body_bytes),
            size_octets: column(size_octets),
            mail: json(&acceptance.envelope.mail)?,
            cuts: cuts_column(&acceptance.rendition),
            prefix: acceptance.rendition.prefix,
            deliveries: acceptance.deliveries,
            queue: queue.collect::<Result<_, StoreError>>()?,
            story: NewStory::prepare(&acceptance.story)?,
        })
    }

    /// Mailboxes and queue entries that refer to it.
    pub(crate) fn refs(&self) -> usize {
        self.deliveries.len() + self.queue.len()
    }

    /// Gives up being counted as about to be handed over.
    pub(crate) fn take_arriving(&mut self) -> Option<Arriving> {
        match &mut self.body {
            Body::Inline(body) => body.take_arriving(),
            Body::File(_) => None,
        }
    }

    pub(crate) fn weight_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Inline(body) => body.octets().len(),
            Body::File(_) => 0,
        };
        body + self.prefix.len() + 200 * (1 + self.refs()) + self.story.weight_bytes()
    }

    /// The commit stands, or may stand.
    pub(crate) fn committed(&self) {
        if let Body::File(file) = &self.body
            && self.refs() > 0
        {
            file.committed();
        }
    }
}

/// Whether the body must become a file before it is accepted.
pub(crate) fn large_octets(body: &SpooledBody) -> Option<&[u8]> {
    match &body.content {
        SpooledContent::Memory(octets) if octets.len() > INLINE_BYTES_MAX => Some(octets),
        SpooledContent::Memory(_) | SpooledContent::Kept(_) => None,
    }
}

fn body(spooled: SpooledBody, memory: &Arc<Memory>) -> Result<Body, StoreError> {
    let kept = match spooled.content {
        SpooledContent::Memory(octets) => {
            return Ok(Body::Inline(InlineBody::foreign(memory, octets)));
        }
        SpooledContent::Kept(kept) => kept,
    };
    let kept = match kept.downcast::<InlineBody>() {
        Ok(inline) => return Ok(Body::Inline(*inline)),
        Err(kept) => kept,
    };
    match kept.downcast::<FileBody>() {
        Ok(file) => Ok(Body::File(*file)),
        Err(_) => Err(StoreError::Io {
            attempted: "accept message",
            failure: "the body was spooled by another store".to_owned(),
        }),
    }
}

/// Cuts as pairs of 64-bit numbers, little end first; NULL for none.
fn cuts_column(rendition: &Rendition) -> Option<Vec<u8>> {
    if rendition.cuts.is_empty() {
        return None;
    }
    let numbers = rendition.cuts.iter().flat_map(|cut| [cut.start, cut.end]);
    Some(numbers.flat_map(u64::to_le_bytes).collect())
}

/// The cuts that `cuts_column` wrote.
pub(crate) fn cuts(column: Option<&[u8]>) -> Result<Vec<Range<u64>>, StoreError> {
    let broken = || failure::damaged("read message", "the cuts are not pairs of numbers");
    let (pairs, rest) = column.unwrap_or_default().as_chunks::<16>();
    if !rest.is_empty() {
        return Err(broken());
    }
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes);
    let cut = |pair: &[u8; 16]| {
        let (start, end) = pair.split_at(8);
        match (number(start), number(end)) {
            (Ok(start), Ok(end)) => Ok(start..end),
            _ => Err(broken()),
        }
    };
    pairs.iter().map(cut).collect()
}

/// A story, ready to insert.
pub(crate) struct NewStory {
    pub(crate) id: i64,
    pub(crate) began_at: i64,
    pub(crate) accepted: bool,
    pub(crate) head: String,
    pub(crate) entries: String,
}

impl NewStory {
    /// Makes a story ready. Entries are kept as pairs of instant and event.
    pub(crate) fn prepare(story: &Story) -> Result<Self, StoreError> {
        let entries: Vec<_> = story
            .entries
            .iter()
            .map(|entry| (entry.at, &entry.event))
            .collect();
        Ok(Self {
            id: id_column(story.head.id),
            began_at: story.head.at.as_millis(),
            accepted: story.head.accepted,
            head: json(&story.head)?,
            entries: json(&entries)?,
        })
    }

    /// What it weighs in its budget.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.head.len() + self.entries.len() + 50
    }
}

/// A later entry of a story, ready to insert.
pub(crate) struct NewEntry {
    pub(crate) story: i64,
    pub(crate) at: i64,
    pub(crate) event: String,
}

impl NewEntry {
    /// Makes an entry ready.
    pub(crate) fn prepare(entry: &StoryEntry) -> Result<Self, StoreError> {
        Ok(Self {
            story: id_column(entry.id),
            at: entry.at.as_millis(),
            event: json(&entry.event)?,
        })
    }

    pub(crate) fn weight_bytes(&self) -> usize {
        self.event.len() + 30
    }
}
