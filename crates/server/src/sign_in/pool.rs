//! A few threads that compute hashes, and a short queue before them.
//!
//! Promises: never more jobs at once than threads, never more waiting than allowed; a job whose
//! asker has gone is not begun; a job that panics takes only itself down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use contracts::AuthenticateError;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads for hashing; they end when the pool is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: SyncSender<Job>,
}

impl Pool {
    /// Starts `threads` threads, at least one; at most `waiting_max` jobs wait for them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(threads: usize, waiting_max: usize) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel::<Job>(waiting_max);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.max(1) {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(format!("sign-in-{number}"))
                .spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Runs `job` on one of the threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthenticateError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            if !answer.is_closed() {
                let _ = answer.send(job());
            }
        });
        self.jobs
            .try_send(job)
            .map_err(|_full| AuthenticateError::Busy)?;
        answered.await.map_err(|_gone| AuthenticateError::Outside {
            failure: "the computation of a hash failed".to_owned(),
        })
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match next {
            Ok(job) => {
                // The asker hears of a panic by the answer that does not come.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
            Err(_dropped) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn too_much_waiting_is_busy_and_a_panic_is_survived() {
        let pool = Pool::start(1, 1).unwrap();
        let (begun, has_begun) = oneshot::channel();
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let first = pool.run(move || {
            let _ = begun.send(());
            let _ = may_go.recv();
            1
        });
        let mut first = Box::pin(first);
        // Polled once, so that it is handed over.
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending()))
                .await
        );
        has_begun.await.unwrap();
        let mut second = Box::pin(pool.run(|| 2));
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(
                second.as_mut().poll(cx).is_pending()
            ))
            .await
        );
        assert_eq!(pool.run(|| 3).await, Err(AuthenticateError::Busy));
        drop(go);
        assert_eq!(first.await, Ok(1));
        assert_eq!(second.await, Ok(2));
        let failed: Result<(), _> = pool.run(|| panic!("as planned")).await;
        assert!(matches!(failed, Err(AuthenticateError::Outside { .. })));
        assert_eq!(pool.run(|| 4).await, Ok(4));
    }
}
