//! Drives the parsers of addresses, paths and domains with any text.
//!
//! What is read, written and read again is the same; so is what is folded twice. The fuzz target
//! `mail_address` calls [`drive`], and so does the replay of its corpus.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use mail::{Address, Domain, ForwardPath, LocalPart, MailHost, ReversePath};

/// Checks the promises for one text; octets that are no UTF-8 are replaced.
pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(address) = again::<Address>(&text) {
        assert!(text.len() <= 254, "too long");
        let folded = address.folded();
        assert_eq!(folded, folded.folded(), "folded twice");
        if let Some(domain) = address.domain() {
            assert_eq!(address.host, MailHost::Domain(domain.clone()));
        }
    }
    if let Some(local) = again::<LocalPart>(&text) {
        assert!(!local.as_str().is_empty());
        assert!(!local.as_str().contains(['\r', '\n', '\0']));
    }
    again::<ReversePath>(&text);
    again::<ForwardPath>(&text);
    if let Ok(domain) = Domain::parse(&text) {
        // RFC 5321 §4.5.3.1.2: a domain is at most 255 octets.
        assert!(domain.as_str().len() <= 255 && domain.as_str().is_ascii());
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain));
        assert!(domain.is_within(&domain));
        let _ = domain.to_unicode();
    }
    if let Ok(host) = MailHost::parse(&text) {
        assert_eq!(MailHost::parse(&host.to_string()), Ok(host));
    }
}

/// Reads a text; what it gives is the same when it is written and read again.
fn again<T>(text: &str) -> Option<T>
where
    T: FromStr<Err: Debug + PartialEq> + Display + Debug + PartialEq,
{
    let value: T = text.parse().ok()?;
    let written = value.to_string();
    assert!(!written.contains(['\r', '\n', '\0']), "{written:?}");
    let read = written.parse();
    assert_eq!(read.as_ref(), Ok(&value), "{written:?}");
    Some(value)
}
