//! Which members this device links up with.
//!
//! ```text
//!  Known, Near, Heard, Frame(Peers) -> view     candidates: 48 a room, and peers that were lost
//!                                  |
//!  DialFailed, PeerDown, tick --> dials     too few links: Dial, several at a time; one lost peer every 30 s
//!                                  |
//!  PeerUp ----------------------> surplus   too many: say goodbye, then Drop; both ends agree or the cap asks for it
//!  Frame(Peers) ----------------> exchange  neighbours name whom they are linked with
//!  tick ------------------------> trial     now and then another link is tried; the better one stays
//! ```
//!
//! Links belong to the device: it goes for [`Degree::active`](crate::Degree) of them, and every room
//! gets [`Degree::floor`](crate::Degree) neighbours at least while there are members to link with.
//! A failed dial is an input like any other and brings the next candidate, within
//! [`DIALS_A_SECOND`](limits::DIALS_A_SECOND). Whoever was lost, other than by a goodbye, is never
//! forgotten for a day: that is how the halves of a partition find each other again.
//!
//! After "HyParView" (Leitão, Pereira, Rodrigues, 2007), with the memory that it lacks.

mod dials;
mod exchange;
mod surplus;
mod trial;
mod view;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

use crate::{
    api::{Action, Input, PeerId},
    engine::{Due, Engine},
    limits,
    links::{Bucket, Link},
    recent::elapsed,
    room::spread,
};
use dials::Dialing;
use trial::Trial;
use view::{Source, View};

/// What this device knows of the overlay. Nothing of it outlives a restart.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    views: BTreeMap<RoomTag, View>,
    links: BTreeMap<PeerId, Ends>,
    dials: BTreeMap<(RoomTag, AuthorId), Dialing>,
    dial_tokens: Option<Bucket>,
    trial: Trial,
    /// Since when there are more links than it goes for.
    over_since: Option<Timestamp>,
    /// When a neighbour was last asked to part.
    parted: Option<Timestamp>,
    /// When neighbours may be asked for candidates again, and the pause after that.
    ask_at: Timestamp,
    ask_pause: Duration,
    shuffle_at: Timestamp,
    probe_at: Option<Timestamp>,
    ticking: bool,
    /// No dials before that.
    begin_at: Timestamp,
    rounds: u64,
}

/// What the overlay knows of one link.
#[derive(Debug)]
struct Ends {
    up: Timestamp,
    /// It leads to a peer that was lost: it may be the only bridge between two halves.
    bridge: bool,
    /// Links of the other end, as far as it said.
    links: Option<u8>,
    /// Some of the other end's neighbours.
    peers: Vec<AuthorId>,
    /// The room of which it said so, and how many of them, the first, it is linked with there.
    linked: (RoomTag, usize),
    /// Since when one of the ends means to close it.
    leaving: Option<Timestamp>,
    /// When the other end was told how this one stands, and what.
    told: Option<(Timestamp, Grade)>,
    answered: Option<Timestamp>,
    frames: Bucket,
    /// Since when no room that both ends want runs over it.
    idle: Option<Timestamp>,
}

/// How a device stands with its links; what neighbours hear of when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    BelowFloor,
    BelowTarget,
    AtTarget,
    Above,
}

impl Ends {
    fn new(now: Timestamp, bridge: bool) -> Self {
        Self {
            up: now,
            bridge,
            links: None,
            peers: Vec::new(),
            linked: (RoomTag::ZERO, 0),
            leaving: None,
            told: None,
            answered: None,
            frames: Bucket::new(limits::PEERS_A_SECOND, now),
            idle: None,
        }
    }

    fn is_young(&self, now: Timestamp) -> bool {
        let young = if self.bridge {
            limits::BRIDGE_YOUNG
        } else {
            limits::LINK_YOUNG
        };
        !elapsed(self.up, now, young)
    }
}

impl Engine {
    /// What other parts' inputs tell about this device and its links.
    pub(crate) fn overlay_sees(&mut self, input: &Input, now: Timestamp) {
        match input {
            Input::OpenRoom { room, .. } => {
                self.overlay.views.entry(*room).or_default();
                self.begin(now);
            }
            Input::CloseRoom { room } => {
                self.overlay.views.remove(room);
                self.overlay.dials.retain(|(of, _), _| of != room);
            }
            Input::RoomDown { peer, room } => self.forget_author(*peer, *room),
            Input::Publish { event } => self.is_me(event.header().room, event.header().author),
            Input::PublishRecord { record } => {
                self.is_me(record.header().room, record.header().author);
            }
            Input::Beacon { room, beacon } => self.is_me(*room, beacon.author),
            _ => {}
        }
    }

    /// Members whose words were just accepted are candidates. Only signs of life speak for them: all
    /// give those equally often, while everybody would dial the few who talk.
    pub(crate) fn overhear(&mut self, now: Timestamp) {
        let heard: Vec<_> = self
            .out
            .iter()
            .filter_map(|action| match action {
                Action::Heard { room, author, .. } => Some((*room, *author, Source::Heard)),
                Action::Deliver {
                    event, live: true, ..
                } => Some((event.header().room, event.header().author, Source::Seen)),
                _ => None,
            })
            .collect();
        for (room, author, source) in heard {
            self.offer(room, author, source, now);
        }
    }

    pub(crate) fn on_known(&mut self, room: RoomTag, authors: &[AuthorId], now: Timestamp) {
        for &author in authors {
            self.offer(room, author, Source::Known, now);
        }
        self.refill(now);
    }

    /// Each neighbour in a room, and whom it said it is linked with there, up to two minutes ago: what this
    /// device knows of the mesh beyond its own links. For people, not for routing.
    pub fn neighbourhood(&self, room: RoomTag) -> Vec<(AuthorId, Vec<AuthorId>)> {
        let one = |(_, link, ends): (PeerId, &Link, &Ends)| {
            let (of, count) = ends.linked;
            let linked = ends.peers.iter().copied().take(count);
            let linked = linked.filter(|_| of == room).collect();
            Some((link.rooms.get(&room)?.author, linked))
        };
        self.standing().filter_map(one).collect()
    }

    /// The neighbour from whom an author's events come at present.
    pub fn parent(&self, room: RoomTag, author: AuthorId) -> Option<AuthorId> {
        let peer = self.rooms.get(&room)?.trees.parent(author)?;
        Some(self.links.get(&peer)?.rooms.get(&room)?.author)
    }

    pub(crate) fn on_near(&mut self, room: RoomTag, authors: &[AuthorId], now: Timestamp) {
        for &author in authors {
            self.offer(room, author, Source::Near, now);
        }
        self.refill(now);
        self.probe_near(room, authors, now);
    }

    /// A room began to run over a link.
    pub(crate) fn overlay_up(
        &mut self,
        peer: PeerId,
        room: RoomTag,
        author: AuthorId,
        now: Timestamp,
    ) {
        let dial = self.overlay.dials.remove(&(room, author));
        if let Some(view) = self.overlay.views.get_mut(&room) {
            view.linked(author);
        }
        let bridge = dial.as_ref().is_some_and(Dialing::is_probe);
        if let Entry::Vacant(free) = self.overlay.links.entry(peer) {
            free.insert(Ends::new(now, bridge));
            if dial.as_ref().is_some_and(Dialing::is_trial) {
                self.overlay.trial.begun(peer, now);
            }
        }
        self.tell(peer, room, self.is_short(), now);
        self.make_space(now);
        self.tick(now);
        self.refill(now);
    }

    /// A link is about to be forgotten. Unless one of the ends wanted that, its peer was lost.
    pub(crate) fn overlay_down(&mut self, peer: PeerId, now: Timestamp) {
        let ends = self.overlay.links.remove(&peer);
        self.overlay.trial.ended(peer);
        let (Some(ends), Some(link)) = (ends, self.links.get(&peer)) else {
            return;
        };
        if link.dropped {
            return;
        }
        let lost = ends.leaving.is_none();
        let authors: Vec<_> = link.rooms.iter().map(|(&r, s)| (r, s.author)).collect();
        for (room, author) in authors {
            self.unlinked(room, author, lost, now);
        }
        self.overlay.ask_pause = limits::ASK_PAUSE;
        self.overlay.ask_at = now;
    }

    /// The upkeep that is due every second.
    pub(crate) fn on_upkeep_due(&mut self, now: Timestamp) {
        self.overlay.ticking = false;
        self.give_up_dials(now);
        self.close_leaving(now);
        self.close_idle(now);
        self.part_from_twins(now);
        self.settle_surplus(now);
        self.weigh_trial(now);
        self.tell_grade(now);
        self.ask_for_peers(now);
        self.probe_lost(now);
        self.refill(now);
        self.tick(now);
    }

    /// A room was opened. Many may start at the same time, and links may be on their way already.
    fn begin(&mut self, now: Timestamp) {
        if self.overlay.ticking {
            return;
        }
        self.overlay.ticking = true;
        let at = now.after(self.jittered(limits::FIRST_DIALS));
        self.overlay.begin_at = at;
        self.arm(Due::Upkeep, at);
    }

    /// Arms the next upkeep while there is anything to keep up.
    fn tick(&mut self, now: Timestamp) {
        if self.overlay.ticking || (self.rooms.is_empty() && self.links.is_empty()) {
            return;
        }
        self.overlay.ticking = true;
        let at = now.after(self.jittered(limits::UPKEEP_EVERY));
        self.arm(Due::Upkeep, at);
    }

    fn is_me(&mut self, room: RoomTag, author: AuthorId) {
        if let Some(view) = self.overlay.views.get_mut(&room) {
            view.is_me(author);
        }
        self.overlay.dials.remove(&(room, author));
    }

    /// Links that stay, with a room that both ends want.
    fn standing(&self) -> impl Iterator<Item = (PeerId, &Link, &Ends)> {
        self.links.iter().filter_map(|(&peer, link)| {
            let ends = self.overlay.links.get(&peer)?;
            let wanted = link.rooms.keys().any(|r| self.rooms.contains_key(r));
            (!link.dropped && ends.leaving.is_none() && wanted).then_some((peer, link, ends))
        })
    }

    /// Links that stay and over which a room runs.
    fn have(&self, room: RoomTag) -> usize {
        self.standing()
            .filter(|(_, link, _)| link.rooms.contains_key(&room))
            .count()
    }

    fn is_linked(&self, room: RoomTag, author: AuthorId) -> bool {
        self.links
            .values()
            .filter(|link| !link.dropped)
            .any(|link| link.rooms.get(&room).is_some_and(|s| s.author == author))
    }

    fn grade(&self) -> Grade {
        let degree = self.config.degree;
        let links = self.standing().count();
        let is_poor = |room: &RoomTag| self.have(*room) < degree.floor;
        if self.rooms.keys().any(is_poor) {
            Grade::BelowFloor
        } else if links < degree.active {
            Grade::BelowTarget
        } else if links == degree.active {
            Grade::AtTarget
        } else {
            Grade::Above
        }
    }

    fn is_short(&self) -> bool {
        matches!(self.grade(), Grade::BelowFloor | Grade::BelowTarget)
    }

    /// A number that nobody else rolls.
    fn roll(&mut self) -> u64 {
        self.overlay.rounds = self.overlay.rounds.wrapping_add(1);
        let room = self.rooms.keys().next().copied();
        let room = room.unwrap_or(RoomTag([0; 16]));
        scramble(spread(self.config.salt, room, self.overlay.rounds))
    }

    /// A span, give or take a fifth, so that a crowd doesn't act in step.
    fn jittered(&mut self, span: Duration) -> Duration {
        view::jittered(span, self.roll())
    }
}

/// Where chance puts a link.
fn rank_of_link(salt: u64, peer: PeerId) -> u64 {
    scramble(salt ^ scramble(peer.0))
}

/// Spreads a number over all bits (the finalizer of splitmix64).
pub(crate) fn scramble(mut n: u64) -> u64 {
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
