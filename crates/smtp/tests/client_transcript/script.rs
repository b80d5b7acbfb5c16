//! The text of a transcript as exchanges: what happens, which lines and questions come of it.

use std::time::Duration;

use mail::{BodyType, ForwardPath, MailParameters, Notify, Recipient, Ret};
use smtp::client::{Answer, Credentials, Facts, Limits, TlsUse, Transaction};

/// One transcript file.
pub(crate) struct Script {
    pub(crate) facts: Facts,
    pub(crate) limits: Limits,
    pub(crate) exchanges: Vec<Exchange>,
    /// Lines before the first exchange, kept for rewriting.
    head: Vec<String>,
}

/// What happens, then what comes of it.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) event: Event,
    /// Answers to the questions, in order.
    pub(crate) answers: Vec<String>,
    expected: Vec<String>,
    /// The lines of what happens.
    lines: Vec<String>,
}

#[derive(Default, PartialEq)]
pub(crate) enum Event {
    #[default]
    Nothing,
    Input(Vec<u8>),
    Clock(Duration),
    Tls,
    Closed,
    Draining,
    Ended,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self {
            facts: Facts {
                host_name: "mail.office.test".to_owned(),
                tls: TlsUse::Never,
                credentials: None,
            },
            limits: Limits::default(),
            exchanges: vec![Exchange::default()],
            head: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            script
                .line(index, line)
                .map_err(|error| format!("line {}: {error}", index + 1))?;
        }
        Ok(script)
    }

    fn line(&mut self, index: usize, line: &str) -> Result<(), String> {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_head = self.exchanges.len() == 1 && self.last().expected.is_empty();
        match mark {
            _ if index == 0 => self.head.push(line.to_owned()),
            "facts" => self.facts(rest)?,
            "limits" => self.limits(rest)?,
            "" | "#" if is_head => {}
            "" | "#" => return Err("remarks stand before the first exchange".to_owned()),
            "S:" | "S-" | "S+" => {
                let mut octets = unescaped(rest)?;
                if mark != "S-" {
                    octets.extend(b"\r\n");
                }
                self.input(&octets, mark == "S+");
                self.last().lines.push(line.to_owned());
                return Ok(());
            }
            "@" => {
                let seconds = rest.strip_prefix('+').and_then(|r| r.strip_suffix('s'));
                let seconds = seconds.and_then(|s| s.parse().ok()).ok_or("@ +300s")?;
                self.begin(Event::Clock(Duration::from_secs(seconds)), line);
            }
            "!" => {
                let event = match rest {
                    "tls" => Event::Tls,
                    "closed" => Event::Closed,
                    "draining" => Event::Draining,
                    "ended" => Event::Ended,
                    _ => return Err(format!("unknown event {rest}")),
                };
                self.begin(event, line);
            }
            "?" => {
                let (question, answer) = rest.split_once(" => ").ok_or("? question => answer")?;
                self.last().answers.push(answer.to_owned());
                self.last().expected.push(format!("? {question}"));
            }
            "C:" | "=" => self.last().expected.push(line.to_owned()),
            _ => return Err(format!("unknown mark {mark}")),
        }
        if index > 0 && matches!(mark, "facts" | "limits" | "" | "#") {
            self.head.push(line.to_owned());
        }
        Ok(())
    }

    fn last(&mut self) -> &mut Exchange {
        self.exchanges.last_mut().expect("there is always one")
    }

    fn begin(&mut self, event: Event, line: &str) {
        self.exchanges.push(Exchange {
            event,
            lines: vec![line.to_owned()],
            ..Exchange::default()
        });
    }

    /// The lines of one reply come in one piece, and so does what is marked to be `joined`.
    fn input(&mut self, octets: &[u8], joined: bool) {
        let last = self.last();
        let continued = last
            .lines
            .last()
            .is_some_and(|line| line.chars().nth(6) == Some('-'));
        if let Event::Input(input) = &mut last.event
            && last.expected.is_empty()
            && (joined || continued)
        {
            input.extend(octets);
            return;
        }
        self.exchanges.push(Exchange {
            event: Event::Input(octets.to_vec()),
            ..Exchange::default()
        });
    }

    fn facts(&mut self, text: &str) -> Result<(), String> {
        for word in text.split_whitespace() {
            match word.split_once('=').ok_or("fact=value")? {
                ("tls", "never") => self.facts.tls = TlsUse::Never,
                ("tls", "if-offered") => self.facts.tls = TlsUse::IfOffered,
                ("tls", "required") => self.facts.tls = TlsUse::Required,
                ("sign-in", value) => {
                    let (name, password) = value.split_once(':').ok_or("name:password")?;
                    self.facts.credentials = Some(Credentials {
                        name: name.to_owned(),
                        password: password.to_owned(),
                    });
                }
                _ => return Err(format!("unknown fact {word}")),
            }
        }
        Ok(())
    }

    fn limits(&mut self, text: &str) -> Result<(), String> {
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or("limit=value")?;
            let value = value.parse().map_err(|_| format!("limit {word}"))?;
            match name {
                "block" => self.limits.block_bytes = value,
                "group" => self.limits.group_recipients_max = value,
                _ => return Err(format!("unknown limit {name}")),
            }
        }
        Ok(())
    }

    /// Holds what came against what is written.
    pub(crate) fn compare(&self, came: &[Vec<String>]) -> Result<(), String> {
        for (exchange, came) in self.exchanges.iter().zip(came) {
            if &exchange.expected != came {
                return Err(format!(
                    "after {:#?}\nexpected {:#?}\ncame {came:#?}",
                    exchange.lines, exchange.expected
                ));
            }
        }
        Ok(())
    }

    /// The file with the expected lines replaced by what came.
    pub(crate) fn rewritten(&self, came: &[Vec<String>]) -> String {
        let mut lines = self.head.clone();
        for (exchange, came) in self.exchanges.iter().zip(came) {
            lines.extend(exchange.lines.iter().cloned());
            let mut answers = exchange.answers.iter();
            for line in came {
                lines.push(match line.strip_prefix('?') {
                    Some(_) => {
                        let answer = answers.next().map_or("wait", String::as_str);
                        format!("{line} => {answer}")
                    }
                    None => line.clone(),
                });
            }
        }
        lines.join("\n") + "\n"
    }
}

/// `wait`, `quit`, `none`, `octets TEXT`, `last TEXT`, or a transaction.
pub(crate) fn answer(text: &str) -> Result<Option<Answer>, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(Some(match word {
        "wait" => return Ok(None),
        "quit" => Answer::Quit,
        "none" => Answer::NoBody,
        "octets" | "last" => Answer::Body {
            octets: unescaped(rest)?,
            last: word == "last",
        },
        _ => Answer::Transaction(transaction(text)?),
    }))
}

/// `<bob@office.test> size=4 … to <fred@hotmail.test> notify=SF …`.
fn transaction(text: &str) -> Result<Transaction, String> {
    let (sender, recipients) = text.split_once(" to ").ok_or("sender to recipients")?;
    let mut words = sender.split_whitespace();
    let path = words.next().ok_or("a sender")?;
    let path = path.parse().map_err(|_| format!("sender {path}"))?;
    let mut transaction = Transaction {
        mail: MailParameters::plain(path),
        recipients: Vec::new(),
        size_bytes: 100,
        eight_bit: false,
        utf8_header: false,
    };
    for word in words {
        let mail = &mut transaction.mail;
        match word.split_once('=').unwrap_or((word, "")) {
            ("size", n) => transaction.size_bytes = n.parse().map_err(|_| "size")?,
            ("8bitmime", "") => mail.body = BodyType::EightBitMime,
            ("eight-bit", "") => transaction.eight_bit = true,
            ("utf8-header", "") => transaction.utf8_header = true,
            ("smtputf8", "") => mail.smtputf8 = true,
            ("ret", "full") => mail.ret = Some(Ret::Full),
            ("ret", "headers") => mail.ret = Some(Ret::Headers),
            ("envid", id) => mail.envid = Some(id.to_owned()),
            _ => return Err(format!("unknown parameter {word}")),
        }
    }
    for word in recipients.split_whitespace() {
        recipient_word(&mut transaction.recipients, word)?;
    }
    Ok(transaction)
}

fn recipient_word(recipients: &mut Vec<Recipient>, word: &str) -> Result<(), String> {
    if let Some(path) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) {
        let path: ForwardPath = path.parse().map_err(|_| format!("recipient {path}"))?;
        recipients.push(Recipient::plain(path));
        return Ok(());
    }
    let recipient = recipients.last_mut().ok_or("a recipient")?;
    match word.split_once('=') {
        Some(("notify", letters)) => {
            recipient.notify = Some(Notify {
                success: letters.contains('S'),
                failure: letters.contains('F'),
                delay: letters.contains('D'),
            });
        }
        Some(("orcpt", value)) => recipient.orcpt = Some(value.to_owned()),
        _ => return Err(format!("unknown parameter {word}")),
    }
    Ok(())
}

/// Octets of a line: `\r`, `\n`, `\xNN`, `\\` and `{x*300}`.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = rest.strip_prefix(character).unwrap_or_default();
        match character {
            '{' => {
                let (inner, tail) = rest.split_once('}').ok_or("unclosed {")?;
                let (text, times) = inner.rsplit_once('*').ok_or("{text*times}")?;
                let times: usize = times.parse().map_err(|_| "{text*times}")?;
                octets.extend(unescaped(text)?.repeat(times));
                rest = tail;
            }
            '\\' => {
                let escape = rest.chars().next().ok_or("lone backslash")?;
                rest = rest.strip_prefix(escape).unwrap_or_default();
                match escape {
                    'r' => octets.push(b'\r'),
                    'n' => octets.push(b'\n'),
                    '\\' => octets.push(b'\\'),
                    'x' => {
                        let (hex, tail) = rest.split_at_checked(2).ok_or("\\xNN")?;
                        octets.push(u8::from_str_radix(hex, 16).map_err(|e| e.to_string())?);
                        rest = tail;
                    }
                    _ => return Err(format!("unknown escape {escape}")),
                }
            }
            _ => octets.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Ok(octets)
}
