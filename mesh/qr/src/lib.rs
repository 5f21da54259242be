//! Draws and decodes QR codes: the door through which people meet.
//!
//! ```text
//!   invite text ──draw──> svg (the app's screen) · png (files, terminals, tests)
//!
//!   camera frame ──LiveDecoder──┐
//!   chosen picture ─decode_image┤──> Luma ──> Detector, Detector, … ──> texts, or what is wrong
//!   picture file ──decode_file──┘    limits   each under catch_unwind
//! ```
//!
//! **Contract.** Pure computing without randomness; a clock only ends a search ([`STILL_BUDGET`], [`FRAME_BUDGET`]); only
//! [`save_png`] and [`decode_file`] touch a file. Every picture is foreign: its size is checked before anything is allocated for it,
//! and nothing in it makes a function here panic. Decoding takes milliseconds to hundreds of them, so call it
//! off the UI thread. A picture without a code is no error: the answer is empty.
//!
//! What a code says is not judged here. The caller parses the text (`wire::invite`) and treats it as
//! coming from a stranger.
//!
//! Driven by the shell (`create_invite`, `scan_frame`), by `peddlenet-node` (`png` arguments) and by tests. This crate is built
//! with opt-level 3 in dev too: rqrr's code is generic and compiles here (47-72 ms a frame against 12).

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod bits;
mod caught;
mod decode;
mod draw;
#[cfg(test)]
mod earned;
mod error;
mod finder;
#[cfg(any(test, feature = "generated"))]
pub mod generated;
mod grid;
mod luma;
mod metered;
mod picture;
mod rungs;
#[cfg(test)]
mod tests;
mod trouble;
mod wifi;

pub use decode::{
    FRAME_BUDGET, LiveDecoder, MAX_CODES, STILL_BUDGET, Seen, decode, decode_luma, decode_with,
    look,
};
pub use draw::{MAX_PNG_SIDE, MAX_TEXT_BYTES, MIN_MODULE_PX, QUIET_ZONE, png, save_png, svg};
pub use error::QrError;
pub use luma::{Luma, MAX_PIXELS, MAX_SIDE};
pub use picture::{MAX_DECODED_BYTES, MAX_FILE_BYTES, decode_file, decode_image, read_image};
pub use rungs::{Detector, Found, Rqrr};
pub use trouble::Trouble;
pub use wifi::wifi;
