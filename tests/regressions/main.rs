//! What others shipped, once each, as tests that can fail. README.md has the list.
#![allow(
    unsafe_code,
    reason = "an allocator that counts has to implement GlobalAlloc"
)]

mod claims;
#[path = "../mesh/device.rs"]
#[allow(dead_code, reason = "the node tests use all of it")]
mod device;
#[allow(dead_code, reason = "the other half counts what the process holds")]
mod heap;
mod members;
mod raw;
mod table;
