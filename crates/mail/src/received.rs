//! The fields that a gateway adds: Received, Return-Path, Date, Message-ID.
//!
//! Promises: complete CRLF lines, folded, no line longer than 998 octets; whatever the peer gave
//! is reduced to harmless characters. Does not: name users or inner hosts of the office beyond
//! the peer's own address.
//! Standards: RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3, RFC 8314 §4.3, RFC 5322 §3.6.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::{Domain, ForwardPath, MailHost, ReversePath, Timestamp, TransactionId};

/// Of a name that is neither domain nor address literal only so much is written down.
const ODD_NAME_CHARS_MAX: usize = 100;

/// TLS as the Received field tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedTls<'a> {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'a str,
    /// The registered name of the cipher suite.
    pub cipher: &'a str,
}

/// What a Received field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// What the peer said at HELO or EHLO.
    pub greeting_name: Option<&'a str>,
    /// The peer's address.
    pub peer: IpAddr,
    /// Our own name.
    pub by: &'a Domain,
    /// EHLO was used.
    pub esmtp: bool,
    /// The peer signed in.
    pub signed_in: bool,
    /// TLS was on.
    pub tls: Option<ReceivedTls<'a>>,
    /// SMTPUTF8 was given.
    pub smtputf8: bool,
    /// The id of the message.
    pub id: TransactionId,
    /// The recipient, to be given only when there is no other.
    pub only_recipient: Option<&'a ForwardPath>,
    /// When.
    pub at: Timestamp,
}

impl Received<'_> {
    /// The field.
    // RFC 5321 §4.4: From-domain By-domain Opt-info ";" date-time; Opt-info goes with, id, for,
    // then the registered clauses.
    pub fn field(&self) -> String {
        let mut field = format!(
            "Received: from {}\r\n\tby {} with {}\r\n\tid {}",
            self.from(),
            self.by,
            self.protocol(),
            self.id
        );
        // RFC 5321 §7.2: "for" is left out where it would tell recipients of each other.
        if let Some(path) = self.only_recipient
            && (self.smtputf8 || path.to_string().is_ascii())
        {
            let _ = write!(field, "\r\n\tfor <{path}>");
        }
        if let Some(tls) = self.tls {
            // RFC 8314 §4.3: the clause "tls" with the registered name of the cipher suite.
            let _ = write!(
                field,
                "\r\n\ttls {} ({})",
                cipher_name(tls.cipher),
                harmless(tls.version)
            );
        }
        let _ = write!(field, ";\r\n\t{}\r\n", self.at.rfc5322());
        field
    }

    // RFC 5321 §4.4: the name as given at EHLO, and the address that the connection came from.
    fn from(&self) -> String {
        let literal = MailHost::Address(self.peer.to_canonical());
        match self.greeting_name.map(MailHost::parse) {
            Some(Ok(host)) => format!("{host} ({literal})"),
            // An odd name is no Domain; it is told in a comment.
            Some(Err(_)) => {
                let name = self.greeting_name.map(harmless).unwrap_or_default();
                format!("{literal} ({literal})\r\n\t(greeting {name})")
            }
            None => format!("{literal} ({literal})"),
        }
    }

    /// The protocol keyword.
    // RFC 3848 and RFC 6531 §4.3: S for TLS, A for sign-in, both SA.
    fn protocol(&self) -> &'static str {
        match (self.smtputf8, self.tls.is_some(), self.signed_in) {
            (true, false, false) => "UTF8SMTP",
            (true, true, false) => "UTF8SMTPS",
            (true, false, true) => "UTF8SMTPA",
            (true, true, true) => "UTF8SMTPSA",
            (false, true, true) => "ESMTPSA",
            (false, true, false) => "ESMTPS",
            (false, false, true) => "ESMTPA",
            (false, false, false) if self.esmtp => "ESMTP",
            (false, false, false) => "SMTP",
        }
    }
}

/// The name of a cipher suite with nothing in it that is no name.
fn cipher_name(cipher: &str) -> String {
    // Some libraries write TLS13_AES_…; registered is TLS_AES_….
    let registered = cipher
        .strip_prefix("TLS13_")
        .map_or_else(|| cipher.to_owned(), |rest| format!("TLS_{rest}"));
    registered
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(ODD_NAME_CHARS_MAX)
        .collect()
}

/// Text that can stand in a comment: letters, digits and a few marks; `?` for all else.
fn harmless(text: &str) -> String {
    let harmless = |c: char| {
        if c.is_ascii_alphanumeric() || "-._:[]+/@".contains(c) {
            c
        } else {
            '?'
        }
    };
    text.chars()
        .take(ODD_NAME_CHARS_MAX)
        .map(harmless)
        .collect()
}

/// The Return-Path field of a message that comes to rest.
// RFC 5321 §4.4: final delivery inserts it with the reverse-path, at the beginning.
pub fn return_path(path: &ReversePath) -> String {
    format!("Return-Path: <{path}>\r\n")
}

/// The Date field for a submission that lacks it.
pub fn date(at: Timestamp) -> String {
    format!("Date: {}\r\n", at.rfc5322())
}

/// The Message-ID field for a submission that lacks it.
// RFC 5322 §3.6.4: id-left is ours to choose, id-right a domain of ours, so it is unique.
pub fn message_id(id: TransactionId, host_name: &Domain) -> String {
    format!("Message-ID: <{id}@{host_name}>\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host() -> Domain {
        Domain::parse("mail.office.test").unwrap()
    }

    fn plain(by: &Domain) -> Received<'_> {
        Received {
            greeting_name: Some("client.hotmail.test"),
            peer: "192.0.2.1".parse().unwrap(),
            by,
            esmtp: true,
            signed_in: false,
            tls: None,
            smtputf8: false,
            id: TransactionId::from_number(7),
            only_recipient: None,
            at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn the_field_is_exactly_this() {
        let by = host();
        let bob = "bob@office.test".parse().unwrap();
        let mut received = plain(&by);
        assert_eq!(
            received.field(),
            "Received: from client.hotmail.test ([192.0.2.1])\r\n\
             \tby mail.office.test with ESMTP\r\n\
             \tid 0000-0000-00007;\r\n\
             \tThu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
        received.only_recipient = Some(&bob);
        received.signed_in = true;
        received.peer = "2001:db8::1".parse().unwrap();
        received.tls = Some(ReceivedTls {
            version: "TLSv1.3",
            cipher: "TLS13_AES_256_GCM_SHA384",
        });
        assert_eq!(
            received.field(),
            "Received: from client.hotmail.test ([IPv6:2001:db8::1])\r\n\
             \tby mail.office.test with ESMTPSA\r\n\
             \tid 0000-0000-00007\r\n\
             \tfor <bob@office.test>\r\n\
             \ttls TLS_AES_256_GCM_SHA384 (TLSv1.3);\r\n\
             \tThu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
    }

    #[test]
    fn protocol_keywords_are_the_registered_ones() {
        let by = host();
        let tls = ReceivedTls {
            version: "TLSv1.2",
            cipher: "TLS_X",
        };
        for (esmtp, signed_in, secure, smtputf8, keyword) in [
            (false, false, false, false, "SMTP"),
            (true, true, false, false, "ESMTPA"),
            (true, false, true, false, "ESMTPS"),
            (true, false, false, true, "UTF8SMTP"),
            (true, true, true, true, "UTF8SMTPSA"),
        ] {
            let mut received = plain(&by);
            received.esmtp = esmtp;
            received.signed_in = signed_in;
            received.tls = secure.then_some(tls);
            received.smtputf8 = smtputf8;
            assert_eq!(received.protocol(), keyword);
        }
    }

    #[test]
    fn an_odd_greeting_is_told_in_a_comment_that_it_cannot_leave() {
        let by = host();
        let mut received = plain(&by);
        received.greeting_name = Some("x) by evil\r\nFrom: y");
        assert!(received.field().starts_with(
            "Received: from [192.0.2.1] ([192.0.2.1])\r\n\t(greeting x??by?evil??From:?y)\r\n\tby "
        ));
        received.greeting_name = None;
        assert!(
            received
                .field()
                .starts_with("Received: from [192.0.2.1] ([192.0.2.1])\r\n\tby ")
        );
    }

    #[test]
    fn an_address_beyond_ascii_is_named_only_where_smtputf8_allows() {
        let by = host();
        let path = "ж@office.test".parse().unwrap();
        let mut received = plain(&by);
        received.only_recipient = Some(&path);
        assert!(!received.field().contains("for <"));
        received.smtputf8 = true;
        assert!(received.field().contains("for <ж@office.test>"));
    }

    #[test]
    fn the_other_fields_are_exactly_these() {
        let id = TransactionId::from_number(7);
        assert_eq!(return_path(&ReversePath::Null), "Return-Path: <>\r\n");
        assert_eq!(
            return_path(&"bob@office.test".parse().unwrap()),
            "Return-Path: <bob@office.test>\r\n"
        );
        assert_eq!(
            date(Timestamp::from_millis(0)),
            "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
        assert_eq!(
            message_id(id, &host()),
            "Message-ID: <0000-0000-00007@mail.office.test>\r\n"
        );
    }

    proptest! {
        #[test]
        fn whatever_the_peer_said_the_field_is_one_field(
            greeting in any::<Option<String>>(), version in any::<String>(), cipher in any::<String>(),
        ) {
            let by = host();
            let mut received = plain(&by);
            received.greeting_name = greeting.as_deref();
            received.tls = Some(ReceivedTls { version: &version, cipher: &cipher });
            let field = received.field();
            prop_assert!(field.is_ascii());
            let header = crate::header::Header::scan(field.as_bytes());
            prop_assert_eq!(header.fields().len(), 1);
            prop_assert_eq!(header.end(), field.len());
            for line in field.split("\r\n") {
                prop_assert!(line.len() <= 998 && !line.contains(|c: char| c.is_control() && c != '\t'));
            }
        }
    }
}
