//! The one table from reason to reply code, enhanced code and public sentence.
//!
//! Promises: sentences are fixed text, so no setting, user, host or threshold reaches a stranger;
//! the class of the code always fits the outcome. The id is added by `server::replies`.
//! Standards: RFC 5321 §4.2, RFC 3463, RFC 5248, RFC 7372, RFC 7505.

use mail::{EnhancedStatus, StatusClass};

use crate::{Because, Decision, Outcome};

/// What a peer hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicReply {
    /// Basic code, such as 550.
    pub code: u16,
    /// Subject of the enhanced code; its class is the first digit of `code`.
    pub subject: u16,
    /// Detail of the enhanced code.
    pub detail: u16,
    /// The sentence.
    pub sentence: &'static str,
}

impl PublicReply {
    /// The enhanced code, of the same class as the basic one.
    pub fn status(&self) -> EnhancedStatus {
        let class = StatusClass::from_digit(self.code / 100).unwrap_or(StatusClass::Permanent);
        EnhancedStatus::new(class, self.subject, self.detail)
    }
}

/// The reply to a decision.
pub fn reply(decision: &Decision) -> PublicReply {
    let (code, subject, detail, sentence) = row(&decision.because);
    if code / 100 == class(decision.outcome) {
        PublicReply {
            code,
            subject,
            detail,
            sentence,
        }
    } else {
        plain(decision.outcome)
    }
}

const fn class(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Accept => 2,
        Outcome::Refuse => 5,
        Outcome::Defer => 4,
    }
}

/// What is said where a reason is given for an outcome that it usually does not bring.
const fn plain(outcome: Outcome) -> PublicReply {
    let (code, subject, detail, sentence) = match outcome {
        Outcome::Accept => (250, 0, 0, "OK"),
        Outcome::Refuse => (550, 7, 1, "Not accepted"),
        Outcome::Defer => (451, 3, 0, "Please try again later"),
    };
    PublicReply {
        code,
        subject,
        detail,
        sentence,
    }
}

/// Code, subject, detail and sentence of each reason.
#[rustfmt::skip]
const fn row(because: &Because) -> (u16, u16, u16, &'static str) {
    match because {
        Because::ServiceOpen { .. } => (220, 0, 0, "Ready"),
        Because::NotOpenToInternet { .. } => (421, 3, 2, "Service not available"),
        Because::SignInRequired { .. } | Because::UserNotEnabled { .. } => (530, 7, 0, "Sign-in required"),
        Because::TooManyConnections { .. } => (421, 3, 2, "Too many connections, please try again later"),
        Because::TooManyConnectionsFromSource { .. } => (421, 7, 0, "Too many connections from your address"),
        Because::TooManyMessagesFromSource { .. } => (450, 7, 1, "Too many messages from your address, please try again later"),
        Because::SenderAcceptable { .. }
        | Because::SenderIsTheirs { .. }
        | Because::DeviceMaySend { .. } => (250, 1, 0, "Sender OK"),
        Because::SenderNotTheirs { .. }
        | Because::DeviceMayNotSendAs { .. }
        | Because::SenderDomainNotListed { .. } => (550, 7, 1, "You may not send as this address"),
        Because::SenderDomainUnknown { .. } => (550, 1, 8, "The sender's domain does not exist"),
        Because::SenderDomainNotLearnt { .. } => (451, 4, 3, "The sender's domain could not be looked up, please try again later"),
        // RFC 7505 §4.2: 550 5.7.27 where the sender's domain has a null MX.
        Because::SenderDomainNullMx { .. } => (550, 7, 27, "The sender's domain takes no mail"),
        Because::SenderDomainNumeric { .. } => (550, 1, 7, "The sender needs a domain name, not an IP address"),
        Because::NullReversePathRefused { .. } => (550, 7, 1, "The null reverse-path is not accepted here"),
        Because::OwnDomainSpoofed { .. } => (550, 7, 1, "Please sign in to send as this domain"),
        Because::TooLarge { .. } => (552, 3, 4, "Message too large"),
        Because::DiskLow { .. } => (452, 3, 1, "Insufficient storage, please try again later"),
        Because::MemoryShort { .. } => (451, 3, 2, "Please try again later"),
        Because::DiskNotLearnt { .. } | Because::Outside { .. } => (451, 3, 0, "Please try again later"),
        Because::AddressKnown { .. }
        | Because::DomainPassed { .. }
        | Because::RelayAllowed { .. } => (250, 1, 5, "Recipient OK"),
        // One sentence for both: whether a user exists is nobody's business outside.
        Because::AddressUnknown { .. } | Because::AddressWithoutUser { .. } => (550, 1, 1, "No such address here"),
        Because::RelayRefused { .. } => (550, 7, 1, "Relaying not allowed"),
        // RFC 5321 §4.5.3.1.10: too many recipients is 452, and the rest may come again.
        Because::TooManyRecipients { .. } => (452, 5, 3, "Too many recipients, send to the rest in another message"),
        Because::RecipientNotRoutable { .. } => (550, 1, 3, "No mail can be sent to this address"),
        Because::MessageAcceptable { .. } => (250, 0, 0, "Message accepted"),
        Because::HeaderFromNotAllowed { .. } => (550, 7, 1, "You may not send with this From address"),
        // RFC 5321 §6.3: a loop is found by counting Received fields.
        Because::TooManyHops { .. } => (554, 4, 6, "Too many hops, this message may be looping"),
        Because::RoutedBy { .. } => (250, 0, 0, "OK"),
        Because::FarSide { .. } => (550, 0, 0, "The destination refused this"),
        // RFC 7505 §4.1: 556 5.1.10 where the recipient's domain has a null MX.
        Because::RecipientNullMx { .. } => (556, 1, 10, "The recipient's domain takes no mail"),
        Because::RecipientDomainUnknown { .. } => (550, 1, 2, "The recipient's domain does not exist"),
        Because::LoopsToOurselves { .. } => (554, 4, 6, "Mail for this address would come back to this host"),
        Because::DeletedByOperator { .. } => (554, 0, 0, "It was withdrawn"),
        Because::Expired { .. } => (554, 4, 7, "Could not be delivered in time"),
        Because::FarSideLacks { .. } => (550, 6, 3, "The destination lacks an extension that this message needs"),
        Because::Unreachable { .. } => (451, 4, 1, "The destination cannot be reached, please try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{INNER_NUMBER, INNER_WORD, all, all_outcomes};

    #[test]
    fn no_value_of_a_reason_reaches_a_stranger() {
        for decision in all_outcomes() {
            let sentence = reply(&decision).sentence;
            for inner in [INNER_WORD, &INNER_NUMBER.to_string(), "10.98.76.54"] {
                assert!(!sentence.contains(inner), "{sentence}");
            }
            assert!(
                !sentence.contains(|c: char| c.is_ascii_digit()),
                "{sentence}"
            );
            assert!(!sentence.contains('_'), "{sentence}: a setting's name");
        }
    }

    #[test]
    fn the_class_of_the_code_always_fits_the_outcome() {
        for decision in all_outcomes() {
            let reply = reply(&decision);
            assert_eq!(reply.code / 100, class(decision.outcome), "{decision:?}");
            assert_eq!(reply.status().class.digit(), reply.code / 100);
        }
    }

    #[test]
    fn every_usual_outcome_has_a_row_of_its_own() {
        for decision in all() {
            let (code, ..) = row(&decision.because);
            assert_eq!(code / 100, class(decision.outcome), "{decision:?}");
        }
    }

    #[test]
    fn codes_are_those_of_the_product() {
        let codes: Vec<(String, String)> = all()
            .iter()
            .map(|decision| {
                let kind = format!("{:?}", decision.because);
                let kind = kind.split(' ').next().unwrap_or_default().to_owned();
                let reply = reply(decision);
                (kind, format!("{} {}", reply.code, reply.status()))
            })
            .collect();
        for (kind, code) in [
            ("SignInRequired", "530 5.7.0"),
            ("RelayRefused", "550 5.7.1"),
            ("AddressUnknown", "550 5.1.1"),
            ("AddressWithoutUser", "550 5.1.1"),
            ("SenderDomainUnknown", "550 5.1.8"),
            ("SenderDomainNotLearnt", "451 4.4.3"),
            ("SenderDomainNullMx", "550 5.7.27"),
            ("RecipientNullMx", "556 5.1.10"),
            ("TooManyHops", "554 5.4.6"),
            ("DiskLow", "452 4.3.1"),
            ("MemoryShort", "451 4.3.2"),
            ("TooLarge", "552 5.3.4"),
            ("TooManyRecipients", "452 4.5.3"),
            ("NotOpenToInternet", "421 4.3.2"),
            ("SenderNotTheirs", "550 5.7.1"),
            ("HeaderFromNotAllowed", "550 5.7.1"),
        ] {
            let found = codes.iter().find(|(known, _)| known == kind);
            assert_eq!(found.map(|(_, code)| code.as_str()), Some(code), "{kind}");
        }
    }
}
