//! The part that people read.
//!
//! Promises: says first what happened to whom and whether anything must be done, then the other
//! server's own words; plain language, no codes but in those words.
//! Standards: RFC 6522 §3, RFC 3464 §2 (the first part is for humans).

use super::{Action, RecipientReport, Report, Returned, gravest, lines};
use crate::header::Header;
use crate::{EnhancedStatus, StatusClass, Timestamp, header_values};

/// The first part, with its own header.
pub(super) fn part(report: &Report<'_>) -> Vec<u8> {
    let text = text(report);
    let encoding = if text.is_ascii() {
        "7bit"
    } else {
        "quoted-printable"
    };
    let mut part = format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    if text.is_ascii() {
        part.push_str(&text);
    } else {
        part.push_str(&lines::quoted_printable(text.as_bytes()));
    }
    part.into_bytes()
}

fn text(report: &Report<'_>) -> String {
    let mut text = format!("This is the mail server {}.\r\n\r\n", report.reporting_mta);
    paragraph(&mut text, "", introduction(report));
    for recipient in report.recipients {
        about(&mut text, recipient);
    }
    paragraph(&mut text, "", conclusion(report));
    if let Some(subject) = original_subject(report.returned) {
        paragraph(
            &mut text,
            "",
            &format!("Subject of your message: {subject}"),
        );
    }
    paragraph(
        &mut text,
        "",
        &format!(
            "It came here at {}. When you ask about it, give this number: {}",
            date(report.arrived_at),
            report.about
        ),
    );
    text
}

fn introduction(report: &Report<'_>) -> &'static str {
    match gravest(report) {
        Action::Failed => "Your message could not be delivered to:",
        Action::Delayed => {
            "Your message could not be delivered yet. You need not send it again: it is tried \
             again from time to time. It is waiting for:"
        }
        Action::Delivered => "Your message was put into the mailbox of:",
        Action::Relayed => {
            "Your message was handed to the next mail server, which does not report itself \
             whether it arrives, for:"
        }
    }
}

fn conclusion(report: &Report<'_>) -> &'static str {
    match gravest(report) {
        Action::Failed => {
            "Nothing more will be tried. The details for mail administrators, and the header of \
             your message or all of it, are attached."
        }
        Action::Delayed => "If it cannot be delivered in the end, you will get another report.",
        Action::Delivered | Action::Relayed => "You asked for this report.",
    }
}

fn about(text: &mut String, one: &RecipientReport) {
    paragraph(text, "  ", &one.recipient.to_string());
    paragraph(text, "    ", &one.explanation);
    if let Some(advice) = advice(one) {
        paragraph(text, "    ", advice);
    }
    if let Some(words) = &one.diagnostic {
        let host = one.remote_mta.as_deref().unwrap_or("The other server");
        paragraph(text, "    ", &format!("{host} said:"));
        paragraph(text, "      ", words);
    }
    if let Some(until) = one.retry_until.filter(|_| one.action == Action::Delayed) {
        paragraph(text, "    ", &format!("It is tried until {}.", date(until)));
    }
}

/// What a sender can do about a failure.
const fn advice(one: &RecipientReport) -> Option<&'static str> {
    let EnhancedStatus {
        class,
        subject,
        detail,
    } = one.status;
    if !matches!(class, StatusClass::Permanent) || !matches!(one.action, Action::Failed) {
        return None;
    }
    // RFC 3463 §3: subject and detail say what is wrong.
    Some(match (subject, detail) {
        (1, 0 | 1 | 6) => "Please check how the address is written; there is no such mailbox.",
        (1, 2) => "Please check the part of the address behind the @; there is no such domain.",
        (1, 3) => "Please check how the address is written.",
        (1, 10) => "That domain takes no mail at all.",
        (2, 1) => "That mailbox is closed or takes no mail.",
        (2, 2) => "That mailbox is full. Please tell the recipient in another way.",
        (2 | 3, 3 | 4) => "The message is too large there. Please send less at once.",
        (4, 7) => "The other side could not be reached for too long. Please try again later.",
        (6, _) => "The other side cannot take a message of this kind.",
        (7, _) => "The other side does not want this message. Its words below may say why.",
        _ => return None,
    })
}

fn paragraph(text: &mut String, indent: &str, words: &str) {
    for line in lines::wrapped(words) {
        text.push_str(indent);
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
}

fn date(at: Timestamp) -> String {
    // The zone as people write it.
    at.rfc5322().replace("+0000", "UTC")
}

fn original_subject(returned: Returned<'_>) -> Option<String> {
    let (Returned::Header(octets) | Returned::Whole(octets)) = returned;
    header_values::subject(&Header::scan(octets), 200).filter(|subject| !subject.is_empty())
}
