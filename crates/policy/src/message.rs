//! What is decided after the final dot: hops, size, and the header From.
//!
//! Promises: the From of signed-in users, devices and other internal peers is held to the rule of
//! the reverse-path. A message without any From is accepted: it lies about nobody.
//! With the null reverse-path only users are held to it, so that reports which internal programs
//! write in their own name get out. Does not: authenticate strangers (SPF, DKIM, DMARC: later).
//! Standards: RFC 5321 §6.3, RFC 6409 §6, RFC 1870 §6.3.

use crate::connection::sign_in_missing;
use crate::facts::{
    ConnectionFacts, Directory, LearntFacts, MessageFacts, TransactionFacts, Verdict,
};
use crate::identity::Identity;
use crate::sender::too_large;
use crate::settings::Settings;
use crate::{Because, Decision};

/// Decides on the message as a whole.
pub fn message(
    settings: &Settings,
    directory: &Directory,
    connection: &ConnectionFacts,
    _learnt: &LearntFacts,
    transaction: &TransactionFacts,
    message: &MessageFacts,
) -> Verdict<Decision> {
    let refusal = sign_in_missing(directory, connection)
        .or_else(|| too_many_hops(settings, message))
        .or_else(|| too_large(settings, message.size_bytes))
        .or_else(|| false_from(settings, connection, transaction, message));
    Verdict::Decided(refusal.unwrap_or_else(|| {
        Decision::accept(Because::MessageAcceptable {
            fact: passed_checks(settings, connection),
        })
    }))
}

// RFC 5321 §6.3: loops are found by counting Received fields, with a threshold of at least 100.
fn too_many_hops(settings: &Settings, message: &MessageFacts) -> Option<Decision> {
    let limit = u64::from(settings.receiving.hops_max);
    let hops = message.received_count;
    (hops > limit).then(|| Decision::refuse(Because::TooManyHops { hops, limit }))
}

/// The refusal of a From that this peer may not give (S1.1).
fn false_from(
    settings: &Settings,
    connection: &ConnectionFacts,
    transaction: &TransactionFacts,
    message: &MessageFacts,
) -> Option<Decision> {
    if !settings.security.senders_held_to_own || !message.has_from {
        return None;
    }
    let identity = Identity::of(settings, connection);
    let held = match identity {
        Identity::User(_) => true,
        Identity::Device(_) | Identity::Internal => !transaction.mail.reverse_path.is_null(),
        Identity::InnerServer | Identity::Stranger => false,
    };
    if !held {
        return None;
    }
    if message.header_from.is_empty() {
        return Some(Decision::refuse(Because::HeaderFromNotAllowed {
            from: "a From field that cannot be read".to_owned(),
            line: "security.senders_held_to_own = false would let any From through".to_owned(),
        }));
    }
    let from = message
        .header_from
        .iter()
        .find(|address| !identity.may_send_as(settings, address))?
        .to_string();
    Some(Decision::refuse(Because::HeaderFromNotAllowed {
        line: identity.line_for(connection, &from),
        from,
    }))
}

fn passed_checks(settings: &Settings, connection: &ConnectionFacts) -> String {
    let held = match Identity::of(settings, connection) {
        Identity::User(_) | Identity::Device(_) | Identity::Internal => {
            settings.security.senders_held_to_own
        }
        Identity::InnerServer | Identity::Stranger => false,
    };
    if held {
        "size, hops and header From are within receiving.* and security.senders_held_to_own"
    } else {
        "size and hops are within receiving.message_bytes_max and receiving.hops_max"
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::{
        LAN, STRANGER, address, code, connection, decided, directory, learnt, settings, signed_in,
        transaction,
    };
    use crate::settings::Device;

    fn ask_with(
        settings: &Settings,
        peer: &ConnectionFacts,
        from: &str,
        facts: &MessageFacts,
    ) -> Decision {
        decided(message(
            settings,
            &directory(),
            peer,
            &learnt(STRANGER, &[]),
            &transaction(from),
            facts,
        ))
    }

    fn with_from(addresses: &[&str]) -> MessageFacts {
        MessageFacts {
            size_bytes: 1000,
            header_from: addresses.iter().map(|text| address(text)).collect(),
            has_from: true,
            received_count: 1,
        }
    }

    fn ask(peer: &ConnectionFacts, from: &str, facts: &MessageFacts) -> String {
        code(&ask_with(&settings(), peer, from, facts))
    }

    const OK: &str = "250 2.0.0";
    const NOT_ALLOWED: &str = "550 5.7.1";

    #[test]
    fn the_header_from_of_a_user_must_be_theirs_every_one_of_it() {
        let bob = signed_in("bob");
        let own = "bob@office.example";
        assert_eq!(ask(&bob, own, &with_from(&["Bob+x@office.test"])), OK);
        assert_eq!(
            ask(&bob, own, &with_from(&["alice@office.example"])),
            NOT_ALLOWED
        );
        assert_eq!(
            ask(&bob, own, &with_from(&[own, "boss@out.example"])),
            NOT_ALLOWED
        );
        assert_eq!(
            ask(&bob, "<>", &with_from(&["boss@out.example"])),
            NOT_ALLOWED
        );
        assert_eq!(ask(&bob, "<>", &with_from(&[own])), OK);
    }

    #[test]
    fn the_header_from_of_internal_peers_must_be_of_a_listed_domain() {
        let lan = connection(LAN);
        let own = "bob@office.example";
        assert_eq!(ask(&lan, own, &with_from(&["alice@brand.example"])), OK);
        assert_eq!(
            ask(&lan, own, &with_from(&["boss@out.example"])),
            NOT_ALLOWED
        );
        assert_eq!(ask(&lan, "<>", &with_from(&["mailer-daemon@pc.lan"])), OK);
    }

    #[test]
    fn the_header_from_of_a_device_must_be_one_it_may_send_as() {
        let mut settings = settings();
        settings.security.devices.push(Device {
            name: "copier".to_owned(),
            address: LAN.parse().unwrap(),
            may_send_as: vec![address("scan@copier.invalid")],
            bare_lf_allowed: true,
        });
        let lan = connection(LAN);
        let scan = "scan@copier.invalid";
        assert_eq!(
            code(&ask_with(&settings, &lan, scan, &with_from(&[scan]))),
            OK
        );
        let other = with_from(&["bob@office.example"]);
        assert_eq!(code(&ask_with(&settings, &lan, scan, &other)), NOT_ALLOWED);
    }

    #[test]
    fn a_missing_from_lies_about_nobody_and_an_unreadable_one_might() {
        let none = MessageFacts {
            has_from: false,
            ..with_from(&[])
        };
        let bob = signed_in("bob");
        assert_eq!(ask(&bob, "bob@office.example", &none), OK);
        assert_eq!(
            ask(&bob, "bob@office.example", &with_from(&[])),
            NOT_ALLOWED
        );
    }

    #[test]
    fn strangers_are_not_held_to_a_from_and_nobody_is_when_the_rule_is_off() {
        let facts = with_from(&["anybody@out.example"]);
        assert_eq!(ask(&connection(STRANGER), "fred@out.example", &facts), OK);
        let mut settings = settings();
        settings.security.senders_held_to_own = false;
        let bob = signed_in("bob");
        assert_eq!(
            code(&ask_with(&settings, &bob, "bob@office.example", &facts)),
            OK
        );
    }

    #[test]
    fn too_many_hops_and_too_many_octets_are_refused() {
        let stranger = connection(STRANGER);
        let mut facts = with_from(&["fred@out.example"]);
        facts.received_count = 100;
        assert_eq!(ask(&stranger, "fred@out.example", &facts), OK);
        facts.received_count = 101;
        assert_eq!(ask(&stranger, "fred@out.example", &facts), "554 5.4.6");
        facts.received_count = 0;
        facts.size_bytes = (50 << 20) + 1;
        assert_eq!(ask(&stranger, "fred@out.example", &facts), "552 5.3.4");
    }
}
