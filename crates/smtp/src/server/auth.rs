//! AUTH: PLAIN and LOGIN taken apart here, SCRAM-SHA-256 passed through.
//!
//! Promises: nothing of a password is kept after the question; broken base64 ends the exchange and
//! nothing else.
//! Does not: know any user.
//! Standards: RFC 4954, 4616, 5802, 7677.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::state::{Pending, State};
use super::{AuthOffer, Credentials, Discarded, Mechanism, Question, Session, TlsState, replies};
use crate::{CommandSyntax, Reply, line_text};

/// A sign-in that waits for the client's next line.
#[derive(Debug)]
pub(super) enum Exchange {
    Plain,
    LoginName,
    LoginPassword { name: String },
    Scram { first: bool },
}

impl Session {
    pub(super) fn auth(&mut self, here: State, argument: &str) -> State {
        let (word, initial) = match argument.split_once(' ') {
            Some((word, initial)) => (word, Some(initial.trim_start())),
            None => (argument, None),
        };
        if let Some(reply) = self.no_sign_in_now() {
            return self.bad(here, &reply);
        }
        if word.is_empty() {
            return self.bad(here, &replies::bad_argument("syntax: AUTH mechanism"));
        }
        let Some(mechanism) = self.mechanism(word) else {
            return self.bad(here, &replies::unknown_mechanism());
        };
        match (initial.map(decode_initial), mechanism) {
            (Some(None), _) => self.bad(here, &replies::bad_base64()),
            (Some(Some(message)), mechanism) => self.exchange(first_step(mechanism), message),
            (None, Mechanism::Login) => self.prompt(Exchange::LoginName, b"Username:"),
            // RFC 4954 §4: an empty challenge asks a client-first mechanism to begin.
            (None, Mechanism::Plain | Mechanism::ScramSha256) => {
                self.prompt(first_step(mechanism), b"")
            }
        }
    }

    /// Why AUTH cannot be used here and now.
    fn no_sign_in_now(&self) -> Option<Reply> {
        // RFC 4954 §4: no further AUTH after one that succeeded.
        if self.client.signed_in {
            return Some(replies::out_of_order("signed in already"));
        }
        match self.facts.auth {
            AuthOffer::AfterTls if self.facts.tls != TlsState::Active => {
                Some(replies::encryption_required())
            }
            AuthOffer::NotHere | AuthOffer::AfterTls => Some(replies::not_offered()),
            AuthOffer::Now { .. } if self.facts.tls == TlsState::Required => {
                Some(replies::encryption_required())
            }
            AuthOffer::Now { .. } => None,
        }
    }

    fn mechanism(&self, word: &str) -> Option<Mechanism> {
        let scram = self.sign_in_offer()?;
        [Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256]
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(word))
            .filter(|mechanism| scram || *mechanism != Mechanism::ScramSha256)
    }

    /// Takes a line of an exchange.
    pub(super) fn auth_line(&mut self, exchange: Exchange, line: &[u8]) -> State {
        let here = State::Ready { failed: false };
        // RFC 4954 §4: a line with a single asterisk cancels.
        if line == b"*" {
            return self.bad(here, &replies::cancelled());
        }
        match line_text(line).map(decode) {
            Ok(Some(message)) => self.exchange(exchange, message),
            Ok(None) => self.bad(here, &replies::bad_base64()),
            Err(CommandSyntax::Octets | CommandSyntax::TooLong) => {
                self.bad(here, &replies::bad_base64())
            }
        }
    }

    fn exchange(&mut self, exchange: Exchange, message: Vec<u8>) -> State {
        match exchange {
            Exchange::Scram { first } => {
                self.ask(Question::Scram { first, message }, Pending::Scram)
            }
            Exchange::Plain => self.credentials(plain(&message)),
            Exchange::LoginName => match text(&message) {
                Some(name) => {
                    let name = name.to_owned();
                    self.prompt(Exchange::LoginPassword { name }, b"Password:")
                }
                None => self.credentials(None),
            },
            Exchange::LoginPassword { name } => {
                let credentials = text(&message).map(|password| Credentials {
                    name,
                    password: password.to_owned(),
                    authorization_id: None,
                    mechanism: Mechanism::Login,
                });
                self.credentials(credentials)
            }
        }
    }

    fn credentials(&mut self, credentials: Option<Credentials>) -> State {
        match credentials {
            Some(credentials) => {
                self.ask(Question::Authenticate(credentials), Pending::Credentials)
            }
            None => self.bad(State::Ready { failed: false }, &replies::bad_base64()),
        }
    }

    fn prompt(&mut self, exchange: Exchange, challenge: &[u8]) -> State {
        let reply = replies::challenge(STANDARD.encode(challenge));
        self.say(State::Auth(exchange), Some(reply))
    }

    pub(super) fn scram_challenge(&mut self, challenge: &[u8]) -> State {
        self.prompt(Exchange::Scram { first: false }, challenge)
    }

    pub(super) fn signed_in_or_not(&mut self, reply: &Reply) -> State {
        let here = State::Ready { failed: false };
        self.outbox.reply(reply);
        if reply.is_positive() {
            self.client.signed_in = true;
            return here;
        }
        // What was only busy is no guess.
        if reply.class() == crate::ReplyClass::Permanent {
            self.client.failed_sign_ins = self.client.failed_sign_ins.saturating_add(1);
        }
        if self.client.failed_sign_ins >= self.limits.auth_attempts_max {
            let farewell = replies::too_many_errors(&self.facts.host_name);
            return self.close(&here, &farewell, Discarded::Ended);
        }
        here
    }
}

const fn first_step(mechanism: Mechanism) -> Exchange {
    match mechanism {
        Mechanism::Plain => Exchange::Plain,
        Mechanism::Login => Exchange::LoginName,
        Mechanism::ScramSha256 => Exchange::Scram { first: true },
    }
}

/// RFC 4954 §4: a single equals sign is an initial response of no octets.
fn decode_initial(text: &str) -> Option<Vec<u8>> {
    if text == "=" {
        return Some(Vec::new());
    }
    decode(text)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`, each of UTF-8 without NUL.
fn plain(message: &[u8]) -> Option<Credentials> {
    let mut parts = std::str::from_utf8(message).ok()?.split('\0');
    let authorization_id = parts.next()?;
    let name = parts.next().filter(|name| !name.is_empty())?;
    let password = parts.next().filter(|password| !password.is_empty())?;
    if parts.next().is_some() {
        return None;
    }
    Some(Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
        authorization_id: Some(authorization_id)
            .filter(|id| !id.is_empty())
            .map(str::to_owned),
        mechanism: Mechanism::Plain,
    })
}

/// UTF-8 without NUL, at least one octet.
fn text(message: &[u8]) -> Option<&str> {
    std::str::from_utf8(message)
        .ok()
        .filter(|text| !text.is_empty() && !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_three_parts_and_two_of_them_something_in_them() {
        let read = plain(b"boss\0bob\0secret");
        assert_eq!(
            read,
            Some(Credentials {
                name: "bob".to_owned(),
                password: "secret".to_owned(),
                authorization_id: Some("boss".to_owned()),
                mechanism: Mechanism::Plain,
            })
        );
        for bad in [
            &b""[..],
            b"\0",
            b"\0\0",
            b"\0bob\0",
            b"\0\0secret",
            b"bob\0secret",
            b"\0bob\0sec\0ret",
            b"\0bob\0\xff",
        ] {
            assert_eq!(plain(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let printed = format!("{:?}", plain(b"\0bob\0secret"));
        assert!(printed.contains("bob") && !printed.contains("secret"));
    }
}
