//! Which command may come in which state, and the commands that need no file of their own.
//!
//! Promises: every state names every verb; a wrong order is 503 and changes nothing it need not.
//! Standards: RFC 5321 §4.1.1.5 to §4.1.1.10, §4.1.4, §4.3.2.

use super::content::Content;
use super::state::{Pending, State, Transaction};
use super::{Discarded, Session, TlsState, replies};
use crate::{Command, CommandSyntax, Reply, Verb};

impl Session {
    /// Takes one line without its CRLF; gives the next state.
    pub(super) fn line(&mut self, state: State, line: &[u8]) -> State {
        let exchange = match state {
            State::Auth(exchange) => exchange,
            State::Greeted | State::Ready { .. } | State::Mail(_) | State::Chunks(..) => {
                return match Command::parse(line) {
                    Ok(command) => self.command(state, command),
                    Err(problem) => self.bad_line(state, problem),
                };
            }
            State::Data(..)
            | State::Chunk(_)
            | State::Unwanted(_)
            | State::Waiting(_)
            | State::StartingTls
            | State::Closing => return state,
        };
        self.auth_line(exchange, line)
    }

    fn command(&mut self, state: State, command: Command<'_>) -> State {
        match state {
            State::Greeted => self.in_greeted(command),
            State::Ready { failed } => self.in_ready(failed, command),
            State::Mail(transaction) => self.in_mail(transaction, command),
            State::Chunks(transaction, content) => self.in_chunks(transaction, content, command),
            State::Data(..)
            | State::Chunk(_)
            | State::Unwanted(_)
            | State::Auth(_)
            | State::Waiting(_)
            | State::StartingTls
            | State::Closing => state,
        }
    }

    fn in_greeted(&mut self, command: Command<'_>) -> State {
        let here = State::Greeted;
        match command.verb {
            Verb::Ehlo | Verb::Helo => self.hello(here, command),
            // RFC 5321 §4.1.4: hello before the first transaction.
            Verb::Mail | Verb::Rcpt | Verb::Data | Verb::StartTls | Verb::Auth => {
                self.bad(here, &replies::out_of_order("EHLO or HELO first"))
            }
            Verb::Bdat => {
                let reply = replies::out_of_order("EHLO or HELO first");
                self.unwanted_chunk(&here, command.argument, reply, true)
            }
            Verb::Rset => self.reset(here, command.argument),
            Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Quit => {
                self.anywhere(here, command)
            }
            Verb::Http | Verb::Unknown => self.unknown(here, command.verb),
        }
    }

    fn in_ready(&mut self, failed: bool, command: Command<'_>) -> State {
        let here = State::Ready { failed };
        let must_come_first = self.must_come_first();
        match command.verb {
            Verb::Ehlo | Verb::Helo => self.hello(here, command),
            Verb::Mail => self.mail(command.argument),
            // RFC 4954 §6, RFC 3207 §4: 530 to whatever needs what has not been done.
            Verb::Rcpt | Verb::Data | Verb::Vrfy if must_come_first.is_some() => {
                self.say(here, must_come_first)
            }
            Verb::Rcpt | Verb::Data if failed => {
                self.say(here, Some(replies::out_of_order("MAIL first")))
            }
            Verb::Rcpt | Verb::Data => self.bad(here, &replies::out_of_order("MAIL first")),
            Verb::Bdat => {
                let is_bad = !failed && must_come_first.is_none();
                let reply = must_come_first.unwrap_or_else(|| replies::out_of_order("MAIL first"));
                self.unwanted_chunk(&here, command.argument, reply, is_bad)
            }
            Verb::StartTls => self.start_tls(here, command.argument),
            Verb::Auth => self.auth(here, command.argument),
            Verb::Rset => self.reset(here, command.argument),
            Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Quit => {
                self.anywhere(here, command)
            }
            Verb::Http | Verb::Unknown => self.unknown(here, command.verb),
        }
    }

    fn in_mail(&mut self, transaction: Transaction, command: Command<'_>) -> State {
        let here = State::Mail(transaction);
        match command.verb {
            Verb::Ehlo | Verb::Helo => self.hello(here, command),
            Verb::Rcpt => self.rcpt(transaction, command.argument),
            Verb::Data => self.data(transaction, command.argument),
            Verb::Bdat => self.first_chunk(transaction, command.argument),
            // RFC 5321 §4.1.4, RFC 4954 §4: neither MAIL nor AUTH while a transaction is open, and
            // STARTTLS would only forget it.
            Verb::Mail | Verb::StartTls | Verb::Auth => {
                self.bad(here, &replies::out_of_order("RSET first"))
            }
            Verb::Rset => self.reset(here, command.argument),
            Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Quit => {
                self.anywhere(here, command)
            }
            Verb::Http | Verb::Unknown => self.unknown(here, command.verb),
        }
    }

    fn in_chunks(
        &mut self,
        transaction: Transaction,
        content: Content,
        command: Command<'_>,
    ) -> State {
        match command.verb {
            Verb::Bdat => self.next_chunk(transaction, content, command.argument),
            // RFC 3030 §2: 503 to DATA after BDAT; what is left of the transaction is void.
            Verb::Data => {
                self.discard(Discarded::ByClient);
                let here = State::Ready { failed: true };
                self.bad(here, &replies::out_of_order("no DATA after BDAT"))
            }
            Verb::Mail | Verb::Rcpt | Verb::StartTls | Verb::Auth => {
                let here = State::Chunks(transaction, content);
                self.bad(here, &replies::out_of_order("BDAT or RSET"))
            }
            Verb::Ehlo | Verb::Helo => self.hello(State::Chunks(transaction, content), command),
            Verb::Rset => self.reset(State::Chunks(transaction, content), command.argument),
            Verb::Noop | Verb::Vrfy | Verb::Expn | Verb::Help | Verb::Quit => {
                self.anywhere(State::Chunks(transaction, content), command)
            }
            Verb::Http | Verb::Unknown => {
                self.unknown(State::Chunks(transaction, content), command.verb)
            }
        }
    }

    /// What must be done before a transaction, where something must.
    pub(super) fn must_come_first(&self) -> Option<Reply> {
        if self.facts.tls == TlsState::Required {
            Some(replies::start_tls_first())
        } else if self.facts.auth_required && !self.client.signed_in {
            Some(replies::sign_in_first())
        } else {
            None
        }
    }

    /// The commands that RFC 5321 §4.1.4 allows at any time.
    fn anywhere(&mut self, here: State, command: Command<'_>) -> State {
        let reply = match command.verb {
            Verb::Quit if command.argument.is_empty() => {
                let goodbye = replies::goodbye(&self.facts.host_name);
                return self.close(&here, &goodbye, Discarded::ByClient);
            }
            Verb::Quit => return self.bad(here, &replies::bad_argument("QUIT has no argument")),
            Verb::Vrfy if command.argument.is_empty() => {
                return self.bad(here, &replies::bad_argument("syntax: VRFY name"));
            }
            Verb::Vrfy => replies::cannot_verify(),
            Verb::Expn => replies::not_offered(),
            Verb::Help => replies::help(),
            Verb::Noop
            | Verb::Ehlo
            | Verb::Helo
            | Verb::Mail
            | Verb::Rcpt
            | Verb::Data
            | Verb::Bdat
            | Verb::Rset
            | Verb::StartTls
            | Verb::Auth
            | Verb::Http
            | Verb::Unknown => replies::ok(),
        };
        self.say(here, Some(reply))
    }

    fn reset(&mut self, here: State, argument: &str) -> State {
        if !argument.is_empty() {
            return self.bad(here, &replies::bad_argument("RSET has no argument"));
        }
        if here.holds_transaction() {
            self.discard(Discarded::ByClient);
        }
        self.outbox.reply(&replies::ok());
        self.idle(false)
    }

    fn unknown(&mut self, here: State, verb: Verb) -> State {
        // A browser that was led here speaks for somebody else: nothing it says is taken.
        if verb == Verb::Http {
            let reply = replies::wrong_protocol(&self.facts.host_name);
            return self.close(&here, &reply, Discarded::ByClient);
        }
        self.bad(here, &replies::unknown_command())
    }

    pub(super) fn bad_line(&mut self, here: State, problem: CommandSyntax) -> State {
        if matches!(here, State::Auth(_)) {
            let reply = match problem {
                CommandSyntax::TooLong => replies::exchange_line_too_long(),
                CommandSyntax::Octets => replies::bad_base64(),
            };
            return self.bad(State::Ready { failed: false }, &reply);
        }
        self.bad(here, &replies::bad_line(problem))
    }

    /// Refuses a command and counts it.
    pub(super) fn bad(&mut self, here: State, reply: &Reply) -> State {
        self.client.bad_commands = self.client.bad_commands.saturating_add(1);
        if self.client.bad_commands > self.limits.bad_commands_max {
            let farewell = replies::too_many_errors(&self.facts.host_name);
            return self.close(&here, &farewell, Discarded::Ended);
        }
        self.outbox.reply(reply);
        here
    }

    pub(super) fn say(&mut self, here: State, reply: Option<Reply>) -> State {
        if let Some(reply) = reply {
            self.outbox.reply(&reply);
        }
        here
    }

    /// The state between transactions.
    pub(super) fn idle(&self, failed: bool) -> State {
        if self.client.greeting_name.is_some() {
            State::Ready { failed }
        } else {
            State::Greeted
        }
    }

    /// Goes on after the shell answered with a reply.
    pub(super) fn answered(&mut self, pending: Pending, reply: Reply) -> State {
        match pending {
            Pending::Mail { smtputf8 } => self.mail_answered(smtputf8, &reply),
            Pending::Recipient(transaction) => self.rcpt_answered(transaction, &reply),
            Pending::DataBody(transaction) => self.data_answered(transaction, &reply),
            Pending::ChunkBody(transaction, size) => self.chunk_answered(transaction, size, reply),
            Pending::Message { .. } => {
                self.outbox.reply(&reply);
                self.idle(false)
            }
            Pending::Credentials | Pending::Scram => self.signed_in_or_not(&reply),
        }
    }
}
