//! Mailbox addresses and the two paths of an envelope.
//!
//! Promises: a local-part keeps its octets, quotes only where the grammar needs them, and
//! compares by content; lengths are those of the standard.
//! Does not: read header fields (see `header`), or ask whether anybody lives there.
//! Standards: RFC 5321 §4.1.2, §4.5.3.1; RFC 6531 §3.3.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Domain, DomainSyntax, MailHost};

/// RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its brackets.
const PATH_BYTES_MAX: usize = 256;

/// The part before the `@`, unquoted, 1 to 64 octets of UTF-8 without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPart(String);

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressSyntax {
    /// There is no `@`, or nothing before it.
    #[error("an address has the form name@domain")]
    Form,
    /// The part before the `@` breaks the grammar.
    #[error("the part before the @ has a character that must be quoted")]
    LocalPart,
    /// The part before the `@` is longer than 64 octets.
    #[error("the part before the @ has at most 64 octets")]
    LocalPartTooLong,
    /// The whole is longer than 254 octets, the longest that fits a path of 256.
    #[error("an address has at most 254 octets")]
    TooLong,
    /// The part after the `@` is no domain and no address literal.
    #[error(transparent)]
    Domain(#[from] DomainSyntax),
}

impl LocalPart {
    /// Parses a dot-string or a quoted string.
    ///
    /// # Errors
    /// `AddressSyntax` when it breaks the grammar or is too long.
    pub fn parse(text: &str) -> Result<Self, AddressSyntax> {
        let content = match text.strip_prefix('"') {
            Some(rest) => unquote(rest.strip_suffix('"').ok_or(AddressSyntax::LocalPart)?)?,
            None if is_dot_string(text) => text.to_owned(),
            None => return Err(AddressSyntax::LocalPart),
        };
        // RFC 5321 §4.5.3.1.1: local-part is at most 64 octets.
        if text.len() > 64 {
            return Err(AddressSyntax::LocalPartTooLong);
        }
        if content.is_empty() {
            Err(AddressSyntax::LocalPart)
        } else {
            Ok(Self(content))
        }
    }

    /// The content without quotes, in the case it was written in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that our own address list compares by: lower case.
    // RFC 5321 §2.4: a receiver may treat its own local-parts as case-insensitive.
    pub fn folded(&self) -> String {
        fold_local(&self.0).collect()
    }

    /// Whether writing it needs SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

/// The letters of a local-part as our own address list compares them.
///
/// Letter by letter, so that a name reads the same whatever stands before or behind it: the Greek
/// final sigma is a sigma.
pub fn fold_local(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
}

fn is_atext(c: char) -> bool {
    // RFC 6531 §3.3 widens atext by every character beyond ASCII.
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control())
}

fn is_dot_string(text: &str) -> bool {
    !text.is_empty()
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn unquote(inner: &str) -> Result<String, AddressSyntax> {
    let mut content = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        // RFC 5321 §4.1.2: quoted-pairSMTP is a backslash and a printable character.
        let c = match c {
            '\\' => chars.next().ok_or(AddressSyntax::LocalPart)?,
            '"' => return Err(AddressSyntax::LocalPart),
            other => other,
        };
        if c.is_control() {
            return Err(AddressSyntax::LocalPart);
        }
        content.push(c);
    }
    Ok(content)
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 5321 §4.1.2: use the dot-string form wherever it is possible.
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// `local-part@domain`; what RFC 5321 calls a Mailbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The part before the `@`.
    pub local: LocalPart,
    /// The part after the `@`.
    pub host: MailHost,
}

impl Address {
    /// Parses `local-part@domain` without angle brackets.
    ///
    /// # Errors
    /// `AddressSyntax` says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressSyntax> {
        // RFC 5321 §4.5.3.1.3: a path is at most 256 octets, two of which are brackets.
        if text.len() > PATH_BYTES_MAX - 2 {
            return Err(AddressSyntax::TooLong);
        }
        let (local, host) = text.rsplit_once('@').ok_or(AddressSyntax::Form)?;
        if local.is_empty() {
            return Err(AddressSyntax::Form);
        }
        let address = Self {
            local: LocalPart::parse(local)?,
            host: MailHost::parse(host)?,
        };
        // A-labels are longer than the U-labels they were written as: what is kept, and sent on,
        // must fit too, or it could not be read back.
        if address.to_string().len() > PATH_BYTES_MAX - 2 {
            return Err(AddressSyntax::TooLong);
        }
        Ok(address)
    }

    /// `local@domain` put together from its parts.
    pub const fn new(local: LocalPart, host: MailHost) -> Self {
        Self { local, host }
    }

    /// The domain, unless the address has an address literal.
    pub fn domain(&self) -> Option<&Domain> {
        self.host.domain()
    }

    /// Whether writing it needs SMTPUTF8; domains never do, they are kept as A-labels.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    /// The form in which two spellings of one of our own addresses are equal.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self {
            local: LocalPart(self.local.folded()),
            host: self.host.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.host)
    }
}

impl FromStr for Address {
    type Err = AddressSyntax;

    fn from_str(text: &str) -> Result<Self, AddressSyntax> {
        Self::parse(text)
    }
}

/// Where reports about a message go: nowhere, or to an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReversePath {
    /// `<>`: reports about this message are not wanted (RFC 5321 §4.5.5).
    Null,
    /// `<address>`.
    Address(Address),
}

impl ReversePath {
    /// The address, unless the path is null.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }

    /// Whether this is `<>`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl fmt::Display for ReversePath {
    /// Without angle brackets; the null path prints as nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl FromStr for ReversePath {
    type Err = AddressSyntax;

    /// Reads an address with or without angle brackets; empty or `<>` is the null path.
    fn from_str(text: &str) -> Result<Self, AddressSyntax> {
        let bare = text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(text);
        if bare.is_empty() {
            Ok(Self::Null)
        } else {
            Address::parse(bare).map(Self::Address)
        }
    }
}

/// A recipient as RCPT names it: an address, or the bare `<Postmaster>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain (RFC 5321 §4.1.1.3).
    Postmaster,
    /// `<address>`.
    Address(Address),
}

impl ForwardPath {
    /// The address, unless it is the bare postmaster.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Postmaster => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("postmaster"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl FromStr for ForwardPath {
    type Err = AddressSyntax;

    fn from_str(text: &str) -> Result<Self, AddressSyntax> {
        if text.eq_ignore_ascii_case("postmaster") {
            return Ok(Self::Postmaster);
        }
        Address::parse(text).map(Self::Address)
    }
}

macro_rules! text_serde {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

impl FromStr for LocalPart {
    type Err = AddressSyntax;

    fn from_str(text: &str) -> Result<Self, AddressSyntax> {
        Self::parse(text)
    }
}

text_serde!(LocalPart, Address, ReversePath, ForwardPath);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_read_is_written_so_that_it_reads_back(
            local in prop_oneof!["[\\PC]{1,20}", "\"([\\PC]|\\\\[\\PC]){0,20}\"", "[a-z.]{1,70}"],
            host in prop_oneof![
                "([a-zü-]{1,9}\\.){0,40}test", "\\[[0-9.]{7,15}\\]", "\\[IPv6:[0-9a-f:.]{2,20}\\]",
            ],
        ) {
            if let Ok(address) = Address::parse(&format!("{local}@{host}")) {
                let written = address.to_string();
                prop_assert!(written.len() <= 254, "{written}");
                prop_assert_eq!(Address::parse(&written), Ok(address.clone()));
                prop_assert_eq!(written.parse(), Ok(ReversePath::Address(address.clone())));
                prop_assert_eq!(written.parse(), Ok(ForwardPath::Address(address)));
            }
        }
    }

    #[test]
    fn addresses_round_trip() {
        for text in [
            "bob@office.test",
            "\"b o b\"@office.test",
            "bob@[192.0.2.1]",
            "ж@xn--p1ai.test",
        ] {
            assert_eq!(
                Address::parse(text).map(|a| a.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn needless_quotes_are_dropped_and_content_compares_equal() {
        let quoted = Address::parse("\"b\\ob\"@office.test");
        assert_eq!(quoted, Address::parse("bob@OFFICE.test"));
    }

    #[test]
    fn bad_addresses_are_refused() {
        for text in [
            "",
            "bob",
            "@office.test",
            "a b@office.test",
            "a..b@office.test",
            "\"a@b.test",
            "bob@",
            "a\"b@c.test",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert!(Address::parse(&format!("{}@office.test", "a".repeat(65))).is_err());
    }

    #[test]
    fn an_address_that_only_fits_in_u_labels_is_too_long() {
        let text = format!("{}@{}test", "a".repeat(64), "ü.".repeat(30));
        assert!(text.len() < 254);
        assert_eq!(Address::parse(&text), Err(AddressSyntax::TooLong));
        // What is taken reads back.
        let text = format!("{}@{}test", "a".repeat(10), "ü.".repeat(29));
        let address = Address::parse(&text).unwrap();
        assert_eq!(Address::parse(&address.to_string()), Ok(address));
    }

    #[test]
    fn a_name_folds_the_same_in_upper_and_lower_case() {
        let folded = |text: &str| LocalPart::parse(text).map(|local| local.folded());
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
        assert_ne!(folded("jose"), folded("josé"));
        assert_eq!(folded("Bob.B"), Ok("bob.b".to_owned()));
    }

    #[test]
    fn the_null_path_prints_as_nothing_and_reads_back() {
        assert_eq!("<>".parse(), Ok(ReversePath::Null));
        assert_eq!(ReversePath::Null.to_string(), "");
    }
}
