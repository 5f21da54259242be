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
//!
//!   Counts ──> Figures: /metrics for the operator, / for everybody
//! ```
//!
//! **Contract.** The server relays; it never reads, keeps or signs. Whatever it passes on is opaque to it and
//! must be sealed and authenticated between the devices: a hostile server can drop, delay, repeat or
//! swap what it carries, and nothing more. It has no accounts, writes nothing to disk, and logs neither tags nor
//! addresses. Delivery is best effort: what is sent while nobody else holds the tag is gone.
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
mod bucket;
mod connection;
mod counts;
mod figures;
mod frames;
mod gate;
mod hours;
mod hub;
mod limits;
mod listener;
mod server;
mod serving;
mod tls;
mod turn;

#[doc(hidden)]
pub use frames::read_any;
pub use limits::{Limits, TurnLimits};
pub use server::{DEFAULT_LISTEN, Server};
pub use tls::{Tls, TlsError};
pub use turn::{Network, NotANetwork, TurnSecret, UdpConfig};
