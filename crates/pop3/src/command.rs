//! The grammar of POP3 commands.
//!
//! Promises: total; every line is a command or a typed error.
//! Does not: know states; which command is allowed when is said where the state is.
//! Standards: RFC 1939 §3, §5 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2.

use crate::maildrop::MessageNumber;

/// One command with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    User(&'a [u8]),
    Pass(&'a [u8]),
    /// Without a mechanism it asks for the list, as older programs do.
    Auth {
        mechanism: Option<&'a [u8]>,
        initial: Option<&'a [u8]>,
    },
    Stls,
    Utf8,
    Capa,
    Quit,
    Stat,
    List(Option<MessageNumber>),
    Uidl(Option<MessageNumber>),
    Retr(MessageNumber),
    Top {
        message: MessageNumber,
        lines: u64,
    },
    Dele(MessageNumber),
    Noop,
    Rset,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("line too long")]
    TooLong,
    #[error("a bare CR, a bare LF or NUL is not allowed in a command")]
    BareControl,
    #[error("unknown command")]
    Unknown,
    #[error("this command takes no argument")]
    NoArgument,
    #[error("the argument must be a message number")]
    MessageNumber,
    #[error("syntax: TOP message lines")]
    Top,
    #[error("syntax: USER name")]
    User,
    #[error("syntax: PASS password")]
    Pass,
    #[error("syntax: AUTH mechanism [initial-response]")]
    Auth,
}

impl<'a> Command<'a> {
    /// Reads one line without its CRLF.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, CommandError> {
        let split = memchr::memchr(b' ', line).and_then(|at| line.split_at_checked(at));
        let (keyword, rest) = split.unwrap_or((line, &[]));
        let rest = rest.get(1..).unwrap_or_default();
        // RFC 1939 §3: keywords are three or four characters long and case-insensitive.
        let mut upper = [0_u8; 4];
        let Some(upper) = upper.get_mut(..keyword.len()) else {
            return Err(CommandError::Unknown);
        };
        upper.copy_from_slice(keyword);
        upper.make_ascii_uppercase();
        Self::with_arguments(upper, rest)
    }

    fn with_arguments(keyword: &[u8], rest: &'a [u8]) -> Result<Self, CommandError> {
        match keyword {
            b"USER" if rest.is_empty() => Err(CommandError::User),
            b"USER" => Ok(Self::User(rest)),
            b"PASS" if rest.is_empty() => Err(CommandError::Pass),
            // RFC 1939 §7: spaces in the argument are part of the password.
            b"PASS" => Ok(Self::Pass(rest)),
            b"AUTH" => Self::auth(rest),
            b"STLS" => without_argument(rest, Self::Stls),
            b"UTF8" => without_argument(rest, Self::Utf8),
            b"CAPA" => without_argument(rest, Self::Capa),
            b"QUIT" => without_argument(rest, Self::Quit),
            b"STAT" => without_argument(rest, Self::Stat),
            b"NOOP" => without_argument(rest, Self::Noop),
            b"RSET" => without_argument(rest, Self::Rset),
            b"LIST" => Ok(Self::List(optional_message(rest)?)),
            b"UIDL" => Ok(Self::Uidl(optional_message(rest)?)),
            b"RETR" => Ok(Self::Retr(one_message(rest)?)),
            b"DELE" => Ok(Self::Dele(one_message(rest)?)),
            b"TOP" => Self::top(rest),
            _ => Err(CommandError::Unknown),
        }
    }

    fn auth(rest: &'a [u8]) -> Result<Self, CommandError> {
        let mut words = words(rest);
        let (mechanism, initial) = (words.next(), words.next());
        if words.next().is_some() {
            return Err(CommandError::Auth);
        }
        Ok(Self::Auth { mechanism, initial })
    }

    fn top(rest: &'a [u8]) -> Result<Self, CommandError> {
        let mut words = words(rest);
        let (Some(message), Some(lines), None) = (words.next(), words.next(), words.next()) else {
            return Err(CommandError::Top);
        };
        Ok(Self::Top {
            message: message_number(message)?,
            lines: number(lines).ok_or(CommandError::Top)?,
        })
    }
}

/// Arguments, where more than one space between them does no harm.
fn words(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    rest.split(|&octet| octet == b' ')
        .filter(|word| !word.is_empty())
}

fn without_argument<'a>(rest: &[u8], command: Command<'a>) -> Result<Command<'a>, CommandError> {
    match words(rest).next() {
        None => Ok(command),
        Some(_) => Err(CommandError::NoArgument),
    }
}

fn optional_message(rest: &[u8]) -> Result<Option<MessageNumber>, CommandError> {
    let mut words = words(rest);
    match (words.next(), words.next()) {
        (None, _) => Ok(None),
        (Some(word), None) => message_number(word).map(Some),
        (Some(_), Some(_)) => Err(CommandError::MessageNumber),
    }
}

fn one_message(rest: &[u8]) -> Result<MessageNumber, CommandError> {
    optional_message(rest)?.ok_or(CommandError::MessageNumber)
}

fn message_number(word: &[u8]) -> Result<MessageNumber, CommandError> {
    let number = number(word).ok_or(CommandError::MessageNumber)?;
    Ok(MessageNumber(u32::try_from(number).unwrap_or(u32::MAX)))
}

/// A decimal number; one that is too large is the largest, which no maildrop reaches.
fn number(word: &[u8]) -> Option<u64> {
    word.iter().try_fold(0_u64, |number, octet| {
        octet.is_ascii_digit().then(|| {
            number
                .saturating_mul(10)
                .saturating_add(u64::from(octet - b'0'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_case_insensitive_and_extra_spaces_do_no_harm() {
        assert_eq!(Command::parse(b"sTaT"), Ok(Command::Stat));
        assert_eq!(Command::parse(b"NOOP "), Ok(Command::Noop));
        assert_eq!(
            Command::parse(b"top  1  0 "),
            Ok(Command::Top {
                message: MessageNumber(1),
                lines: 0
            })
        );
    }

    #[test]
    fn spaces_belong_to_the_password() {
        assert_eq!(
            Command::parse(b"PASS  open sesame "),
            Ok(Command::Pass(b" open sesame "))
        );
    }

    #[test]
    fn numbers_too_large_name_no_message_and_never_wrap() {
        assert_eq!(
            Command::parse(b"RETR 4294967297"),
            Ok(Command::Retr(MessageNumber(u32::MAX)))
        );
        assert_eq!(
            Command::parse(b"TOP 1 99999999999999999999999"),
            Ok(Command::Top {
                message: MessageNumber(1),
                lines: u64::MAX
            })
        );
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        for (line, error) in [
            (&b""[..], CommandError::Unknown),
            (b" STAT", CommandError::Unknown),
            (b"STATS", CommandError::Unknown),
            (b"LAST", CommandError::Unknown),
            (b"STAT 1", CommandError::NoArgument),
            (b"RETR", CommandError::MessageNumber),
            (b"RETR -1", CommandError::MessageNumber),
            (b"RETR 1 2", CommandError::MessageNumber),
            (b"LIST x", CommandError::MessageNumber),
            (b"TOP 1", CommandError::Top),
            (b"TOP 1 -1", CommandError::Top),
            (b"USER ", CommandError::User),
            (b"PASS", CommandError::Pass),
            (b"AUTH PLAIN a b", CommandError::Auth),
        ] {
            assert_eq!(Command::parse(line), Err(error), "{}", line.escape_ascii());
        }
    }
}
