//! Answers what an SMTP session asks.
//!
//! Promises: decisions come from `intake` alone; 250 to a message only after its commit.

use std::sync::Arc;

use intake::Door;
use policy::facts::{ConnectionFacts, TlsFacts};
use smtp::server::{Answer, Credentials, Discarded, Question};

use super::sign_in_desk::{NotSignedIn, SignInDesk};
use crate::{Shared, replies};

/// The door and the sign-in of one connection.
pub(super) struct SmtpDesk {
    door: Door,
    sign_in: SignInDesk,
}

impl SmtpDesk {
    pub(super) fn new(shared: &Arc<Shared>, connection: ConnectionFacts) -> Self {
        Self {
            sign_in: SignInDesk::new(Arc::clone(shared), connection.peer.ip()),
            door: shared.intake.begin(connection),
        }
    }

    pub(super) fn connection(&self) -> &ConnectionFacts {
        self.door.connection()
    }

    pub(super) async fn write(&mut self, octets: &[u8]) {
        self.door.write(octets).await;
    }

    pub(super) fn discard(&mut self, why: Option<Discarded>) {
        self.door.reset(replies::aborted(why));
    }

    /// TLS is on: what was known of the client is forgotten.
    pub(super) fn tls_started(&mut self, tls: TlsFacts) {
        let connection = self.door.connection_mut();
        connection.tls = Some(tls);
        connection.user = None;
        connection.greeting_name = None;
    }

    pub(super) async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Mail {
                parameters,
                greeting_name,
                esmtp,
            } => {
                self.door.greeted(greeting_name, esmtp);
                let ruling = self.door.mail(&parameters).await;
                Answer::Reply(replies::ruling(&ruling))
            }
            Question::Recipient { recipient } => {
                let ruling = self.door.recipient(&recipient).await;
                Answer::Reply(replies::ruling(&ruling))
            }
            Question::Body => {
                let ruling = self.door.body();
                Answer::Reply(replies::ruling(&ruling))
            }
            Question::Message { .. } => {
                let ruling = self.door.finish().await;
                Answer::Reply(replies::ruling(&ruling))
            }
            Question::Authenticate(credentials) => self.authenticate(&credentials).await,
            Question::Scram { first, message } => self.scram(first, &message).await,
        }
    }

    async fn authenticate(&mut self, credentials: &Credentials) -> Answer {
        let verified = self.sign_in.password(
            &credentials.name,
            &credentials.password,
            credentials.authorization_id.as_deref(),
        );
        match verified.await {
            Ok(user) => {
                self.door.connection_mut().user = Some(user);
                Answer::Reply(replies::signed_in())
            }
            Err(refused) => not_signed_in(&refused),
        }
    }

    async fn scram(&mut self, first: bool, message: &[u8]) -> Answer {
        let challenge = if first {
            self.sign_in.scram_first(message).await
        } else if self.sign_in.awaits_proof() {
            self.sign_in.scram_final(message)
        } else {
            // RFC 4954 §4: the server's last data is a challenge, answered by an empty response.
            return match self.sign_in.proved() {
                Some(user) if message.is_empty() => {
                    self.door.connection_mut().user = Some(user);
                    Answer::Reply(replies::signed_in())
                }
                Some(_) | None => not_signed_in(&NotSignedIn::Refused),
            };
        };
        match challenge {
            Ok(challenge) => Answer::Challenge(challenge),
            Err(refused) => not_signed_in(&refused),
        }
    }
}

fn not_signed_in(why: &NotSignedIn) -> Answer {
    Answer::Reply(match why {
        NotSignedIn::Refused => replies::sign_in_refused(),
        NotSignedIn::Unavailable(failed) => replies::authenticate_failed(failed),
    })
}
