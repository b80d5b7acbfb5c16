//! AUTHORIZATION: USER, PASS, STLS, UTF8, and the way into the maildrop.
//!
//! Promises: nothing is offered for signing in over clear text unless the facts allow it; USER
//! never says whether a name exists; attempts are bounded.
//! Does not: verify anything; AUTH is in `sasl`.
//! Standards: RFC 1939 §4 and §7, RFC 2449 §8.1.2, RFC 2595 §4, RFC 3206 §4 and §5, RFC 6856 §2.

use crate::command::Command;
use crate::facts::TlsState;
use crate::maildrop::Maildrop;
use crate::output::{Answer, Credentials, Mechanism, Question};
use crate::session::Session;
use crate::state::{Asked, State};

const UNAVAILABLE: &str = "[SYS/TEMP] signing in is not possible right now, try again later";

impl Session {
    pub(crate) fn authorization(&mut self, user: Option<String>, command: Command<'_>) -> State {
        match command {
            Command::User(name) => self.user(name),
            Command::Pass(password) => self.pass(user, password),
            Command::Auth { mechanism, initial } => self.auth(user, mechanism, initial),
            Command::Stls => self.stls(user),
            // DEVIATES RFC 6856 §2.1: a message with UTF-8 in its header goes as it is also to a
            // program that did not say UTF8; refusing it would leave mail that cannot be collected.
            Command::Utf8 => {
                self.outbox.ok("UTF-8 it is");
                State::Authorization { user }
            }
            Command::Capa => {
                self.capabilities();
                State::Authorization { user }
            }
            Command::Quit => {
                self.outbox.ok("bye");
                State::Closed
            }
            Command::Stat
            | Command::List(_)
            | Command::Uidl(_)
            | Command::Retr(_)
            | Command::Top { .. }
            | Command::Dele(_)
            | Command::Noop
            | Command::Rset => self.bad(State::Authorization { user }, "sign in first"),
        }
    }

    fn user(&mut self, name: &[u8]) -> State {
        if !self.facts.sign_in_offered() {
            return self.clear_text_refused(None);
        }
        let Ok(name) = str::from_utf8(name) else {
            return self.sign_in_failed(NOT_UTF8);
        };
        // RFC 1939 §13: the reply is the same whether or not the name is known.
        self.outbox.ok("now the password");
        State::Authorization {
            user: Some(name.to_owned()),
        }
    }

    fn pass(&mut self, user: Option<String>, password: &[u8]) -> State {
        if !self.facts.sign_in_offered() {
            return self.clear_text_refused(user);
        }
        let Some(user) = user else {
            return self.bad(State::Authorization { user: None }, "USER comes first");
        };
        let Ok(password) = str::from_utf8(password) else {
            return self.sign_in_failed(NOT_UTF8);
        };
        self.verify(Mechanism::UserPass, user, password.to_owned())
    }

    /// Asks whether name and password are right.
    pub(crate) fn verify(&mut self, mechanism: Mechanism, user: String, password: String) -> State {
        self.ask(
            State::SigningIn(Asked::Credentials),
            Question::SignIn {
                mechanism,
                credentials: Credentials::Password { user, password },
            },
        )
    }

    /// The sentence for programs that would send a password in clear text where that is not
    /// allowed.
    pub(crate) fn clear_text_refused(&mut self, user: Option<String>) -> State {
        let text = match self.facts.tls {
            TlsState::Off | TlsState::Active => {
                "[AUTH] signing in without encryption is not allowed here, use SSL/TLS on port 995"
            }
            TlsState::Available => {
                "[AUTH] signing in without encryption is not allowed here, use STARTTLS or SSL/TLS"
            }
        };
        self.bad(State::Authorization { user }, text)
    }

    fn stls(&mut self, user: Option<String>) -> State {
        match self.facts.tls {
            TlsState::Available => {
                self.outbox.ok("begin TLS now");
                self.outbox.start_tls();
                State::Securing
            }
            TlsState::Active => self.bad(State::Authorization { user }, "TLS is active already"),
            TlsState::Off => self.bad(State::Authorization { user }, "TLS is not available"),
        }
    }

    pub(crate) fn sign_in_answered(&mut self, asked: Asked, answer: Answer) -> State {
        match (asked, answer) {
            (Asked::Credentials, Answer::SignedIn) => self.open_maildrop(),
            (Asked::ScramStart, Answer::ScramChallenge { server_first }) => {
                self.scram_challenge(&server_first)
            }
            (Asked::ScramStep, Answer::ScramVerified { server_final }) => {
                self.scram_verified(&server_final)
            }
            (_, Answer::SignInRefused(refusal)) => self.sign_in_failed(&refusal.line),
            (_, _) => self.sign_in_failed(UNAVAILABLE),
        }
    }

    pub(crate) fn open_maildrop(&mut self) -> State {
        self.ask(State::Opening, Question::OpenMaildrop)
    }

    pub(crate) fn maildrop_answered(&mut self, answer: Answer) -> State {
        match answer {
            Answer::Maildrop(entries) => {
                let maildrop = Maildrop::new(entries);
                let (messages, octets) = (maildrop.kept(), maildrop.kept_octets());
                self.outbox
                    .ok(&format!("{messages} messages ({octets} octets)"));
                State::Transaction(maildrop)
            }
            // RFC 2449 §8.1.2: the credentials are right, but the maildrop is locked.
            Answer::MaildropInUse => {
                self.sign_in_failed("[IN-USE] another session is reading this mailbox")
            }
            Answer::SignInRefused(refusal) => self.sign_in_failed(&refusal.line),
            Answer::SignedIn
            | Answer::ScramChallenge { .. }
            | Answer::ScramVerified { .. }
            | Answer::Body { .. }
            | Answer::DeletionsApplied
            | Answer::DeletionsFailed
            | Answer::Unavailable => {
                self.sign_in_failed("[SYS/TEMP] the mailbox cannot be opened right now")
            }
        }
    }

    /// Says why nobody was signed in; too many attempts end the session.
    pub(crate) fn sign_in_failed(&mut self, text: &str) -> State {
        self.outbox.err(text);
        self.failed_sign_ins += 1;
        if self.failed_sign_ins >= self.limits.sign_in_attempts {
            return State::Closed;
        }
        State::Authorization { user: None }
    }
}

// RFC 3206 §5: a fault of the credentials, not of the system.
const NOT_UTF8: &str = "[AUTH] name and password must be in UTF-8";
