//! The part that machines read.
//!
//! Promises: one group of fields about the message, one about each recipient, in the order and
//! with the keywords of the standard.
//! Standards: RFC 3464 §2; RFC 6533 §3, §5.

use super::{Action, RecipientReport, Report, lines};
use crate::ForwardPath;

/// The second part, with its own header.
pub(super) fn part(report: &Report<'_>, smtputf8: bool) -> String {
    let mut part = if smtputf8 {
        "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n"
    } else {
        "Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n"
    }
    .to_owned();
    part.push_str("Content-Description: Delivery report\r\n\r\n");
    if let Some(envid) = report.envid {
        // RFC 3464 §2.2.1: the ENVID of the message, decoded from its xtext.
        let envid = fitting(&decoded(envid), smtputf8);
        part.push_str(&lines::field("Original-Envelope-Id", &envid));
    }
    part.push_str(&lines::field(
        "Reporting-MTA",
        &format!("dns; {}", report.reporting_mta),
    ));
    part.push_str(&lines::field("Arrival-Date", &report.arrived_at.rfc5322()));
    for recipient in report.recipients {
        part.push_str("\r\n");
        group(&mut part, recipient, smtputf8);
    }
    part.push_str("\r\n");
    part
}

fn group(part: &mut String, one: &RecipientReport, smtputf8: bool) {
    let mut field = |name: &str, value: &str| {
        part.push_str(&lines::field(name, &fitting(value, smtputf8)));
    };
    if let Some((kind, xtext)) = one.orcpt.as_deref().and_then(|text| text.split_once(';')) {
        // RFC 3464 §2.3.1: Original-Recipient stands where ORCPT was given.
        field("Original-Recipient", &format!("{kind}; {}", decoded(xtext)));
    }
    field("Final-Recipient", &final_recipient(&one.recipient));
    field("Action", one.action.keyword());
    field("Status", &one.status.to_string());
    if let Some(host) = &one.remote_mta {
        field("Remote-MTA", &format!("dns; {host}"));
    }
    if let Some(words) = &one.diagnostic {
        field("Diagnostic-Code", &format!("smtp; {words}"));
    }
    if let Some(at) = one.last_attempt_at {
        field("Last-Attempt-Date", &at.rfc5322());
    }
    if let Some(until) = one.retry_until.filter(|_| one.action == Action::Delayed) {
        // RFC 3464 §2.3.9: for delayed recipients only.
        field("Will-Retry-Until", &until.rfc5322());
    }
}

fn final_recipient(path: &ForwardPath) -> String {
    let ascii = path.address().is_none_or(crate::Address::is_ascii);
    // RFC 6533 §3: an address beyond ASCII is of type utf-8.
    format!("{}; {path}", if ascii { "rfc822" } else { "utf-8" })
}

/// In ASCII unless the whole report may be UTF-8.
fn fitting(value: &str, smtputf8: bool) -> String {
    if smtputf8 {
        value.to_owned()
    } else {
        lines::ascii(value)
    }
}

/// What xtext stands for (RFC 3461 §4); itself where it is broken.
fn decoded(xtext: &str) -> String {
    let mut octets = Vec::with_capacity(xtext.len());
    let mut rest = xtext.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'+' {
            octets.push(octet);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| {
            let digit = char::from(digit?).to_digit(16)?;
            u8::try_from(digit).ok()
        });
        let [Some(high), Some(low)] = digits else {
            return xtext.to_owned();
        };
        octets.push(high << 4 | low);
    }
    String::from_utf8_lossy(&octets).into_owned()
}
