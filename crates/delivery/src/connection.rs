//! One open connection: drives a client session over a stream.
//!
//! Promises: reads while it writes, so that a far side that speaks out of turn is heard and two
//! full buffers never wait for each other; the next block is read when the last one has left.
//! Standards: RFC 5321 §4.5.3.2, RFC 2920 §3.1.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use contracts::Clock;
use policy::route::NextHop;
use smtp::client::{
    Answer, Extensions, Failure, Fate, Notice, Output, Question, Session, Stage, Transaction,
    Trouble,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use crate::dialer::Stream;
use crate::hosts::Target;
use crate::message::Message;
use crate::phase::{Phase, until};

/// What the session wants next from whoever drives it.
#[derive(Debug)]
pub(crate) enum Turn {
    Ready,
    Body,
    StartTls,
    Finished(Vec<Fate>),
    Failed(Failure),
    Closed,
}

/// What the stream or the clock brought.
enum Step {
    Wrote(usize),
    Flushed,
    Read(usize),
    Broke,
    TimedOut,
    Phase,
}

/// One connection.
pub(crate) struct Connection {
    pub(crate) next_hop: NextHop,
    pub(crate) target: Target,
    /// TLS version, once it is on.
    pub(crate) tls: Option<String>,
    /// Transactions so far.
    pub(crate) messages: u32,
    session: Session,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    /// The session's question for a transaction is open.
    asked: bool,
    clock: Arc<dyn Clock>,
    phases: watch::Receiver<Phase>,
}

impl Connection {
    pub(crate) fn new(
        stream: Box<dyn Stream>,
        session: Session,
        (next_hop, target): (NextHop, Target),
        clock: Arc<dyn Clock>,
        phases: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            next_hop,
            target,
            tls: None,
            messages: 0,
            session,
            stream,
            buffer: vec![0; 4096],
            asked: false,
            clock,
            phases,
        }
    }

    /// What the far side announced.
    pub(crate) fn extensions(&self) -> Extensions {
        *self.session.extensions()
    }

    /// Works until the session wants something.
    pub(crate) async fn turn(&mut self) -> Turn {
        loop {
            while let Some(output) = self.session.poll_output() {
                match output {
                    Output::Command(octets) | Output::BodyChunk(octets) => {
                        self.write(&octets).await;
                    }
                    Output::Ask(Question::Transaction) => {
                        self.asked = true;
                        return Turn::Ready;
                    }
                    Output::Ask(Question::Body { .. }) => return Turn::Body,
                    Output::StartTls => return Turn::StartTls,
                    Output::Finished(fates) => return Turn::Finished(fates),
                    Output::Failed(failure) => return Turn::Failed(failure),
                    Output::Close => return Turn::Closed,
                }
            }
            if self.session.has_ended() {
                return Turn::Closed;
            }
            let step = self.step(&[], false).await;
            self.take(&step);
        }
    }

    /// Whether another transaction can begin.
    pub(crate) async fn ready(&mut self) -> bool {
        self.asked || matches!(self.turn().await, Turn::Ready)
    }

    /// Waits while nothing is to be sent; returns when the connection is of no use any more.
    pub(crate) async fn idle(&mut self) {
        while !self.session.has_ended() && self.session.is_idle() {
            let step = self.step(&[], false).await;
            self.take(&step);
        }
    }

    /// Sends one message; one fate for each of its recipients.
    pub(crate) async fn send(&mut self, transaction: Transaction, message: &Message) -> Vec<Fate> {
        let recipients = transaction.recipients.len();
        let all = |stage, trouble: Trouble| vec![Fate::NotTaken { stage, trouble }; recipients];
        self.asked = false;
        self.messages = self.messages.saturating_add(1);
        self.session
            .answer(self.clock.now(), Answer::Transaction(transaction));
        let mut offset = 0;
        loop {
            match self.turn().await {
                Turn::Body => {
                    let answer = body(message, &mut offset).await;
                    self.session.answer(self.clock.now(), answer);
                }
                Turn::Finished(fates) => return fates,
                Turn::Failed(failure) => return all(Stage::Mail, failure.trouble),
                Turn::Ready | Turn::StartTls | Turn::Closed => {
                    return all(Stage::Mail, Trouble::Closed);
                }
            }
        }
    }

    /// Says QUIT, if there is anybody to say it to.
    pub(crate) async fn quit(mut self) {
        if self.session.is_idle() {
            self.asked = false;
            self.session.answer(self.clock.now(), Answer::Quit);
        }
        while !matches!(self.turn().await, Turn::Closed) {}
    }

    /// Gives the stream up for TLS.
    pub(crate) fn take_stream(&mut self) -> Box<dyn Stream> {
        std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()))
    }

    /// Goes on under TLS.
    pub(crate) fn secured(&mut self, stream: Box<dyn Stream>, version: String) {
        self.stream = stream;
        self.tls = Some(version);
        self.session.tls_started(self.clock.now());
    }

    async fn write(&mut self, octets: &[u8]) {
        let mut rest = octets;
        let mut flushed = false;
        while !(flushed || self.session.has_ended()) {
            let step = self.step(rest, true).await;
            match step {
                Step::Wrote(count) => rest = rest.get(count..).unwrap_or_default(),
                Step::Flushed => flushed = true,
                Step::Read(_) | Step::Broke | Step::TimedOut | Step::Phase => self.take(&step),
            }
        }
    }

    /// Tells the session what happened.
    fn take(&mut self, step: &Step) {
        let now = self.clock.now();
        match step {
            Step::Read(count) => {
                let octets = self.buffer.get(..*count).unwrap_or_default();
                self.session.handle_input(now, octets);
            }
            Step::Broke => self.session.notify(now, Notice::PeerClosed),
            Step::TimedOut => self.session.handle_timeout(now),
            Step::Phase => match *self.phases.borrow_and_update() {
                Phase::Running => {}
                Phase::Draining => self.session.notify(now, Notice::Draining),
                Phase::Ended => self.session.notify(now, Notice::Ended),
            },
            Step::Wrote(_) | Step::Flushed => {}
        }
    }

    async fn step(&mut self, rest: &[u8], writing: bool) -> Step {
        let timeout = self.session.poll_timeout();
        let (stream, buffer) = (&mut self.stream, &mut self.buffer);
        let io = poll_fn(|context| poll_io(context, stream, (rest, writing), buffer));
        tokio::select! {
            biased;
            step = io => step,
            // When the runner is gone this is ready for ever; it keeps its end until all is over.
            _ = self.phases.changed() => Step::Phase,
            () = until(&*self.clock, timeout) => Step::TimedOut,
        }
    }
}

/// The next block as an answer to the session.
async fn body(message: &Message, offset: &mut u64) -> Answer {
    match message.block(*offset).await {
        Ok(block) => {
            *offset += u64::try_from(block.len()).unwrap_or(u64::MAX);
            Answer::Body {
                last: message.is_last(&block),
                octets: block.into(),
            }
        }
        Err(error) => {
            tracing::error!(%error, "a queued message cannot be read");
            Answer::NoBody
        }
    }
}

/// Writes what there is to write, else flushes; reads whatever comes.
fn poll_io(
    context: &mut Context<'_>,
    stream: &mut Box<dyn Stream>,
    (rest, writing): (&[u8], bool),
    buffer: &mut [u8],
) -> Poll<Step> {
    let mut broke = false;
    if writing {
        let stream = Pin::new(&mut *stream);
        let polled = if rest.is_empty() {
            stream.poll_flush(context).map_ok(|()| Step::Flushed)
        } else {
            stream.poll_write(context, rest).map_ok(Step::Wrote)
        };
        match polled {
            Poll::Ready(Ok(Step::Wrote(0)) | Err(_)) => broke = true,
            Poll::Ready(Ok(step)) => return Poll::Ready(step),
            Poll::Pending => {}
        }
    }
    // Whoever hangs up may have said why; it is read before the break is believed.
    let mut read = ReadBuf::new(buffer);
    match Pin::new(stream).poll_read(context, &mut read) {
        Poll::Ready(Ok(())) if read.filled().is_empty() => Poll::Ready(Step::Broke),
        Poll::Ready(Ok(())) => Poll::Ready(Step::Read(read.filled().len())),
        Poll::Ready(Err(_)) => Poll::Ready(Step::Broke),
        Poll::Pending if broke => Poll::Ready(Step::Broke),
        Poll::Pending => Poll::Pending,
    }
}
