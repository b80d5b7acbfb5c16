//! AUTH: PLAIN and LOGIN decoded here, SCRAM-SHA-256 relayed to the shell.
//!
//! Promises: name and password of every mechanism end in the same question; a response is
//! bounded by its line; `*` cancels at every step.
//! Does not: compute or verify proofs.
//! Standards: RFC 5034 §4, RFC 4616 §2, RFC 7677, RFC 5802 §5.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::line::Line;
use crate::output::{Mechanism, Question};
use crate::session::Session;
use crate::state::{Asked, State};

/// What the peer's next response line is.
#[derive(PartialEq, Eq)]
pub(crate) enum Exchange {
    Plain,
    LoginName,
    LoginPassword {
        user: String,
    },
    ScramFirst,
    ScramFinal,
    /// RFC 5034 §4: the server's final data goes as a challenge, which an empty response answers.
    ScramAcknowledgement,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::LoginName => "LoginName",
            Self::LoginPassword { .. } => "LoginPassword",
            Self::ScramFirst => "ScramFirst",
            Self::ScramFinal => "ScramFinal",
            Self::ScramAcknowledgement => "ScramAcknowledgement",
        })
    }
}

const MALFORMED: &str = "malformed authentication response";

impl Session {
    /// The mechanisms on offer, the one that hides the password first.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + use<> {
        let scram = self.facts.scram_offered.then_some(Mechanism::ScramSha256);
        scram
            .into_iter()
            .chain([Mechanism::Plain, Mechanism::Login])
    }

    pub(crate) fn auth(
        &mut self,
        user: Option<String>,
        mechanism: Option<&[u8]>,
        initial: Option<&[u8]>,
    ) -> State {
        if !self.facts.sign_in_offered() {
            return self.clear_text_refused(user);
        }
        let Some(name) = mechanism else {
            self.list_mechanisms();
            return State::Authorization { user };
        };
        let offered = self
            .mechanisms()
            .find(|offered| name.eq_ignore_ascii_case(offered.name().as_bytes()));
        let exchange = match offered {
            Some(Mechanism::Plain) => Exchange::Plain,
            Some(Mechanism::Login) => Exchange::LoginName,
            Some(Mechanism::ScramSha256) => Exchange::ScramFirst,
            Some(Mechanism::UserPass) | None => {
                let state = State::Authorization { user };
                return self.bad(state, "this mechanism is not offered");
            }
        };
        match initial {
            None => self.challenge(exchange),
            // RFC 5034 §4: a single equals sign is an initial response of no octets.
            Some(b"=") => self.response(exchange, &[]),
            Some(encoded) => self.encoded_response(exchange, encoded),
        }
    }

    /// AUTH without an argument: not in RFC 5034, but older programs ask this way.
    fn list_mechanisms(&mut self) {
        self.outbox.ok("mechanisms follow");
        for mechanism in self.mechanisms() {
            self.outbox.raw(mechanism.name().as_bytes());
            self.outbox.raw(b"\r\n");
        }
        self.outbox.raw(b".\r\n");
    }

    fn challenge(&mut self, next: Exchange) -> State {
        let text: &[u8] = match next {
            Exchange::LoginName => b"Username:",
            Exchange::LoginPassword { .. } => b"Password:",
            Exchange::Plain
            | Exchange::ScramFirst
            | Exchange::ScramFinal
            | Exchange::ScramAcknowledgement => b"",
        };
        self.challenge_with(next, text)
    }

    fn challenge_with(&mut self, next: Exchange, text: &[u8]) -> State {
        self.outbox.raw(b"+ ");
        self.outbox.raw(STANDARD.encode(text).as_bytes());
        self.outbox.raw(b"\r\n");
        State::Exchange(next)
    }

    pub(crate) fn exchange_line(&mut self, exchange: Exchange, line: &Line<'_>) -> State {
        let state = State::Authorization { user: None };
        match line {
            // RFC 5034 §4: the peer cancels with a line that is a single asterisk.
            Line::Text(b"*") => self.bad(state, "authentication cancelled"),
            Line::Text(encoded) => self.encoded_response(exchange, encoded),
            Line::TooLong | Line::BareControl => self.bad(state, MALFORMED),
        }
    }

    fn encoded_response(&mut self, exchange: Exchange, encoded: &[u8]) -> State {
        match STANDARD.decode(encoded) {
            Ok(response) => self.response(exchange, &response),
            Err(_) => self.malformed(),
        }
    }

    fn response(&mut self, exchange: Exchange, response: &[u8]) -> State {
        match exchange {
            Exchange::Plain => self.plain(response),
            Exchange::LoginName => match credential(response) {
                Some(user) => self.challenge(Exchange::LoginPassword { user }),
                None => self.malformed(),
            },
            Exchange::LoginPassword { user } => match credential(response) {
                Some(password) => self.verify(Mechanism::Login, user, password),
                None => self.malformed(),
            },
            Exchange::ScramFirst => self.ask(
                State::SigningIn(Asked::ScramStart),
                Question::ScramStart {
                    client_first: response.to_vec(),
                },
            ),
            Exchange::ScramFinal => self.ask(
                State::SigningIn(Asked::ScramStep),
                Question::ScramStep {
                    client_final: response.to_vec(),
                },
            ),
            Exchange::ScramAcknowledgement if response.is_empty() => self.open_maildrop(),
            Exchange::ScramAcknowledgement => self.malformed(),
        }
    }

    fn plain(&mut self, response: &[u8]) -> State {
        // RFC 4616 §2: [authzid] NUL authcid NUL passwd.
        let mut parts = response.split(|&octet| octet == 0);
        let (Some(acting_as), Some(user), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return self.malformed();
        };
        let (Some(name), Some(password)) = (credential(user), credential(password)) else {
            return self.malformed();
        };
        if !acting_as.is_empty() && acting_as != user {
            return self.sign_in_failed("[AUTH] nobody may sign in for somebody else");
        }
        self.verify(Mechanism::Plain, name, password)
    }

    fn malformed(&mut self) -> State {
        self.bad(State::Authorization { user: None }, MALFORMED)
    }

    pub(crate) fn scram_challenge(&mut self, server_first: &[u8]) -> State {
        self.challenge_with(Exchange::ScramFinal, server_first)
    }

    pub(crate) fn scram_verified(&mut self, server_final: &[u8]) -> State {
        self.challenge_with(Exchange::ScramAcknowledgement, server_final)
    }
}

impl Mechanism {
    /// The name in AUTH and CAPA; that of USER and PASS together is `USER`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserPass => "USER",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
        }
    }
}

/// A name or password: UTF-8, not empty, and nothing that would end a line.
fn credential(octets: &[u8]) -> Option<String> {
    let text = str::from_utf8(octets).ok()?;
    let fit = !text.is_empty() && !text.contains(['\0', '\r', '\n']);
    fit.then(|| text.to_owned())
}
