//! The reader of `signaling`, compiled from its own files.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the rest of the crate uses what is not used here"
)]

#[path = "../../../../signaling/src/frames/mod.rs"]
mod frames;

pub use frames::read_any;
