//! What a device knows of the network around it: for the map, and for finding out why something failed.

use std::{net::SocketAddr, time::Duration};

use super::{AuthorId, LinkInfo, MessageId, Reach, Timestamp};
use crate::error::ErrorCode;

/// Whether members are looked for on this network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LanState {
    /// They are.
    On,
    /// The person doesn't want it, or this device talks to itself only.
    Off,
    /// The system doesn't let it.
    Unavailable,
}

impl LanState {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A room as a mesh, as far as this device knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkMap {
    /// Everyone in the room, this device included.
    pub people: Vec<OnMap>,
    /// Links, each pair once.
    pub links: Vec<MapLink>,
    /// The way of the newest message of others that came while this ran.
    pub path: Option<Path>,
}

/// One member on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnMap {
    /// Who.
    pub author: AuthorId,
    /// The name to show.
    pub name: String,
    /// Whether it is this device.
    pub me: bool,
    /// Whether messages reach it now.
    pub state: Reach,
    /// Links to it, by its last sign of life; `None` while it can't be reached.
    pub hops: Option<u8>,
    /// Round trip of the link to it.
    pub rtt: Option<Duration>,
    /// Of the last questions over it so many in a hundred had no answer; `None` until enough were asked.
    pub loss_percent: Option<u8>,
    /// Which way that link came up.
    pub via: Option<&'static str>,
}

/// A link on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapLink {
    /// One end.
    pub a: AuthorId,
    /// The other.
    pub b: AuthorId,
    /// Round trip; of own links only.
    pub rtt: Option<Duration>,
    /// Lost of a hundred questions; of own links only.
    pub loss_percent: Option<u8>,
    /// Which way it came up; of own links only.
    pub via: Option<&'static str>,
}

/// The way of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The message.
    pub message: MessageId,
    /// Who said it.
    pub author: AuthorId,
    /// The neighbour from whom that author's messages come.
    pub by: Option<AuthorId>,
    /// Links that it crossed.
    pub hops: u8,
    /// When it came, by this device's clock.
    pub at: Timestamp,
}

/// Why things are as they are. Stays on this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// Since the start.
    pub up: Duration,
    /// Tasks of the runtime, now (count).
    pub tasks: usize,
    /// Discovery on this network.
    pub lan: LanState,
    /// Devices of one's rooms seen on it now (count).
    pub near: usize,
    /// This device's own addresses.
    pub addresses: Vec<SocketAddr>,
    /// Rendezvous servers in use.
    pub servers: Vec<ServerState>,
    /// Devices are seen here and none of those that were tried answers: this network keeps them apart.
    pub apart: bool,
    /// Dials and joins of this device, by way.
    pub attempts: Vec<Attempts>,
    /// The last that failed, newest first.
    pub failures: Vec<Failure>,
    /// Links, whose they are by name, and since when.
    pub links: Vec<(LinkInfo, Vec<String>, Duration)>,
    /// Own messages and their first receipts.
    pub delivery: Delivery,
    /// Counters of this device ..
    pub device: crate::Stats,
    /// .. and of its gossip.
    pub engine: crate::EngineStats,
}

/// A rendezvous server in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// Its address.
    pub url: String,
    /// A carrier box that was found on this network.
    pub is_box: bool,
    /// Why it is not there; `None` when it is.
    pub why_not: Option<String>,
    /// How this device looks from there.
    pub seen_as: Option<SocketAddr>,
}

/// How often a way was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// `direct`, `lan`, `relay`, ..
    pub via: &'static str,
    /// Times tried.
    pub tried: u64,
    /// Times that a link opened.
    pub opened: u64,
    /// Times that another way was first.
    pub beaten: u64,
    /// How long that took: half of the last ones took less.
    pub p50: Option<Duration>,
    /// Of the last ones 95 in a hundred took less.
    pub p95: Option<Duration>,
}

/// An attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// Which way was tried.
    pub via: &'static str,
    /// Why it failed.
    pub reason: ErrorCode,
    /// After how long.
    pub took: Duration,
    /// When.
    pub at: Timestamp,
}

/// From saved to seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Own messages since the start.
    pub sent: u64,
    /// From the disk here to the first receipt: half of the last ones took less.
    pub p50: Option<Duration>,
    /// Of the last ones 95 in a hundred took less.
    pub p95: Option<Duration>,
}
