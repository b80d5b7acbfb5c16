//! What is added before a message, and what is left out of it.
//!
//! Promises: Received always, Date and Message-ID only on submission and only where they lack;
//! every other octet stays as it came.

use std::ops::Range;

use contracts::Current;
use mail::header::Header;
use mail::received::{self, Received, ReceivedTls};
use mail::{Recipient, Timestamp, TransactionId};
use policy::facts::{ConnectionFacts, TransactionFacts};

/// What the fields tell of.
pub(crate) struct Trace<'a> {
    pub(crate) current: &'a Current,
    pub(crate) connection: &'a ConnectionFacts,
    pub(crate) esmtp: bool,
    pub(crate) transaction: &'a TransactionFacts,
    pub(crate) id: TransactionId,
    pub(crate) at: Timestamp,
}

impl Trace<'_> {
    /// The fields that go before the content; `header` is the content's own.
    pub(crate) fn prefix(&self, header: &Header<'_>) -> Vec<u8> {
        let host_name = &self.current.settings.machine.host_name;
        let mut prefix = self.received();
        if self.is_submission() {
            // RFC 6409 §8.2, §8.3: a submission server may add Date and Message-ID.
            if header.first("Date").is_none() {
                prefix.push_str(&received::date(self.at));
            }
            if header.first("Message-ID").is_none() {
                prefix.push_str(&received::message_id(self.id, host_name));
            }
        }
        // RFC 5322 §2.1: a blank line parts header and body. Where the content has no header, its
        // first line would otherwise be read as a broken field of ours.
        if header.end() == 0 {
            prefix.push_str("\r\n");
        }
        prefix.into_bytes()
    }

    fn received(&self) -> String {
        let only_recipient = match self.transaction.recipients.as_slice() {
            [Recipient { path, .. }] => Some(path),
            _ => None,
        };
        let tls = self.connection.tls.as_ref().map(|tls| ReceivedTls {
            version: &tls.version,
            cipher: &tls.cipher,
        });
        Received {
            greeting_name: self.connection.greeting_name.as_deref(),
            peer: self.connection.peer.ip(),
            by: &self.current.settings.machine.host_name,
            esmtp: self.esmtp,
            signed_in: self.connection.user.is_some(),
            tls,
            smtputf8: self.transaction.mail.smtputf8,
            id: self.id,
            only_recipient,
            at: self.at,
        }
        .field()
    }

    /// Whether this is new mail from somebody of ours rather than mail that passes by.
    fn is_submission(&self) -> bool {
        self.connection.service.requires_sign_in()
            || self.connection.user.is_some()
            || self.connection.standing.internal
    }
}

/// Return-Path fields that are cut out of one message; a hostile header keeps the rest.
const RETURN_PATHS_CUT_MAX: usize = 64;

/// The Return-Path fields that came with a message, to be left out where it comes to rest.
pub(crate) fn return_paths(header: &Header<'_>) -> Vec<Range<u64>> {
    let octets = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
    header
        .named("Return-Path")
        .take(RETURN_PATHS_CUT_MAX)
        .map(|field| octets(field.range.start)..octets(field.range.end))
        .collect()
}
