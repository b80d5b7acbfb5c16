//! A command line taken apart into its verb and the rest.
//!
//! Promises: any octets give a command or a typed error; a line with a bare CR, a bare LF, a NUL
//! or broken UTF-8 is no command at all.
//! Does not: look into arguments (see `arguments`) or know which order commands come in.
//! Standards: RFC 5321 §2.4, §4.1.1, §4.5.3.1.4; RFC 1870, 3030, 3207, 3461, 4954, 6152, 6531.

/// What the client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Extended hello.
    Ehlo,
    /// Hello.
    Helo,
    /// Begins a transaction.
    Mail,
    /// Names a recipient.
    Rcpt,
    /// The message follows, ended by a dot.
    Data,
    /// So many octets of the message follow.
    Bdat,
    /// Forget the transaction.
    Rset,
    /// Nothing.
    Noop,
    /// Is there such a user?
    Vrfy,
    /// Who is on the list?
    Expn,
    /// What can be said?
    Help,
    /// Goodbye.
    Quit,
    /// TLS from here on.
    StartTls,
    /// Signs in.
    Auth,
    /// A word of HTTP: a browser was led here.
    Http,
    /// Anything else.
    Unknown,
}

const VERBS: [(&str, Verb); 22] = [
    ("EHLO", Verb::Ehlo),
    ("HELO", Verb::Helo),
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Rcpt),
    ("DATA", Verb::Data),
    ("BDAT", Verb::Bdat),
    ("RSET", Verb::Rset),
    ("NOOP", Verb::Noop),
    ("VRFY", Verb::Vrfy),
    ("EXPN", Verb::Expn),
    ("HELP", Verb::Help),
    ("QUIT", Verb::Quit),
    ("STARTTLS", Verb::StartTls),
    ("AUTH", Verb::Auth),
    ("GET", Verb::Http),
    ("HEAD", Verb::Http),
    ("POST", Verb::Http),
    ("PUT", Verb::Http),
    ("PATCH", Verb::Http),
    ("DELETE", Verb::Http),
    ("OPTIONS", Verb::Http),
    ("CONNECT", Verb::Http),
];

impl Verb {
    /// The verb that `word` spells, in any case.
    // RFC 5321 §2.4: verbs are not case-sensitive.
    pub fn parse(word: &str) -> Self {
        VERBS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map_or(Self::Unknown, |(_, verb)| *verb)
    }

    /// Longest command line with this verb, in octets with CRLF.
    pub const fn line_bytes_max(self) -> usize {
        match self {
            // RFC 1870 §3: 26 more for SIZE. RFC 6152 §2: 17 for BODY. RFC 6531 §3.1: 10 for
            // SMTPUTF8. RFC 3461 §4: 500 for RET and ENVID. RFC 4954 §3: 500 for AUTH.
            Self::Mail => 512 + 26 + 17 + 10 + 500 + 500,
            // RFC 3461 §4: 500 more for NOTIFY and ORCPT.
            Self::Rcpt => 512 + 500,
            // RFC 4954 §4: lines of an authentication exchange have up to 12288 octets.
            Self::Auth => LINE_BYTES_MAX,
            Self::Ehlo
            | Self::Helo
            | Self::Data
            | Self::Bdat
            | Self::Rset
            | Self::Noop
            | Self::Vrfy
            | Self::Expn
            | Self::Help
            | Self::Quit
            | Self::StartTls
            | Self::Http
            | Self::Unknown => 512,
        }
    }
}

/// Longest line that any command or exchange may have, in octets with CRLF.
pub const LINE_BYTES_MAX: usize = 12_288;

/// A verb and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// What is wanted.
    pub verb: Verb,
    /// The rest of the line without spaces around it.
    pub argument: &'a str,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandSyntax {
    /// The line is longer than its verb allows.
    #[error("the line is too long")]
    TooLong,
    /// A bare CR, a bare LF, a NUL, or octets that are not UTF-8.
    #[error("the line has characters that no command may have")]
    Octets,
}

/// The text of a line without its CRLF.
///
/// # Errors
/// `CommandSyntax::Octets` when it is not text on one line.
pub fn line_text(line: &[u8]) -> Result<&str, CommandSyntax> {
    // RFC 5321 §2.3.8: CR and LF stand only together, as a line end.
    if memchr::memchr3(b'\r', b'\n', 0, line).is_some() {
        return Err(CommandSyntax::Octets);
    }
    std::str::from_utf8(line).map_err(|_| CommandSyntax::Octets)
}

impl<'a> Command<'a> {
    /// Reads a line without its CRLF.
    ///
    /// # Errors
    /// `CommandSyntax` when the line is too long for its verb or is not text.
    pub fn parse(line: &'a [u8]) -> Result<Self, CommandSyntax> {
        let text = line_text(line)?;
        let (word, argument) = text.split_once(' ').unwrap_or((text, ""));
        let verb = Verb::parse(word.trim_end());
        // RFC 5321 §4.5.3.1.4: a command line is at most 512 octets with CRLF, and what
        // extensions add.
        if line.len() + 2 > verb.line_bytes_max() {
            return Err(CommandSyntax::TooLong);
        }
        // RFC 5321 §4.1.1: tolerate white space before the CRLF.
        let argument = argument.trim_matches([' ', '\t']);
        Ok(Self { verb, argument })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_read_in_any_case() {
        let command = Command::parse(b"mAiL FROM:<>  ");
        assert_eq!(
            command,
            Ok(Command {
                verb: Verb::Mail,
                argument: "FROM:<>"
            })
        );
    }

    #[test]
    fn a_line_with_controls_of_lines_is_no_command() {
        for line in [&b"NOOP\nNOOP"[..], b"NOOP\r", b"NO\0OP", b"VRFY \xff"] {
            assert_eq!(Command::parse(line), Err(CommandSyntax::Octets));
        }
    }

    #[test]
    fn the_length_limit_is_that_of_the_verb() {
        let padded = |verb: &str, octets: usize| {
            let mut line = format!("{verb} ").into_bytes();
            line.resize(octets - 2, b'x');
            line
        };
        assert!(Command::parse(&padded("NOOP", 512)).is_ok());
        assert_eq!(
            Command::parse(&padded("NOOP", 513)),
            Err(CommandSyntax::TooLong)
        );
        assert!(Command::parse(&padded("MAIL", 1565)).is_ok());
        assert!(Command::parse(&padded("MAIL", 1566)).is_err());
        assert!(Command::parse(&padded("AUTH", 12_288)).is_ok());
    }
}
