//! POP3 replies.

use contracts::{AuthenticateError, StoreError};
use policy::Decision;
use policy::public;
use pop3::{Answer, Refusal};

/// Wrong, unknown or disabled, which is one and the same to a peer.
pub(crate) fn refusal() -> Refusal {
    // RFC 3206 §5: [AUTH] says that asking the user for the password again may help.
    Refusal {
        line: "[AUTH] wrong name or password".to_owned(),
    }
}

/// Instead of the greeting: the peer is not served, and the connection ends.
pub(crate) fn line(decision: &Decision) -> Vec<u8> {
    // RFC 3206 §4: [SYS/TEMP], it may work later.
    let sentence = public::reply(decision).sentence;
    format!("-ERR [SYS/TEMP] {sentence}\r\n").into_bytes()
}

/// The mailbox could not be opened: in use, or not now.
pub(crate) fn maildrop_not_opened(failed: &StoreError) -> Answer {
    match failed {
        // RFC 2449 §8.1.2: [IN-USE].
        StoreError::InUse => Answer::MaildropInUse,
        StoreError::Io { .. }
        | StoreError::Full { .. }
        | StoreError::Damaged { .. }
        | StoreError::NotFound { .. }
        | StoreError::Conflict { .. }
        | StoreError::Closing => {
            tracing::error!(%failed, "a mailbox could not be opened");
            Answer::Unavailable
        }
    }
}

/// Neither yes nor no.
pub(crate) fn not_verified(failed: &AuthenticateError) -> Answer {
    match failed {
        // RFC 3206 §4: the session says [SYS/TEMP].
        AuthenticateError::Busy | AuthenticateError::Outside { .. } => Answer::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use policy::Because;

    use mail::Timestamp;
    use pop3::{Facts, Limits, Output, Question, Session, TlsState};

    use super::*;

    const INNER: &str = "inner-word-7311";
    const NOW: Timestamp = Timestamp::from_millis(0);

    fn replies(session: &mut Session) -> (String, Vec<Question>) {
        let (mut text, mut questions) = (String::new(), Vec::new());
        while let Some(output) = session.poll_output() {
            match output {
                Output::Reply(octets) => text.push_str(&String::from_utf8(octets).unwrap()),
                Output::Ask(question) => questions.push(question),
                Output::StartTls | Output::Close => {}
            }
        }
        (text, questions)
    }

    fn signing_in() -> Session {
        let facts = Facts {
            host_name: "mail.office.test".to_owned(),
            tls: TlsState::Active,
            clear_text_sign_in: false,
            scram_offered: false,
            implementation: String::new(),
        };
        let mut session = Session::new(facts, Limits::default(), NOW);
        session.handle_input(NOW, b"USER bob\r\nPASS secret\r\n");
        let (_, questions) = replies(&mut session);
        assert_eq!(questions.len(), 1);
        session
    }

    #[test]
    fn an_outside_failure_is_always_temporary_without_details() {
        let failure = || INNER.to_owned();
        for failed in [
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
        ] {
            let mut session = signing_in();
            session.answer(NOW, Answer::SignedIn);
            let _ = replies(&mut session);
            session.answer(NOW, maildrop_not_opened(&failed));
            let (text, _) = replies(&mut session);
            let code = if failed == StoreError::InUse {
                "-ERR [IN-USE] "
            } else {
                "-ERR [SYS/TEMP] "
            };
            assert!(text.starts_with(code), "{text}");
            assert!(!text.contains("7311"), "{text}");
        }
        for failed in [
            AuthenticateError::Busy,
            AuthenticateError::Outside { failure: failure() },
        ] {
            let mut session = signing_in();
            session.answer(NOW, not_verified(&failed));
            let (text, _) = replies(&mut session);
            assert!(text.starts_with("-ERR [SYS/TEMP] "), "{text}");
            assert!(!text.contains("7311"), "{text}");
        }
    }

    #[test]
    fn a_refused_connection_hears_that_it_may_come_again() {
        let closed = Decision::defer(Because::NotOpenToInternet {
            service: "pop3s".to_owned(),
            setting: "services.pop3s_open_to_internet".to_owned(),
        });
        assert_eq!(line(&closed), b"-ERR [SYS/TEMP] Service not available\r\n");
        assert!(refusal().line.starts_with("[AUTH] "));
    }
}
