//! Reports read back by a parser that is not ours.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;

use super::*;
use crate::StatusClass;

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn failed(recipient: &str) -> RecipientReport {
    RecipientReport {
        recipient: ForwardPath::Address(address(recipient)),
        orcpt: Some("rfc822;fred+2Bx@hotmail.test".to_owned()),
        action: Action::Failed,
        status: EnhancedStatus::new(StatusClass::Permanent, 1, 1),
        remote_mta: Some("mx.hotmail.test".to_owned()),
        diagnostic: Some("550 5.1.1 no such user".to_owned()),
        explanation: "The server mx.hotmail.test refused it.".to_owned(),
        last_attempt_at: Some(Timestamp::from_millis(1_790_000_000_000)),
        retry_until: Some(Timestamp::from_millis(1_790_000_000_000)),
    }
}

const HEADER: &[u8] = b"Subject: hello\r\nMessage-ID: <1@office.test>\r\n\r\n";

fn written(to: &str, recipients: &[RecipientReport], returned: Returned<'_>) -> Dsn {
    write(&Report {
        from: &address("postmaster@office.test"),
        to: &address(to),
        reporting_mta: &Domain::parse("mail.office.test").expect("a domain"),
        at: Timestamp::from_millis(1_790_000_000_000),
        arrived_at: Timestamp::from_millis(1_789_000_000_000),
        about: TransactionId::from_number(7),
        envid: Some("QQ+3D1"),
        message_id: "report.1@mail.office.test",
        boundary: "b0undary",
        recipients,
        returned,
    })
}

/// The three parts as a reader sees them.
fn parts(dsn: &Dsn) -> Vec<(String, String)> {
    let message = MessageParser::default()
        .parse(&dsn.content)
        .expect("a message");
    let kind = message.content_type().expect("a type");
    assert_eq!(kind.ctype(), "multipart");
    assert_eq!(kind.subtype(), Some("report"));
    let PartType::Multipart(children) = &message.parts[0].body else {
        panic!("no parts");
    };
    children
        .iter()
        .map(|index| {
            let part = &message.parts[*index as usize];
            let kind = part.content_type().expect("a type");
            let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
            let text = match &part.body {
                PartType::Text(text) => text.to_string(),
                PartType::Message(nested) => {
                    String::from_utf8_lossy(nested.raw_message()).into_owned()
                }
                PartType::Html(_)
                | PartType::Binary(_)
                | PartType::InlineBinary(_)
                | PartType::Multipart(_) => String::from_utf8_lossy(part.contents()).into_owned(),
            };
            (name, text)
        })
        .collect()
}

#[test]
fn a_failure_has_three_parts_and_every_field() {
    let dsn = written(
        "bob@office.test",
        &[failed("fred@hotmail.test")],
        Returned::Header(HEADER),
    );
    let parts = parts(&dsn);
    let kinds: Vec<&str> = parts.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "text/plain",
            "message/delivery-status",
            "text/rfc822-headers"
        ]
    );
    let expected = "Original-Envelope-Id: QQ=1\r\n\
        Reporting-MTA: dns; mail.office.test\r\n\
        Arrival-Date: Thu, 10 Sep 2026 00:26:40 +0000\r\n\
        \r\n\
        Original-Recipient: rfc822; fred+x@hotmail.test\r\n\
        Final-Recipient: rfc822; fred@hotmail.test\r\n\
        Action: failed\r\n\
        Status: 5.1.1\r\n\
        Remote-MTA: dns; mx.hotmail.test\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\
        Last-Attempt-Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n";
    let text = String::from_utf8_lossy(&dsn.content);
    assert!(text.contains(expected), "{text}");
    assert!(parts[0].1.contains("no such mailbox"));
    assert!(parts[0].1.contains("550 5.1.1 no such user"));
    assert!(parts[0].1.contains("Subject of your message: hello"));
    assert!(text.contains("\r\nIn-Reply-To: <1@office.test>\r\n"));
    assert!(text.contains("\r\nAuto-Submitted: auto-replied\r\n"));
    assert!(dsn.content.is_ascii() && !dsn.smtputf8);
}

#[test]
fn a_whole_message_comes_back_octet_for_octet() {
    let message = b"Subject: hello\r\n\r\n--not the end\r\n\xe9 as it came\r\n";
    let dsn = written(
        "bob@office.test",
        &[failed("fred@hotmail.test")],
        Returned::Whole(message),
    );
    let end = b"--b0undary--\r\n";
    let before_end = dsn.content.strip_suffix(end).expect("an end");
    assert!(before_end.ends_with(message));
    assert_eq!(parts(&dsn)[2].0, "message/rfc822");
}

#[test]
fn a_delay_says_until_when_and_that_nothing_is_to_be_done() {
    let mut one = failed("fred@hotmail.test");
    one.action = Action::Delayed;
    one.status = EnhancedStatus::new(StatusClass::Transient, 4, 1);
    let dsn = written("bob@office.test", &[one], Returned::Header(HEADER));
    let text = String::from_utf8_lossy(&dsn.content);
    assert!(text.contains("Will-Retry-Until: Mon, 21 Sep 2026 14:13:20 +0000\r\n"));
    assert!(text.contains("You need not send it again"));
}

#[test]
fn addresses_beyond_ascii_make_global_parts_only_where_the_sender_has_one() {
    let recipients = [failed("жук@hotmail.test")];
    let dsn = written("bob@office.test", &recipients, Returned::Header(HEADER));
    assert!(dsn.content.is_ascii() && !dsn.smtputf8);
    let text = String::from_utf8_lossy(&dsn.content);
    assert!(text.contains("Final-Recipient: utf-8; \\x{436}\\x{443}\\x{43A}@hotmail.test\r\n"));
    assert!(parts(&dsn)[0].1.contains("жук@hotmail.test"));
    let dsn = written(
        "жук@office.test",
        &recipients,
        Returned::Header("Subject: ж\r\n\r\n".as_bytes()),
    );
    assert!(dsn.smtputf8);
    let kinds: Vec<String> = parts(&dsn).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            "text/plain",
            "message/global-delivery-status",
            "message/global-headers"
        ]
    );
}

#[test]
fn a_header_beyond_ascii_is_encoded_for_a_sender_without_smtputf8() {
    let dsn = written(
        "bob@office.test",
        &[failed("fred@hotmail.test")],
        Returned::Header("Subject: ж\r\n\r\n".as_bytes()),
    );
    assert!(dsn.content.is_ascii());
    assert!(parts(&dsn)[2].1.starts_with("Subject: ж"));
}

proptest! {
    #[test]
    fn nothing_a_peer_says_breaks_a_report(
        words in "(\\PC|[\r\n\0 ]|--b0undary|\r\nTo: x){0,40}",
        host in "(\\PC|[\r\n]){0,20}",
        orcpt in "(\\PC|[\r\n;+]){0,20}",
    ) {
        let mut one = failed("fred@hotmail.test");
        one.explanation.clone_from(&words);
        one.diagnostic = Some(words);
        one.remote_mta = Some(host);
        one.orcpt = Some(orcpt);
        let dsn = written("bob@office.test", &[one], Returned::Header(HEADER));
        prop_assert_eq!(parts(&dsn).len(), 3);
        prop_assert!(dsn.content.is_ascii());
        let text = String::from_utf8_lossy(&dsn.content).into_owned();
        let (_, boundary) = text.split_once("boundary=\"").unwrap_or_default();
        let (boundary, _) = boundary.split_once('"').unwrap_or_default();
        let separator = format!("--{boundary}");
        prop_assert_eq!(text.matches(&separator).count(), 4);
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n', '\0']));
        }
        let fields = text.lines().filter(|line| line.starts_with("Final-Recipient:")).count();
        prop_assert_eq!(fields, 1);
        let (header, _) = text.split_once("\r\n\r\n").unwrap_or_default();
        prop_assert_eq!(header.lines().count(), 10);
    }
}
