//! The questions to `policy`, in the order of the protocol; mail and `explain` share them.

use contracts::Current;
use mail::{MailParameters, Recipient};
use policy::facts::{ConnectionFacts, LearntFacts, MessageFacts, TransactionFacts};
use policy::route::route;
use policy::{Decision, message, recipient, sender};

use crate::Intake;
use crate::facts::{Purpose, decided};

/// Who asks, about which connection, under which settings.
pub(crate) struct Asker<'a> {
    pub(crate) intake: &'a Intake,
    pub(crate) purpose: Purpose,
    pub(crate) current: &'a Current,
    pub(crate) connection: &'a ConnectionFacts,
}

impl Asker<'_> {
    /// The decision at MAIL.
    pub(crate) async fn sender(&self, learnt: &mut LearntFacts, mail: &MailParameters) -> Decision {
        let (settings, directory) = (&self.current.settings, &self.current.directory);
        decided(self.intake, self.purpose, learnt, |learnt| {
            sender::sender(settings, directory, self.connection, learnt, mail)
        })
        .await
    }

    /// The decision at RCPT. What is accepted here can be routed: a recipient for whom settings
    /// name no host has to wait outside.
    pub(crate) async fn recipient(
        &self,
        learnt: &mut LearntFacts,
        transaction: &TransactionFacts,
        recipient: &Recipient,
    ) -> Decision {
        let (settings, directory) = (&self.current.settings, &self.current.directory);
        let decision = decided(self.intake, self.purpose, learnt, |learnt| {
            recipient::recipient(
                settings,
                directory,
                self.connection,
                learnt,
                transaction,
                recipient,
            )
        })
        .await;
        if !decision.is_accept() {
            return decision;
        }
        match route(settings, directory, &recipient.path) {
            Ok(_) => decision,
            Err(because) => Decision::defer(because),
        }
    }

    /// The decision after the final dot.
    pub(crate) async fn message(
        &self,
        learnt: &mut LearntFacts,
        transaction: &TransactionFacts,
        facts: &MessageFacts,
    ) -> Decision {
        let (settings, directory) = (&self.current.settings, &self.current.directory);
        decided(self.intake, self.purpose, learnt, |learnt| {
            message::message(
                settings,
                directory,
                self.connection,
                learnt,
                transaction,
                facts,
            )
        })
        .await
    }
}
