//! What would happen to a message: each step with its decision, its reason, and the facts it
//! asked for with their age.

use std::io;
use std::time::Duration;

use operate::{Explanation, FactUsed, StepName};
use policy::Outcome;
use policy::facts::{DomainStanding, FactQuery, FactValue, Standing};

use super::history::outcome;
use super::page::{Page, size};
use super::time::{length, minute};

/// `internal: …` or `external: …`.
pub(super) fn standing(standing: &Standing) -> String {
    let word = if standing.internal {
        "internal"
    } else {
        "external"
    };
    format!("{word}: {}", standing.fact)
}

pub(super) fn steps(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let connection = &explanation.connection;
    page.line(match explanation.outcome {
        Outcome::Accept => "This message would be accepted.",
        Outcome::Refuse => "This message would be refused.",
        Outcome::Defer => "This message would be put off: the sender would try again later.",
    })?;
    page.gap()?;
    let peer = connection.peer.ip();
    page.field("peer", format!("{peer} by {}", connection.service.label()))?;
    page.field("trust", standing(&connection.standing))?;
    if let Some(user) = &connection.user {
        page.field("signed in", user.as_str())?;
    }
    page.field("reached at", connection.local.to_string())?;
    let at = minute(explanation.at);
    page.field(
        "settings",
        format!("revision {}, asked {at}", explanation.revision),
    )?;
    for step in &explanation.steps {
        page.gap()?;
        let name = match step.name {
            StepName::Connection => "connection",
            StepName::Sender => "sender",
            StepName::Recipient => "recipient",
            StepName::Message => "message",
            StepName::Route => "way on",
        };
        let decided = outcome(step.decision.outcome);
        if step.name == StepName::Route {
            // Nobody hears a reply about the way on.
            page.field(name, decided)?;
        } else {
            page.field(name, format!("{decided:<8}   {}", step.reply))?;
        }
        page.field("", format!("because {}", step.decision.because))?;
        for fact in &step.facts {
            page.field("", format!("fact: {}", told(fact)))?;
        }
    }
    if let Some(next_hop) = &explanation.next_hop {
        page.gap()?;
        page.field("goes to", next_hop.to_string())?;
    }
    Ok(())
}

fn told(fact: &FactUsed) -> String {
    let question = match &fact.query {
        FactQuery::SenderDomain { domain } => format!("DNS for {domain}"),
        FactQuery::DiskFree => "free disk".to_owned(),
        FactQuery::MessagesFromSource { source } => {
            format!("messages from {source} in the last minute")
        }
    };
    let value = match &fact.value {
        FactValue::Domain { standing } => match standing {
            DomainStanding::Exists => "it exists and can take mail".to_owned(),
            DomainStanding::Unknown => "no such name, or none that can take mail".to_owned(),
            DomainStanding::NullMx => "it says that it takes no mail (null MX)".to_owned(),
        },
        FactValue::Bytes { bytes } => size(*bytes),
        FactValue::Count { count } => count.to_string(),
        FactValue::CouldNotBeLearnt { failure } => format!("could not be learnt: {failure}"),
    };
    let age = match Duration::from_millis(fact.age_ms) {
        age if age.as_secs() == 0 => "learnt just now".to_owned(),
        age => format!("{} old", length(age)),
    };
    format!("{question}: {value} ({age})")
}
