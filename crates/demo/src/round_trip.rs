//! One round trip, told hop by hop with the decision behind each.

use std::future::Future;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use contracts::store::HistoryQuery;
use contracts::{Event, Story, StoryHead, Terminal};
use mail::TransactionId;
use operate::{Answer, OperateError, Request};

use crate::dialog::{DialogError, Pop3Dialog, SmtpDialog};

/// The answer of the gateway to its operator, some time.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, OperateError>> + Send + 'a>>;

/// A running gateway in scenario 1 for `office.test`.
pub struct OfficeInBox<'a> {
    /// Where Bob's program sends.
    pub smtp: SocketAddr,
    /// Where Bob's program collects.
    pub pop3: SocketAddr,
    /// Bob's password.
    pub password: String,
    /// Asks the gateway as its operator.
    pub ask: &'a (dyn Fn(Request) -> Asked<'a> + Sync),
}

/// Why the round trip did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RoundTripError {
    /// A dialogue failed.
    #[error(transparent)]
    Dialog(#[from] DialogError),
    /// The gateway did not answer its operator.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// Nothing could be printed.
    #[error(transparent)]
    Print(#[from] io::Error),
    /// Something did not happen in time.
    #[error("{what} did not happen within {} seconds", DEADLINE.as_secs())]
    NotInTime {
        /// What was waited for.
        what: &'static str,
    },
    /// The reply to a message had no id in it.
    #[error("the gateway's reply names no id: {reply}")]
    NoId {
        /// The reply.
        reply: String,
    },
}

const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
const LAN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const LETTER: &str = "From: Bob <bob@office.test>\r\nTo: Fred <fred@hotmail.test>\r\n\
    Subject: Lunch on Friday?\r\n\r\nDear Fred,\r\n\r\nshall we?\r\n\r\nBob";

/// Sends Bob's letter, waits for Fred's answer and collects it, printing every hop to `out`.
///
/// # Errors
/// `RoundTripError` says which hop failed.
pub async fn round_trip(
    office: &OfficeInBox<'_>,
    out: &mut (dyn Write + Send),
) -> Result<(), RoundTripError> {
    writeln!(
        out,
        "1. Bob sends to Fred through the gateway at {}",
        office.smtp
    )?;
    let mut bob = SmtpDialog::connect(office.smtp, LAN, "client1.office.test").await?;
    let reply = bob
        .send("bob@office.test", "fred@hotmail.test", LETTER)
        .await?;
    writeln!(out, "   the gateway says: {reply}")?;
    let id = id_in(&reply)?;
    let story = office
        .story_when(id, "delivery to hotmail.test", relayed)
        .await?;
    tell(out, &story)?;

    writeln!(out, "2. Fred answers; hotmail.test connects to the gateway")?;
    let head = office.answer_of_fred().await?;
    let story = office
        .story_when(head.id, "delivery to Bob's mailbox", in_mailbox)
        .await?;
    tell(out, &story)?;

    writeln!(out, "3. Bob collects his mail by POP3 at {}", office.pop3)?;
    let mut pop3 = Pop3Dialog::sign_in(office.pop3, "bob", &office.password).await?;
    let messages = pop3.collect().await?;
    let answer = messages
        .iter()
        .find(|message| message.contains("Re: Lunch on Friday?"));
    let answer = answer.ok_or(RoundTripError::NotInTime {
        what: "Fred's answer",
    })?;
    for line in answer.lines() {
        writeln!(out, "   | {line}")?;
    }
    writeln!(out, "The round trip is complete.")?;
    Ok(())
}

impl OfficeInBox<'_> {
    async fn story_when(
        &self,
        id: TransactionId,
        what: &'static str,
        ended: fn(&Event) -> bool,
    ) -> Result<Story, RoundTripError> {
        let mut waited = Duration::ZERO;
        while waited < DEADLINE {
            if let Ok(Answer::Story { story }) = (self.ask)(Request::HistoryShow { id }).await
                && story.entries.iter().any(|entry| ended(&entry.event))
            {
                return Ok(*story);
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
        Err(RoundTripError::NotInTime { what })
    }

    async fn answer_of_fred(&self) -> Result<StoryHead, RoundTripError> {
        let query = HistoryQuery {
            text: "fred@hotmail.test".to_owned(),
            limit: 20,
            ..HistoryQuery::default()
        };
        let mut waited = Duration::ZERO;
        while waited < DEADLINE {
            let request = Request::HistorySearch {
                query: query.clone(),
            };
            if let Answer::History { heads } = (self.ask)(request).await? {
                let from_fred = |head: &StoryHead| head.sender.contains("fred@hotmail.test");
                if let Some(head) = heads.into_iter().find(from_fred) {
                    return Ok(head);
                }
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
        Err(RoundTripError::NotInTime {
            what: "Fred's answer",
        })
    }
}

fn id_in(reply: &str) -> Result<TransactionId, RoundTripError> {
    let mut words = reply.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
    words
        .find_map(|word| word.parse().ok())
        .ok_or_else(|| RoundTripError::NoId {
            reply: reply.to_owned(),
        })
}

fn relayed(event: &Event) -> bool {
    matches!(
        event,
        Event::Ended {
            terminal: Terminal::Relayed,
            ..
        }
    )
}

fn in_mailbox(event: &Event) -> bool {
    matches!(
        event,
        Event::Ended {
            terminal: Terminal::InMailbox { .. },
            ..
        }
    )
}

fn tell(out: &mut dyn Write, story: &Story) -> io::Result<()> {
    if let Some(connection) = &story.head.connection {
        writeln!(
            out,
            "   peer {}: {}",
            connection.peer.ip(),
            connection.standing.fact
        )?;
    }
    for entry in &story.entries {
        let (what, decision) = match &entry.event {
            Event::SenderDecided { mail, decision } => {
                (format!("sender <{}>", mail.reverse_path), decision)
            }
            Event::RecipientDecided {
                recipient,
                decision,
            } => (format!("recipient <{}>", recipient.path), decision),
            Event::MessageDecided {
                size_bytes,
                decision,
                ..
            } => (format!("message of {size_bytes} octets"), decision),
            Event::Queued {
                recipient,
                decision,
            } => (format!("<{recipient}> queued"), decision),
            Event::Attempted { host, decision, .. } => (format!("tried {host}"), decision),
            Event::Ended {
                recipient,
                decision,
                ..
            } => (format!("<{recipient}> ended"), decision),
            Event::Aborted { .. } | Event::DelayNoticed { .. } | Event::Operated { .. } => continue,
        };
        writeln!(
            out,
            "   {what}: {:?}, because {}",
            decision.outcome, decision.because
        )?;
    }
    Ok(())
}
