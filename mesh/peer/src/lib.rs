//! WebRTC links over one UDP port, opened by one scan and no server.
//!
//! ```text
//!              gates (keys)                              certificate hash, addresses, gate
//!                  |                                                     |
//! Incoming <-- Endpoint <== one UDP port ==> Endpoint <-- dial ----------+
//!                  |                              |
//!                 Link ===== three lanes ====== Link
//! ```
//!
//! A dialer needs what an invite or a whereabouts record says: addresses, the hash of the
//! listener's DTLS certificate, and a [`Gate`] key. Its first packet proves the key and carries
//! the hash of its own certificate, so both sides check certificates, and nobody else's packet
//! makes the listener allocate anything ([`front_door`]). The handshake of `crypto` over the opened
//! channel binds the link to both certificates and the gate's psk; only then does a [`Link`] reach
//! the caller. A member is asked first whether it is there, which costs a packet each way.
//!
//! No way to a link runs full ICE, whose checks one socket for many links can't carry (`webrtc` has no UDP mux). Where
//! both sides know both addresses, both dial from the shared port, or one sends packets that want no
//! answer ([`Endpoint::expect`]): that opens firewalls on either side as ICE's checks would, and the link is the same
//! dial. Nor is ICE restarted when a network changes: a link that we dialled goes on from the new address, since its
//! checks prove who we are (`paths`); one that we accepted is dialled anew, which takes a tenth of a second.
//!
//! So STUN and TURN come without ICE, too: `ice_server` asks how the shared port looks from outside, which is one more
//! address to tell, and an address at a relay is one more socket of the router's. `bench nat` has every pair of routers.
//!
//! `mesh` is the only user: it decides whom to dial, which gates stand, and who somebody is.
//!
//! | module | does |
//! |---|---|
//! | `endpoint`, `approach` | binds, asks, dials, accepts |
//! | [`front_door`], `gate`, `stun`, `used`, `bans` | decide on first packets (pure) |
//! | `held`, `bucket` | what a link may cost (pure) |
//! | `router`, `session`, `paths`, `socket`, `runtime` | share one port among links |
//! | `connection`, `sdp` | the WebRTC recipe, then the link handshake |
//! | `link`, `keepalive` | lanes, queues; whether the other end is there |
//! | `ice_server`, `rendezvous` | how we look from outside, an address at a relay; who else is on a server |
//! | `lan`, `interfaces` | who else is on this network; which networks this machine is on |

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

mod approach;
mod bans;
mod bucket;
mod certificate;
mod connection;
mod endpoint;
mod error;
pub mod front_door;
mod gate;
mod held;
mod ice_server;
mod interfaces;
mod keepalive;
mod lan;
mod link;
mod paths;
mod rendezvous;
mod router;
mod runtime;
mod sdp;
mod session;
mod socket;
mod stats;
mod step;
mod stun;
mod used;

pub use bans::{ADDRESS_REFUSED_FOR, OFFENCES, REFUSED_FOR};
pub use bytes::Bytes;
pub use certificate::ListenerCertificate;
pub use endpoint::{
    DIAL_DEADLINE, Dial, Endpoint, EndpointConfig, HALF_OPEN_FOR, Incoming, IncomingLink,
};
pub use error::{DialError, PeerError, SendError};
pub use gate::{Gate, GateId, Kind};
pub use held::{HALF_OPEN_BYTES, HELD_BY_ALL, HELD_FREE, HELD_MAX};
pub use ice_server::{IceServer, IceServerConfig, RelayError, TurnLogin};
pub use interfaces::{Interface, interfaces};
pub use lan::{BoxNotice, BoxSighting, Lan, Nearby, Notice, Sighting};
pub use link::{
    DATAGRAM_MAX, FRAME_MAX, Lane, Link, LinkId, LinkLoad, LinkReceiver, LinkSender, LinkStats,
    QUEUE_BYTES, QUEUE_FRAMES, RECEIVED_BYTES, Received, STALLED_FOR,
};
pub use peddlenet_wire::Fingerprint;
pub use rendezvous::{News, Parcel, Rendezvous, ServerUrl, TAGS_MAX, UrlError};
pub use router::HALF_OPEN_MAX;
pub use session::INBOX_BYTES;
pub use socket::STRANGERS_A_SECOND;
pub use stats::PeerStats;
