//! SMTP replies.

use contracts::{Abort, AuthenticateError};
use intake::Ruling;
use mail::TransactionId;
use policy::public::{self, PublicReply};
use policy::{Because, Decision};
use smtp::server::Discarded;
use smtp::{Reply, ReplyCode};

/// The reply to what intake decided.
pub(crate) fn ruling(ruling: &Ruling) -> Reply {
    decision(&ruling.decision, ruling.id)
}

/// The reply to a decision; the id, where there is one, finds it in the history.
pub(crate) fn decision(decision: &Decision, id: Option<TransactionId>) -> Reply {
    let row = public::reply(decision);
    let queued =
        decision.is_accept() && matches!(decision.because, Because::MessageAcceptable { .. });
    let text = match id {
        // S1.1: the id that the trace is found by.
        Some(id) if queued => format!("{}, queued as {id}", row.sentence),
        Some(id) => format!("{} ({id})", row.sentence),
        None => row.sentence.to_owned(),
    };
    written(row, text)
}

/// Instead of the greeting: the peer is not served, and the connection ends.
pub(crate) fn refused_connection(host_name: &str, decision: &Decision) -> Reply {
    let row = public::reply(decision);
    // RFC 5321 §4.2.2: 421 begins with our name.
    written(row, format!("{host_name} {}", row.sentence))
}

fn written(row: PublicReply, text: String) -> Reply {
    // A row with an impossible code would be a bug of ours: the sender then keeps the message.
    let code = ReplyCode::from_number(row.code).unwrap_or(ReplyCode::LOCAL_ERROR);
    Reply::new(code, Some((row.subject, row.detail)), text)
}

/// 235: the sign-in is right.
pub(crate) fn signed_in() -> Reply {
    // RFC 4954 §6: 235 2.7.0.
    Reply::new(ReplyCode::SIGNED_IN, Some((7, 0)), "Signed in")
}

/// 535: wrong, unknown or disabled, which is one and the same to a peer.
pub(crate) fn sign_in_refused() -> Reply {
    // RFC 4954 §6: 535 5.7.8.
    Reply::new(
        ReplyCode::SIGN_IN_FAILED,
        Some((7, 8)),
        "Wrong name or password",
    )
}

/// Neither yes nor no.
pub(crate) fn authenticate_failed(failed: &AuthenticateError) -> Reply {
    let text = match failed {
        AuthenticateError::Busy | AuthenticateError::Outside { .. } => {
            "Signing in is not possible right now, please try again later"
        }
    };
    // RFC 4954 §6: 454 4.7.0.
    Reply::new(ReplyCode::TEMPORARILY_UNAVAILABLE, Some((7, 0)), text)
}

/// The last word of a session that a bug of ours ended.
pub(crate) fn panicked(host_name: &str) -> Reply {
    Reply::new(
        ReplyCode::SERVICE_NOT_AVAILABLE,
        Some((3, 0)),
        format!("{host_name} Internal error, please try again later"),
    )
}

/// How the history tells of a transaction that the session ended; the words are what the session
/// says to the client.
pub(crate) fn aborted(why: Option<Discarded>) -> Abort {
    let session_ended = |reply: &str| Abort::SessionEnded {
        reply: reply.to_owned(),
    };
    let bad_content = |reply: &str| Abort::BadContent {
        reply: reply.to_owned(),
    };
    match why {
        None | Some(Discarded::ByClient | Discarded::Refused) => Abort::Reset,
        Some(Discarded::BadContent) => {
            bad_content("550 5.6.0 bare CR, bare LF, NUL or an endless line in the message")
        }
        Some(Discarded::TooLarge) => bad_content("552 5.3.4 larger than the limit"),
        Some(Discarded::TimedOut) => session_ended("421 4.4.2 waited too long"),
        Some(Discarded::Ended) => session_ended("421 closing"),
    }
}

#[cfg(test)]
mod tests {
    use contracts::StoreError;

    use super::*;

    const INNER: &str = "inner-word-7311";

    /// Every outside failure there is.
    fn store_errors() -> Vec<StoreError> {
        let failure = || INNER.to_owned();
        vec![
            StoreError::Io {
                attempted: INNER,
                failure: failure(),
            },
            StoreError::Full { attempted: INNER },
            StoreError::Damaged {
                attempted: INNER,
                failure: failure(),
            },
            StoreError::NotFound { what: failure() },
            StoreError::Conflict {
                expected: 7311,
                found: 7311,
            },
            StoreError::InUse,
            StoreError::Closing,
        ]
    }

    fn wire(reply: &Reply) -> String {
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        String::from_utf8(wire).unwrap()
    }

    #[test]
    fn an_outside_failure_is_always_4xx_without_details() {
        for failed in store_errors() {
            let ruling = Ruling {
                decision: Decision::defer(Because::Outside {
                    part: INNER.to_owned(),
                    failure: failed.to_string(),
                }),
                id: Some(TransactionId::from_number(7)),
            };
            let line = wire(&super::ruling(&ruling));
            assert!(line.starts_with('4'), "{line}");
            assert!(!line.contains("7311"), "{line}");
            assert!(line.contains(&TransactionId::from_number(7).to_string()));
        }
        for failed in [
            AuthenticateError::Busy,
            AuthenticateError::Outside {
                failure: INNER.to_owned(),
            },
        ] {
            let line = wire(&authenticate_failed(&failed));
            assert!(line.starts_with("454 4.7.0 "), "{line}");
            assert!(!line.contains("7311"), "{line}");
        }
    }

    #[test]
    fn an_accepted_message_hears_its_id() {
        let id = TransactionId::from_number(7);
        let accepted = Decision::accept(Because::MessageAcceptable {
            fact: INNER.to_owned(),
        });
        assert_eq!(
            wire(&decision(&accepted, Some(id))),
            format!("250 2.0.0 Message accepted, queued as {id}\r\n")
        );
    }

    #[test]
    fn a_refused_connection_hears_our_name_first() {
        let closed = Decision::defer(Because::NotOpenToInternet {
            service: INNER.to_owned(),
            setting: INNER.to_owned(),
        });
        assert_eq!(
            wire(&refused_connection("mail.office.test", &closed)),
            "421 4.3.2 mail.office.test Service not available\r\n"
        );
    }

    #[test]
    fn sign_in_has_the_codes_of_the_product() {
        assert!(wire(&signed_in()).starts_with("235 2.7.0 "));
        assert!(wire(&sign_in_refused()).starts_with("535 5.7.8 "));
        assert!(wire(&panicked("x")).starts_with("421 4.3.0 x "));
    }
}
