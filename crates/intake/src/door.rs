//! `Door`: one connection's way in.
//!
//! Promises: calls come in the order of the protocol; each returns what was decided and the id
//! that finds it. Dropping a door ends its open transaction as *the client left*.
//! Does not: suspend where memory can answer.

use std::sync::Arc;

use contracts::Abort;
use mail::{MailParameters, Recipient, TransactionId};
use policy::facts::ConnectionFacts;
use policy::{Because, Decision};

use crate::Intake;
use crate::transaction::Transaction;

/// What was decided, and the id that finds it in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The decision; an outside failure is a `Defer` for `Because::Outside`.
    pub decision: Decision,
    /// The id for the reply; `None` where refusals are counted instead of listed.
    pub id: Option<TransactionId>,
}

/// One connection's way in: `mail`, `recipient` (any number), `body`, `write` (any number),
/// `finish`; `reset` at any time.
#[derive(Debug)]
pub struct Door {
    intake: Arc<Intake>,
    connection: ConnectionFacts,
    esmtp: bool,
    transaction: Option<Transaction>,
}

impl Door {
    pub(crate) fn new(intake: Arc<Intake>, connection: ConnectionFacts) -> Self {
        Self {
            intake,
            connection,
            esmtp: true,
            transaction: None,
        }
    }

    /// The facts of the connection as they stand.
    pub fn connection(&self) -> &ConnectionFacts {
        &self.connection
    }

    /// The facts of the connection, to be changed when TLS starts or somebody signs in; they are
    /// read at each call.
    pub fn connection_mut(&mut self) -> &mut ConnectionFacts {
        &mut self.connection
    }

    /// What the client said at HELO (`esmtp` false) or EHLO.
    pub fn greeted(&mut self, name: Option<String>, esmtp: bool) {
        self.connection.greeting_name = name;
        self.esmtp = esmtp;
    }

    /// MAIL: begins a transaction, unless refused. One still open ends as reset.
    pub async fn mail(&mut self, parameters: &MailParameters) -> Ruling {
        self.reset(Abort::Reset);
        // Put in place before anything is waited for: a client that leaves meanwhile has a story.
        let transaction = self.transaction.insert(Transaction::begin(
            &self.intake,
            self.connection.clone(),
            self.esmtp,
            parameters,
        ));
        let ruling = transaction.decide_sender(&self.intake).await;
        if !ruling.decision.is_accept()
            && let Some(transaction) = self.transaction.take()
        {
            transaction.end(&self.intake, None);
        }
        ruling
    }

    /// RCPT: adds a recipient, unless refused.
    pub async fn recipient(&mut self, recipient: &Recipient) -> Ruling {
        match &mut self.transaction {
            Some(transaction) => transaction.decide_recipient(&self.intake, recipient).await,
            None => without_transaction(),
        }
    }

    /// DATA or the first BDAT: opens the spool. A refusal ends the transaction.
    pub fn body(&mut self) -> Ruling {
        let Some(transaction) = &mut self.transaction else {
            return without_transaction();
        };
        transaction.open_body(&self.intake)
    }

    /// The next octets of the content. A failure to keep them is answered by `finish`.
    pub async fn write(&mut self, piece: &[u8]) {
        if let Some(transaction) = &mut self.transaction {
            transaction.write(piece).await;
        }
    }

    /// The content is whole: checks, one commit, and only then the acceptance. Ends the
    /// transaction either way. To be awaited to its end: whoever drops it half-way does not know
    /// whether the message was accepted.
    pub async fn finish(&mut self) -> Ruling {
        match self.transaction.take() {
            Some(transaction) => transaction.finish(&self.intake).await,
            None => without_transaction(),
        }
    }

    /// Ends the open transaction, if there is one, without a message.
    pub fn reset(&mut self, abort: Abort) {
        if let Some(transaction) = self.transaction.take() {
            transaction.end(&self.intake, Some(abort));
        }
    }

    /// The id of the open transaction, where replies may name it.
    pub fn id(&self) -> Option<TransactionId> {
        self.transaction.as_ref().and_then(Transaction::shown_id)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.reset(Abort::ClientLeft);
    }
}

/// The session's own order of commands makes this impossible; should it happen all the same, the
/// sender keeps the message.
fn without_transaction() -> Ruling {
    Ruling {
        decision: Decision::defer(Because::Outside {
            part: "session".to_owned(),
            failure: "no transaction is open".to_owned(),
        }),
        id: None,
    }
}
