//! Futures that may be ready at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// The output of `future`, if it has it without waiting.
pub(super) async fn at_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
