//! Who belongs to a room, and which keys it speaks under.
//!
//! Purpose: two answers that every device of a room must give alike, whatever arrived there first and
//! however the mesh was split meanwhile: who is a member and may do what ([`Roster`]), and in which
//! epoch to say the next thing so that nobody who was removed can read it ([`Keyring`]).
//!
//! ```text
//!  stream 0, signed and opened --> Roster --standing: a fold over the whole set--> members, roles,
//!    create, invite, admit,          |                                            invites, cuts
//!    role, remove, ban, move         v who was removed
//!    rekey, boxes ---------------> Keyring --> the epoch to seal with; whom to give which keys;
//!                                              a new epoch, when no epoch is clean
//! ```
//!
//! Contract: pure; no clock, no randomness, no I/O. Both are functions of the *set* of events they
//! were given: any order, any repetition, the same result. That is what lets a mesh without a server
//! agree. Whether a signature holds is checked before; `mesh` drives both and the simulation in
//! `tests/` does so five hundred times with partitions and a hostile member.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod acts;
mod keyring;
mod roster;
mod standing;

pub use keyring::{Keyring, Minted};
pub use roster::{InviteEntry, Judgement, MemberEntry, News, Policy, Roster};
pub use standing::Gone;
