//! Domain names and hosts as mail uses them.
//!
//! Promises: a `Domain` is kept once, in lower-case A-label form, so equal names compare equal;
//! its U-label form is for people. A `MailHost` is a domain or an address literal.
//! Standards: RFC 5321 §4.1.2, §4.1.3, §4.5.3.1.2; RFC 5890; RFC 6531 §3.7.1.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A fully qualified domain name without trailing dot, in lower-case A-labels, 1 to 255 octets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

/// Why a text is not a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainSyntax {
    /// Nothing there.
    #[error("a domain name is missing")]
    Empty,
    /// Longer than 255 octets, or a label longer than 63.
    #[error("a domain name has at most 255 octets and 63 a label")]
    TooLong,
    /// A character or a place of a hyphen that no host name may have.
    #[error("a domain name has letters, digits and inner hyphens, such as office.example")]
    BadLabel,
}

impl Domain {
    /// Parses a name in A-label, U-label or mixed form; a trailing dot is dropped.
    ///
    /// # Errors
    /// `DomainSyntax` when it is no host name.
    pub fn parse(text: &str) -> Result<Self, DomainSyntax> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainSyntax::Empty);
        }
        // RFC 5321 §4.5.3.1.2: a domain name is at most 255 octets.
        if text.len() > 1020 {
            return Err(DomainSyntax::TooLong);
        }
        let ascii = if is_plain(text) {
            text.to_ascii_lowercase()
        } else {
            // RFC 6531 §3.7.1: look-ups use A-labels.
            idna::domain_to_ascii(text).map_err(|_| DomainSyntax::BadLabel)?
        };
        if ascii.is_empty() {
            return Err(DomainSyntax::Empty);
        }
        if ascii.len() > 255 {
            return Err(DomainSyntax::TooLong);
        }
        for label in ascii.split('.') {
            check_label(label)?;
        }
        Ok(Self(ascii))
    }

    /// The A-label form, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The U-label form, as people read it.
    pub fn to_unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }

    /// Whether this is `parent` or lies below it.
    pub fn is_within(&self, parent: &Self) -> bool {
        self == parent
            || self
                .0
                .strip_suffix(&parent.0)
                .is_some_and(|front| front.ends_with('.'))
    }

    /// Whether the name has a dot; a bare host name does not.
    pub fn is_qualified(&self) -> bool {
        self.0.contains('.')
    }

    /// Whether the last label is all digits, as in `192.0.2.1` without brackets.
    pub fn is_numeric(&self) -> bool {
        self.0
            .rsplit('.')
            .next()
            .is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()))
    }
}

fn is_plain(text: &str) -> bool {
    text.is_ascii()
        && !text.split('.').any(|label| {
            label.len() > 3
                && label
                    .as_bytes()
                    .iter()
                    .take(4)
                    .map(u8::to_ascii_lowercase)
                    .eq(*b"xn--")
        })
}

fn check_label(label: &str) -> Result<(), DomainSyntax> {
    if label.len() > 63 {
        return Err(DomainSyntax::TooLong);
    }
    // Underscore is no host name character (RFC 5321 §4.1.2) but is met in the wild as HELO and
    // as sender domain; DNS can hold it.
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if label.is_empty()
        || label.starts_with('-')
        || label.ends_with('-')
        || !label.bytes().all(good)
    {
        return Err(DomainSyntax::BadLabel);
    }
    Ok(())
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = DomainSyntax;

    fn from_str(text: &str) -> Result<Self, DomainSyntax> {
        Self::parse(text)
    }
}

impl Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What stands after the `@`, or names a machine: a domain or a bracketed address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailHost {
    /// A name.
    Domain(Domain),
    /// An address literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
    Address(IpAddr),
}

impl MailHost {
    /// Parses a domain or an address literal in brackets.
    ///
    /// # Errors
    /// `DomainSyntax` when it is neither.
    pub fn parse(text: &str) -> Result<Self, DomainSyntax> {
        let Some(inner) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        else {
            return Domain::parse(text).map(Self::Domain);
        };
        // RFC 5321 §4.1.3: an IPv6 literal begins with the tag `IPv6:`.
        let tag = inner
            .get(..5)
            .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        let address = match tag.and_then(|_| inner.get(5..)) {
            Some(v6) => v6.parse().ok().map(IpAddr::V6),
            None => inner.parse().ok().map(IpAddr::V4),
        };
        address.map(Self::Address).ok_or(DomainSyntax::BadLabel)
    }

    /// The domain, unless this is an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for MailHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Address(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

impl From<Domain> for MailHost {
    fn from(domain: Domain) -> Self {
        Self::Domain(domain)
    }
}

impl FromStr for MailHost {
    type Err = DomainSyntax;

    fn from_str(text: &str) -> Result<Self, DomainSyntax> {
        Self::parse(text)
    }
}

impl Serialize for MailHost {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MailHost {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_read_is_written_so_that_it_reads_back(
            text in prop_oneof![
                "[\\PC]{1,12}(\\.[\\PC]{1,8}){0,3}",
                "(xn--)?[a-zA-Z0-9üß\u{301}ـ\u{200d}\u{3002}-]{1,10}(\\.[a-z]{1,4})?",
            ]
        ) {
            if let Ok(domain) = Domain::parse(&text) {
                prop_assert!(domain.as_str().is_ascii(), "{text:?}");
                prop_assert_eq!(Domain::parse(domain.as_str()), Ok(domain.clone()));
                prop_assert_eq!(MailHost::parse(&domain.to_string()), Ok(MailHost::Domain(domain)));
            }
        }
    }

    #[test]
    fn equal_names_compare_equal_whatever_their_spelling() {
        let plain = Domain::parse("XN--BCHER-KVA.example.").ok();
        assert_eq!(plain, Domain::parse("bücher.EXAMPLE").ok());
        assert_eq!(
            plain.map(|d| d.to_unicode()).as_deref(),
            Some("bücher.example")
        );
    }

    #[test]
    fn bad_names_are_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "-a.example",
            "a b.example",
            "a@b",
            "a/b",
            "\u{0}",
        ] {
            assert!(Domain::parse(text).is_err(), "{text:?}");
        }
        assert!(Domain::parse(&format!("{}.example", "a".repeat(64))).is_err());
    }

    #[test]
    fn literals_round_trip() {
        for text in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "office.example"] {
            assert_eq!(
                MailHost::parse(text).map(|h| h.to_string()),
                Ok(text.to_owned())
            );
        }
        assert!(MailHost::parse("[office.example]").is_err());
        assert!(MailHost::parse("[2001:db8::1]").is_err());
    }

    #[test]
    fn within_means_equal_or_below() {
        let parent = Domain::parse("office.example").ok();
        let below = Domain::parse("a.office.example").ok();
        let beside = Domain::parse("backoffice.example").ok();
        let parent = parent.as_ref();
        assert!(below.zip(parent).is_some_and(|(d, p)| d.is_within(p)));
        assert!(!beside.zip(parent).is_some_and(|(d, p)| d.is_within(p)));
    }
}
