//! One transaction, from MAIL to its end.
//!
//! Promises: the settings in force at MAIL hold to its end; its story is told once, by the commit
//! of the message or, without one, by the recorder of refusals.

use std::ops::Range;
use std::sync::Arc;

use contracts::store::{Acceptance, Rendition};
use contracts::{Abort, Current, Event, StoreError, Story, StoryEntry, StoryHead};
use mail::header::Header;
use mail::{
    Envelope, MailParameters, Recipient, ReversePath, Timestamp, TransactionId, header_values,
};
use policy::facts::{ConnectionFacts, LearntFacts, MessageFacts, TransactionFacts};
use policy::{Because, Decision};

use crate::acceptance::Routing;
use crate::content::{Content, ContentProblem, HeaderLimits};
use crate::decisions::Asker;
use crate::facts::Purpose;
use crate::report::DeliveredHere;
use crate::trace::{Trace, return_paths};
use crate::{Intake, Ruling};

/// Refused recipients listed in one story; more are counted by nobody but heard by the peer.
const REFUSED_RECIPIENTS_LISTED_MAX: usize = 500;
/// Characters of a Subject that the history keeps.
const SUBJECT_CHARS_MAX: usize = 200;

/// An open transaction.
#[derive(Debug)]
pub(crate) struct Transaction {
    id: TransactionId,
    /// Whether its story is listed should it leave no message.
    listed: bool,
    at: Timestamp,
    current: Arc<Current>,
    connection: ConnectionFacts,
    esmtp: bool,
    learnt: LearntFacts,
    facts: TransactionFacts,
    named: Vec<String>,
    refused: usize,
    entries: Vec<StoryEntry>,
    content: Option<Content>,
}

/// What was seen in a content.
struct Seen {
    facts: MessageFacts,
    message_id: Option<String>,
    subject: Option<String>,
    prefix: Vec<u8>,
    return_paths: Vec<Range<u64>>,
}

impl Transaction {
    pub(crate) fn begin(
        intake: &Intake,
        connection: ConnectionFacts,
        esmtp: bool,
        mail: &MailParameters,
    ) -> Self {
        let at = intake.clock.now();
        Self {
            id: intake.ids.next(at),
            listed: intake.lists_refusals_from(connection.peer.ip()),
            at,
            current: intake.live.current(),
            connection,
            esmtp,
            learnt: LearntFacts::new(),
            facts: TransactionFacts {
                mail: mail.clone(),
                recipients: Vec::new(),
            },
            named: Vec::new(),
            refused: 0,
            entries: Vec::new(),
            content: None,
        }
    }

    /// The id, unless nobody could find it later.
    pub(crate) fn shown_id(&self) -> Option<TransactionId> {
        self.listed.then_some(self.id)
    }

    fn ruling(&self, decision: Decision) -> Ruling {
        Ruling {
            decision,
            id: self.shown_id(),
        }
    }

    fn tell(&mut self, at: Timestamp, event: Event) {
        self.entries.push(StoryEntry {
            id: self.id,
            at,
            event,
        });
    }

    pub(crate) async fn decide_sender(&mut self, intake: &Intake) -> Ruling {
        let asker = Asker {
            intake,
            purpose: Purpose::Mail,
            current: &self.current,
            connection: &self.connection,
        };
        let decision = asker.sender(&mut self.learnt, &self.facts.mail).await;
        let event = Event::SenderDecided {
            mail: self.facts.mail.clone(),
            decision: decision.clone(),
        };
        self.tell(intake.clock.now(), event);
        self.ruling(decision)
    }

    pub(crate) async fn decide_recipient(
        &mut self,
        intake: &Intake,
        recipient: &Recipient,
    ) -> Ruling {
        let asker = Asker {
            intake,
            purpose: Purpose::Mail,
            current: &self.current,
            connection: &self.connection,
        };
        let decision = asker
            .recipient(&mut self.learnt, &self.facts, recipient)
            .await;
        if decision.is_accept() {
            // A recipient named twice gets the message once.
            let known = |other: &Recipient| other.path == recipient.path;
            if self.facts.recipients.iter().any(known) {
                return self.ruling(decision);
            }
            self.facts.recipients.push(recipient.clone());
        } else {
            self.refused += 1;
            if self.refused > REFUSED_RECIPIENTS_LISTED_MAX {
                return Ruling { decision, id: None };
            }
        }
        self.named.push(recipient.path.to_string());
        let event = Event::RecipientDecided {
            recipient: recipient.clone(),
            decision: decision.clone(),
        };
        self.tell(intake.clock.now(), event);
        self.ruling(decision)
    }

    pub(crate) fn open_body(&mut self, intake: &Intake) -> Ruling {
        let limits = HeaderLimits {
            header_bytes_max: intake.limits.header_bytes_max,
            large_headers_bytes_max: intake.limits.large_headers_bytes_max,
        };
        let large = Arc::clone(&intake.large_headers_bytes);
        self.content = Some(Content::new(intake.store.new_body(), limits, large));
        self.ruling(Decision::accept(Because::MessageAcceptable {
            fact: "the spool is open".to_owned(),
        }))
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) {
        if let Some(content) = &mut self.content {
            content.write(piece).await;
        }
    }

    /// Ends without a message.
    pub(crate) fn end(mut self, intake: &Intake, abort: Option<Abort>) {
        if let Some(abort) = abort {
            self.tell(intake.clock.now(), Event::Aborted { abort });
        }
        let size_bytes = self.content.as_ref().map_or(0, Content::size_bytes);
        let head = self.head(None, size_bytes, false);
        let entries = std::mem::take(&mut self.entries);
        intake.record(Story { head, entries }, self.listed);
    }

    fn head(&self, subject: Option<String>, size_bytes: u64, accepted: bool) -> StoryHead {
        let sender = match &self.facts.mail.reverse_path {
            ReversePath::Null => "<>".to_owned(),
            ReversePath::Address(address) => address.to_string(),
        };
        StoryHead {
            id: self.id,
            at: self.at,
            connection: Some(self.connection.clone()),
            sender,
            recipients: self.named.clone(),
            subject,
            size_bytes,
            accepted,
        }
    }

    /// Checks, one commit, and only then the acceptance.
    pub(crate) async fn finish(mut self, intake: &Intake) -> Ruling {
        let Some(mut content) = self.content.take() else {
            return self.refuse(intake, None, 0, no_content());
        };
        let size_bytes = content.size_bytes();
        if let Some(problem) = content.problem() {
            let decision = refusal_of(problem, intake, size_bytes);
            return self.refuse(intake, None, size_bytes, decision);
        }
        let now = intake.clock.now();
        let seen = self.look_at(&content, now);
        let asker = Asker {
            intake,
            purpose: Purpose::Mail,
            current: &self.current,
            connection: &self.connection,
        };
        let decision = asker
            .message(&mut self.learnt, &self.facts, &seen.facts)
            .await;
        if !decision.is_accept() {
            return self.refuse(intake, Some(seen), size_bytes, decision);
        }
        self.accept(intake, &mut content, seen, (now, decision))
            .await
    }

    fn look_at(&self, content: &Content, at: Timestamp) -> Seen {
        let header = Header::scan(content.header());
        let authors = header_values::authors(&header);
        let trace = Trace {
            current: &self.current,
            connection: &self.connection,
            esmtp: self.esmtp,
            transaction: &self.facts,
            id: self.id,
            at,
        };
        Seen {
            facts: MessageFacts {
                size_bytes: content.size_bytes(),
                header_from: authors.addresses,
                has_from: authors.present,
                received_count: header.received_count(),
            },
            message_id: header_values::message_id(&header),
            subject: header_values::subject(&header, SUBJECT_CHARS_MAX),
            prefix: trace.prefix(&header),
            return_paths: return_paths(&header),
        }
    }

    /// Ends with a message that was not accepted.
    fn refuse(
        mut self,
        intake: &Intake,
        seen: Option<Seen>,
        size_bytes: u64,
        decision: Decision,
    ) -> Ruling {
        let (message_id, subject) = seen.map_or((None, None), |s| (s.message_id, s.subject));
        let event = Event::MessageDecided {
            size_bytes,
            message_id,
            subject: subject.clone(),
            decision: decision.clone(),
        };
        self.tell(intake.clock.now(), event);
        let ruling = self.ruling(decision);
        let head = self.head(subject, size_bytes, false);
        let entries = std::mem::take(&mut self.entries);
        intake.record(Story { head, entries }, self.listed);
        ruling
    }

    async fn accept(
        self,
        intake: &Intake,
        content: &mut Content,
        seen: Seen,
        (now, decision): (Timestamp, Decision),
    ) -> Ruling {
        let size_bytes = content.size_bytes();
        let sender = &self.facts.mail.reverse_path;
        let routing = match Routing::of(&self.current, sender, &self.facts.recipients, now) {
            Ok(routing) => routing,
            Err(because) => {
                return self.refuse(intake, Some(seen), size_bytes, Decision::defer(because));
            }
        };
        let body = match content.spooled().await {
            Ok(body) => body,
            Err(failed) => {
                return self.refuse(intake, Some(seen), size_bytes, not_kept(intake, &failed));
            }
        };
        let envelope = Envelope {
            mail: self.facts.mail.clone(),
            recipients: self.facts.recipients.clone(),
        };
        let report = DeliveredHere {
            settings: &self.current.settings,
            id: self.id,
            at: now,
            envelope: &envelope,
            delivered: &routing.delivered,
            header: content.header(),
        }
        .report();
        let acceptance = Acceptance {
            id: self.id,
            at: now,
            body,
            rendition: rendition(&seen, &routing),
            ends_with_crlf: content.ends_with_crlf(),
            envelope,
            story: self.story_of(&seen, &routing, (now, &decision)),
            deliveries: routing.deliveries,
            queue: routing.queue,
        };
        if let Err(failed) = intake.commit(acceptance).await {
            return self.refuse(intake, Some(seen), size_bytes, not_kept(intake, &failed));
        }
        if let Some(report) = report {
            intake.send_report(report).await;
        }
        Ruling {
            decision,
            id: Some(self.id),
        }
    }

    /// The story of a message that is about to be accepted.
    fn story_of(&self, seen: &Seen, routing: &Routing, told: (Timestamp, &Decision)) -> Story {
        let (at, decision) = told;
        let size_bytes = seen.facts.size_bytes;
        let mut entries = self.entries.clone();
        entries.push(StoryEntry {
            id: self.id,
            at,
            event: Event::MessageDecided {
                size_bytes,
                message_id: seen.message_id.clone(),
                subject: seen.subject.clone(),
                decision: decision.clone(),
            },
        });
        entries.extend(routing.entries(self.id, at));
        Story {
            head: self.head(seen.subject.clone(), size_bytes, true),
            entries,
        }
    }
}

/// How every reader gets the message.
// RFC 5321 §4.4: final delivery may remove the Return-Path fields that came with it; a relay may
// not touch the message. All readers share one rendition, so a message that goes both ways keeps
// them, below the one that each mailbox gets at the top.
fn rendition(seen: &Seen, routing: &Routing) -> Rendition {
    let comes_to_rest = routing.queue.is_empty();
    Rendition {
        prefix: seen.prefix.clone(),
        cuts: if comes_to_rest {
            seen.return_paths.clone()
        } else {
            Vec::new()
        },
    }
}

/// What the peer hears of a content that cannot be taken.
fn refusal_of(problem: &ContentProblem, intake: &Intake, size_bytes: u64) -> Decision {
    match problem {
        ContentProblem::Store(failed) => not_kept(intake, failed),
        ContentProblem::HeaderTooLarge => Decision::refuse(Because::TooLarge {
            size_bytes,
            limit_bytes: u64::try_from(intake.limits.header_bytes_max).unwrap_or(u64::MAX),
            setting: "the header section, which has a fixed limit".to_owned(),
        }),
        ContentProblem::Busy => Decision::defer(Because::MemoryShort {
            what: "unusually large header sections".to_owned(),
        }),
    }
}

fn no_content() -> Decision {
    Decision::defer(Because::Outside {
        part: "session".to_owned(),
        failure: "no content was begun".to_owned(),
    })
}

/// The store did not take the message: the sender keeps it and tries again.
fn not_kept(intake: &Intake, failed: &StoreError) -> Decision {
    tracing::error!(%failed, "a message could not be taken");
    let StoreError::Full { .. } = failed else {
        return Decision::defer(Because::Outside {
            part: "store".to_owned(),
            failure: failed.to_string(),
        });
    };
    // The disk filled up between the check at MAIL and now: the same no, for the same reason.
    let receiving = &intake.live.current().settings.receiving;
    Decision::defer(Because::DiskLow {
        free_bytes: intake.store.disk_free_bytes().unwrap_or(0),
        limit_bytes: receiving.disk_free_bytes_min,
        setting: "receiving.disk_free_bytes_min".to_owned(),
    })
}
