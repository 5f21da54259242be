//! The engine: one state, one entrance.

use std::collections::BTreeMap;

use peddlenet_wire::{
    Frame, RoomTag, SignedEvent, Timestamp,
    frame::Head,
    ids::Digest,
    peers::Peers,
    route::{Route, RouteReply},
    sketch::{DigestOf, Sketch},
    tree::{Beacon, Choke, Graft, Ihave, Prune},
};

use crate::{
    api::{
        Action, Config, Counts, Input, Lane, PeerId, Query, QueryId, Stats, Ticket, TimerId, Why,
    },
    beacon::ArrivingBeacon,
    intake::Arriving,
    links::Link,
    load::Overload,
    overlay::Overlay,
    recent::Position,
    records::{ArrivingRecord, RecordKey},
    room::Room,
    serve::Serve,
    unicast::Key,
};

/// The routing engine of one device. See the crate's documentation for its contract.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) rooms: BTreeMap<RoomTag, Room>,
    pub(crate) links: BTreeMap<PeerId, Link>,
    /// Checks and commits under way; at most [`FLIGHTS_MAX`](crate::limits::FLIGHTS_MAX) beside own ones.
    pub(crate) flights: BTreeMap<Ticket, Flight>,
    pub(crate) queries: BTreeMap<QueryId, Asked>,
    pub(crate) overlay: Overlay,
    timers: BTreeMap<TimerId, Due>,
    numbers: u64,
    pub(crate) out: Vec<Action>,
    /// Links that were dropped while this input was handled.
    pub(crate) doomed: Vec<PeerId>,
    pub(crate) stats: Stats,
    pub(crate) overload: Overload,
}

/// What a ticket stands for.
#[derive(Debug)]
pub(crate) enum Flight {
    Check(RoomTag, Box<Arriving>),
    CheckRecord(RoomTag, Box<ArrivingRecord>),
    CheckBeacon(RoomTag, Box<ArrivingBeacon>),
    Commit {
        room: RoomTag,
        position: Position,
        live: bool,
    },
    CommitOwn(SignedEvent),
    CommitRecord(RoomTag, RecordKey),
}

/// What a question to the store is for.
#[derive(Debug)]
pub(crate) enum Asked {
    Serve(Box<Serve>),
    /// Is what came what we hold, or another branch?
    Compare(RoomTag, Box<Arriving>),
    /// What was delivered before a restart.
    Recall(RoomTag),
    /// What a neighbour grafted.
    Graft(PeerId, RoomTag),
}

/// What a timer is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    Digest(RoomTag),
    Pump(RoomTag),
    Retry(RoomTag),
    Want(PeerId, RoomTag, u32),
    Linger(PeerId, RoomTag, u32),
    Records(PeerId, RoomTag),
    Nudge(PeerId, RoomTag),
    Announce(RoomTag),
    Causal(RoomTag),
    Beacon(RoomTag, u64),
    Missing(RoomTag),
    Hop(RoomTag, Key, u32),
    Ring(RoomTag, Key, u32),
    Keepers(RoomTag, Key),
    Redeliver(RoomTag, Key),
    Upkeep,
}

impl Engine {
    /// An engine without rooms and links.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            rooms: BTreeMap::new(),
            links: BTreeMap::new(),
            flights: BTreeMap::new(),
            queries: BTreeMap::new(),
            overlay: Overlay::default(),
            timers: BTreeMap::new(),
            numbers: 0,
            out: Vec::new(),
            doomed: Vec::new(),
            stats: Stats::default(),
            overload: Overload::default(),
        }
    }

    /// Takes one input and gives what is to be done about it, in order.
    ///
    /// `now` is the driver's clock. It should not jump; if it does, timers and rates are off for a
    /// moment and nothing else.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> impl Iterator<Item = Action> {
        self.overlay_sees(&input, now);
        match input {
            Input::OpenRoom {
                room,
                held,
                records,
            } => {
                self.open_room(room, Room::open(held, records, now), now);
            }
            Input::CloseRoom { room } => self.close_room(room, now),
            Input::Publish { event } => self.publish(event),
            Input::PublishRecord { record } => self.publish_record(&record),
            Input::PeerUp { peer, room, author } => self.on_peer_up(peer, room, author, now),
            Input::RoomDown { peer, room } => self.on_room_down(peer, room, now),
            Input::PeerDown { peer } => self.on_peer_down(peer, now),
            Input::Frame { from, frame } => self.on_frame(from, frame, now),
            Input::Import { event } => self.import(event, now),
            Input::Verified { ticket, verdict } => self.on_verified(ticket, verdict, now),
            Input::MembershipChanged { room } => self.on_membership_changed(room, now),
            Input::Cuts { room, cuts } => self.on_cuts(room, cuts, now),
            Input::LetGo {
                room,
                author,
                stream,
                last,
            } => self.on_let_go(room, (author, stream), last),
            Input::EndLog {
                room,
                author,
                stream,
                last,
            } => self.end_log(room, (author, stream), last),
            Input::Persisted { ticket, ok } => self.on_persisted(ticket, ok, now),
            Input::Loaded {
                query,
                events,
                more,
            } => self.on_loaded(query, events, more, now),
            Input::RoomSize { room, members } => self.on_room_size(room, members),
            Input::Moved => self.on_moved(now),
            Input::Known { room, authors } => self.on_known(room, &authors, now),
            Input::Near { room, authors } => self.on_near(room, &authors, now),
            Input::DialFailed { room, author } => self.on_dial_failed(room, author, now),
            Input::Load {
                peer,
                rtt_ms,
                queued_bytes,
                bytes_per_s,
            } => self.on_load(peer, rtt_ms, queued_bytes, bytes_per_s, now),
            Input::SendTo {
                room,
                to,
                id,
                payload,
            } => self.send_to(room, to, id, payload, now),
            Input::Beacon { room, beacon } => self.publish_beacon(room, &beacon),
            Input::Timer(timer) => self.on_timer(timer, now),
        }
        self.overhear(now);
        while let Some(peer) = self.doomed.pop() {
            self.release(peer, now);
        }
        self.out.drain(..)
    }

    /// What this device holds durably of a room: a line per log, and one per further stretch while
    /// a log has gaps. Sorted.
    pub fn heads(&self, room: RoomTag) -> Vec<Head> {
        self.rooms.get(&room).map(Room::heads).unwrap_or_default()
    }

    /// SHA-256 over [`Self::heads`]. Two devices with equal digests hold the same events.
    pub fn digest(&self, room: RoomTag) -> Option<Digest> {
        self.rooms.get(&room).map(Room::compute_digest)
    }

    /// How much of a room is durable here; zeros for a room that is not open.
    pub fn counts(&self, room: RoomTag) -> Counts {
        self.rooms.get(&room).map(Room::counts).unwrap_or_default()
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        let evicted = self.rooms.values().map(|room| room.trees.evicted);
        Stats {
            evictions: evicted.fold(0, u64::saturating_add),
            ..self.stats
        }
    }

    fn open_room(&mut self, tag: RoomTag, room: Room, now: Timestamp) {
        if self.rooms.contains_key(&tag) {
            return;
        }
        let past = !room.logs.is_empty();
        self.rooms.insert(tag, room);
        if past {
            self.recall(tag);
        }
        self.arm_digest(tag, now);
        for peer in self.neighbours(tag) {
            self.greet(peer, tag, now);
        }
    }

    fn close_room(&mut self, tag: RoomTag, now: Timestamp) {
        self.rooms.remove(&tag);
        for peer in self.neighbours(tag) {
            self.on_room_down(peer, tag, now);
        }
        // Tickets and questions stay until they are answered; the answers find no room.
    }

    fn on_frame(&mut self, from: PeerId, frame: Frame, now: Timestamp) {
        count(&mut self.stats.frames_in);
        let room = match &frame {
            Frame::Event(f) => f.event.header().room,
            Frame::Record(f) => f.record.header().room,
            Frame::Heads(f) => f.room,
            Frame::Want(f) => f.room,
            Frame::Batch(f) => f.room,
            Frame::DigestOf(DigestOf { room, .. })
            | Frame::Sketch(Sketch { room, .. })
            | Frame::Beacon(Beacon { room, .. })
            | Frame::Ihave(Ihave { room, .. })
            | Frame::Prune(Prune { room, .. })
            | Frame::Graft(Graft { room, .. })
            | Frame::Choke(Choke { room, .. })
            | Frame::Route(Route { room, .. })
            | Frame::RouteReply(RouteReply { room, .. })
            | Frame::Peers(Peers { room, .. }) => match self.room_of(from, *room) {
                Some(room) => room,
                None => return self.blame(from, Why::NotOpen, now),
            },
            _ => return,
        };
        if !self.rooms.contains_key(&room) || self.side(from, room).is_none() {
            self.blame(from, Why::NotOpen, now);
            return;
        }
        match frame {
            Frame::Event(f) => self.on_event(from, f, now),
            Frame::Record(f) => self.on_record(from, f, now),
            Frame::Heads(f) => self.on_heads(from, &f, now),
            Frame::Want(f) => self.on_want(from, f, now),
            Frame::Batch(f) => self.on_batch(from, f, now),
            Frame::DigestOf(f) => self.on_digest(from, room, f.summary, now),
            Frame::Sketch(f) => self.on_sketch(from, room, f, now),
            Frame::Beacon(f) => self.on_beacon(from, room, f, now),
            Frame::Ihave(f) => self.on_ihave(from, room, &f, now),
            Frame::Prune(f) => self.on_prune(from, room, &f, now),
            Frame::Graft(f) => self.on_graft(from, room, &f, now),
            Frame::Peers(f) => self.on_peers(from, room, &f, now),
            Frame::Choke(f) => self.on_choke(from, room, f.on, now),
            Frame::Route(f) => self.on_route(from, room, f, now),
            Frame::RouteReply(f) => self.on_route_reply(from, room, f, now),
            _ => {}
        }
    }

    fn on_loaded(
        &mut self,
        query: QueryId,
        events: Vec<(SignedEvent, u8)>,
        more: bool,
        now: Timestamp,
    ) {
        match self.queries.remove(&query) {
            Some(Asked::Serve(serve)) => self.on_serve_loaded(*serve, events, more),
            Some(Asked::Recall(room)) => self.on_recalled(room, &events),
            Some(Asked::Graft(peer, room)) => self.on_graft_loaded(peer, room, events),
            Some(Asked::Compare(room, arriving)) => self.on_compared(room, *arriving, &events, now),
            None => {}
        }
    }

    fn on_timer(&mut self, timer: TimerId, now: Timestamp) {
        match self.timers.remove(&timer) {
            Some(Due::Digest(room)) => self.on_digest_due(room, now),
            Some(Due::Pump(room)) => self.on_pump_due(room, now),
            Some(Due::Retry(room)) => self.on_retry_due(room, now),
            Some(Due::Want(peer, room, id)) => self.on_want_due(peer, room, id, now),
            Some(Due::Linger(peer, room, id)) => self.finish_want(peer, room, id, now),
            Some(Due::Announce(room)) => self.on_announce_due(room),
            Some(Due::Beacon(room, round)) => self.on_beacon_due(room, round, now),
            Some(Due::Causal(room)) => self.on_causal_due(room, now),
            Some(Due::Missing(room)) => self.on_missing_due(room, now),
            Some(Due::Hop(room, key, turn)) => self.on_hop_due(room, key, turn, now),
            Some(Due::Ring(room, key, turn)) => self.on_ring_due(room, key, turn, now),
            Some(Due::Keepers(room, key)) => self.on_keepers_due(room, key),
            Some(Due::Redeliver(room, key)) => self.on_redeliver_due(room, key, now),
            Some(Due::Upkeep) => self.on_upkeep_due(now),
            Some(Due::Nudge(peer, room)) => self.on_nudge_due(peer, room, now),
            Some(Due::Records(peer, room)) => self.send_records(peer, room, now),
            None => {}
        }
    }

    pub(crate) fn send(&mut self, to: PeerId, frame: Frame, lane: Lane) {
        count(&mut self.stats.frames_out);
        tracing::trace!(to = to.0, frame = frame.name(), "send");
        self.out.push(Action::Send { to, frame, lane });
    }

    pub(crate) fn load(&mut self, asked: Asked, what: Query) {
        let query = QueryId(self.number());
        self.queries.insert(query, asked);
        self.out.push(Action::Load { query, what });
    }

    pub(crate) fn arm(&mut self, due: Due, at: Timestamp) {
        let timer = TimerId(self.number());
        self.timers.insert(timer, due);
        self.out.push(Action::Arm { timer, at });
    }

    pub(crate) fn ticket(&mut self, flight: Flight) -> Ticket {
        let ticket = Ticket(self.number());
        self.flights.insert(ticket, flight);
        ticket
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers = self.numbers.wrapping_add(1);
        self.numbers
    }
}

/// One more.
pub(crate) fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
