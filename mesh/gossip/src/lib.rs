//! The routing engine: every member of a room ends up with every event, whatever gets lost.
//!
//! Purpose: decide who is sent what, what is checked, kept, fetched and shown. Sans-IO: the engine
//! reads no clock, no randomness, no socket and no file. A driver (`peddlenet-mesh`) hands it
//! [`Input`]s with the time and carries out the [`Action`]s that come back, in their order.
//!
//! ```text
//!   links  --Frame, PeerUp, PeerDown-->  +---------------------------+  --Send, Drop-->      links
//!   crypto --Verified, MembershipCh.-->  | broadcast  push, dedupe   |  --Verify-->          crypto
//!   store  --Persisted, Loaded------->   | sync       heads, digests |  --Persist, Load-->   store
//!   app    --Publish, OpenRoom------->   | fetch      what I lack    |  --Deliver, Notify--> app
//!   clock  --Timer------------------->   | serve      what you lack  |  --Arm-->             clock
//!                                        | records    latest wins    |
//!                                        +---------------------------+
//! ```
//!
//! An event's way: `Frame(Event)` -> dedupe by hash -> `Verify` -> `Verified(Accept)` -> `Send` to
//! the other neighbours, `Persist`, `Deliver` -> `Persisted` -> heads and digest count it. An own
//! event: `Publish` -> `Persist` -> `Persisted` -> `Send`.
//!
//! What must hold, whatever comes in: nothing is forwarded, kept or delivered before its check was
//! accepted; own events are durable before they are sent; each event is delivered once while its
//! hash or its place is known; everything that grows has a bound in [`limits`]; the same inputs give
//! the same actions. What lossy links, partitions and dead peers leave behind is found by comparing
//! heads, see the `sync` and `fetch` modules.
//!
//! Events travel along one tree per author (`trees`, `cast`, `lazy`). A message to one member goes the
//! other way along its recipient's tree, hop by hop (`route`), is searched for where no way is known
//! (`search`), and waits while its recipient is away (`custody`).

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

mod api;
mod beacon;
mod broadcast;
mod cast;
mod causal;
mod custody;
mod engine;
mod fetch;
mod graft;
mod intake;
mod lazy;
pub mod limits;
mod links;
mod load;
mod overlay;
mod parked;
mod pick;
mod ranges;
mod recent;
mod records;
mod room;
mod route;
mod search;
mod serve;
mod sync;
mod trees;
mod unicast;

pub use api::{
    Action, Config, Controls, Counts, Degree, Held, Input, Item, Lane, Notice, Outcome, PeerId,
    Query, QueryId, Stats, Ticket, TimerId, UnicastId, Verdict, Why,
};
pub use beacon::beacon_period;
pub use engine::Engine;
