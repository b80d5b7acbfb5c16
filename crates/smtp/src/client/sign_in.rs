//! AUTH as a client: PLAIN, else LOGIN.
//!
//! Promises: sends name and password only as the answer to what asks for them.
//! Does not: ask whether TLS is on; whoever hands credentials over has decided that.
//! Standards: RFC 4954, RFC 4616.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Credentials, Extensions, Trouble};
use crate::PeerReply;

/// What is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignIn {
    /// The verdict.
    Verdict,
    /// LOGIN's question for the name.
    Name,
    /// LOGIN's question for the password.
    Password,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Send(SignIn, String),
    Done,
    Failed(Trouble),
}

impl SignIn {
    /// The first command.
    pub(super) fn begin(extensions: &Extensions, credentials: &Credentials) -> Step {
        if extensions.auth_plain {
            // RFC 4616 §2: an empty authorization id, the name, the password.
            let message = format!("\0{}\0{}", credentials.name, credentials.password);
            let line = format!("AUTH PLAIN {}\r\n", STANDARD.encode(message));
            Step::Send(Self::Verdict, line)
        } else if extensions.auth_login {
            Step::Send(Self::Name, "AUTH LOGIN\r\n".to_owned())
        } else {
            Step::Failed(Trouble::SignInNotOffered)
        }
    }

    /// Takes a reply.
    pub(super) fn reply(self, reply: PeerReply, credentials: &Credentials) -> Step {
        let encoded = |text: &str| format!("{}\r\n", STANDARD.encode(text));
        match (self, reply.code / 100) {
            (_, 4 | 5) => Step::Failed(Trouble::Reply(reply)),
            (Self::Name, 3) => Step::Send(Self::Password, encoded(&credentials.name)),
            (Self::Password, 3) => Step::Send(Self::Verdict, encoded(&credentials.password)),
            (Self::Verdict, 2) => Step::Done,
            (Self::Name | Self::Password | Self::Verdict, _) => {
                Step::Failed(Trouble::Unexpected(reply))
            }
        }
    }
}
