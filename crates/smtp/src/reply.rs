//! A reply of ours: class, two more digits, enhanced code and text.
//!
//! Promises: the class is stored once, and the basic and the enhanced code are both built from it,
//! so they cannot disagree; what is written is printable ASCII in lines of at most 512 octets.
//! Does not: read the replies of others (see `reply_reader`).
//! Standards: RFC 5321 §4.2, §4.5.3.1.5; RFC 2034; RFC 3463.

use std::fmt;

use mail::{EnhancedStatus, StatusClass};

/// First digit of a reply code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplyClass {
    /// 2: done.
    Success,
    /// 3: go on, more is needed.
    Intermediate,
    /// 4: not now.
    Transient,
    /// 5: not so.
    Permanent,
}

impl ReplyClass {
    /// The digit 2 to 5.
    pub const fn digit(self) -> u16 {
        match self {
            Self::Success => 2,
            Self::Intermediate => 3,
            Self::Transient => 4,
            Self::Permanent => 5,
        }
    }

    /// The class of an enhanced status; 3xx replies have none (RFC 2034 §4).
    pub const fn status(self) -> Option<StatusClass> {
        match self {
            Self::Success => Some(StatusClass::Success),
            Self::Intermediate => None,
            Self::Transient => Some(StatusClass::Transient),
            Self::Permanent => Some(StatusClass::Permanent),
        }
    }
}

/// Three digits, 200 to 559.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode {
    class: ReplyClass,
    rest: u16,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $class:ident $rest:literal;)*) => {
        impl ReplyCode {
            $($(#[$doc])* pub const $name: Self = Self { class: ReplyClass::$class, rest: $rest };)*
        }
    };
}

// RFC 5321 §4.2.3, RFC 4954 §6, RFC 7504, RFC 7505.
codes! {
    /// 214: help.
    HELP = Success 14;
    /// 220: ready.
    READY = Success 20;
    /// 221: goodbye.
    CLOSING = Success 21;
    /// 235: signed in.
    SIGNED_IN = Success 35;
    /// 250: done.
    OK = Success 50;
    /// 252: not verified, delivery would be tried.
    CANNOT_VERIFY = Success 52;
    /// 334: the next step of a sign-in.
    CHALLENGE = Intermediate 34;
    /// 354: send the message.
    START_MAIL_INPUT = Intermediate 54;
    /// 421: closing, come back later.
    SERVICE_NOT_AVAILABLE = Transient 21;
    /// 450: mailbox not available now.
    MAILBOX_BUSY = Transient 50;
    /// 451: failed here, try later.
    LOCAL_ERROR = Transient 51;
    /// 452: no room now.
    INSUFFICIENT_STORAGE = Transient 52;
    /// 454: TLS or sign-in not available now.
    TEMPORARILY_UNAVAILABLE = Transient 54;
    /// 455: parameters cannot be honoured now.
    PARAMETERS_NOT_ACCOMMODATED = Transient 55;
    /// 500: no such command, or a line that is none.
    SYNTAX_ERROR = Permanent 0;
    /// 501: wrong argument.
    ARGUMENT_ERROR = Permanent 1;
    /// 502: known, not offered.
    NOT_IMPLEMENTED = Permanent 2;
    /// 503: not now in this order.
    BAD_SEQUENCE = Permanent 3;
    /// 504: known parameter with a value that is not offered.
    PARAMETER_NOT_IMPLEMENTED = Permanent 4;
    /// 530: sign in, or start TLS, first.
    SIGN_IN_REQUIRED = Permanent 30;
    /// 535: wrong name or password.
    SIGN_IN_FAILED = Permanent 35;
    /// 538: TLS first.
    ENCRYPTION_REQUIRED = Permanent 38;
    /// 550: refused.
    MAILBOX_UNAVAILABLE = Permanent 50;
    /// 551: not here.
    USER_NOT_LOCAL = Permanent 51;
    /// 552: too large.
    EXCEEDED_STORAGE = Permanent 52;
    /// 553: no such form of address here.
    MAILBOX_NAME_NOT_ALLOWED = Permanent 53;
    /// 554: refused for good.
    TRANSACTION_FAILED = Permanent 54;
    /// 555: unknown parameter.
    PARAMETERS_NOT_RECOGNIZED = Permanent 55;
    /// 556: the domain takes no mail.
    DOMAIN_TAKES_NO_MAIL = Permanent 56;
}

impl ReplyCode {
    /// The code with this number; `None` unless it is 200 to 559 with a second digit up to 5.
    pub const fn from_number(number: u16) -> Option<Self> {
        let rest = number % 100;
        let class = match number / 100 {
            2 => ReplyClass::Success,
            3 => ReplyClass::Intermediate,
            4 => ReplyClass::Transient,
            5 => ReplyClass::Permanent,
            _ => return None,
        };
        // RFC 5321 §4.2: the second digit of a reply code is 0 to 5.
        if rest < 60 {
            Some(Self { class, rest })
        } else {
            None
        }
    }

    /// The code of `class` whose last two digits are `rest`, 0 to 59; larger is read as 50.
    pub const fn new(class: ReplyClass, rest: u16) -> Self {
        let rest = if rest < 60 { rest } else { 50 };
        Self { class, rest }
    }

    /// The three digits as a number.
    pub const fn number(self) -> u16 {
        self.class.digit() * 100 + self.rest
    }

    /// The first digit.
    pub const fn class(self) -> ReplyClass {
        self.class
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.number())
    }
}

/// One reply, of one line or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: ReplyCode,
    enhanced: Option<(u16, u16)>,
    text: String,
}

// RFC 5321 §4.5.3.1.5: a reply line is at most 512 octets with code and CRLF.
const LINE_BYTES_MAX: usize = 512;

impl Reply {
    /// A reply; `enhanced` is subject and detail (0 to 999), its class is that of `code`, and a
    /// 3xx reply has none. `\n` in `text` begins another line of the same reply.
    pub fn new(code: ReplyCode, enhanced: Option<(u16, u16)>, text: impl Into<String>) -> Self {
        Self {
            code,
            enhanced: enhanced.filter(|_| code.class.status().is_some()),
            text: text.into(),
        }
    }

    /// The first digit.
    pub const fn class(&self) -> ReplyClass {
        self.code.class
    }

    /// Whether this is 2xx or 3xx.
    pub const fn is_positive(&self) -> bool {
        matches!(
            self.code.class,
            ReplyClass::Success | ReplyClass::Intermediate
        )
    }

    /// The three digits as a number.
    pub const fn code(&self) -> u16 {
        self.code.number()
    }

    /// The enhanced status, where there is one.
    pub fn enhanced(&self) -> Option<EnhancedStatus> {
        let (subject, detail) = self.enhanced?;
        let class = self.code.class.status()?;
        Some(EnhancedStatus::new(class, subject, detail))
    }

    /// The text as it was given, without codes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends the reply as it goes over the wire.
    pub fn write_to(&self, wire: &mut Vec<u8>) {
        let code = self.code.to_string();
        // RFC 2034 §4: the enhanced code stands on every line of the reply.
        let enhanced = self
            .enhanced()
            .map_or_else(String::new, |status| format!("{status} "));
        let room = LINE_BYTES_MAX - code.len() - 1 - enhanced.len() - 2;
        let mut lines = self
            .text
            .split('\n')
            .flat_map(|line| wrapped(line, room))
            .peekable();
        while let Some(line) = lines.next() {
            wire.extend_from_slice(code.as_bytes());
            wire.push(if lines.peek().is_some() { b'-' } else { b' ' });
            wire.extend_from_slice(enhanced.as_bytes());
            wire.extend_from_slice(&line);
            wire.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    /// The reply on one line, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(status) = self.enhanced() {
            write!(f, " {status}")?;
        }
        write!(f, " {}", self.text.replace(['\r', '\n'], " "))
    }
}

/// The printable ASCII of `line` in pieces of at most `room` octets; always at least one piece.
fn wrapped(line: &str, room: usize) -> Vec<Vec<u8>> {
    // RFC 5321 §4.2: reply text is HT and %d32-126; nothing else leaves, whoever wrote the text.
    let plain: Vec<u8> = line
        .chars()
        .map(|c| match c {
            '\t' | ' '..='~' => u8::try_from(c).unwrap_or(b'?'),
            c if c.is_control() => b' ',
            _ => b'?',
        })
        .collect();
    if plain.is_empty() {
        return vec![plain];
    }
    plain.chunks(room.max(1)).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut bytes = Vec::new();
        reply.write_to(&mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }

    #[test]
    fn both_codes_come_from_one_class() {
        let reply = Reply::new(ReplyCode::MAILBOX_UNAVAILABLE, Some((1, 1)), "no such user");
        assert_eq!(wire(&reply), "550 5.1.1 no such user\r\n");
        let reply = Reply::new(ReplyCode::LOCAL_ERROR, Some((3, 0)), "later\nplease");
        assert_eq!(wire(&reply), "451-4.3.0 later\r\n451 4.3.0 please\r\n");
    }

    #[test]
    fn an_intermediate_reply_has_no_enhanced_code() {
        let reply = Reply::new(ReplyCode::START_MAIL_INPUT, Some((0, 0)), "go on");
        assert_eq!(wire(&reply), "354 go on\r\n");
    }

    #[test]
    fn nothing_unprintable_leaves_and_long_lines_are_wrapped() {
        let reply = Reply::new(ReplyCode::OK, None, "a\rb\u{0}c\u{e9}");
        assert_eq!(wire(&reply), "250 a b c?\r\n");
        let reply = Reply::new(ReplyCode::OK, Some((0, 0)), "x".repeat(1200));
        let text = wire(&reply);
        assert_eq!(text.split_terminator("\r\n").count(), 3);
        assert!(text.split_inclusive("\r\n").all(|line| line.len() <= 512));
    }

    #[test]
    fn an_empty_text_is_still_a_line() {
        assert_eq!(wire(&Reply::new(ReplyCode::OK, None, "")), "250 \r\n");
    }

    #[test]
    fn numbers_round_trip_and_others_are_none() {
        for number in [211, 250, 354, 421, 556] {
            assert_eq!(
                ReplyCode::from_number(number).map(ReplyCode::number),
                Some(number)
            );
        }
        for number in [0, 99, 199, 260, 600, 999] {
            assert_eq!(ReplyCode::from_number(number), None);
        }
    }
}
