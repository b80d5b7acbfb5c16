//! A shell with a few messages to send, for servers that are invented.
//!
//! The fuzz target `smtp_client` drives a session through [`drive`]. Every promise that can be
//! checked from outside is checked here: whole command lines, one fate for each recipient, a
//! taken message went out whole, nothing in clear text where TLS is required, no word after the
//! end.

use std::time::Duration;

use mail::{ForwardPath, MailParameters, Recipient, ReversePath, Timestamp};
use smtp::client::{
    Answer, Credentials, Facts, Fate, Limits, Notice, Output, Question, Session, TlsUse,
    Transaction,
};

/// What the messages say; with lines that need a second dot.
const CONTENT: &[u8] = b"Subject: x\r\n\r\n.\r\n..two\r\nend without a line end";

/// How often a session is asked to send.
const MESSAGES_MAX: usize = 3;

/// A session and what came out of it.
struct Shell {
    session: Session,
    facts: Facts,
    now: Timestamp,
    /// The choices that the input makes.
    choices: u8,
    /// Recipients of the transaction under way; none is under way where there are none.
    under_way: usize,
    begun: usize,
    /// The content as it went out, and how much of it was handed over.
    wire: Vec<u8>,
    handed_over: usize,
    tls_active: bool,
    closed: bool,
}

/// Drives a session by fuzz input: two octets choose facts and messages, and then each length octet
/// is followed by so many octets from the server; 250 and more are events.
pub(crate) fn drive(data: &[u8]) {
    let (head, mut rest) = data.split_at_checked(2).unwrap_or((data, &[]));
    let choice = |at: usize| head.get(at).copied().unwrap_or(0);
    let mut shell = Shell::new(choice(0), choice(1));
    shell.settle();
    while let Some((length, more)) = rest.split_first() {
        rest = more;
        match *length {
            255 => shell.session.notify(shell.now, Notice::Draining),
            254 => shell.session.notify(shell.now, Notice::Ended),
            253 => shell.session.notify(shell.now, Notice::PeerClosed),
            252 => shell.pass(Duration::from_mins(3)),
            251 => shell.pass(Duration::from_mins(30)),
            250 => shell.session.answer(shell.now, Answer::Quit),
            length => {
                let length = usize::from(length).min(rest.len());
                let (input, more) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                rest = more;
                shell.session.handle_input(shell.now, input);
            }
        }
        shell.settle();
    }
    shell.session.notify(shell.now, Notice::PeerClosed);
    shell.settle();
    assert!(shell.closed, "a session whose server is gone ends");
    assert_eq!(shell.under_way, 0, "a fate is missing");
    assert_eq!(shell.session.poll_timeout(), None);
}

impl Shell {
    fn new(choice: u8, choices: u8) -> Self {
        let facts = Facts {
            host_name: "mail.office.test".to_owned(),
            tls: match choice & 3 {
                0 => TlsUse::Never,
                1 => TlsUse::Required,
                _ => TlsUse::IfOffered,
            },
            credentials: (choice & 4 != 0).then(|| Credentials {
                name: "office".to_owned(),
                password: "a secret".to_owned(),
            }),
        };
        let limits = Limits {
            block_bytes: 1 + usize::from(choice >> 3),
            group_recipients_max: 2,
            ..Limits::default()
        };
        let now = Timestamp::from_millis(0);
        Self {
            session: Session::new(facts.clone(), limits, now),
            facts,
            now,
            choices,
            under_way: 0,
            begun: 0,
            wire: Vec::new(),
            handed_over: 0,
            tls_active: false,
            closed: false,
        }
    }

    /// Lets time go by.
    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.session.handle_timeout(self.now);
    }

    /// Does what the session asks for until it waits for its server.
    fn settle(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "{output:?} after the end");
            match output {
                Output::Command(lines) => self.check_lines(&lines),
                Output::BodyChunk(octets) => {
                    assert!(!octets.is_empty() && self.under_way > 0);
                    self.wire.extend_from_slice(&octets);
                }
                Output::Ask(question) => {
                    assert_eq!(self.session.is_idle(), question == Question::Transaction);
                    let answer = self.answer(question);
                    self.session.answer(self.now, answer);
                }
                Output::StartTls => {
                    assert!(!self.tls_active && self.facts.tls != TlsUse::Never);
                    self.tls_active = true;
                    self.session.tls_started(self.now);
                }
                Output::Finished(fates) => self.finished(&fates),
                Output::Failed(_) => assert_eq!(self.under_way, 0, "a fate is missing"),
                Output::Close => self.closed = true,
            }
        }
    }

    fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Transaction if self.begun == MESSAGES_MAX => Answer::Quit,
            Question::Transaction => {
                assert_eq!(self.under_way, 0, "a fate is missing");
                let transaction = self.transaction();
                self.under_way = transaction.recipients.len();
                self.begun += 1;
                self.wire.clear();
                self.handed_over = 0;
                Answer::Transaction(transaction)
            }
            Question::Body { .. } if self.choices & 64 != 0 && self.handed_over > 9 => {
                Answer::NoBody
            }
            Question::Body { bytes_max } => {
                let rest = CONTENT.get(self.handed_over..).unwrap_or_default();
                let octets = rest.get(..bytes_max).unwrap_or(rest).to_vec();
                self.handed_over += octets.len();
                Answer::Body {
                    octets,
                    last: self.handed_over == CONTENT.len(),
                }
            }
        }
    }

    /// A message for one to four recipients, some of whom not every server can serve.
    fn transaction(&self) -> Transaction {
        let number = 1 + usize::from(self.choices & 3);
        let names = [
            "fred@hotmail.test",
            "a@[192.0.2.1]",
            "жук@hotmail.test",
            "postmaster",
        ];
        let paths = names.iter().cycle().skip(self.begun).take(number);
        let recipients: Vec<Recipient> = paths
            .filter_map(|name| name.parse::<ForwardPath>().ok())
            .map(Recipient::plain)
            .collect();
        assert_eq!(recipients.len(), number);
        Transaction {
            mail: MailParameters::plain(ReversePath::Null),
            recipients,
            size_bytes: u64::try_from(CONTENT.len()).unwrap_or(u64::MAX),
            eight_bit: self.choices & 16 != 0,
            utf8_header: self.choices & 32 != 0,
        }
    }

    fn finished(&mut self, fates: &[Fate]) {
        assert!(self.under_way > 0, "fates of nothing");
        assert_eq!(fates.len(), self.under_way);
        self.under_way = 0;
        for fate in fates {
            if let Fate::Taken { reply } = fate {
                assert!(reply.is_success());
                assert_eq!(self.handed_over, CONTENT.len(), "taken before its end");
                assert_eq!(content_of(&self.wire), CONTENT, "taken, but not as it is");
            }
        }
    }

    /// Whole lines, without a word that belongs behind TLS.
    fn check_lines(&self, lines: &[u8]) {
        assert!(lines.ends_with(b"\r\n"), "half a line");
        let text = String::from_utf8_lossy(lines);
        for line in text.trim_end_matches("\r\n").split("\r\n") {
            assert!(
                !line.is_empty() && !line.contains(char::is_control),
                "{line:?}"
            );
            // RFC 5321 §4.5.3.1.4: 512 octets, and what the extensions add.
            assert!(line.len() <= 1000, "{} octets", line.len());
            let early = ["MAIL", "RCPT", "DATA", "AUTH"];
            let is_early = early.iter().any(|verb| line.starts_with(verb));
            let covered = self.tls_active || self.facts.tls != TlsUse::Required;
            assert!(covered || !is_early, "{line:?} in clear text");
        }
    }
}

/// What a server reads: without the second dots and the final one.
fn content_of(wire: &[u8]) -> Vec<u8> {
    let Some(lines) = wire.strip_suffix(b".\r\n") else {
        return Vec::new();
    };
    let mut content = Vec::new();
    for line in lines.split_inclusive(|octet| *octet == b'\n') {
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    // RFC 5321 §4.1.1.4: a line end is added where the content had none.
    content
        .strip_suffix(b"\r\n")
        .map(<[u8]>::to_vec)
        .unwrap_or_default()
}
