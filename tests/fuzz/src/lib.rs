//! What is fuzzed: every decoder of bytes from outside, the front door, and the routing engine behind them.
//!
//! ```text
//!  tests/fuzz/targets/NAME.rs --+
//!    (libFuzzer, nightly)       +--> targets::NAME(bytes): must not panic, must keep its promise
//!  tests/fuzz/replay.rs --------+
//!    (an ordinary test)              corpus/NAME/*: small seeds, and whatever once broke it
//! ```

#![forbid(unsafe_code)]

pub mod targets;

/// The program of one target.
///
/// libFuzzer's panic hook aborts at once, also where a panic is caught in time: `qr` guards against the
/// decoders it uses. So the ordinary hook is put back, and only what escapes from a target ends the run.
#[macro_export]
macro_rules! fuzz {
    ($target:ident) => {
        libfuzzer_sys::fuzz_target!(
            init: drop(std::panic::take_hook()),
            |data: &[u8]| $crate::targets::$target(data)
        );
    };
}
