//! The rendezvous server: two devices that know a common tag pass each other sealed bytes.
//!
//! ```text
//!   device A ──join tag──┐                        ┌──join tag── device B
//!                        │  Serving: one deadline │
//!                        ├─> connection task A    │
//!   {send, tag, data} ───┘        │  limits       └─> connection task B ──> {data, tag, data}
//!                                 v                          ^
//!                                Hub: tag -> subscribers ────┘ bounded outboxes
//!
//!   {ice} ──> credentials ──> UDP: STUN, and TURN relays for pairs that nothing else connects (turn/)
//!   {put} {fetch} {box} ──> connection task ──> Parcels: one thread, one folder (only with a folder)
//!   Hub <──> Exchange <──> Redis <──> other processes (only with a URL)
//!
//!   Counts ──> Figures: /metrics for the operator, / for everybody
//! ```
//!
//! **Contract.** The server relays; it never reads, keeps or signs. Whatever it passes on is opaque to it and
//! must be sealed and authenticated between the devices: a hostile server can drop, delay, repeat or
//! swap what it carries, and nothing more. It has no accounts and logs neither tags nor addresses.
//! Delivery is best effort: what is sent while nobody else holds the tag is gone. Only where its operator gives it a folder
//! does it write to disk: parcels, sealed by members for members, until they expire. Only as a carrier box does it sign: the passes that it
//! gives out, and that it is the box it is.
//!
//! Everything a stranger can make it keep is bounded by [`Limits`]. The protocol stands in README.md.
//!
//! Driven by the binary `peddlenet-signaling`, and by tests through [`Server`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod addresses;
mod box_key;
mod bucket;
mod connection;
mod counts;
mod exchange;
mod figures;
mod files;
mod frames;
mod gate;
mod hours;
mod hub;
mod limits;
mod listener;
mod parcels;
mod server;
mod serving;
mod space;
mod tls;
mod turn;

pub use box_key::{BoxKey, BoxKeyError};
pub use exchange::BadUrl;
pub use files::make_room_for;
#[doc(hidden)]
pub use frames::read_any;
pub use limits::{ExchangeLimits, Limits, ParcelLimits, TurnLimits};
pub use parcels::BackupError;
pub use server::{DEFAULT_LISTEN, Server};
pub use tls::{Tls, TlsError};
pub use turn::{Network, NotANetwork, TurnSecret, UdpConfig};
