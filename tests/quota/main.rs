//! What one member may put on everybody's disk: a program of its own, since it fills disks while it runs.

#[path = "../mesh/device.rs"]
#[allow(dead_code, reason = "the other programs use the rest")]
mod device;
#[path = "../mesh/raw_member.rs"]
#[allow(dead_code, reason = "the other programs use the rest")]
mod raw_member;
mod share;
mod space;
