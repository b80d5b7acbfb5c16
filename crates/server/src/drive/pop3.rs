//! A POP3 session at work.
//!
//! Promises: nothing to sign in with is offered to outsiders in clear; the mailbox is free again
//! before the peer reads that the session is over.

use std::io;
use std::sync::Arc;

use contracts::{Clock, Current};
use mail::Timestamp;
use policy::facts::{ConnectionFacts, TlsFacts};
use pop3::{Facts, Notice as SessionNotice, Output, Question, Session, TlsState};
use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::{Conversation, Notice, Pause};
use super::pop3_desk::{Answered, Pop3Desk};
use super::turn::at_once;
use super::wire::{Patience, Wire};
use crate::Shared;

/// A POP3 session and whoever answers it.
pub(crate) struct Pop3Talk {
    session: Session,
    desk: Pop3Desk,
    current: Arc<Current>,
    connection: ConnectionFacts,
    clock: Arc<dyn Clock>,
}

impl Pop3Talk {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        current: Arc<Current>,
        connection: ConnectionFacts,
    ) -> Self {
        let facts = facts(&current, &connection, shared.certificates.is_ready());
        Self {
            session: Session::new(facts, shared.limits.pop3.clone(), shared.clock.now()),
            desk: Pop3Desk::new(shared, connection.peer.ip()),
            clock: Arc::clone(&shared.clock),
            current,
            connection,
        }
    }

    async fn ask<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        question: Question,
        wire: &mut Wire<S>,
        patience: &Patience,
    ) -> io::Result<()> {
        let mut answer = Box::pin(self.desk.answer(question));
        let mut written = Ok(());
        let answered = if let Some(answered) = at_once(answer.as_mut()).await {
            answered
        } else {
            while let Some(Output::Reply(octets)) = self.session.poll_output() {
                if written.is_ok() {
                    written = wire.write(&octets, patience).await;
                }
            }
            if written.is_ok() {
                written = wire.flush(patience).await;
            }
            answer.await
        };
        let now = self.clock.now();
        match answered {
            Answered::Answer(answer) => self.session.answer(now, answer),
            Answered::Body { octets, end } => self.session.answer_body(now, &octets, end),
        }
        written
    }
}

impl Conversation for Pop3Talk {
    fn handle_input(&mut self, now: Timestamp, octets: &[u8]) {
        self.session.handle_input(now, octets);
    }

    fn wants_input(&self) -> bool {
        self.session.expects_input()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.session.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        self.session.handle_timeout(now);
    }

    fn notify(&mut self, now: Timestamp, notice: Notice) {
        self.session.notify(
            now,
            match notice {
                Notice::Draining => SessionNotice::Draining,
                Notice::Ended => SessionNotice::Ended,
            },
        );
    }

    fn tls_started(&mut self, now: Timestamp, tls: TlsFacts) {
        self.connection.tls = Some(tls);
        let facts = facts(&self.current, &self.connection, true);
        self.session.tls_started(now, facts);
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        wire: &mut Wire<S>,
        patience: &Patience,
    ) -> io::Result<Pause> {
        let mut pause = Pause::Listen;
        let mut next = self.session.poll_output();
        while let Some(output) = next.take() {
            match output {
                Output::Reply(octets) => {
                    next = self.session.poll_output();
                    if matches!(next, Some(Output::Close)) {
                        self.desk.release();
                    }
                    wire.write(&octets, patience).await?;
                }
                Output::Ask(question) => self.ask(question, wire, patience).await?,
                Output::StartTls => {
                    pause = Pause::StartTls;
                    break;
                }
                Output::Close => {
                    self.desk.release();
                    pause = Pause::Close;
                    break;
                }
            }
            next = next.or_else(|| self.session.poll_output());
        }
        wire.flush(patience).await?;
        Ok(pause)
    }
}

fn facts(current: &Current, connection: &ConnectionFacts, tls_ready: bool) -> Facts {
    let settings = &current.settings;
    Facts {
        host_name: settings.machine.host_name.as_str().to_owned(),
        tls: match (&connection.tls, tls_ready) {
            (Some(_), _) => TlsState::Active,
            (None, true) => TlsState::Available,
            (None, false) => TlsState::Off,
        },
        // RFC 2595 §2.3: no password in clear text from outside.
        clear_text_sign_in: connection.standing.internal,
        scram_offered: settings.security.scram_offered,
        implementation: "Gatepost".to_owned(),
    }
}
