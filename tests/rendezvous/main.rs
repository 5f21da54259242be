//! Devices that find each other over a rendezvous server, and what its operator can do about it.
//!
//! ```text
//!   Ada --sealed offers and answers--> operator --what it likes--> Bea     loopback only; no other way is open
//!                                      keeps, changes, repeats, makes up
//! ```
//!
//! An operator may lose everything, and then nobody meets there. It must never get more than that: not a word, not a
//! name, not a member, and not a device that works for it.

mod capture;
mod days;
#[path = "../mesh/device.rs"]
#[allow(dead_code, reason = "the other programs use the rest")]
mod device;
mod flips;
mod honest;
mod hurried;
mod moved;
mod operator;
mod passes;
mod replay;
mod swapped;
