//! What a client session is in the middle of.

use super::Stage;
use super::dot_stuffing::DotStuffer;
use super::exchange::Exchange;
use super::sign_in::SignIn;

/// The states; those with a transaction own it.
#[derive(Debug)]
pub(super) enum State {
    /// The greeting is awaited.
    Greeting,
    /// The reply to EHLO is awaited.
    Ehlo,
    /// The reply to HELO is awaited.
    Helo,
    /// The reply to STARTTLS is awaited.
    StartTls,
    /// The shell starts TLS.
    StartingTls,
    /// A reply to AUTH is awaited.
    SignIn(SignIn),
    /// The shell was asked for a transaction.
    Idle,
    /// Replies to MAIL, RCPT and DATA are awaited.
    Commands(Exchange),
    /// Content goes out.
    Body(Exchange, DotStuffer),
    /// The reply to the final dot is awaited.
    FinalDot(Exchange),
    /// The reply to QUIT is awaited.
    Quitting,
    /// Nothing more happens.
    Closed,
}

impl State {
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo => Stage::Hello,
            Self::StartTls | Self::StartingTls => Stage::StartTls,
            Self::SignIn(_) => Stage::SignIn,
            Self::Idle | Self::Quitting | Self::Closed => Stage::Idle,
            Self::Commands(exchange) => exchange.stage(),
            Self::Body(..) => Stage::Text,
            Self::FinalDot(_) => Stage::FinalDot,
        }
    }
}
