//! What others shipped, once each, as tests that can fail. README.md has the list.
#![allow(
    unsafe_code,
    reason = "an allocator that counts has to implement GlobalAlloc"
)]

mod claims;
#[path = "../mesh/device.rs"]
#[allow(dead_code, reason = "the node tests use all of it")]
mod device;
mod heap;
mod members;
mod raw;
mod strangers;
#[path = "../fuzz/src/targets/stun.rs"]
mod stun;
mod table;
