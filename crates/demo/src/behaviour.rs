//! What the addresses of the pretend Internet do with mail.

use std::time::Duration;

/// What happens to mail for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Taken, and answered with a letter.
    Answers,
    /// Taken.
    Takes,
    /// Refused for good at RCPT.
    Refuses(&'static str),
    /// Refused for now at RCPT.
    Defers(&'static str),
    /// Taken after a long wait.
    Slow(Duration),
}

/// What the address with this local-part does, whatever its domain.
pub fn behaviour_of(local_part: &str) -> Behaviour {
    match local_part {
        "fred" => Behaviour::Answers,
        "busy" => Behaviour::Defers("4.2.1 mailbox busy, try again later"),
        "full" => Behaviour::Refuses("5.2.2 mailbox full"),
        "slow" => Behaviour::Slow(Duration::from_secs(20)),
        "anna" | "postmaster" => Behaviour::Takes,
        _ => Behaviour::Refuses("5.1.1 nobody here has that address"),
    }
}

/// What a person may write to, with what comes of it.
pub const THINGS_TO_TRY: [(&str, &str); 7] = [
    ("fred@hotmail.test", "takes it and answers"),
    ("anna@hotmail.test", "takes it"),
    (
        "busy@hotmail.test",
        "says 450 each time: the message waits and is tried again",
    ),
    ("full@hotmail.test", "says 550: a report comes back at once"),
    (
        "slow@hotmail.test",
        "takes 20 seconds over it; others are not held up",
    ),
    (
        "somebody@nowhere.test",
        "has a domain that does not exist: a report comes back at once",
    ),
    (
        "somebody@down.test",
        "has a server that cannot be reached: the message waits",
    ),
];
