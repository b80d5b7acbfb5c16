//! CAPA: what this session offers, as the facts have it.
//!
//! Promises: nothing is announced that would be refused.
//! Does not: change with the state of the session.
//! Standards: RFC 2449 §5 and §6, RFC 2595 §4, RFC 3206 §6, RFC 5034 §3, RFC 6856 §2.

use crate::facts::TlsState;
use crate::session::Session;

impl Session {
    pub(crate) fn capabilities(&mut self) {
        self.outbox.ok("capabilities follow");
        self.outbox.raw(b"TOP\r\nUIDL\r\n");
        // RFC 2595 §2.3: no clear-text mechanism is announced that may not be used.
        if self.facts.sign_in_offered() {
            self.outbox.raw(b"USER\r\nSASL");
            for mechanism in self.mechanisms() {
                self.outbox.raw(b" ");
                self.outbox.raw(mechanism.name().as_bytes());
            }
            self.outbox.raw(b"\r\n");
        }
        if self.facts.tls == TlsState::Available {
            self.outbox.raw(b"STLS\r\n");
        }
        // DEVIATES RFC 6856 §2.2: names and passwords in UTF-8 are taken as they come, without
        // SASLprep; the shell compares them the way it stored them.
        self.outbox
            .raw(b"PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nEXPIRE NEVER\r\nUTF8 USER\r\n");
        let implementation: String = self
            .facts
            .implementation
            .chars()
            .filter(|character| matches!(character, ' '..='~'))
            .take(400)
            .collect();
        if !implementation.is_empty() {
            self.outbox.raw(b"IMPLEMENTATION ");
            self.outbox.raw(implementation.as_bytes());
            self.outbox.raw(b"\r\n");
        }
        self.outbox.raw(b".\r\n");
    }
}
