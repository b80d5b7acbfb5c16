//! An SMTP session at work.
//!
//! Promises: what is offered follows from the facts of the connection: nothing to sign in with
//! for outsiders in clear, nor on port 25.

use std::io;
use std::sync::Arc;

use contracts::{Clock, Current};
use mail::Timestamp;
use policy::facts::{ConnectionFacts, ServiceName, TlsFacts};
use smtp::server::{
    AuthOffer, BareLf, Facts, Limits, Notice as SessionNotice, Output, Question, Service, Session,
    TlsState,
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::{Conversation, Notice, Pause};
use super::smtp_desk::SmtpDesk;
use super::turn::at_once;
use super::wire::{Patience, Wire};
use crate::Shared;

/// An SMTP session and whoever answers it.
pub(crate) struct SmtpTalk {
    session: Session,
    desk: SmtpDesk,
    current: Arc<Current>,
    clock: Arc<dyn Clock>,
}

impl SmtpTalk {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        current: Arc<Current>,
        connection: ConnectionFacts,
    ) -> Self {
        let facts = facts(&current, &connection, shared.certificates.is_ready());
        let limits = limits(&current, &shared.limits.smtp);
        Self {
            session: Session::new(facts, limits, shared.clock.now()),
            desk: SmtpDesk::new(shared, connection),
            clock: Arc::clone(&shared.clock),
            current,
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
        let answer = if let Some(answer) = at_once(answer.as_mut()).await {
            answer
        } else {
            // RFC 2920 §3.2: what was gathered leaves before the question waits.
            while let Some(Output::Reply(octets)) = self.session.poll_output() {
                if written.is_ok() {
                    written = wire.write(&octets, patience).await;
                }
            }
            if written.is_ok() {
                written = wire.flush(patience).await;
            }
            // A commit under way is not given up because its client has gone.
            answer.await
        };
        self.session.answer(self.clock.now(), answer);
        written
    }
}

impl Conversation for SmtpTalk {
    fn handle_input(&mut self, now: Timestamp, octets: &[u8]) {
        self.session.handle_input(now, octets);
    }

    fn wants_input(&self) -> bool {
        self.session.wants_input()
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
        self.desk.tls_started(tls);
        let facts = facts(&self.current, self.desk.connection(), true);
        self.session.tls_started(now, facts);
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        wire: &mut Wire<S>,
        patience: &Patience,
    ) -> io::Result<Pause> {
        let mut pause = Pause::Listen;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Reply(octets) => wire.write(&octets, patience).await?,
                Output::Ask(question) => self.ask(question, wire, patience).await?,
                Output::BodyChunk(octets) => self.desk.write(&octets).await,
                Output::Discard => self.desk.discard(self.session.discarded()),
                Output::StartTls => {
                    pause = Pause::StartTls;
                    break;
                }
                Output::Close => {
                    pause = Pause::Close;
                    break;
                }
            }
        }
        wire.flush(patience).await?;
        Ok(pause)
    }
}

fn facts(current: &Current, connection: &ConnectionFacts, tls_ready: bool) -> Facts {
    let settings = &current.settings;
    let tls = match (&connection.tls, tls_ready) {
        (Some(_), _) => TlsState::Active,
        (None, true) => TlsState::Available,
        (None, false) => TlsState::Unavailable,
    };
    let device = policy::relay::device(settings, connection);
    Facts {
        host_name: settings.machine.host_name.as_str().to_owned(),
        service: match connection.service {
            ServiceName::Submission => Service::Submission,
            ServiceName::Submissions => Service::SubmissionTls,
            ServiceName::Smtp | ServiceName::Pop3 | ServiceName::Pop3s | ServiceName::Delivery => {
                Service::Relay
            }
        },
        tls,
        auth: auth_offer(connection, settings.security.scram_offered),
        // Policy says 530 by itself, so that the history holds the attempt.
        auth_required: false,
        bare_lf: match device {
            Some(device) if device.bare_lf_allowed => BareLf::MakeCrlf,
            Some(_) | None => BareLf::Refuse,
        },
    }
}

fn auth_offer(connection: &ConnectionFacts, scram: bool) -> AuthOffer {
    let internal = connection.standing.internal;
    match (connection.service, &connection.tls) {
        // Product, reply codes: port 25 offers AUTH to internal peers only.
        (ServiceName::Smtp, _) if !internal => AuthOffer::NotHere,
        // RFC 4954 §4: no password in clear text from outside.
        (_, None) if !internal => AuthOffer::AfterTls,
        (_, _) => AuthOffer::Now { scram },
    }
}

fn limits(current: &Current, limits: &Limits) -> Limits {
    let receiving = &current.settings.receiving;
    Limits {
        size_bytes_max: receiving.message_bytes_max,
        recipients_max: usize::try_from(receiving.recipients_max).unwrap_or(usize::MAX),
        bad_commands_max: receiving.bad_commands_max,
        ..*limits
    }
}

#[cfg(test)]
mod tests {
    use policy::facts::Standing;

    use super::*;

    fn offer(service: ServiceName, internal: bool, tls: bool) -> AuthOffer {
        let address = "192.0.2.1:25".parse().unwrap();
        let connection = ConnectionFacts {
            peer: address,
            local: address,
            interface: None,
            service,
            standing: Standing {
                internal,
                fact: String::new(),
                speaks_for_others: false,
            },
            tls: tls.then(|| TlsFacts {
                version: "TLSv1.3".to_owned(),
                cipher: String::new(),
            }),
            user: None,
            greeting_name: None,
        };
        auth_offer(&connection, false)
    }

    #[test]
    fn nothing_is_offered_in_clear_to_a_peer_outside_nor_on_port_25() {
        let now = AuthOffer::Now { scram: false };
        for tls in [false, true] {
            assert_eq!(offer(ServiceName::Smtp, false, tls), AuthOffer::NotHere);
            assert_eq!(offer(ServiceName::Smtp, true, tls), now);
            assert_eq!(offer(ServiceName::Submission, true, tls), now);
        }
        assert_eq!(
            offer(ServiceName::Submission, false, false),
            AuthOffer::AfterTls
        );
        assert_eq!(offer(ServiceName::Submission, false, true), now);
        assert_eq!(offer(ServiceName::Submissions, false, true), now);
    }
}
