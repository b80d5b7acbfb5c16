//! Why a recipient did not get its mail, as every listener needs it: history, queue, report.
//!
//! Promises: status and reason never disagree in class once an outcome is drawn from it; what a
//! report says to a stranger names no inner host.
//! Standards: RFC 3463, RFC 5321 §4.2.1, RFC 5248.

use mail::{EnhancedStatus, StatusClass};
use policy::Because;
use smtp::PeerReply;
use smtp::client::{Lack, Stage, Trouble};

/// One reason.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    /// The reason, for operators.
    pub(crate) because: Because,
    /// Its status; the class is set by the outcome.
    pub(crate) status: EnhancedStatus,
    /// The far side's own words, reply code first.
    pub(crate) diagnostic: Option<String>,
    /// The far side, by the name a report may tell.
    pub(crate) remote: Option<String>,
}

/// The far side, by both its names.
#[derive(Clone, Debug)]
pub(crate) struct FarSide {
    /// Its name, for operators.
    pub(crate) host: String,
    /// What a report to a stranger may call it.
    pub(crate) told_as: String,
}

const fn transient(subject: u16, detail: u16) -> EnhancedStatus {
    EnhancedStatus::new(StatusClass::Transient, subject, detail)
}

impl Why {
    /// Without anybody having been spoken to.
    pub(crate) const fn plain(because: Because, subject: u16, detail: u16) -> Self {
        Self {
            because,
            status: transient(subject, detail),
            diagnostic: None,
            remote: None,
        }
    }

    /// A reason whose status is that of the public table.
    pub(crate) fn refusal(because: Because) -> Self {
        let reply = policy::public::reply(&policy::Decision::refuse(because.clone()));
        Self::plain(because, reply.subject, reply.detail)
    }

    /// What went wrong in a conversation.
    pub(crate) fn trouble(far: &FarSide, stage: Stage, trouble: &Trouble) -> Self {
        match trouble {
            Trouble::Reply(reply) | Trouble::Unexpected(reply) => Self::reply(far, reply),
            // RFC 3463 §3.5: X.4.2, bad connection; X.5.0 for a conversation that makes no sense.
            Trouble::Closed | Trouble::TimedOut | Trouble::Ended => {
                Self::broken(far, stage, trouble, (4, 2))
            }
            Trouble::NoReply(_) => Self::broken(far, stage, trouble, (5, 0)),
            Trouble::TlsNotOffered | Trouble::SignInNotOffered => {
                Self::broken(far, stage, trouble, (7, 0))
            }
            Trouble::NoBody => Self::plain(
                Because::Outside {
                    part: "store".to_owned(),
                    failure: trouble.to_string(),
                },
                3,
                0,
            ),
        }
    }

    /// What the far side said.
    pub(crate) fn reply(far: &FarSide, reply: &PeerReply) -> Self {
        let words = reply.summary();
        let status = reply.enhanced.unwrap_or(transient(0, 0));
        Self {
            because: Because::FarSide {
                host: far.host.clone(),
                reply: words.clone(),
            },
            status,
            diagnostic: Some(words),
            remote: Some(far.told_as.clone()),
        }
    }

    fn broken(far: &FarSide, stage: Stage, trouble: &Trouble, status: (u16, u16)) -> Self {
        let failure = format!("{}: {trouble} (at {})", far.host, stage.words());
        Self {
            because: Because::Unreachable { failure },
            status: transient(status.0, status.1),
            diagnostic: None,
            remote: Some(far.told_as.clone()),
        }
    }

    /// No connection could be made.
    pub(crate) fn unreachable(far: &FarSide, failure: &str) -> Self {
        Self {
            because: Because::Unreachable {
                failure: format!("{}: {failure}", far.host),
            },
            // RFC 3463 §3.5: X.4.1, no answer from host.
            status: transient(4, 1),
            diagnostic: None,
            remote: Some(far.told_as.clone()),
        }
    }

    /// The far side lacks an extension.
    pub(crate) fn lack(far: &FarSide, lack: Lack, size_bytes: u64) -> Self {
        // RFC 6531 §3.5: X.6.7; RFC 6152 §3 and RFC 3463 §3.7: X.6.3; RFC 1870 §6.1: X.3.4.
        let (extension, subject, detail) = match lack {
            Lack::SmtpUtf8 => ("SMTPUTF8".to_owned(), 6, 7),
            Lack::EightBitMime => ("8BITMIME".to_owned(), 6, 3),
            Lack::Size { limit_bytes } => (
                format!("SIZE: it takes {limit_bytes} octets, not {size_bytes}"),
                3,
                4,
            ),
        };
        Self {
            because: Because::FarSideLacks {
                host: far.host.clone(),
                extension,
            },
            status: transient(subject, detail),
            diagnostic: None,
            remote: Some(far.told_as.clone()),
        }
    }

    /// The status with the class of an outcome.
    pub(crate) const fn status(&self, class: StatusClass) -> EnhancedStatus {
        EnhancedStatus::new(class, self.status.subject, self.status.detail)
    }

    /// What the queue shows.
    pub(crate) fn words(&self) -> String {
        self.diagnostic
            .clone()
            .unwrap_or_else(|| self.because.to_string())
    }

    /// One sentence for the sender, without our host names or settings.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the reasons that stop delivery are few, and the last sentence fits any other"
    )]
    pub(crate) fn for_sender(&self) -> String {
        let host = self.remote.as_deref().unwrap_or("the mail server there");
        match &self.because {
            Because::FarSide { .. } => format!("The mail server {host} did not take it."),
            Because::RecipientDomainUnknown { domain } => {
                format!("The domain {domain} does not exist, or has no mail server.")
            }
            Because::RecipientNullMx { domain } => format!("The domain {domain} takes no mail."),
            Because::LoopsToOurselves { .. } => {
                "Mail for this address would come back to this server.".to_owned()
            }
            Because::FarSideLacks { .. } => self.lacking(host),
            Because::Unreachable { .. } if self.remote.is_some() => {
                format!("The mail server {host} could not be reached, or broke off.")
            }
            Because::AddressUnknown { .. } | Because::AddressWithoutUser { .. } => {
                "There is no such address here.".to_owned()
            }
            _ => "No mail server for this address could be found or reached.".to_owned(),
        }
    }

    fn lacking(&self, host: &str) -> String {
        match (self.status.subject, self.status.detail) {
            (3, 4) => format!("The message is larger than the mail server {host} takes."),
            (6, 7) => format!(
                "The address or the subject has letters that the mail server {host} cannot handle."
            ),
            _ => format!("The text has letters that the mail server {host} cannot handle."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far() -> FarSide {
        FarSide {
            host: "inner.lan".to_owned(),
            told_as: "office.test".to_owned(),
        }
    }

    #[test]
    fn the_status_is_the_far_sides_where_it_gave_one() {
        let reply = PeerReply {
            code: 550,
            enhanced: "5.1.1".parse().ok(),
            lines: vec!["5.1.1 no such user".to_owned()],
        };
        let why = Why::reply(&far(), &reply);
        assert_eq!(why.status(StatusClass::Permanent).to_string(), "5.1.1");
        assert_eq!(why.diagnostic.as_deref(), Some("550 5.1.1 no such user"));
    }

    #[test]
    fn an_inner_hosts_name_is_not_told() {
        for why in [
            Why::unreachable(&far(), "connection refused"),
            Why::trouble(&far(), Stage::Mail, &Trouble::Closed),
            Why::lack(&far(), Lack::SmtpUtf8, 1),
        ] {
            assert!(!why.for_sender().contains("inner.lan"), "{why:?}");
            assert!(why.because.to_string().contains("inner.lan"), "{why:?}");
        }
    }
}
