//! Delivery status notifications: what a sender is told about a message.
//!
//! Promises: deterministic (boundary and id are handed in); nothing that a peer or sender wrote can
//! begin a line, a field or a part; parts are 7-bit unless the message itself or an address is not.
//! Does not: decide whether a report is sent; `from` a null reverse-path none ever is.
//! Standards: RFC 3461 §6, RFC 3464, RFC 6522, RFC 6533, RFC 3834 §5.

mod delivery_status;
mod for_people;
mod lines;

use std::fmt::Write as _;

use crate::{Address, Domain, EnhancedStatus, ForwardPath, Timestamp, TransactionId};

/// What became of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It was given up.
    Failed,
    /// It is tried again.
    Delayed,
    /// It is in a mailbox here.
    Delivered,
    /// A host took it that sends no reports itself.
    Relayed,
}

impl Action {
    const fn keyword(self) -> &'static str {
        // RFC 3464 §2.3.3.
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
        }
    }
}

/// The report about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// Who it was meant for.
    pub recipient: ForwardPath,
    /// ORCPT as it came, `type;xtext`.
    pub orcpt: Option<String>,
    /// What became of it.
    pub action: Action,
    /// The status, of the class that fits the action.
    pub status: EnhancedStatus,
    /// The host that decided, where one did.
    pub remote_mta: Option<String>,
    /// That host's own words, reply code first.
    pub diagnostic: Option<String>,
    /// What happened, as a sentence for the sender; the host's words come beside it.
    pub explanation: String,
    /// When it was tried last.
    pub last_attempt_at: Option<Timestamp>,
    /// Until when it is tried, for `Delayed`.
    pub retry_until: Option<Timestamp>,
}

/// What of the message comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned<'a> {
    /// Its header.
    Header(&'a [u8]),
    /// All of it.
    Whole(&'a [u8]),
}

/// Everything a report says.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Author of the report; a person should read mail there.
    pub from: &'a Address,
    /// The reverse-path of the message.
    pub to: &'a Address,
    /// This host.
    pub reporting_mta: &'a Domain,
    /// Now.
    pub at: Timestamp,
    /// When the message came to us.
    pub arrived_at: Timestamp,
    /// Our id of the message.
    pub about: TransactionId,
    /// ENVID as it came, in xtext.
    pub envid: Option<&'a str>,
    /// The report's own id, `left@right` without brackets.
    pub message_id: &'a str,
    /// Separates the parts; letters and digits, at most 60; lengthened where a part holds it.
    pub boundary: &'a str,
    /// At least one recipient.
    pub recipients: &'a [RecipientReport],
    /// What comes back.
    pub returned: Returned<'a>,
}

/// A report, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dsn {
    /// Its Subject.
    pub subject: String,
    /// The whole message.
    pub content: Vec<u8>,
    /// Whether its header or parts need SMTPUTF8.
    pub smtputf8: bool,
}

/// Writes a report.
pub fn write(report: &Report<'_>) -> Dsn {
    let smtputf8 = !report.to.is_ascii() || !report.from.is_ascii();
    let subject = subject(report);
    let parts = [
        for_people::part(report),
        delivery_status::part(report, smtputf8).into_bytes(),
        returned(report.returned, smtputf8),
    ];
    let boundary = boundary(report.boundary, &parts);
    let mut content = header(report, &subject, &boundary, smtputf8).into_bytes();
    for part in parts {
        content.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        content.extend_from_slice(&part);
    }
    content.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Dsn {
        subject,
        content,
        smtputf8,
    }
}

/// The boundary handed in, longer where a part holds it.
// RFC 2046 §5.1.1: the boundary must not appear in any part; at most 70 characters.
fn boundary(wished: &str, parts: &[Vec<u8>]) -> String {
    let mut boundary = wished.to_owned();
    let taken = |boundary: &str| {
        let octets = boundary.as_bytes();
        parts
            .iter()
            .any(|part| memchr::memmem::find(part, octets).is_some())
    };
    while boundary.len() < 70 && taken(&boundary) {
        boundary.push('x');
    }
    boundary
}

/// The gravest action: reports about several recipients are named after it.
fn gravest(report: &Report<'_>) -> Action {
    let actions = report.recipients.iter().map(|one| one.action);
    actions.min().unwrap_or(Action::Failed)
}

fn subject(report: &Report<'_>) -> String {
    match gravest(report) {
        Action::Failed => "Your message could not be delivered",
        Action::Delayed => "Your message is delayed, no action is needed",
        Action::Delivered => "Your message was delivered",
        Action::Relayed => "Your message was passed on",
    }
    .to_owned()
}

fn header(report: &Report<'_>, subject: &str, boundary: &str, smtputf8: bool) -> String {
    let mut header = format!(
        "Date: {}\r\nFrom: Mail Delivery System <{}>\r\nTo: <{}>\r\nSubject: {subject}\r\n\
         Message-ID: <{}>\r\n",
        report.at.rfc5322(),
        report.from,
        report.to,
        lines::printable(report.message_id),
    );
    if let Some(original) = original_message_id(report.returned, smtputf8) {
        header.push_str("In-Reply-To: ");
        header.push_str(&original);
        header.push_str("\r\n");
    }
    // RFC 3834 §5: whoever answers mail by machine must be able to tell a machine.
    header.push_str("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    // RFC 6522 §3: multipart/report, of which report-type names the second part.
    header.push_str("Content-Type: multipart/report; report-type=");
    header.push_str(if smtputf8 {
        "global-delivery-status"
    } else {
        "delivery-status"
    });
    // Writing to a String cannot fail.
    let _ = write!(header, ";\r\n\tboundary=\"{boundary}\"\r\n\r\n");
    header
}

fn original_message_id(returned: Returned<'_>, smtputf8: bool) -> Option<String> {
    let (Returned::Header(octets) | Returned::Whole(octets)) = returned;
    let id = crate::header_values::message_id(&crate::header::Header::scan(octets))?;
    let plain = id.starts_with('<')
        && id.ends_with('>')
        && id.len() <= 250
        && !id.contains(char::is_whitespace)
        && (smtputf8 || id.is_ascii());
    plain.then_some(id)
}

/// The third part: header or message, octet for octet where its form allows it.
fn returned(returned: Returned<'_>, smtputf8: bool) -> Vec<u8> {
    let (octets, whole) = match returned {
        Returned::Header(octets) => (octets, false),
        Returned::Whole(octets) => (octets, true),
    };
    let ascii = octets.is_ascii();
    // RFC 2046 §5.2.1: message/rfc822 is never encoded, so eight bits travel as they are.
    // RFC 6533 §4: message/global-headers and message/global for headers beyond ASCII.
    let (kind, encoding) = match (whole, ascii) {
        (true, true) => ("message/rfc822", "7bit"),
        (true, false) if smtputf8 => ("message/global", "8bit"),
        (true, false) => ("message/rfc822", "8bit"),
        (false, true) => ("text/rfc822-headers", "7bit"),
        (false, false) if smtputf8 => ("message/global-headers", "8bit"),
        (false, false) => ("text/rfc822-headers; charset=utf-8", "quoted-printable"),
    };
    let mut part = format!(
        "Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\
         Content-Description: {}\r\n\r\n",
        if whole {
            "Your message"
        } else {
            "The header of your message"
        }
    )
    .into_bytes();
    if encoding == "quoted-printable" {
        part.extend_from_slice(lines::quoted_printable(octets).as_bytes());
    } else {
        part.extend_from_slice(octets);
    }
    if !part.ends_with(b"\r\n") {
        part.extend_from_slice(b"\r\n");
    }
    part
}

#[cfg(test)]
mod tests;
