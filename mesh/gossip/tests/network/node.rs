//! One device: an engine, its disks, and what its program was shown.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_gossip::{
    Config, Engine, Item, Notice, Outcome, PeerId, Ticket, UnicastId, Verdict, Why,
};
use peddlenet_wire::{
    AuthorId, EventHash, RoomTag, Seq, SignedEvent, SignedRecord, Stream, route::Task,
};

use crate::{disk::Disk, make::author};

/// A message to one member on a link: over which, from whom, its id, attempt and task.
pub(crate) type Crossing = (PeerId, Option<AuthorId>, [u8; 8], u8, Task);

pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) author: AuthorId,
    pub(crate) disks: BTreeMap<RoomTag, Disk>,
    pub(crate) delivered: Vec<(SignedEvent, u8, bool)>,
    pub(crate) delivered_records: Vec<(SignedRecord, u8)>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) drops: Vec<(PeerId, Why)>,
    pub(crate) sent: BTreeMap<&'static str, u64>,
    /// Commits under way, and what was said to be durable.
    pub(crate) commits: BTreeMap<Ticket, Vec<EventHash>>,
    pub(crate) durable: BTreeSet<EventHash>,
    /// When an author gave its last sign of life.
    pub(crate) heard: BTreeMap<AuthorId, u64>,
    /// `None`: everybody is a member.
    pub(crate) members: Option<BTreeSet<AuthorId>>,
    pub(crate) verified: u64,
    /// Takes part, but never says anything.
    pub(crate) mute: bool,
    /// Messages to this member alone.
    pub(crate) letters: Vec<(AuthorId, UnicastId, Vec<u8>)>,
    /// How its own ones ended.
    pub(crate) outcomes: Vec<(UnicastId, Outcome)>,
    /// What it passed on: never twice over one link in one attempt.
    pub(crate) routed: BTreeSet<Crossing>,
    pub(crate) accepted: BTreeSet<EventHash>,
    pub(crate) shown: BTreeSet<EventHash>,
    pub(crate) arrived: BTreeSet<(PeerId, EventHash)>,
    pub(crate) chains: BTreeMap<(RoomTag, Stream), (Seq, EventHash)>,
}

impl Node {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            engine: Engine::new(Config {
                salt: n as u64,
                ..Config::default()
            }),
            author: author(n),
            disks: BTreeMap::new(),
            delivered: vec![],
            delivered_records: vec![],
            notices: vec![],
            drops: vec![],
            sent: BTreeMap::new(),
            commits: BTreeMap::new(),
            durable: BTreeSet::new(),
            heard: BTreeMap::new(),
            members: None,
            verified: 0,
            mute: false,
            letters: vec![],
            outcomes: vec![],
            routed: BTreeSet::new(),
            accepted: BTreeSet::new(),
            shown: BTreeSet::new(),
            arrived: BTreeSet::new(),
            chains: BTreeMap::new(),
        }
    }

    pub(crate) fn judge(&mut self, item: &Item, refuse: bool) -> Verdict {
        self.verified += 1;
        let (author, body) = match item {
            Item::Event(e) => (e.header().author, e.body().unwrap()),
            Item::Record(r) => (r.header().author, r.body()),
            Item::Beacon(_, b) => (b.author, &[][..]),
        };
        if body.starts_with(b"bad") || refuse {
            return Verdict::Reject;
        }
        if self.members.as_ref().is_some_and(|m| !m.contains(&author)) {
            return Verdict::Later;
        }
        if let Item::Event(e) = item {
            self.accepted.insert(e.hash());
        }
        Verdict::Accept
    }
}
