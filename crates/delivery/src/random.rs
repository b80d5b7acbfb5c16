//! Where chance comes from: order among equal exchangers, jitter, boundaries of reports.

/// A source of random numbers, handed in so that tests can foresee them.
pub trait Random: Send + Sync {
    /// Any number, all equally likely.
    fn number(&self) -> u64;
}

/// The system's source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn number(&self) -> u64 {
        // Order and jitter are no secrets: without a source they are merely not spread.
        getrandom::u64().unwrap_or(0)
    }
}

/// Puts `items` into a random order (Fisher and Yates).
pub(crate) fn shuffle<T>(items: &mut [T], random: &dyn Random) {
    for end in (1..items.len()).rev() {
        let choices = u64::try_from(end).unwrap_or(u64::MAX).saturating_add(1);
        let chosen = usize::try_from(random.number() % choices).unwrap_or(0);
        items.swap(end, chosen);
    }
}

/// The lower half, for whoever needs 32 bits.
pub(crate) fn salt(random: &dyn Random) -> u32 {
    u32::try_from(random.number() & u64::from(u32::MAX)).unwrap_or(0)
}
