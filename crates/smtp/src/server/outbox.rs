//! What waits to be polled: gathered reply lines, and everything else in order.
//!
//! Promises: replies are handed out only when nothing else is left, before TLS starts or the
//! connection closes, or when 64 KiB are full (RFC 2920 §3.2); empty, it holds no memory.

use std::collections::VecDeque;

use super::Output;
use crate::Reply;

/// RFC 2920 §3.2: replies are gathered; this much at most.
const REPLIES_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    replies: Vec<u8>,
    others: VecDeque<Output>,
    greeted: bool,
}

impl Outbox {
    pub(super) fn reply(&mut self, reply: &Reply) {
        reply.write_to(&mut self.replies);
    }

    pub(super) fn push(&mut self, output: Output) {
        self.others.push_back(output);
    }

    /// Whether so many replies wait that no further command should be read.
    pub(super) fn is_full(&self) -> bool {
        self.replies.len() >= REPLIES_BYTES_MAX
    }

    /// Whether the first reply, the greeting, has been handed out.
    pub(super) const fn has_greeted(&self) -> bool {
        self.greeted
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        let replies_first = match self.others.front() {
            None | Some(Output::StartTls | Output::Close) => true,
            Some(Output::Reply(_) | Output::Ask(_) | Output::BodyChunk(_) | Output::Discard) => {
                self.is_full()
            }
        };
        if replies_first && !self.replies.is_empty() {
            self.greeted = true;
            return Some(Output::Reply(std::mem::take(&mut self.replies)));
        }
        let output = self.others.pop_front();
        if self.others.is_empty() {
            self.others = VecDeque::new();
        }
        output
    }
}
