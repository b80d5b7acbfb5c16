//! Random octets from the system.

/// Fills `N` octets with randomness of the operating system.
#[expect(
    clippy::expect_used,
    reason = "a system without randomness can keep no secret: stopping is the only safe answer"
)]
pub(super) fn octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).expect("the system gives random octets");
    octets
}
