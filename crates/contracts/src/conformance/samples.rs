//! Mail to test with.

use mail::{Envelope, ForwardPath, MailParameters, QueueId, Recipient, Timestamp, TransactionId};
use policy::UserName;
use policy::{Because, Decision};

use crate::store::{
    Acceptance, AttemptRecord, AuditEntry, LocalDelivery, MessageRef, NewQueueEntry, QueueEntry,
    QueueFilter, RecipientResult, Rendition, ResultEnd, SpooledBody, Uid,
};
use crate::{Event, Store, Story, StoryEntry, StoryHead};

/// A text of two lines.
pub const TEXT: &[u8] = b"Subject: hello\r\n\r\nFirst line\r\nSecond line\r\n";

/// `seconds` after the beginning of all samples.
pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1000)
}

/// The id with a number.
pub const fn id(number: u64) -> QueueId {
    TransactionId::from_number(number)
}

/// A user name.
pub fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

/// A recipient.
pub fn recipient(address: &str) -> Recipient {
    Recipient::plain(ForwardPath::Address(address.parse().unwrap()))
}

/// A decision to stand in stories.
pub fn decision() -> Decision {
    Decision::accept(Because::MessageAcceptable {
        fact: "it is a sample".to_owned(),
    })
}

/// The head of a story that begins at `when`.
pub fn head(number: u64, when: Timestamp, accepted: bool) -> StoryHead {
    StoryHead {
        id: id(number),
        at: when,
        connection: None,
        sender: format!("sender{number}@office.test"),
        recipients: vec![format!("reader{number}@far.test")],
        subject: Some(format!("Subject No{number}")),
        size_bytes: 10 * number,
        accepted,
    }
}

/// An entry of a story; `host` tells it from others.
pub fn entry(number: u64, when: Timestamp, host: &str) -> StoryEntry {
    StoryEntry {
        id: id(number),
        at: when,
        event: Event::Attempted {
            recipient: recipient("fred@far.test").path,
            host: host.to_owned(),
            address: None,
            tls: None,
            result: crate::AttemptOutcome::Failed,
            decision: decision(),
        },
    }
}

/// A story of one entry.
pub fn story(number: u64, when: Timestamp, accepted: bool) -> Story {
    Story {
        head: head(number, when, accepted),
        entries: vec![entry(number, when, "first")],
    }
}

/// Spools `octets` in pieces of `piece_bytes`.
pub async fn spool(store: &dyn Store, octets: &[u8], piece_bytes: usize) -> SpooledBody {
    let mut writer = store.new_body();
    for piece in octets.chunks(piece_bytes) {
        writer.write(piece).await.unwrap();
    }
    writer.finish().await.unwrap()
}

/// A message that nobody gets yet.
pub async fn message(store: &dyn Store, number: u64, octets: &[u8]) -> Acceptance {
    Acceptance {
        id: id(number),
        at: at(0),
        body: spool(store, octets, 1000).await,
        rendition: Rendition {
            prefix: b"Received: by a sample\r\n".to_vec(),
            cuts: Vec::new(),
        },
        ends_with_crlf: octets.ends_with(b"\r\n"),
        envelope: Envelope {
            mail: MailParameters::plain("bob@office.test".parse().unwrap()),
            recipients: vec![recipient("fred@far.test")],
        },
        deliveries: Vec::new(),
        queue: Vec::new(),
        story: story(number, at(0), true),
    }
}

/// A delivery into a mailbox.
pub fn delivery(name: &str) -> LocalDelivery {
    LocalDelivery {
        user: user(name),
        prefix: format!("Delivered-To: {name}\r\n").into_bytes(),
    }
}

/// An entry for `somebody{no}@destination`.
pub fn elsewhere(no: u32, destination: &str, due_at: Timestamp) -> NewQueueEntry {
    NewQueueEntry {
        recipient_no: no,
        recipient: recipient(&format!("somebody{no}@{destination}")),
        destination: destination.to_owned(),
        due_at,
    }
}

/// Accepts a message for mailboxes here.
pub async fn deliver(store: &dyn Store, number: u64, octets: &[u8], names: &[&str]) {
    let mut acceptance = message(store, number, octets).await;
    acceptance.deliveries = names.iter().map(|name| delivery(name)).collect();
    store.accept_message(acceptance).await.unwrap();
}

/// Accepts a message for recipients 0, 1, … of the destinations, each due at `due_at`.
pub async fn enqueue(store: &dyn Store, number: u64, destinations: &[&str], due_at: Timestamp) {
    let mut acceptance = message(store, number, TEXT).await;
    for (no, destination) in (0..).zip(destinations) {
        acceptance.queue.push(elsewhere(no, destination, due_at));
    }
    store.accept_message(acceptance).await.unwrap();
}

/// A whole message, read in pieces of `piece_bytes`.
pub async fn read(store: &dyn Store, reference: &MessageRef, piece_bytes: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let offset = u64::try_from(all.len()).unwrap();
        let piece = store.read_message(reference, offset, piece_bytes).await;
        let piece = piece.unwrap();
        if piece.is_empty() {
            return all;
        }
        all.extend_from_slice(&piece);
    }
}

/// A message of a mailbox.
pub fn in_maildrop(name: &str, uid: Uid) -> MessageRef {
    MessageRef::InMaildrop {
        user: user(name),
        uid,
    }
}

/// The unique ids in a mailbox.
pub async fn uids(store: &dyn Store, name: &str) -> Vec<Uid> {
    let messages = store.list_maildrop(&user(name)).await.unwrap();
    messages.iter().map(|message| message.uid).collect()
}

/// The whole queue.
pub async fn queue(store: &dyn Store) -> Vec<QueueEntry> {
    store.list_queue(&QueueFilter::default()).await.unwrap()
}

/// Leases everything due at `now` for a minute.
pub async fn claim(store: &dyn Store, now: Timestamp) -> Vec<(u64, u32)> {
    let until = now.plus(std::time::Duration::from_mins(1));
    let claimed = store.claim_due(now, until, 100, &[]).await.unwrap();
    claimed
        .iter()
        .map(|entry| (entry.id.number(), entry.recipient_no))
        .collect()
}

/// A record with one result.
pub fn attempt(number: u64, recipient_no: u32, end: ResultEnd) -> AttemptRecord {
    AttemptRecord {
        id: id(number),
        results: vec![RecipientResult {
            recipient_no,
            end,
            last_reply: Some("451 4.7.1 later".to_owned()),
            counts: true,
        }],
        reports: Vec::new(),
        story: vec![entry(number, at(1), "attempt")],
    }
}

/// An end that comes back at `due_at`.
pub const fn again(due_at: Timestamp) -> ResultEnd {
    ResultEnd::Again {
        due_at,
        delay_noticed: false,
    }
}

/// An audit entry.
pub fn audited(action: &str) -> AuditEntry {
    AuditEntry {
        at: at(0),
        operator: "admin".to_owned(),
        action: action.to_owned(),
    }
}
