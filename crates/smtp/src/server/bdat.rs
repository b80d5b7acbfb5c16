//! BDAT: the message in counted chunks.
//!
//! Promises: the octets of a chunk are never read as commands, whether it is wanted or not; a
//! count that cannot be read ends the connection, since nobody knows where the next command is.
//! Standards: RFC 3030 §2, §4.2.

use std::mem;

use super::content::{Content, Framing};
use super::state::{Chunk, ChunkSize, Pending, State, Transaction, UnwantedChunk};
use super::{Discarded, Question, Session, replies};
use crate::Reply;

impl Session {
    /// BDAT after RCPT.
    pub(super) fn first_chunk(&mut self, transaction: Transaction, argument: &str) -> State {
        let here = State::Mail(transaction);
        let Some(size) = chunk_size(argument) else {
            return self.bad_chunk_size(&here);
        };
        if transaction.recipients == 0 {
            self.discard(Discarded::ByClient);
            let reply = replies::no_recipients(transaction.refused);
            return self.begin_unwanted(size, reply, !transaction.refused);
        }
        self.ask(Question::Body, Pending::ChunkBody(transaction, size))
    }

    pub(super) fn chunk_answered(
        &mut self,
        transaction: Transaction,
        size: ChunkSize,
        reply: Reply,
    ) -> State {
        if !reply.is_positive() {
            self.discard(Discarded::Refused);
            return self.begin_unwanted(size, reply, false);
        }
        let content = Content::new(Framing::Counted, self.facts.bare_lf, &self.limits);
        self.begin_chunk(transaction, content, size)
    }

    /// BDAT after BDAT.
    pub(super) fn next_chunk(
        &mut self,
        transaction: Transaction,
        content: Content,
        argument: &str,
    ) -> State {
        match chunk_size(argument) {
            Some(size) => self.begin_chunk(transaction, content, size),
            None => self.bad_chunk_size(&State::Chunks(transaction, content)),
        }
    }

    /// BDAT where none may come: its octets are dropped before `reply` is said.
    pub(super) fn unwanted_chunk(
        &mut self,
        here: &State,
        argument: &str,
        reply: Reply,
        is_bad: bool,
    ) -> State {
        match chunk_size(argument) {
            Some(size) => self.begin_unwanted(size, reply, is_bad),
            None => self.bad_chunk_size(here),
        }
    }

    fn bad_chunk_size(&mut self, here: &State) -> State {
        let reply = replies::bad_argument("syntax: BDAT octets [LAST]");
        self.close(here, &reply, Discarded::ByClient)
    }

    fn begin_chunk(
        &mut self,
        transaction: Transaction,
        content: Content,
        size: ChunkSize,
    ) -> State {
        if content.would_exceed(size.octets) {
            self.discard(Discarded::TooLarge);
            let reply = replies::too_large(&self.limits);
            return self.begin_unwanted(size, reply, false);
        }
        if size.octets == 0 {
            return self.chunk_ended(transaction, content, 0, size.last);
        }
        State::Chunk(Chunk {
            transaction,
            content,
            left: size,
            octets: size.octets,
        })
    }

    fn begin_unwanted(&mut self, size: ChunkSize, reply: Reply, is_bad: bool) -> State {
        let chunk = UnwantedChunk {
            left: size.octets,
            reply,
            is_bad,
        };
        if chunk.left == 0 {
            return self.unwanted_ended(&chunk);
        }
        State::Unwanted(chunk)
    }

    // RFC 3030 §4.2: the data of a refused chunk is read before the refusal is sent.
    fn unwanted_ended(&mut self, chunk: &UnwantedChunk) -> State {
        let here = self.idle(!chunk.is_bad);
        if chunk.is_bad {
            return self.bad(here, &chunk.reply);
        }
        self.outbox.reply(&chunk.reply);
        here
    }

    pub(super) fn read_unwanted(&mut self, rest: &[u8]) -> usize {
        let state = mem::replace(&mut self.state, State::Closing);
        let State::Unwanted(mut chunk) = state else {
            self.state = state;
            return 0;
        };
        let used = at_most(chunk.left, rest);
        chunk.left = chunk.left.saturating_sub(octets(used));
        if chunk.left > 0 {
            self.state = State::Unwanted(chunk);
            self.body_progressed();
            return used.len();
        }
        let next = self.unwanted_ended(&chunk);
        self.enter(next);
        used.len()
    }

    pub(super) fn read_chunk(&mut self, rest: &[u8]) -> usize {
        let state = mem::replace(&mut self.state, State::Closing);
        let State::Chunk(mut chunk) = state else {
            self.state = state;
            return 0;
        };
        let used = at_most(chunk.left.octets, rest);
        self.read_content(&mut chunk.content, used);
        chunk.left.octets = chunk.left.octets.saturating_sub(octets(used));
        if chunk.left.octets > 0 {
            self.state = State::Chunk(chunk);
            self.body_progressed();
            return used.len();
        }
        let next = self.chunk_ended(
            chunk.transaction,
            chunk.content,
            chunk.octets,
            chunk.left.last,
        );
        self.enter(next);
        used.len()
    }

    fn chunk_ended(
        &mut self,
        transaction: Transaction,
        mut content: Content,
        octets: u64,
        last: bool,
    ) -> State {
        if last {
            let was_good = content.fault().is_none();
            content.finish();
            if let Some(fault) = content.fault()
                && was_good
            {
                self.discard(fault);
            }
        }
        // A chunk with a fault ends the transaction, as RFC 3030 §4.2 has it.
        if last || content.fault().is_some() {
            return self.content_ended(transaction, &content);
        }
        self.outbox.reply(&replies::chunk_taken(octets));
        State::Chunks(transaction, content)
    }
}

/// RFC 3030 §2: `chunk-size [SP "LAST"]`, one to twenty digits.
fn chunk_size(argument: &str) -> Option<ChunkSize> {
    let (digits, last) = match argument.split_once(' ') {
        None => (argument, false),
        Some((digits, word)) => {
            if !word.trim_start().eq_ignore_ascii_case("LAST") {
                return None;
            }
            (digits, true)
        }
    };
    let good = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let octets = good.then(|| digits.parse().ok()).flatten()?;
    Some(ChunkSize { octets, last })
}

fn at_most(count: u64, input: &[u8]) -> &[u8] {
    let end = usize::try_from(count).map_or(input.len(), |count| count.min(input.len()));
    input.get(..end).unwrap_or_default()
}

fn octets(slice: &[u8]) -> u64 {
    u64::try_from(slice.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_sizes_are_digits_and_perhaps_last() {
        let size = |octets, last| Some(ChunkSize { octets, last });
        assert_eq!(chunk_size("0"), size(0, false));
        assert_eq!(chunk_size("86 last"), size(86, true));
        assert_eq!(chunk_size("18446744073709551615"), size(u64::MAX, false));
        for bad in [
            "",
            "-1",
            "+1",
            "0x10",
            "1 FIRST",
            "1 LAST LAST",
            "18446744073709551616",
            "000000000000000000001",
        ] {
            assert_eq!(chunk_size(bad), None, "{bad}");
        }
    }
}
