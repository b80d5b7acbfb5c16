//! One attempt at one group: every host in turn until one has said yes or no to every recipient.
//!
//! Promises: several hosts within one attempt; what a host may already have taken goes to no
//! other; a host that wants fewer recipients at once gets them in portions.
//! Standards: RFC 5321 §3.8, §4.2.4, §4.5.3.1.10, §4.5.3.2.6, §5.1.

use std::collections::VecDeque;
use std::sync::Arc;

use contracts::store::QueueEntry;
use contracts::{Current, Store, StoreError};
use mail::BodyType;
use policy::Because;
use smtp::client::{Fate, Stage, Transaction, Trouble};

use crate::board::{Board, Down};
use crate::connection::Connection;
use crate::group::Group;
use crate::hosts::{Finder, Nowhere, Target};
use crate::message::Message;
use crate::opening::{NotOpened, Opener};
use crate::random::{Random, salt};
use crate::verdict::{Outcome, Tried, Verdict};
use crate::why::Why;

/// What attempts need.
pub(crate) struct Attempter {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) resolver: Arc<dyn contracts::Resolver>,
    pub(crate) ourselves: Arc<crate::Ourselves>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) opener: Opener,
    pub(crate) board: Arc<Board>,
}

/// One attempt under way.
struct Attempt<'a> {
    with: &'a Attempter,
    current: &'a Current,
    group: &'a Group,
    message: Message,
    /// Recipients without a verdict.
    open: Vec<QueueEntry>,
    outcomes: Vec<Outcome>,
    /// Addresses not tried yet; `None` before they were looked up.
    targets: Option<VecDeque<Target>>,
    /// A session was had with somebody.
    reached: bool,
    last: Option<(Why, Tried)>,
}

impl Attempter {
    /// Tries to send; `connection` is one to use first, and afterwards one that can be used again.
    pub(crate) async fn attempt(
        &self,
        connection: &mut Option<Connection>,
        current: &Current,
        group: Group,
    ) -> Vec<Outcome> {
        let block_bytes = self.opener.limits.session.block_bytes;
        let opened = Message::open(Arc::clone(&self.store), group.id, block_bytes).await;
        let message = match opened {
            Ok(message) => message,
            Err(error) => return unread(group, &error),
        };
        let mut attempt = Attempt {
            with: self,
            current,
            open: group.entries.clone(),
            group: &group,
            message,
            outcomes: Vec::new(),
            targets: None,
            reached: false,
            last: None,
        };
        while !attempt.open.is_empty() {
            let Some(mut used) = attempt.connected(connection.take()).await else {
                break;
            };
            let usable = attempt.portion(&mut used).await;
            if usable && (attempt.open.is_empty() || used.ready().await) {
                *connection = Some(used);
            } else {
                used.quit().await;
            }
        }
        attempt.outcomes
    }
}

impl Attempt<'_> {
    /// A connection to go on with; without one everybody has a verdict.
    async fn connected(&mut self, kept: Option<Connection>) -> Option<Connection> {
        if let Some(mut kept) = kept {
            let messages_max = self
                .current
                .settings
                .delivery
                .messages_per_connection_max
                .max(1);
            if kept.next_hop == self.group.next_hop && kept.messages < messages_max {
                if kept.ready().await {
                    self.reached = true;
                    return Some(kept);
                }
            } else {
                kept.quit().await;
            }
        }
        if self.targets.is_none() {
            match self.look_up().await {
                Ok(targets) => self.targets = Some(targets),
                Err(nowhere) => {
                    self.nowhere(nowhere);
                    return None;
                }
            }
        }
        self.open_next().await
    }

    async fn look_up(&self) -> Result<VecDeque<Target>, Nowhere> {
        let with = self.with;
        let finder = Finder {
            resolver: &*with.resolver,
            ourselves: &with.ourselves,
            random: &*with.random,
            mx_port: self.current.settings.delivery.mx_port,
        };
        let mut targets = finder.targets(&self.group.next_hop).await?;
        // Those that did not answer lately are tried after the others; the sort keeps order else.
        let now = with.opener.clock.now();
        targets.sort_by_key(|one| with.board.is_address_down(one.address, now));
        targets.truncate(with.opener.limits.addresses_max);
        Ok(targets.into())
    }

    async fn open_next(&mut self) -> Option<Connection> {
        let with = self.with;
        let host_name = &self.current.settings.machine.host_name;
        while let Some(target) = self.targets.as_mut().and_then(VecDeque::pop_front) {
            let next_hop = &self.group.next_hop;
            match with.opener.open(next_hop, &target, host_name).await {
                Ok(connection) => {
                    self.reached = true;
                    with.board.remember_address(target.address, None);
                    with.board.remember(&self.group.destination, None);
                    return Some(connection);
                }
                Err(NotOpened::Failed(why) | NotOpened::Handshake(why)) => {
                    let until = with
                        .opener
                        .clock
                        .now()
                        .plus(with.opener.limits.address_down);
                    with.board.remember_address(target.address, Some(until));
                    self.last = Some((why, tried(&target, None)));
                }
                Err(NotOpened::Stopped) => {
                    self.all(None, &Verdict::Released);
                    return None;
                }
            }
        }
        self.exhausted();
        None
    }

    /// Every address was tried.
    fn exhausted(&mut self) {
        let failure = || {
            let because = Because::Unreachable {
                failure: "no host was left to try".to_owned(),
            };
            (Why::plain(because, 4, 1), None)
        };
        let last = self.last.take().map(|(why, tried)| (why, Some(tried)));
        let (why, tried) = last.unwrap_or_else(failure);
        if !self.reached {
            self.remember_down(&why);
        }
        self.all(tried.as_ref(), &Verdict::Deferred(why));
    }

    fn nowhere(&mut self, nowhere: Nowhere) {
        let tried = Tried {
            host: self.group.destination.clone(),
            address: None,
            tls: None,
        };
        let verdict = match nowhere {
            Nowhere::Refused(why) => Verdict::Refused(why),
            Nowhere::Deferred(why) => {
                self.remember_down(&why);
                Verdict::Deferred(why)
            }
        };
        self.all(Some(&tried), &verdict);
    }

    fn remember_down(&self, why: &Why) {
        let with = self.with;
        let now = with.opener.clock.now();
        let failures = with
            .board
            .failures(&self.group.destination)
            .saturating_add(1);
        let retry = &self.current.settings.delivery.retry;
        let pause = policy::retry::next(retry, now, failures, now, salt(&*with.random));
        if let policy::retry::NextTry::At(until) = pause {
            let down = Down {
                failures,
                until,
                why: why.clone(),
            };
            with.board.remember(&self.group.destination, Some(down));
        }
    }

    /// The same verdict for all that are open.
    fn all(&mut self, tried: Option<&Tried>, verdict: &Verdict) {
        for entry in self.open.drain(..) {
            self.outcomes.push(Outcome {
                entry,
                tried: tried.cloned(),
                verdict: verdict.clone(),
            });
        }
    }

    /// One transaction for as many as it holds; whether the connection may be used again.
    async fn portion(&mut self, connection: &mut Connection) -> bool {
        let extensions = connection.extensions();
        let limit = self.with.opener.limits.recipients_max;
        let limit = extensions
            .recipients_max
            .map_or(limit, |max| max.min(limit));
        let rest = self.open.split_off(limit.max(1).min(self.open.len()));
        let portion = std::mem::replace(&mut self.open, rest);
        let transaction = match self.transaction(&portion, extensions.eight_bit_mime).await {
            Ok(transaction) => transaction,
            Err(error) => {
                for entry in portion {
                    self.outcome(entry, None, store_failed(&error));
                }
                return true;
            }
        };
        let tried = tried(&connection.target, connection.tls.clone());
        let fates = connection.send(transaction, &self.message).await;
        let some_taken = fates.iter().any(|fate| matches!(fate, Fate::Taken { .. }));
        let mut usable = true;
        for (entry, fate) in portion.into_iter().zip(fates) {
            usable &= !ends_connection(&fate);
            let far = &connection.target.far;
            match fate {
                Fate::Taken { reply } => {
                    let verdict = Verdict::Taken {
                        far: far.clone(),
                        reply,
                        reports_itself: extensions.dsn,
                    };
                    self.outcome(entry, Some(&tried), verdict);
                }
                Fate::Lacks(lack) => {
                    let why = Why::lack(far, lack, entry.size_bytes);
                    self.outcome(entry, Some(&tried), Verdict::Refused(why));
                }
                Fate::NotTaken { stage, trouble } => {
                    let why = Why::trouble(far, stage, &trouble);
                    match next(stage, &trouble, some_taken) {
                        Next::Verdict(Way::Refused) => {
                            self.outcome(entry, Some(&tried), Verdict::Refused(why));
                        }
                        Next::Verdict(Way::Deferred) => {
                            self.outcome(entry, Some(&tried), Verdict::Deferred(why));
                        }
                        Next::Verdict(Way::Released) => {
                            self.outcome(entry, None, Verdict::Released);
                        }
                        Next::SameHost => self.open.push(entry),
                        Next::OtherHost => {
                            self.last = Some((why, tried.clone()));
                            self.open.push(entry);
                            usable = false;
                        }
                    }
                }
            }
        }
        usable
    }

    fn outcome(&mut self, entry: QueueEntry, tried: Option<&Tried>, verdict: Verdict) {
        self.outcomes.push(Outcome {
            entry,
            tried: tried.cloned(),
            verdict,
        });
    }

    async fn transaction(
        &self,
        portion: &[QueueEntry],
        takes_eight_bit: bool,
    ) -> Result<Transaction, StoreError> {
        let first = portion.first().or(self.group.entries.first());
        let Some(first) = first else {
            return Err(StoreError::NotFound {
                what: "a recipient".to_owned(),
            });
        };
        let mail = first.mail.clone();
        let seems = self.message.seems_eight_bit();
        // What was only declared is looked at before it is refused.
        let declared = mail.body == BodyType::EightBitMime;
        let eight_bit = seems || (!takes_eight_bit && self.message.is_eight_bit().await?);
        Ok(Transaction {
            eight_bit: eight_bit || (declared && takes_eight_bit),
            utf8_header: mail.smtputf8 && !self.message.header().is_ascii(),
            mail,
            recipients: portion
                .iter()
                .map(|entry| entry.recipient.clone())
                .collect(),
            size_bytes: first.size_bytes,
        })
    }
}

/// What comes after a recipient was not taken.
enum Next {
    Verdict(Way),
    SameHost,
    OtherHost,
}

enum Way {
    Refused,
    Deferred,
    Released,
}

fn next(stage: Stage, trouble: &Trouble, some_taken: bool) -> Next {
    match trouble {
        Trouble::Ended => Next::Verdict(Way::Released),
        Trouble::NoBody => Next::Verdict(Way::Deferred),
        // RFC 5321 §4.5.3.1.10: 452 (or 552) to RCPT means too many; the rest goes next.
        Trouble::Reply(reply)
            if matches!(reply.code, 452 | 552) && stage == Stage::Recipient && some_taken =>
        {
            Next::SameHost
        }
        // RFC 5321 §4.2.4: 5xx is for good, unless it was about the session and not the message.
        Trouble::Reply(reply) if reply.is_permanent() && stage != Stage::Idle => {
            Next::Verdict(Way::Refused)
        }
        // RFC 5321 §4.5.3.2.6: the far side may have taken it; nobody else gets it now.
        _ if stage == Stage::FinalDot => Next::Verdict(Way::Deferred),
        Trouble::Reply(reply) if reply.code != 421 && stage != Stage::Mail => {
            Next::Verdict(Way::Deferred)
        }
        // RFC 5321 §5.1: every host is tried until one has decided.
        Trouble::Reply(_)
        | Trouble::Unexpected(_)
        | Trouble::NoReply(_)
        | Trouble::Closed
        | Trouble::TimedOut
        | Trouble::TlsNotOffered
        | Trouble::SignInNotOffered => Next::OtherHost,
    }
}

/// Whether nothing more can be said over the connection.
const fn ends_connection(fate: &Fate) -> bool {
    match fate {
        Fate::Taken { .. } | Fate::Lacks(_) => false,
        Fate::NotTaken { stage, trouble } => match trouble {
            Trouble::Reply(reply) => reply.code == 421 || matches!(stage, Stage::Text),
            Trouble::Unexpected(_)
            | Trouble::NoReply(_)
            | Trouble::Closed
            | Trouble::TimedOut
            | Trouble::TlsNotOffered
            | Trouble::SignInNotOffered
            | Trouble::NoBody
            | Trouble::Ended => true,
        },
    }
}

fn tried(target: &Target, tls: Option<String>) -> Tried {
    Tried {
        host: target.far.host.clone(),
        address: Some(target.address),
        tls,
    }
}

fn store_failed(error: &StoreError) -> Verdict {
    Verdict::Deferred(Why::plain(
        Because::Outside {
            part: "store".to_owned(),
            failure: error.to_string(),
        },
        3,
        0,
    ))
}

/// Nobody gets a message that cannot be read.
fn unread(group: Group, error: &StoreError) -> Vec<Outcome> {
    tracing::error!(id = %group.id, %error, "a queued message cannot be read");
    let outcome = |entry| Outcome {
        entry,
        tried: None,
        verdict: store_failed(error),
    };
    group.entries.into_iter().map(outcome).collect()
}
