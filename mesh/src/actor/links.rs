//! Links: taken in, read, written to, let go, and the keys that may open one.
//!
//! ```text
//!  Incoming, dials --> adopt --> a reader task each --Net--> on_frame --> join | opening | engine
//!  engine --Send--> send_frame --> the link's own queue
//! ```
//!
//! Until it is let in, the other end of a link that came by an invite may say one thing: let me in.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use peddlenet_crypto::{invite_gate, member_gate};
use peddlenet_gossip::{Input, Lane, Notice, PeerId, Why};
use peddlenet_peer::{Gate, GateId, IncomingLink, Kind, Link, LinkReceiver, LinkSender};
use peddlenet_wire::{Frame, InviteKey, RoomTag, limits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    Actor, Timer,
    dial::{DIRECT, LAN, TURN},
    gates::rank,
    meter::Meter,
    opening::Opening,
    presence::Pace,
};
use crate::{
    api::{Event, JoinStage, LinkInfo},
    clock,
    stats::Reasons,
};

/// Frames and link changes that wait for the actor (count). A full queue slows the links down.
pub(super) const NET_QUEUE: usize = 256;
/// Bytes of one link's frames that wait there or are being read, each counted as [`NET_FRAME_LEAST`]
/// at least: so no link has more than 32 frames ahead of another's.
const NET_BYTES_A_LINK: usize = 512 << 10;
/// See [`NET_BYTES_A_LINK`].
const NET_FRAME_LEAST: usize = 16 << 10;
/// Links to members (count): the cap, and those that are being said goodbye to.
pub(super) const LINKS_OPEN: usize = limits::LINKS_MAX + peddlenet_gossip::limits::CAP_SLACK;
/// A joiner that has asked for nothing by then is sent away.
const JOIN_PATIENCE: Duration = Duration::from_secs(10);
/// A link that came by a member key and on which no room is open for so long is let go: a removed
/// member still holds keys of the past, and must not keep a slot by them.
const ROOM_PATIENCE: Duration = Duration::from_secs(15);
/// Of two who find each other on a network the one may do so by that much later.
const FOUND_SINCE: Duration = Duration::from_secs(3);
/// A closed or expired invite still gets a coded refusal for that long.
pub(super) const REFUSAL_SPAN: Duration = Duration::from_secs(24 * 3600);

/// What links tell the actor.
pub(crate) enum Net {
    Frame(PeerId, Box<Frame>, OwnedSemaphorePermit),
    /// Bytes that were no frame.
    Garbage(PeerId),
    /// More frames than a link may bring, for a while.
    Flood(PeerId),
    Down(PeerId),
    Dialed(Box<super::dial::Outcome>),
    /// What is heard on this network.
    Nearby(peddlenet_peer::Nearby),
    /// What a server says.
    Server(Box<(peddlenet_peer::ServerUrl, peddlenet_peer::News)>),
    /// What was waited for is there.
    Then(super::Continue),
}

/// Which key let a link in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GatePurpose {
    Invite(InviteKey),
    Member,
}

pub(super) struct LinkState {
    pub(super) sender: LinkSender,
    pub(super) hash: [u8; 32],
    pub(super) dialed: bool,
    pub(super) since: Instant,
    pub(super) standing: Standing,
    /// Which way it came up.
    pub(super) via: &'static str,
    pub(super) pace: Option<Pace>,
    pub(super) rooms: BTreeMap<RoomTag, Opening>,
    /// How many frames about a removal it sent.
    pub(super) removed_frames: u8,
    /// It came by a code.
    let_in: bool,
    /// Since when no room is open on it.
    roomless: Instant,
    reader: tokio::task::AbortHandle,
}

/// What the other end of a link may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Holds a code, and may ask once to be let in by this invite.
    Stranger(InviteKey),
    /// Has asked, and waits for the answer.
    Asked,
    /// Holds a room's member keys: came by them, or was just given them.
    Member,
}

impl Actor {
    pub(super) fn on_incoming(&mut self, incoming: IncomingLink) {
        let (standing, most) = match self.gates.get(&incoming.gate) {
            Some(GatePurpose::Invite(key)) => {
                (Standing::Stranger(*key), LINKS_OPEN + limits::JOIN_SLOTS)
            }
            Some(GatePurpose::Member) => (Standing::Member, LINKS_OPEN),
            // The gate was taken away while the link came up.
            None => return,
        };
        if self.links.len() >= most {
            tracing::info!(links = self.links.len(), "no room for another link");
            return;
        }
        let via = self.way_of(&incoming.link, standing);
        self.adopt(incoming.link.split(), standing, via);
    }

    /// Which way whoever dialled a link came: it is known there, and told from its address here.
    fn way_of(&self, link: &Link, standing: Standing) -> &'static str {
        let from = link.peer_addr();
        let is_near = || match standing {
            Standing::Stranger(invite) => self.leads_nowhere(invite) && self.near.is_beside(from),
            _ => self.near.is_seen_at(from),
        };
        let joins = standing != Standing::Member;
        if link.is_relayed() {
            TURN
        } else if let Some(via) = self.meetings.expects(from, joins) {
            via
        } else if is_near() {
            LAN
        } else {
            DIRECT
        }
    }

    /// Somebody was found on this network who has found this device a little sooner, and called.
    pub(super) fn name_ways_of(&mut self, sighting: &peddlenet_peer::Sighting) {
        for link in self.links.values_mut() {
            let called = link.via == DIRECT && !link.dialed && link.standing == Standing::Member;
            let lately = link.since.elapsed() < FOUND_SINCE;
            if called && lately && !link.let_in && sighting.addrs.contains(&link.sender.peer_addr())
            {
                link.via = LAN;
            }
        }
    }

    /// Takes a link in, reads it on a task of its own, and asks which rooms are shared.
    pub(super) fn adopt(
        &mut self,
        (sender, receiver): (LinkSender, LinkReceiver),
        standing: Standing,
        via: &'static str,
    ) -> PeerId {
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        let (hash, dialed) = (sender.handshake_hash(), sender.dialed());
        let reader = tokio::spawn(read(peer, receiver, self.net.clone())).abort_handle();
        sender.set_pace(self.pace());
        self.links.insert(
            peer,
            LinkState {
                sender,
                hash,
                dialed,
                since: Instant::now(),
                standing,
                via,
                pace: None,
                rooms: BTreeMap::new(),
                removed_frames: 0,
                let_in: standing != Standing::Member,
                roomless: Instant::now(),
                reader,
            },
        );
        self.stats.links_up += 1;
        self.events.emit(Event::Link {
            peer: peer.0,
            up: true,
            via,
        });
        if standing == Standing::Member {
            self.offer_rooms(peer);
        }
        peer
    }

    pub(super) fn on_net(&mut self, input: Net) {
        match input {
            Net::Frame(peer, frame, _room) => self.on_frame(peer, *frame),
            Net::Garbage(peer) => {
                self.expel(peer, "bytes that are no frame", |why| &mut why.garbage);
            }
            Net::Flood(peer) => self.expel(peer, "a flood of frames", |why| &mut why.flood),
            Net::Down(peer) => self.drop_link(peer),
            Net::Dialed(outcome) => self.on_dialed(*outcome),
            Net::Nearby(news) => self.on_nearby(news),
            Net::Server(news) => self.on_server(&news.0, news.1),
            Net::Then(then) => then(self),
        }
    }

    fn on_frame(&mut self, peer: PeerId, frame: Frame) {
        self.stats.frames_in += 1;
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        match (frame, link.standing) {
            (Frame::Unknown(kind), _) => tracing::debug!(?peer, kind, "frame of a newer app"),
            (Frame::JoinRequest(request), Standing::Stranger(invite)) => {
                self.on_join_request(peer, invite, &request);
            }
            (frame, Standing::Stranger(_) | Standing::Asked) => {
                tracing::debug!(?peer, frame = frame.name(), "before being let in");
                self.expel(peer, "a frame before it was let in", |why| &mut why.early);
            }
            (Frame::Rooms(rooms), _) => self.on_rooms(peer, &rooms),
            (Frame::Open(open), _) => self.on_open(peer, &open),
            (Frame::Close(close), _) => self.on_close(peer, close.room),
            (Frame::NeedEpochs(need), _) => self.on_need_epochs(peer, &need),
            (Frame::Epochs(epochs), _) => self.on_epochs(peer, &epochs),
            (Frame::Removed(removed), _) => self.on_removed(peer, &removed),
            (Frame::JoinRequest(_) | Frame::Welcome(_) | Frame::Refuse(_), _) => {
                tracing::debug!(?peer, "join frame of a member");
            }
            (frame, _) => self.feed(Input::Frame { from: peer, frame }),
        }
    }

    /// Hands a frame to a link. False when it didn't take it.
    pub(super) fn send_frame(&mut self, to: PeerId, frame: &Frame, lane: Lane) -> bool {
        let Some(link) = self.links.get(&to) else {
            return false;
        };
        self.stats.frames_out += 1;
        let lane = match lane {
            Lane::Ordered => peddlenet_peer::Lane::Ordered,
            Lane::Bulk => peddlenet_peer::Lane::Bulk,
        };
        if let Err(e) = link.sender.try_send(lane, frame.to_bytes()) {
            // Sync fetches what a full queue swallowed; a closed link reports itself.
            self.stats.frames_dropped += 1;
            tracing::debug!(peer = ?to, frame = frame.name(), error = %e, "not sent");
            return false;
        }
        true
    }

    pub(super) fn drop_link(&mut self, peer: PeerId) {
        let Some(link) = self.links.remove(&peer) else {
            return;
        };
        link.reader.abort();
        link.sender.close();
        self.stats.links_down += 1;
        self.events.emit(Event::Link {
            peer: peer.0,
            up: false,
            via: link.via,
        });
        self.feed(Input::PeerDown { peer });
        for (tag, opening) in link.rooms {
            if let Some(author) = opening.author() {
                self.ask_after(tag, author);
                self.lost_touch(tag, author);
                self.refresh_reach(tag, author);
            }
        }
    }

    /// Ends a link for what the other end did, and refuses it another for a while.
    fn expel(&mut self, peer: PeerId, what: &str, count: impl FnOnce(&mut Reasons) -> &mut u64) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        tracing::warn!(?peer, what, "a peer misbehaves and is sent away");
        self.endpoint.refuse(link.sender.peer_addr());
        *count(&mut self.stats.expelled) += 1;
        self.drop_link(peer);
    }

    /// [`Action::Drop`](peddlenet_gossip::Action::Drop) of a link that misbehaved.
    pub(super) fn expel_for(&mut self, peer: PeerId, why: Why) {
        if let Some(link) = self.links.get(&peer) {
            tracing::warn!(?peer, ?why, "a peer misbehaves and is sent away");
            self.endpoint.refuse(link.sender.peer_addr());
            self.stats.expelled.count(why);
        }
        self.drop_link(peer);
    }

    pub(super) fn link_count(&self) -> usize {
        self.links.len()
    }

    /// Lets go of joiners that ask for nothing, and of links with keys of a room and no room.
    pub(super) fn expire_join_slots(&mut self) {
        let mut late = Vec::new();
        for (peer, link) in &mut self.links {
            let is_member = link.standing == Standing::Member;
            if link.rooms.values().any(|o| o.author().is_some()) {
                link.roomless = Instant::now();
            }
            let expired = match is_member {
                true => link.roomless.elapsed() > ROOM_PATIENCE,
                false => link.since.elapsed() > JOIN_PATIENCE,
            };
            if expired {
                late.push((*peer, is_member));
            }
        }
        for (peer, is_member) in late {
            match is_member {
                true => self.stats.expelled.roomless += 1,
                false => self.stats.expelled.early += 1,
            }
            self.drop_link(peer);
        }
    }

    /// Which keys may open a link: every room's member keys, and the invites that are or were open.
    pub(super) fn refresh_gates(&mut self) {
        let now = clock::now();
        self.near.keys_changed();
        self.servers.keys_changed();
        self.arm(Timer::Servers, now);
        let mut gates = Vec::new();
        // A gate keeps its number: a link that knocked at it a moment ago arrives with that.
        let mut known: Vec<(GateId, GatePurpose)> = self.gates.drain().collect();
        let mut add = |kind, gate: peddlenet_crypto::Gate, purpose| {
            let old = known.iter().position(|(_, p)| *p == purpose);
            let id = match old {
                Some(at) => known.swap_remove(at).0,
                None => {
                    self.next_gate += 1;
                    GateId(self.next_gate)
                }
            };
            gates.push(Gate {
                id,
                kind,
                ice_key: gate.ice_key,
                psk: gate.psk,
            });
            self.gates.insert(id, purpose);
        };
        // An epoch's gate ages from when the next one began.
        let aged = |room: &crate::room::Room| {
            let mut replaced = None;
            let mut gates = Vec::new();
            for keys in room.ring.newest_first() {
                gates.push((member_gate(keys), replaced));
                let began = room.ring.minted(keys.id());
                replaced = began.map(|minted| minted.at.0.timestamp());
            }
            gates
        };
        for gate in rank(self.rooms.values().map(aged).collect(), now) {
            add(Kind::Member, gate, GatePurpose::Member);
        }
        let mut invites = Vec::new();
        for room in self.rooms.values() {
            let recent = |e: &peddlenet_room::InviteEntry| e.expires.after(REFUSAL_SPAN) > now;
            invites.extend(
                room.roster
                    .invites()
                    .filter(|(_, e)| recent(e))
                    .map(|(k, e)| (e.expires, k)),
            );
        }
        invites.sort_unstable_by(|a, b| b.cmp(a));
        for (_, key) in invites.into_iter().take(limits::OPEN_INVITES_MAX) {
            add(Kind::Invite, invite_gate(&key), GatePurpose::Invite(key));
        }
        self.endpoint.set_gates(gates);
    }

    pub(super) fn on_notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Synced { room, .. } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.ring.settle();
                }
                if self.fetching == Some(*room) {
                    self.fetching = None;
                    self.tell_stage(JoinStage::Open);
                }
            }
            Notice::Fork {
                room,
                author,
                stream,
                seq,
                ..
            } => self.on_fork(*room, *author, *stream, *seq),
            Notice::Misbehaved { peer, why } => {
                self.stats.misbehaved.count(*why);
                tracing::debug!(?peer, ?why, "misbehaved");
            }
            other => tracing::debug!(notice = ?other, "engine"),
        }
    }

    pub(crate) fn link_infos(&self) -> Vec<LinkInfo> {
        let info = |(peer, link): (&PeerId, &LinkState)| {
            let counters = link.sender.stats();
            LinkInfo {
                peer: peer.0,
                via: link.via,
                rtt: link.sender.srtt(),
                loss_percent: link.sender.loss_percent(),
                rooms: link.rooms.values().filter(|o| o.author().is_some()).count(),
                bytes_in: counters.bytes_in,
                bytes_out: counters.bytes_out,
            }
        };
        self.links.iter().map(info).collect()
    }
}

/// Reads one link until it ends. Awaits the actor's queue and keeps to the link's rate, so a busy
/// actor and a link that brings too much slow the peer down.
async fn read(peer: PeerId, mut receiver: LinkReceiver, net: mpsc::Sender<Net>) {
    let mut meter = Meter::new(Instant::now());
    let room = Arc::new(Semaphore::new(NET_BYTES_A_LINK));
    while let Some(received) = receiver.recv().await {
        let len = received.bytes.len();
        let mut asked_for = false;
        let input = match Frame::from_bytes(&received.bytes) {
            Ok(frame) => {
                asked_for = matches!(frame, Frame::Batch(_) | Frame::Welcome(_));
                let cost = len.clamp(NET_FRAME_LEAST, NET_BYTES_A_LINK);
                let cost = u32::try_from(cost).unwrap_or(u32::MAX);
                let Ok(place) = Arc::clone(&room).acquire_many_owned(cost).await else {
                    return;
                };
                Net::Frame(peer, Box::new(frame), place)
            }
            Err(e) => {
                tracing::debug!(?peer, error = %e, "no frame");
                Net::Garbage(peer)
            }
        };
        if net.send(input).await.is_err() {
            return;
        }
        let pause = meter.take(len, asked_for, Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if meter.floods(Instant::now()) && net.send(Net::Flood(peer)).await.is_err() {
            return;
        }
    }
    let _ = net.send(Net::Down(peer)).await;
}
