//! Answers what a POP3 session asks.
//!
//! Promises: one session holds a mailbox at a time and gives it free before its last word leaves;
//! messages are read in this task, piece by piece, as the peer takes them.

use std::sync::Arc;

use contracts::StoreError;
use contracts::store::{MaildropLock, MessageRef, Uid};
use policy::UserName;
use pop3::{Answer, BodyFrom, Credentials, MaildropEntry, MessageNumber, Question};

use super::sign_in_desk::{NotSignedIn, SignInDesk};
use crate::{Shared, replies};

/// The mailbox and the sign-in of one connection.
pub(super) struct Pop3Desk {
    shared: Arc<Shared>,
    sign_in: SignInDesk,
    user: Option<UserName>,
    lock: Option<MaildropLock>,
    messages: Vec<Uid>,
}

/// An answer, or octets that the session takes from our buffer.
pub(super) enum Answered {
    Answer(Answer),
    Body { octets: bytes::Bytes, end: bool },
}

impl Pop3Desk {
    pub(super) fn new(shared: &Arc<Shared>, source: std::net::IpAddr) -> Self {
        Self {
            sign_in: SignInDesk::new(Arc::clone(shared), source),
            shared: Arc::clone(shared),
            user: None,
            lock: None,
            messages: Vec::new(),
        }
    }

    /// Gives the mailbox free.
    pub(super) fn release(&mut self) {
        self.lock = None;
        self.messages = Vec::new();
    }

    pub(super) async fn answer(&mut self, question: Question) -> Answered {
        Answered::Answer(match question {
            Question::Body {
                message,
                first: BodyFrom(offset),
                max_bytes,
            } => return self.body(message, offset, max_bytes).await,
            Question::SignIn {
                credentials: Credentials::Password { user, password },
                ..
            } => match self.sign_in.password(&user, &password, None).await {
                Ok(user) => {
                    self.user = Some(user);
                    Answer::SignedIn
                }
                Err(why) => not_signed_in(&why),
            },
            Question::ScramStart { client_first } => {
                match self.sign_in.scram_first(&client_first).await {
                    Ok(server_first) => Answer::ScramChallenge { server_first },
                    Err(why) => not_signed_in(&why),
                }
            }
            Question::ScramStep { client_final } => match self.sign_in.scram_final(&client_final) {
                Ok(server_final) => Answer::ScramVerified { server_final },
                Err(why) => not_signed_in(&why),
            },
            Question::OpenMaildrop => self.open_maildrop().await,
            Question::ApplyDeletions { messages } => self.apply_deletions(&messages).await,
        })
    }

    async fn open_maildrop(&mut self) -> Answer {
        let user = self.sign_in.proved().or_else(|| self.user.take());
        let Some(user) = user else {
            return Answer::SignInRefused(replies::pop3_refusal());
        };
        match self.try_open(&user).await {
            Ok(entries) => {
                self.user = Some(user);
                Answer::Maildrop(entries)
            }
            Err(failed) => replies::maildrop_not_opened(&failed),
        }
    }

    async fn try_open(&mut self, user: &UserName) -> Result<Vec<MaildropEntry>, StoreError> {
        let lock = self.shared.store.lock_maildrop(user)?;
        let messages = self.shared.store.list_maildrop(user).await?;
        self.lock = Some(lock);
        self.messages = messages.iter().map(|message| message.uid).collect();
        let entry = |message: contracts::store::MaildropMessage| MaildropEntry {
            size_octets: message.size_octets,
            uid: message.uid.to_string(),
        };
        Ok(messages.into_iter().map(entry).collect())
    }

    async fn body(&self, message: MessageNumber, offset: u64, max_bytes: usize) -> Answered {
        let unavailable = Answered::Answer(Answer::Unavailable);
        let (Some(user), Some(uid)) = (&self.user, self.uid(message)) else {
            return unavailable;
        };
        let message = MessageRef::InMaildrop {
            user: user.clone(),
            uid,
        };
        let read = self.shared.store.read_message(&message, offset, max_bytes);
        match read.await {
            // Fewer only at the end, says the store's contract.
            Ok(octets) => Answered::Body {
                end: octets.len() < max_bytes,
                octets,
            },
            Err(failed) => {
                tracing::error!(%failed, "a message could not be read");
                unavailable
            }
        }
    }

    async fn apply_deletions(&self, messages: &[MessageNumber]) -> Answer {
        let uids: Option<Vec<Uid>> = messages.iter().map(|message| self.uid(*message)).collect();
        let (Some(user), Some(uids)) = (&self.user, uids) else {
            return Answer::DeletionsFailed;
        };
        match self.shared.store.apply_deletions(user, &uids).await {
            Ok(()) => Answer::DeletionsApplied,
            Err(failed) => {
                tracing::error!(%failed, "messages could not be deleted");
                Answer::DeletionsFailed
            }
        }
    }

    fn uid(&self, message: MessageNumber) -> Option<Uid> {
        self.messages.get(message.index()?).copied()
    }
}

fn not_signed_in(why: &NotSignedIn) -> Answer {
    match why {
        NotSignedIn::Refused => Answer::SignInRefused(replies::pop3_refusal()),
        NotSignedIn::Unavailable(failed) => replies::pop3_not_verified(failed),
    }
}
