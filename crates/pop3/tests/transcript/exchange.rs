//! The text of a transcript as exchanges: what happens, which questions, which lines come.

use std::time::Duration;

use pop3::{Facts, Limits, TlsState};

/// One transcript file.
pub(crate) struct Script {
    pub(crate) facts: Facts,
    pub(crate) limits: Limits,
    pub(crate) messages: Vec<Message>,
    pub(crate) exchanges: Vec<Exchange>,
    /// The lines before the first exchange, kept for rewriting.
    head: Vec<String>,
}

/// A message of the maildrop.
pub(crate) struct Message {
    pub(crate) uid: String,
    pub(crate) octets: Vec<u8>,
}

/// What happens, then what is asked and said because of it.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) event: Event,
    pub(crate) questions: Vec<(String, String)>,
    pub(crate) expected: Vec<String>,
    /// All lines but the expected ones.
    lines: Vec<String>,
}

#[derive(Default, PartialEq)]
pub(crate) enum Event {
    #[default]
    Nothing,
    Input(Vec<u8>),
    Clock(Duration),
    Tls(String),
    Draining,
    Ended,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self {
            facts: facts("tls=off clear-text=yes")?,
            limits: Limits::default(),
            messages: Vec::new(),
            exchanges: Vec::new(),
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
        match mark {
            _ if index == 0 || line.is_empty() || mark == "#" => self.keep(line),
            "facts" => self.facts = facts(rest)?,
            "limits" => self.limits = limits(rest)?,
            "message" => self.messages.push(Message {
                uid: rest.to_owned(),
                octets: Vec::new(),
            }),
            "|" | "|-" => {
                let message = self.messages.last_mut().ok_or("no message begun")?;
                message.octets.extend(unescaped(rest)?);
                if mark == "|" {
                    message.octets.extend(b"\r\n");
                }
            }
            "C:" | "C-" => {
                let mut octets = unescaped(rest)?;
                if mark == "C:" {
                    octets.extend(b"\r\n");
                }
                self.input(&octets);
            }
            "@" => {
                let seconds = rest.strip_prefix('+').and_then(|r| r.strip_suffix('s'));
                let seconds = seconds.and_then(|s| s.parse().ok()).ok_or("@ +300s")?;
                self.begin(Event::Clock(Duration::from_secs(seconds)));
            }
            "!" => self.begin(match rest.split_once(' ').unwrap_or((rest, "")) {
                ("tls", facts) => Event::Tls(facts.to_owned()),
                ("draining", "") => Event::Draining,
                ("ended", "") => Event::Ended,
                _ => return Err(format!("unknown event {rest}")),
            }),
            "?" => {
                let (question, answer) = rest.split_once("=> ").ok_or("? question => answer")?;
                let pair = (question.trim_end().to_owned(), answer.to_owned());
                self.last().questions.push(pair);
            }
            "S:" | "S-" => {
                self.last().expected.push(line.to_owned());
                return Ok(());
            }
            _ => return Err(format!("unknown mark {mark}")),
        }
        if !(index == 0 || line.is_empty() || mark == "#") {
            self.keep(line);
        }
        Ok(())
    }

    /// Remarks and events stand where they stood when the file is rewritten.
    fn keep(&mut self, line: &str) {
        match self.exchanges.last_mut() {
            Some(exchange) => exchange.lines.push(line.to_owned()),
            None => self.head.push(line.to_owned()),
        }
    }

    fn last(&mut self) -> &mut Exchange {
        if self.exchanges.is_empty() {
            self.exchanges.push(Exchange::default());
        }
        self.exchanges.last_mut().expect("one was pushed")
    }

    fn begin(&mut self, event: Event) {
        if self.exchanges.is_empty() {
            self.exchanges.push(Exchange::default());
        }
        self.exchanges.push(Exchange {
            event,
            ..Exchange::default()
        });
    }

    /// Lines of the peer with nothing between them come in one piece: pipelining.
    fn input(&mut self, octets: &[u8]) {
        let last = self.last();
        if let Event::Input(input) = &mut last.event
            && last.questions.is_empty()
            && last.expected.is_empty()
        {
            input.extend(octets);
            return;
        }
        self.begin(Event::Input(octets.to_vec()));
    }

    /// Holds what came against what is written.
    pub(crate) fn compare(&self, came: &[Vec<String>]) -> Result<(), String> {
        for (exchange, came) in self.exchanges.iter().zip(came) {
            let same = exchange.expected.len() == came.len()
                && exchange
                    .expected
                    .iter()
                    .zip(came)
                    .all(|(e, c)| matches(e, c));
            if !same {
                return Err(format!(
                    "after {:#?}\nexpected {:#?}\ncame {came:#?}",
                    exchange.lines, exchange.expected
                ));
            }
        }
        Ok(())
    }

    /// The file with the expected lines replaced by what came; wildcards that still fit stay.
    pub(crate) fn rewritten(&self, came: &[Vec<String>]) -> String {
        let mut lines = self.head.clone();
        for (exchange, came) in self.exchanges.iter().zip(came) {
            let (said, after): (Vec<&String>, Vec<&String>) = {
                let end = exchange
                    .lines
                    .iter()
                    .rposition(|line| !line.is_empty() && !line.starts_with('#'))
                    .map_or(0, |at| at + 1);
                let (said, after) = exchange.lines.split_at(end);
                (said.iter().collect(), after.iter().collect())
            };
            lines.extend(said.into_iter().cloned());
            for (index, line) in came.iter().enumerate() {
                let old = exchange
                    .expected
                    .get(index)
                    .filter(|old| matches(old, line));
                lines.push(old.unwrap_or(line).clone());
            }
            lines.extend(after.into_iter().cloned());
        }
        lines.join("\n") + "\n"
    }
}

/// Whether a line fits its pattern; `*` at the pattern's end stands for any rest.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

/// `tls=off|available|active clear-text=yes|no scram=yes|no`.
pub(crate) fn facts(text: &str) -> Result<Facts, String> {
    let mut facts = Facts {
        host_name: "mail.office.test".to_owned(),
        tls: TlsState::Off,
        clear_text_sign_in: false,
        scram_offered: false,
        implementation: "Gatepost".to_owned(),
    };
    for word in text.split_whitespace() {
        match word {
            "tls=off" => facts.tls = TlsState::Off,
            "tls=available" => facts.tls = TlsState::Available,
            "tls=active" => facts.tls = TlsState::Active,
            "clear-text=yes" => facts.clear_text_sign_in = true,
            "clear-text=no" => facts.clear_text_sign_in = false,
            "scram=yes" => facts.scram_offered = true,
            "scram=no" => facts.scram_offered = false,
            _ => return Err(format!("unknown fact {word}")),
        }
    }
    Ok(facts)
}

fn limits(text: &str) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').ok_or("limit=value")?;
        let value: u32 = value.parse().map_err(|_| format!("limit {word}"))?;
        let octets = usize::try_from(value).map_err(|_| "too large")?;
        match name {
            "bad-commands" => limits.bad_commands = value,
            "sign-in-attempts" => limits.sign_in_attempts = value,
            "input" => limits.input_octets = octets,
            "sasl" => limits.sasl_octets = octets,
            "reply" => limits.reply_octets = octets,
            "body" => limits.body_octets = octets,
            _ => return Err(format!("unknown limit {name}")),
        }
    }
    Ok(limits)
}

/// Octets of a line: `\r`, `\n`, `\0`, `\xNN`, `\\`, `{x*300}` and `{b64:text}`.
pub(crate) fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = rest.strip_prefix(character).unwrap_or_default();
        match character {
            '{' => {
                let (inner, tail) = rest.split_once('}').ok_or("unclosed {")?;
                octets.extend(braced(inner)?);
                rest = tail;
            }
            '\\' => {
                let escape = rest.chars().next().ok_or("lone backslash")?;
                rest = rest.strip_prefix(escape).unwrap_or_default();
                match escape {
                    'r' => octets.push(b'\r'),
                    'n' => octets.push(b'\n'),
                    '0' => octets.push(0),
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

fn braced(inner: &str) -> Result<Vec<u8>, String> {
    use base64::Engine as _;
    if let Some(text) = inner.strip_prefix("b64:") {
        let octets = unescaped(text)?;
        let encoded = base64::engine::general_purpose::STANDARD.encode(octets);
        return Ok(encoded.into_bytes());
    }
    let (text, times) = inner.rsplit_once('*').ok_or("{text*times}")?;
    let times: usize = times.parse().map_err(|_| "{text*times}")?;
    Ok(unescaped(text)?.repeat(times))
}
