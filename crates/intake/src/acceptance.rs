//! Where an accepted message goes: mailboxes here, or the queue.
//!
//! Promises: a mailbox gets a message once, however many of its addresses were named; every
//! recipient comes to exactly one entry, *ended* or *queued*.

use contracts::store::{LocalDelivery, NewQueueEntry};
use contracts::{Current, Event, StoryEntry, Terminal};
use mail::{ForwardPath, Recipient, ReversePath, Timestamp, TransactionId, received};
use policy::route::{NextHop, Routed, route};
use policy::{Because, Decision};

use crate::destination;

/// The way of every recipient of one message.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    /// Mailboxes here.
    pub(crate) deliveries: Vec<LocalDelivery>,
    /// Recipients elsewhere.
    pub(crate) queue: Vec<NewQueueEntry>,
    /// Indexes of the recipients whose mail comes to rest here.
    pub(crate) delivered: Vec<usize>,
    ends: Vec<(ForwardPath, Routed)>,
}

impl Routing {
    /// Routes all recipients.
    ///
    /// # Errors
    /// Why one of them goes nowhere; the message cannot be accepted then.
    pub(crate) fn of(
        current: &Current,
        reverse_path: &ReversePath,
        recipients: &[Recipient],
        now: Timestamp,
    ) -> Result<Self, Because> {
        let mut routing = Self::default();
        for (index, recipient) in recipients.iter().enumerate() {
            let routed = route(&current.settings, &current.directory, &recipient.path)?;
            if let Some(destination) = destination(&routed.next_hop) {
                routing.queue.push(NewQueueEntry {
                    recipient_no: u32::try_from(index).unwrap_or(u32::MAX),
                    recipient: recipient.clone(),
                    destination,
                    due_at: now,
                });
            } else {
                routing.delivered.push(index);
                routing.deliver(&routed.next_hop, reverse_path);
            }
            routing.ends.push((recipient.path.clone(), routed));
        }
        Ok(routing)
    }

    fn deliver(&mut self, next_hop: &NextHop, reverse_path: &ReversePath) {
        let NextHop::Mailboxes { users } = next_hop else {
            return;
        };
        for user in users {
            if self.deliveries.iter().any(|known| &known.user == user) {
                continue;
            }
            self.deliveries.push(LocalDelivery {
                user: user.clone(),
                prefix: received::return_path(reverse_path).into_bytes(),
            });
        }
    }

    /// What the story says of each recipient.
    pub(crate) fn entries(&self, id: TransactionId, at: Timestamp) -> Vec<StoryEntry> {
        let entry = |(recipient, routed): &(ForwardPath, Routed)| {
            let recipient = recipient.clone();
            let decision = Decision::accept(routed.because.clone());
            let event = match &routed.next_hop {
                NextHop::Mailboxes { users } => Event::Ended {
                    recipient,
                    terminal: Terminal::InMailbox {
                        users: users.clone(),
                    },
                    decision,
                },
                NextHop::InnerServer { .. }
                | NextHop::SmartHost { .. }
                | NextHop::Mx { .. }
                | NextHop::Literal { .. } => Event::Queued {
                    recipient,
                    decision,
                },
            };
            StoryEntry { id, at, event }
        };
        self.ends.iter().map(entry).collect()
    }
}
