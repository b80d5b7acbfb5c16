//! Waiting for something to become true, with a deadline, and never longer than needed.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How long a wait may take before the test fails: far more than any machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
///
/// # Errors
/// When the deadline passes first; `what` says in the message what was waited for.
pub fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let began = now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if now().duration_since(began) > patience {
            bail!("waited {patience:?} in vain for {what}");
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "other programs are waited for here: their time is the machine's"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_that_is_there_is_not_waited_for() {
        assert_eq!(until("nothing", Duration::ZERO, || Some(7)).unwrap(), 7);
    }

    #[test]
    fn passed_deadline_names_what_was_waited_for() {
        let problem = until("Godot", Duration::ZERO, || None::<()>).unwrap_err();
        assert!(problem.to_string().contains("Godot"));
    }
}
