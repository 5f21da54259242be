//! Whole nodes on loopback: what two, three and twenty devices do with each other.
//!
//! `Device` is a `peddlenet_mesh::Node` inside this process; `NodeProcess` is the program
//! `peddlenet-node`, where a kill, a second process or the JSON lines are the point. Nothing here
//! asserts a time: every wait is for an outcome, by name, under a generous deadline.

mod backup;
mod bad_lines;
mod bad_links;
mod crowd;
#[allow(dead_code, reason = "the other programs use the rest")]
mod device;
mod direct;
mod direct_hostile;
mod first_chat;
mod impostor;
mod kept;
mod late_joiner;
mod leave;
mod line;
mod meeting;
mod moving;
mod notes;
mod process;
mod raw_member;
mod removal;
mod restart;
mod retention;
mod trust;
mod two_rooms;
