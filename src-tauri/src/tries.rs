//! How long a wrong passphrase has to wait: twice as long each time, so that guessing by hand is slow.
//!
//! Who has the files guesses without this program; against that stands Argon2id.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);

/// The pause doubles so often at most (32 s).
const DOUBLINGS: u32 = 5;

/// Wrong ones since the start.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Another wrong one: how long its answer is to be held back.
    pub(crate) fn wrong(&mut self) -> Duration {
        let pause = FIRST * (1 << self.0.min(DOUBLINGS));
        self.0 = self.0.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_up_to_half_a_minute() {
        let mut tries = Tries::default();
        let pauses: Vec<u64> = (0..8).map(|_| tries.wrong().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 32, 32]);
        tries.0 = u32::MAX;
        assert_eq!(tries.wrong().as_secs(), 32);
    }
}
