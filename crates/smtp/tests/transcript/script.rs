//! The text of a transcript as exchanges: what happens, which questions, which lines come.

use std::time::Duration;

use smtp::server::{AuthOffer, BareLf, Facts, Limits, Service, TlsState};

/// One transcript file.
pub(crate) struct Script {
    pub(crate) facts: Facts,
    pub(crate) limits: Limits,
    pub(crate) exchanges: Vec<Exchange>,
    /// Lines before the first exchange, kept for rewriting.
    head: Vec<String>,
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
    Tls(Facts),
    Draining,
    Ended,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self {
            facts: facts("", None)?,
            limits: Limits::default(),
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
        if index == 0 || line.is_empty() || mark == "#" {
            self.keep(line);
            return Ok(());
        }
        match mark {
            "facts" => self.facts = facts(rest, None)?,
            "limits" => self.limits = limits(rest)?,
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
            "!" => {
                let event = self.event(rest)?;
                self.begin(event);
            }
            "?" => {
                let (question, answer) = rest.split_once("=> ").ok_or("? question => answer")?;
                let pair = (question.trim_end().to_owned(), answer.to_owned());
                self.last().questions.push(pair);
            }
            "S:" => {
                self.last().expected.push(line.to_owned());
                return Ok(());
            }
            _ => return Err(format!("unknown mark {mark}")),
        }
        self.keep(line);
        Ok(())
    }

    fn event(&self, text: &str) -> Result<Event, String> {
        Ok(match text.split_once(' ').unwrap_or((text, "")) {
            ("tls", more) => Event::Tls(facts(&format!("tls=active {more}"), Some(&self.facts))?),
            ("draining", "") => Event::Draining,
            ("ended", "") => Event::Ended,
            _ => return Err(format!("unknown event {text}")),
        })
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
        self.exchanges.push(Exchange {
            event,
            ..Exchange::default()
        });
    }

    /// Lines of the peer with nothing between them come in one piece: pipelining.
    fn input(&mut self, octets: &[u8]) {
        if let Some(last) = self.exchanges.last_mut()
            && let Event::Input(input) = &mut last.event
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
                    .all(|(expected, came)| matches(expected, came));
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
            let is_event = |line: &String| !line.is_empty() && !line.starts_with('#');
            let end = exchange
                .lines
                .iter()
                .rposition(is_event)
                .map_or(0, |at| at + 1);
            let (said, after) = exchange.lines.split_at(end);
            lines.extend(said.iter().cloned());
            for (index, line) in came.iter().enumerate() {
                let old = exchange.expected.get(index);
                let old = old.filter(|old| matches(old, line));
                lines.push(old.unwrap_or(line).clone());
            }
            lines.extend(after.iter().cloned());
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

/// `service=relay|submission|submission-tls tls=unavailable|available|required|active
/// auth=no|after-tls|now|scram auth-required bare-lf=crlf`, on top of `base` or of a plain relay.
fn facts(text: &str, base: Option<&Facts>) -> Result<Facts, String> {
    let mut facts = base.cloned().unwrap_or(Facts {
        host_name: "mail.office.test".to_owned(),
        service: Service::Relay,
        tls: TlsState::Unavailable,
        auth: AuthOffer::NotHere,
        auth_required: false,
        bare_lf: BareLf::Refuse,
    });
    for word in text.split_whitespace() {
        match word {
            "service=relay" => facts.service = Service::Relay,
            "service=submission" => facts.service = Service::Submission,
            "service=submission-tls" => facts.service = Service::SubmissionTls,
            "tls=unavailable" => facts.tls = TlsState::Unavailable,
            "tls=available" => facts.tls = TlsState::Available,
            "tls=required" => facts.tls = TlsState::Required,
            "tls=active" => facts.tls = TlsState::Active,
            "auth=no" => facts.auth = AuthOffer::NotHere,
            "auth=after-tls" => facts.auth = AuthOffer::AfterTls,
            "auth=now" => facts.auth = AuthOffer::Now { scram: false },
            "auth=scram" => facts.auth = AuthOffer::Now { scram: true },
            "auth-required" => facts.auth_required = true,
            "bare-lf=crlf" => facts.bare_lf = BareLf::MakeCrlf,
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
        match name {
            "size" => limits.size_bytes_max = u64::from(value),
            "text-line" => limits.text_line_bytes_max = u64::from(value),
            "recipients" => limits.recipients_max = usize::try_from(value).unwrap(),
            "bad-commands" => limits.bad_commands_max = value,
            "auth-attempts" => limits.auth_attempts_max = value,
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
