//! Randomness from the operating system: the one place that asks for it.

use std::time::Duration;

/// Fresh random bytes. Keys and nonces depend on them, so a system that has none can't go on.
#[expect(
    clippy::expect_used,
    reason = "without randomness every promise of the program is void"
)]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    getrandom::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// A random number.
pub(crate) fn number() -> u64 {
    u64::from_be_bytes(bytes())
}

/// A random span below that one, in whole milliseconds.
pub(crate) fn span(below: Duration) -> Duration {
    let most = u64::try_from(below.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(number() % most.max(1))
}
