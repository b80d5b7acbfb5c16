//! The writer thread of a database: natural group commit.
//!
//! Promises: takes everything that waits, commits once, answers all; waits a moment longer only
//! while another session is about to hand a message over. Whoever was not answered hears `Closing`.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use contracts::StoreError;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::database::{Applied, Database, Step};
use super::housekeeper::{Chores, Which};

/// Largest group; the last in it waits for all of it.
const GROUP_STEPS_MAX: usize = 256;
/// A group is full from so many octets on.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long to look out for more before sleeping, and for messages that are about to come.
/// Source: ADR 2: 50 µs gave 6 to 9 %, and 0.12 syncs per message.
const LOOK_OUT: Duration = Duration::from_micros(50);

struct Job<S> {
    step: S,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

struct Waiting<S> {
    jobs: VecDeque<Job<S>>,
    closing: bool,
    sleeping: bool,
}

struct Inbox<S> {
    waiting: Mutex<Waiting<S>>,
    filled: Condvar,
    count: AtomicUsize,
    arriving: Arc<AtomicUsize>,
}

/// Hands steps to the writer thread.
pub(crate) struct Writer<S> {
    inbox: Arc<Inbox<S>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<S: Step> Writer<S> {
    /// Starts the thread; `arriving` counts messages that are about to be handed over.
    pub(crate) fn start(
        which: Which,
        database: Database,
        arriving: Arc<AtomicUsize>,
        chores: Arc<Chores>,
    ) -> io::Result<Self> {
        let inbox = Arc::new(Inbox {
            waiting: Mutex::new(Waiting {
                jobs: VecDeque::new(),
                closing: false,
                sleeping: false,
            }),
            filled: Condvar::new(),
            count: AtomicUsize::new(0),
            arriving,
        });
        let for_thread = Arc::clone(&inbox);
        let thread = thread::Builder::new()
            .name(which.thread_name().to_owned())
            .spawn(move || {
                // Also when the loop below panics, nobody waits for ever.
                let inbox = CloseAtEnd(for_thread);
                write_groups(&inbox.0, database, which, &chores);
            })?;
        Ok(Self {
            inbox,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands a step over; the receiver hears when it is durable.
    pub(crate) fn submit(&self, step: S) -> Result<Pending, StoreError> {
        let (answer, receiver) = oneshot::channel();
        let wake = {
            let mut waiting = self.inbox.waiting();
            if waiting.closing {
                return Err(StoreError::Closing);
            }
            waiting.jobs.push_back(Job { step, answer });
            self.inbox
                .count
                .store(waiting.jobs.len(), Ordering::Release);
            std::mem::take(&mut waiting.sleeping)
        };
        if wake {
            self.inbox.filled.notify_one();
        }
        Ok(Pending(receiver))
    }

    /// Hands a step over and waits until it is durable.
    pub(crate) async fn step(&self, step: S) -> Result<Answer, StoreError> {
        self.submit(step)?.answer().await
    }

    /// Commits what waits, and ends.
    pub(crate) fn close(&self) {
        self.inbox.waiting().closing = true;
        self.inbox.filled.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store ended by a panic");
        }
    }
}

/// A step that was handed over.
pub(crate) struct Pending(oneshot::Receiver<Result<Answer, StoreError>>);

impl Pending {
    /// Waits for the answer.
    pub(crate) async fn answer(self) -> Result<Answer, StoreError> {
        self.0.await.unwrap_or(Err(StoreError::Closing))
    }
}

struct CloseAtEnd<S>(Arc<Inbox<S>>);

impl<S> Drop for CloseAtEnd<S> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.closing = true;
        waiting.jobs.clear();
    }
}

impl<S> Inbox<S> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<S>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Step> Inbox<S> {
    /// Sleeps until something waits; false when the store closes and nothing does.
    fn wait(&self) -> bool {
        look_out(|| self.count.load(Ordering::Acquire) > 0);
        let mut waiting = self.waiting();
        while waiting.jobs.is_empty() {
            if waiting.closing {
                return false;
            }
            waiting.sleeping = true;
            waiting = self
                .filled
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.sleeping = false;
        true
    }

    /// Takes what waits, up to the limits of a group.
    fn take_group(&self) -> Vec<Job<S>> {
        if self.arriving.load(Ordering::Acquire) > 0 {
            look_out(|| self.arriving.load(Ordering::Acquire) == 0);
        }
        let mut waiting = self.waiting();
        let mut bytes = 0;
        let mut fits = 0;
        for job in waiting.jobs.iter().take(GROUP_STEPS_MAX) {
            bytes += job.step.weight_bytes();
            fits += 1;
            if bytes >= GROUP_BYTES_MAX {
                break;
            }
        }
        let group = waiting.jobs.drain(..fits).collect();
        self.count.store(waiting.jobs.len(), Ordering::Release);
        group
    }
}

/// Spins until `seen`, at most for the look-out time.
#[expect(
    clippy::disallowed_methods,
    reason = "a spin of microseconds; no outcome depends on the time read"
)]
fn look_out(seen: impl Fn() -> bool) {
    let begun = Instant::now();
    while !seen() && begun.elapsed() < LOOK_OUT {
        thread::yield_now();
    }
}

fn write_groups<S: Step>(inbox: &Inbox<S>, mut database: Database, which: Which, chores: &Chores) {
    while inbox.wait() {
        let group = inbox.take_group();
        let bytes = group.iter().map(|job| job.step.weight_bytes()).sum();
        let (steps, senders): (Vec<S>, Vec<_>) =
            group.into_iter().map(|job| (job.step, job.answer)).unzip();
        let Applied { answers, uncertain } = database.apply(&steps);
        let mut freed = Vec::new();
        for ((step, sender), mut answer) in steps.iter().zip(senders).zip(answers) {
            match &mut answer {
                Ok(answer) => {
                    step.committed();
                    freed.append(&mut answer.freed);
                }
                Err(failed) => {
                    if uncertain {
                        step.committed();
                    }
                    tracing::warn!(%failed, "a step of the store failed");
                }
            }
            // Whoever asked may have left meanwhile; the step stands all the same.
            drop(sender.send(answer));
        }
        chores.wrote(which, bytes, freed);
    }
}
