//! The routing engine: every member of a room ends up with every event, whatever gets lost.
//!
//! Purpose: decide who is sent what, what is checked, kept, fetched and shown. Sans-IO: the engine
//! reads no clock, no randomness, no socket and no file. A driver (`peddlenet-mesh`) hands it
//! [`Input`]s with the time and carries out the [`Action`]s that come back, in their order.
//!
//! ```text
//!   links  --Frame, PeerUp, PeerDown-->  +--------------------------------+  --Send, Dial, Drop-->  links
//!   crypto --Verified, MembershipCh.-->  | intake     worth a check?      |  --Verify, Beacon---->  crypto
//!   store  --Persisted, Loaded------->   | broadcast  accept, pass on     |  --Persist, Load----->  store
//!   app    --Publish, SendTo--------->   | overlay    whom to link with   |  --Deliver(To), Notify->app
//!   clock  --Timer------------------->   | sync       what flooding lost  |  --Arm--------------->  clock
//!                                        | unicast    to one member       |
//!                                        +--------------------------------+
//! ```
//!
//! | sub-protocol | modules | after |
//! |---|---|---|
//! | broadcast: one tree per author, announcements, grafts | `intake` `broadcast` `cast` `trees` `lazy` `graft` | Plumtree |
//! | order: parents before children | `causal` | |
//! | signs of life, trees and routes kept warm | `beacon` | |
//! | link costs, sparing the overloaded | `load` | |
//! | overlay: candidates, dials, lost peers, swaps | `overlay` | HyParView, with a memory |
//! | unicast: reverse trees, search, custody | `unicast` `route` `search` `custody` `keepers` | DUAL, expanding ring |
//! | anti-entropy: digests, sketches, heads, fetching | `sync` `fetch` `pick` `serve` | rateless IBLT |
//! | where logs end and begin | `cuts` (removed members), `bases` (what is kept for a while only) | |
//! | latest-wins records | `records` | |
//! | bounds and behaviour | `links` (buckets, scores), `pace`, `recent`, `parked`, [`limits`] | |
//!
//! An event's way: `Frame(Event)` -> dedupe by hash -> `Verify` -> `Verified(Accept)` -> `Send` along
//! its author's tree, `Persist`, `Deliver` -> `Persisted` -> heads and digest count it. An own
//! event: `Publish` -> `Persist` -> `Persisted` -> `Send`.
//!
//! What must hold, whatever comes in: nothing is forwarded, kept or delivered before its check was
//! accepted; own events are durable before they are sent; each event is delivered once while its
//! hash or its place is known, live ones after what they follow on; everything that grows has a bound
//! in [`limits`]; the same inputs give the same actions. Messages to one member, own ones that wait and
//! others' that are kept, live in memory only: a restart forgets them (`custody`). `tests/sim` runs thousands of engines over
//! bad networks in virtual time and holds them to it; its README has the figures.

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
mod bases;
mod beacon;
mod broadcast;
mod cast;
mod causal;
mod custody;
mod cuts;
mod digest;
mod engine;
mod fetch;
mod graft;
mod intake;
mod keepers;
mod lazy;
pub mod limits;
mod links;
mod load;
mod overlay;
mod pace;
mod parked;
mod pick;
mod ranges;
mod recent;
mod reconcile;
mod records;
mod room;
mod route;
mod search;
mod serve;
mod sketch;
mod sync;
mod trees;
mod unicast;

pub use api::{
    Action, Config, Controls, Counts, Degree, Held, Input, Item, Lane, Notice, Outcome, PeerId,
    Query, QueryId, Stats, Ticket, TimerId, UnicastId, Verdict, Why,
};
pub use beacon::beacon_period;
pub use engine::Engine;
