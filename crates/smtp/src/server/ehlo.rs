//! EHLO and HELO, and the list of what we can do.
//!
//! Standards: RFC 5321 §4.1.1.1, §4.1.4; RFC 1869; RFC 9422.

use super::state::State;
use super::{AuthOffer, Discarded, Session, TlsState, replies};
use crate::{Command, Reply, ReplyCode, Verb};

impl Session {
    pub(super) fn hello(&mut self, here: State, command: Command<'_>) -> State {
        if !is_client_name(command.argument) {
            return self.bad(here, &replies::bad_argument("syntax: EHLO name"));
        }
        // RFC 5321 §4.1.4: a later EHLO resets the session as RSET does.
        if here.holds_transaction() {
            self.discard(Discarded::ByClient);
        }
        self.client.esmtp = command.verb == Verb::Ehlo;
        self.client.greeting_name = Some(command.argument.to_owned());
        let mut text = self.facts.host_name.clone();
        if self.client.esmtp {
            for line in self.capabilities() {
                text.push('\n');
                text.push_str(&line);
            }
        }
        // RFC 2034 §4: no enhanced code in the reply to EHLO and HELO.
        self.outbox.reply(&Reply::new(ReplyCode::OK, None, text));
        State::Ready { failed: false }
    }

    fn capabilities(&self) -> Vec<String> {
        let mut lines = vec![
            "PIPELINING".to_owned(),
            format!("SIZE {}", self.limits.size_bytes_max),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "CHUNKING".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            "DSN".to_owned(),
            // RFC 9422 §3: recipients that one transaction may have.
            format!("LIMITS RCPTMAX={}", self.limits.recipients_max),
        ];
        if matches!(self.facts.tls, TlsState::Available | TlsState::Required) {
            lines.push("STARTTLS".to_owned());
        }
        if let Some(scram) = self.sign_in_offer()
            && !self.client.signed_in
        {
            let more = if scram { " SCRAM-SHA-256" } else { "" };
            lines.push(format!("AUTH PLAIN LOGIN{more}"));
        }
        lines.push("HELP".to_owned());
        lines
    }

    /// Whether signing in is offered now, and SCRAM with it.
    pub(super) fn sign_in_offer(&self) -> Option<bool> {
        match self.facts.auth {
            AuthOffer::Now { scram } if self.facts.tls != TlsState::Required => Some(scram),
            AuthOffer::Now { .. } | AuthOffer::NotHere | AuthOffer::AfterTls => None,
        }
    }
}

/// Whether this can stand for a host: a name or an address literal, not necessarily a good one.
// DEVIATES RFC 5321 §4.1.1.1: names that are no domains are taken, since office programs send bare
// machine names; whoever needs a real one asks for it by policy.
fn is_client_name(name: &str) -> bool {
    let good = |c: char| {
        c.is_ascii_alphanumeric() || ".-_:[]".contains(c) || (!c.is_ascii() && !c.is_control())
    };
    // RFC 5321 §4.5.3.1.2: a domain name is at most 255 octets.
    !name.is_empty() && name.len() <= 255 && name.chars().all(good)
}
