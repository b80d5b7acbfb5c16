//! What a server announced in its reply to EHLO.
//!
//! Promises: unknown keywords and broken parameters are passed over.
//! Standards: RFC 5321 §4.1.1.1, RFC 1870, RFC 2920, RFC 3207, RFC 3461, RFC 4954, RFC 6152,
//! RFC 6531, RFC 9422.

use crate::PeerReply;

/// The extensions that a session uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one keyword of the reply, independent of the others"
)]
pub struct Extensions {
    /// PIPELINING.
    pub pipelining: bool,
    /// SIZE; the limit in octets, 0 for none named.
    pub size: Option<u64>,
    /// 8BITMIME.
    pub eight_bit_mime: bool,
    /// SMTPUTF8.
    pub smtputf8: bool,
    /// DSN.
    pub dsn: bool,
    /// STARTTLS.
    pub starttls: bool,
    /// AUTH PLAIN.
    pub auth_plain: bool,
    /// AUTH LOGIN.
    pub auth_login: bool,
    /// LIMITS RCPTMAX, in recipients.
    pub recipients_max: Option<usize>,
}

impl Extensions {
    /// Reads the lines of a reply to EHLO; the first is the server's name.
    pub fn read(reply: &PeerReply) -> Self {
        let mut extensions = Self::default();
        for line in reply.lines.iter().skip(1) {
            extensions.keyword(line);
        }
        extensions
    }

    fn keyword(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace().map(str::to_ascii_uppercase);
        let Some(keyword) = words.next() else { return };
        match keyword.as_str() {
            "PIPELINING" => self.pipelining = true,
            "SIZE" => self.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0)),
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "DSN" => self.dsn = true,
            "STARTTLS" => self.starttls = true,
            "AUTH" => words.for_each(|word| self.mechanism(&word)),
            "LIMITS" => words.for_each(|word| self.limit(&word)),
            other => {
                // Servers older than RFC 4954 wrote the first mechanism behind an equals sign.
                if let Some(mechanism) = other.strip_prefix("AUTH=") {
                    self.mechanism(mechanism);
                    words.for_each(|word| self.mechanism(&word));
                }
            }
        }
    }

    fn mechanism(&mut self, name: &str) {
        match name {
            "PLAIN" => self.auth_plain = true,
            "LOGIN" => self.auth_login = true,
            _ => {}
        }
    }

    fn limit(&mut self, word: &str) {
        // RFC 9422 §4.2: RCPTMAX, recipients in one transaction.
        if let Some(number) = word.strip_prefix("RCPTMAX=") {
            self.recipients_max = number.parse().ok().filter(|max| *max > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Extensions {
        Extensions::read(&PeerReply {
            code: 250,
            enhanced: None,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    #[test]
    fn keywords_are_read_in_any_case() {
        let read = read(&[
            "mx.hotmail.test PIPELINING",
            "size 35882577",
            "8bitmime",
            "Auth Login PLAIN XOAUTH2",
            "LIMITS MAILMAX=7 RCPTMAX=50",
        ]);
        assert!(!read.pipelining, "the first line is a name");
        assert_eq!(read.size, Some(35_882_577));
        assert!(read.eight_bit_mime && read.auth_plain && read.auth_login);
        assert_eq!(read.recipients_max, Some(50));
    }

    #[test]
    fn broken_parameters_are_passed_over() {
        let read = read(&["x", "SIZE many", "LIMITS RCPTMAX=0", "AUTH=LOGIN", "", "  "]);
        assert_eq!(read.size, Some(0));
        assert_eq!(read.recipients_max, None);
        assert!(read.auth_login && !read.auth_plain);
    }
}
