//! One example of every reason, full of words that no peer may hear; for tests only.

use crate::{Because, Decision, Direction, Outcome};

/// The word that stands wherever a value from settings or the directory would.
pub(crate) const INNER_WORD: &str = "innerword";
/// The number that stands wherever a limit would.
pub(crate) const INNER_NUMBER: u64 = 987_654_321;

/// Every reason with the outcome that it usually brings.
pub(crate) fn all() -> Vec<Decision> {
    let mut all: Vec<Decision> = accepts().into_iter().map(Decision::accept).collect();
    all.extend(refusals().into_iter().map(Decision::refuse));
    all.extend(deferrals().into_iter().map(Decision::defer));
    all
}

/// Every reason with every outcome.
pub(crate) fn all_outcomes() -> impl Iterator<Item = Decision> {
    all().into_iter().flat_map(|decision| {
        [Outcome::Accept, Outcome::Refuse, Outcome::Defer].map(|outcome| Decision {
            outcome,
            because: decision.because.clone(),
        })
    })
}

fn word() -> String {
    INNER_WORD.to_owned()
}

fn user() -> crate::UserName {
    INNER_WORD.parse().unwrap()
}

fn address() -> mail::Address {
    format!("{INNER_WORD}@{INNER_WORD}.example")
        .parse()
        .unwrap()
}

fn domain() -> mail::Domain {
    format!("{INNER_WORD}.example").parse().unwrap()
}

fn accepts() -> Vec<Because> {
    vec![
        Because::ServiceOpen {
            service: word(),
            setting: word(),
        },
        Because::SenderAcceptable { fact: word() },
        Because::SenderIsTheirs {
            user: user(),
            sender: mail::ReversePath::Address(address()),
        },
        Because::DeviceMaySend {
            device: word(),
            sender: mail::ReversePath::Null,
        },
        Because::AddressKnown {
            address: address(),
            users: vec![user()],
            via: word(),
        },
        Because::DomainPassed {
            domain: domain(),
            entry: word(),
        },
        Because::RelayAllowed {
            entry: word(),
            direction: Direction::LocalToOutside,
        },
        Because::MessageAcceptable { fact: word() },
        Because::RoutedBy {
            setting: word(),
            next_hop: word(),
        },
    ]
}

fn refusals() -> Vec<Because> {
    let mut all = sender_refusals();
    all.extend(recipient_refusals());
    all
}

fn sender_refusals() -> Vec<Because> {
    vec![
        Because::SignInRequired { service: word() },
        Because::UserNotEnabled { user: user() },
        Because::SenderNotTheirs {
            user: user(),
            sender: address(),
            line: word(),
        },
        Because::SenderDomainNotListed {
            sender: address(),
            line: word(),
        },
        Because::DeviceMayNotSendAs {
            device: word(),
            sender: address(),
            line: word(),
        },
        Because::SenderDomainUnknown {
            domain: domain(),
            setting: word(),
        },
        Because::SenderDomainNullMx { domain: domain() },
        Because::SenderDomainNumeric {
            sender: address(),
            setting: word(),
        },
        Because::NullReversePathRefused { setting: word() },
        Because::OwnDomainSpoofed {
            domain: domain(),
            setting: word(),
        },
        Because::TooLarge {
            size_bytes: INNER_NUMBER,
            limit_bytes: INNER_NUMBER,
            setting: word(),
        },
        Because::HeaderFromNotAllowed {
            from: word(),
            line: word(),
        },
        Because::TooManyHops {
            hops: INNER_NUMBER,
            limit: INNER_NUMBER,
        },
    ]
}

fn recipient_refusals() -> Vec<Because> {
    vec![
        Because::AddressUnknown {
            address: address(),
            nearest: Some(address()),
        },
        Because::AddressWithoutUser {
            address: address(),
            users: vec![user()],
        },
        Because::RelayRefused {
            direction: Direction::OutsideToOutside,
            standing: word(),
        },
        Because::RecipientNotRoutable { recipient: word() },
        Because::FarSide {
            host: word(),
            reply: word(),
        },
        Because::RecipientNullMx { domain: domain() },
        Because::RecipientDomainUnknown { domain: domain() },
        Because::LoopsToOurselves { host: word() },
        Because::Expired {
            setting: word(),
            last: word(),
        },
        Because::FarSideLacks {
            host: word(),
            extension: word(),
        },
        Because::DeletedByOperator { operator: word() },
    ]
}

fn deferrals() -> Vec<Because> {
    vec![
        Because::NotOpenToInternet {
            service: word(),
            setting: word(),
        },
        Because::TooManyConnections {
            setting: word(),
            limit: INNER_NUMBER,
        },
        Because::TooManyConnectionsFromSource {
            setting: word(),
            limit: INNER_NUMBER,
            source: "10.98.76.54".parse().unwrap(),
        },
        Because::TooManyMessagesFromSource {
            setting: word(),
            limit: INNER_NUMBER,
            source: "10.98.76.54".parse().unwrap(),
        },
        Because::SenderDomainNotLearnt {
            domain: domain(),
            setting: word(),
            failure: word(),
        },
        Because::DiskLow {
            free_bytes: INNER_NUMBER,
            limit_bytes: INNER_NUMBER,
            setting: word(),
        },
        Because::DiskNotLearnt { failure: word() },
        Because::TooManyRecipients {
            setting: word(),
            limit: INNER_NUMBER,
        },
        Because::Outside {
            part: word(),
            failure: word(),
        },
        Because::MemoryShort { what: word() },
        Because::Unreachable { failure: word() },
    ]
}

/// A number for every reason; a reason that is added must be numbered here, and exemplified above.
#[rustfmt::skip]
fn number(because: &Because) -> usize {
    match because {
        Because::ServiceOpen { .. } => 0,
        Because::NotOpenToInternet { .. } => 1,
        Because::SignInRequired { .. } => 2,
        Because::TooManyConnections { .. } => 3,
        Because::TooManyConnectionsFromSource { .. } => 4,
        Because::TooManyMessagesFromSource { .. } => 5,
        Because::SenderAcceptable { .. } => 6,
        Because::SenderIsTheirs { .. } => 7,
        Because::SenderNotTheirs { .. } => 8,
        Because::SenderDomainNotListed { .. } => 9,
        Because::DeviceMaySend { .. } => 10,
        Because::DeviceMayNotSendAs { .. } => 11,
        Because::SenderDomainUnknown { .. } => 12,
        Because::SenderDomainNotLearnt { .. } => 13,
        Because::SenderDomainNullMx { .. } => 14,
        Because::SenderDomainNumeric { .. } => 15,
        Because::NullReversePathRefused { .. } => 16,
        Because::OwnDomainSpoofed { .. } => 17,
        Because::TooLarge { .. } => 18,
        Because::DiskLow { .. } => 19,
        Because::DiskNotLearnt { .. } => 20,
        Because::AddressKnown { .. } => 21,
        Because::AddressUnknown { .. } => 22,
        Because::AddressWithoutUser { .. } => 23,
        Because::DomainPassed { .. } => 24,
        Because::RelayAllowed { .. } => 25,
        Because::RelayRefused { .. } => 26,
        Because::TooManyRecipients { .. } => 27,
        Because::RecipientNotRoutable { .. } => 28,
        Because::MessageAcceptable { .. } => 29,
        Because::HeaderFromNotAllowed { .. } => 30,
        Because::TooManyHops { .. } => 31,
        Because::Outside { .. } => 32,
        Because::RoutedBy { .. } => 33,
        Because::FarSide { .. } => 34,
        Because::RecipientNullMx { .. } => 35,
        Because::RecipientDomainUnknown { .. } => 36,
        Because::LoopsToOurselves { .. } => 37,
        Because::Expired { .. } => 38,
        Because::FarSideLacks { .. } => 39,
        Because::Unreachable { .. } => 40,
        Because::UserNotEnabled { .. } => 41,
        Because::MemoryShort { .. } => 42,
        Because::DeletedByOperator { .. } => 43,
    }
}

#[test]
fn there_is_one_example_of_every_reason() {
    let mut numbers: Vec<usize> = all().iter().map(|d| number(&d.because)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=43).collect::<Vec<_>>());
}

#[test]
fn every_reason_is_a_whole_sentence_and_shows_its_values() {
    for decision in all() {
        let sentence = decision.because.to_string();
        assert!(
            sentence.len() > 20 && sentence.contains(' '),
            "{:?}: {sentence}",
            decision.because
        );
        let shown = [INNER_WORD, &INNER_NUMBER.to_string()]
            .iter()
            .any(|value| sentence.contains(value));
        assert!(shown, "{sentence}");
    }
}

#[test]
fn reasons_are_kept_under_stable_names_and_read_back() {
    let mut kinds = Vec::new();
    for decision in all() {
        let written = toml::Table::try_from(&decision).unwrap();
        let kind = written["because"]["kind"].as_str().unwrap().to_owned();
        assert!(kind.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        kinds.push(kind);
        assert_eq!(written.try_into::<Decision>().unwrap(), decision);
    }
    for stable in [
        "address-known",
        "relay-refused",
        "not-open-to-internet",
        "routed-by",
    ] {
        assert!(kinds.iter().any(|kind| kind == stable), "{stable}");
    }
}
