//! What goes out together: the recipients of one message that have one next hop.
//!
//! Promises: one message to many recipients of a domain is one group, in the order it came.

use contracts::store::QueueEntry;
use mail::QueueId;
use policy::route::NextHop;

/// One message for one next hop.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: QueueId,
    /// Whose connections and fate it shares.
    pub(crate) destination: String,
    pub(crate) next_hop: NextHop,
    pub(crate) entries: Vec<QueueEntry>,
}

impl Group {
    /// The keys of its entries in the store.
    pub(crate) fn keys(&self) -> Vec<(QueueId, u32)> {
        self.entries.iter().map(key).collect()
    }
}

/// The key of an entry in the store.
pub(crate) fn key(entry: &QueueEntry) -> (QueueId, u32) {
    (entry.id, entry.recipient_no)
}

/// Puts entries with message and next hop in common together.
pub(crate) fn grouped(routed: Vec<(QueueEntry, String, NextHop)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (entry, destination, next_hop) in routed {
        let fits = |group: &&mut Group| {
            group.id == entry.id && group.destination == destination && group.next_hop == next_hop
        };
        // Entries of one message come together: the group is among the last ones.
        match groups.iter_mut().rev().find(fits) {
            Some(group) => group.entries.push(entry),
            None => groups.push(Group {
                id: entry.id,
                destination,
                next_hop,
                entries: vec![entry],
            }),
        }
    }
    groups
}

#[cfg(test)]
pub(crate) mod tests {
    use contracts::store::QueueState;
    use mail::{Domain, ForwardPath, MailParameters, Recipient, ReversePath, Timestamp};

    use super::*;

    pub(crate) fn entry(number: u64, recipient_no: u32, recipient: &str) -> QueueEntry {
        let path: ForwardPath = recipient.parse().unwrap();
        let domain = path.address().and_then(|a| a.domain()).unwrap().clone();
        let sender: ReversePath = "bob@office.test".parse().unwrap();
        QueueEntry {
            id: QueueId::from_number(number),
            recipient_no,
            recipient: Recipient::plain(path),
            mail: MailParameters::plain(sender),
            size_bytes: 10,
            destination: domain.to_string(),
            state: QueueState::Leased,
            queued_at: Timestamp::from_millis(0),
            due_at: Timestamp::from_millis(0),
            attempts: 0,
            last_reply: None,
            delay_noticed: false,
        }
    }

    pub(crate) fn mx(domain: &str) -> NextHop {
        NextHop::Mx {
            domain: Domain::parse(domain).unwrap(),
        }
    }

    #[test]
    fn one_message_to_one_domain_is_one_group() {
        let routed = [
            (1, 0, "a@hotmail.test"),
            (1, 1, "a@other.test"),
            (1, 2, "b@hotmail.test"),
            (2, 0, "a@hotmail.test"),
        ]
        .map(|(id, no, recipient)| {
            let entry = entry(id, no, recipient);
            let (destination, hop) = (entry.destination.clone(), mx(&entry.destination));
            (entry, destination, hop)
        });
        let groups = grouped(routed.to_vec());
        let keys: Vec<Vec<u32>> = groups
            .iter()
            .map(|group| group.keys().iter().map(|key| key.1).collect())
            .collect();
        assert_eq!(keys, [vec![0, 2], vec![1], vec![0]]);
        assert_eq!(groups[2].id, QueueId::from_number(2));
    }
}
