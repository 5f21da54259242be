//! What travels between devices, held in place from outside the crate.
//!
//! `vectors` pins bytes, `round_trip` says that nothing is lost, `garbage` that nothing panics,
//! `tolerance` what an old build makes of a newer one's words and of lies about sizes, `sizes`
//! that full values fit their limits, `debug` that nothing private shows in logs.

mod arbitrary;
mod debug;
mod garbage;
mod round_trip;
mod sizes;
mod tolerance;
mod vectors;
