//! Durable storage of events: a trait, sled behind it, memory beside it.
//!
//! Purpose: when [`Store::commit`] returns, what it was given survives a crash of the process, of
//! the system and of the power supply, and it is there whole or not at all.
//!
//! Contract: values are bytes that this crate never interprets; keys are ids from `wire`. Every
//! method blocks, so a program drives a store from one thread of its own ([`spawn`]), which gathers
//! waiting commits into one. The signed log in `events` is the truth; every index is made of it and
//! can be made again ([`Store::rebuild`]).
//!
//! ```text
//!  mesh --> StoreHandle --queue--> store thread
//!                                     | commit(&[Write])         group commit, then one fsync
//!                                     v
//!                                  Indexed<T>                    keys, indexes, schema, guard
//!                                     | get, scan, apply(&[Change])
//!                           +---------+---------+
//!                           v                   v
//!                        Memory              OnDisk --> durable::Db --> sled =0.34.7
//!                                               |
//!                                               +--> own-heads  (fsynced beside it)
//! ```
//!
//! What a profile's store folder holds: `lock` (one process at a time), `seal` (with which key it is
//! sealed), `own-heads` (what this device signed, see [`OwnHead`]; sealed: `own-heads.sealed`), `sled/`
//! (the database), `clean` (the last stop was orderly), and, if it ever came to that, `quarantine-N/`.
//!
//! At rest: given a [`Cipher`], every value of the database and every record of the guard is sealed and
//! bound to its place. Keys are not: they are ids (rooms, authors, hashes), positions and clocks, and
//! the names under which the program keeps its own values. So a thief sees how many rooms and members
//! there are and when messages were sent, and reads nothing. Somebody who may write to the disk can
//! put an older store, or another one, in place of this one: sealing is against reading.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod cipher;
mod disk;
mod error;
pub mod file;
mod index;
mod layout;
pub mod limits;
mod memory;
mod own_heads;
mod ranges;
mod store;
mod tables;
mod thread;
mod types;

#[cfg(test)]
mod conformance;

pub use peddlenet_wire::record::RecordKind;

pub use cipher::{Cipher, KeyId};
pub use disk::{Folder, OnDisk, Opened, Options, SledStore};
pub use error::StoreError;
pub use index::Indexed;
#[doc(hidden)]
pub use layout::read_any;
pub use memory::{Memory, MemoryStore};
pub use ranges::Ranges;
pub use store::Store;
pub use thread::{Reply, StoreHandle, spawn};
pub use types::{
    EventKey, Evicted, Held, OwnHead, StoreStats, StoredEvent, StoredNote, StoredRecord, Write,
};
