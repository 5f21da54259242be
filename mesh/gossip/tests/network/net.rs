//! The network: engines, the links between them, and a driver for each that keeps every promise.
//!
//! Invariants are checked while it runs: nothing is delivered twice, nothing is delivered or sent
//! before its check was accepted, own events are durable before they are sent, and no event goes
//! back over a link that it came from. Those checks see every queue of the network at once, so faults,
//! time and checks stay in this one file although it is long.

use std::collections::{BTreeMap, BTreeSet};

use peddlenet_gossip::{Action, Config, Counts, Engine, Input, Lane, PeerId, Query, QueryId};
use peddlenet_wire::{
    EventHash, Frame, Hlc, RoomTag, Seq, Signature, SignedEvent, Stream, Timestamp, route::Task,
    tree::SignedBeacon,
};

pub(crate) use crate::make::{Dice, author, event, record};
use crate::node::Node;

pub(crate) const ROOM: RoomTag = RoomTag([7; 16]);
pub(crate) const OTHER: RoomTag = RoomTag([9; 16]);
pub(crate) const START: u64 = 1_700_000_000_000;

/// What goes wrong, in percent.
#[derive(Default, Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) loss: u64,
    pub(crate) duplicate: u64,
    /// Frames that are held back up to 50 ms, past the ones behind them.
    pub(crate) reorder: u64,
    /// Checks that fail for no reason.
    pub(crate) refuse: u64,
    /// Commits that fail.
    pub(crate) disk: u64,
}

enum What {
    Frame {
        to: usize,
        peer: PeerId,
        frame: Frame,
    },
    Input {
        to: usize,
        input: Input,
    },
}

pub(crate) struct Net {
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) faults: Faults,
    pub(crate) dice: Dice,
    pub(crate) latency_ms: u64,
    /// Links that are up, with their ends.
    pub(crate) links: BTreeMap<PeerId, (usize, usize)>,
    pub(crate) trace: u64,
    /// Links that the engines dropped come back after a second.
    pub(crate) redial: bool,
    /// Nodes sign beacons when asked.
    pub(crate) beacons: bool,
    /// Bytes of history in each direction wait behind each other, so many a millisecond.
    pub(crate) bulk_bytes_per_ms: u64,
    queue: BTreeMap<(u64, u64), What>,
    last: BTreeMap<(PeerId, usize, Lane), u64>,
    redials: Vec<(u64, usize, usize)>,
    serial: u64,
}

impl Net {
    pub(crate) fn new(nodes: usize, seed: u64) -> Self {
        let nodes = (0..nodes).map(Node::new).collect();
        Self {
            now: START,
            nodes,
            faults: Faults::default(),
            dice: Dice::new(seed),
            latency_ms: 10,
            links: BTreeMap::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            redial: false,
            beacons: false,
            bulk_bytes_per_ms: 100_000,
            queue: BTreeMap::new(),
            last: BTreeMap::new(),
            redials: vec![],
            serial: 0,
        }
    }

    /// `nodes` nodes in one room, none linked.
    pub(crate) fn room(nodes: usize, seed: u64) -> Self {
        let mut net = Self::new(nodes, seed);
        (0..nodes).for_each(|n| net.open(n, ROOM));
        net
    }

    pub(crate) fn line(nodes: usize, seed: u64) -> Self {
        let mut net = Self::room(nodes, seed);
        (1..nodes).for_each(|n| {
            net.link(n - 1, n, &[ROOM]);
        });
        net
    }

    pub(crate) fn open(&mut self, node: usize, room: RoomTag) {
        let disk = self.nodes[node].disks.entry(room).or_default();
        let (held, records) = (disk.held(), disk.records.values().cloned().collect());
        self.give(
            node,
            Input::OpenRoom {
                room,
                held,
                records,
            },
        );
    }

    /// The process ends and starts again: what was not on disk is gone.
    pub(crate) fn restart(&mut self, node: usize) {
        for peer in self.links_of(node) {
            self.cut(peer);
        }
        self.queue
            .retain(|_, what| !matches!(what, What::Input { to, .. } if *to == node));
        let one = &mut self.nodes[node];
        one.engine = Engine::new(Config {
            salt: node as u64,
            ..Config::default()
        });
        // The engine counts tickets anew.
        one.commits.clear();
        // The program shows what is on disk; anything else may be shown again.
        let kept = one
            .disks
            .values()
            .flat_map(|d| d.events.keys().map(|k| k.3));
        one.shown = kept.collect();
        one.delivered
            .retain(|(e, ..)| one.shown.contains(&e.hash()));
        let rooms: Vec<_> = one.disks.keys().copied().collect();
        rooms.into_iter().for_each(|room| self.open(node, room));
    }

    pub(crate) fn link(&mut self, a: usize, b: usize, rooms: &[RoomTag]) -> PeerId {
        self.serial += 1;
        let peer = PeerId(self.serial);
        self.links.insert(peer, (a, b));
        for &room in rooms {
            self.give(
                a,
                Input::PeerUp {
                    peer,
                    room,
                    author: author(b),
                },
            );
            self.give(
                b,
                Input::PeerUp {
                    peer,
                    room,
                    author: author(a),
                },
            );
        }
        peer
    }

    pub(crate) fn cut(&mut self, peer: PeerId) {
        if let Some((a, b)) = self.links.remove(&peer) {
            self.give(a, Input::PeerDown { peer });
            self.give(b, Input::PeerDown { peer });
        }
    }

    pub(crate) fn links_of(&self, node: usize) -> Vec<PeerId> {
        let ends = |&(_, &(a, b)): &(&PeerId, &(usize, usize))| a == node || b == node;
        self.links
            .iter()
            .filter(ends)
            .map(|(&peer, _)| peer)
            .collect()
    }

    /// A node that only lends its name to events.
    pub(crate) fn stand_in(&mut self, node: usize) {
        while self.nodes.len() <= node {
            self.nodes.push(Node::new(self.nodes.len()));
        }
    }

    pub(crate) fn next_event(
        &mut self,
        node: usize,
        room: RoomTag,
        stream: Stream,
        body: &str,
    ) -> SignedEvent {
        let clock = self.now;
        let author = self.nodes[node].author;
        let chain = self.nodes[node]
            .chains
            .entry((room, stream))
            .or_insert((Seq(0), EventHash::ZERO));
        let event = event(room, author, stream, (chain.0.0 + 1, chain.1), clock, body);
        *chain = (event.header().seq, event.hash());
        event
    }

    pub(crate) fn say(&mut self, node: usize, body: &str) -> SignedEvent {
        self.say_in(node, ROOM, Stream::CONTENT, body)
    }

    pub(crate) fn say_in(
        &mut self,
        node: usize,
        room: RoomTag,
        stream: Stream,
        body: &str,
    ) -> SignedEvent {
        let event = self.next_event(node, room, stream, body);
        self.nodes[node].shown.insert(event.hash());
        self.give(
            node,
            Input::Publish {
                event: event.clone(),
            },
        );
        self.admitted(node, &event);
        event
    }

    /// Puts history on a disk before its room is opened.
    pub(crate) fn seed_disk(
        &mut self,
        node: usize,
        writer: usize,
        room: RoomTag,
        stream: Stream,
        count: usize,
    ) {
        for n in 0..count {
            self.now += 1;
            let event = self.next_event(writer, room, stream, &format!("history {n}"));
            let one = &mut self.nodes[node];
            one.shown.insert(event.hash());
            one.accepted.insert(event.hash());
            one.disks.entry(room).or_default().put(&event, 0);
        }
    }

    pub(crate) fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until a condition holds; how long that took.
    #[track_caller]
    pub(crate) fn run_until(
        &mut self,
        most_ms: u64,
        what: &str,
        mut done: impl FnMut(&Self) -> bool,
    ) -> u64 {
        let start = self.now;
        while !done(self) {
            assert!(
                self.step(start + most_ms),
                "{what}: not within {most_ms} ms"
            );
        }
        self.now - start
    }

    /// Handles what is next in line, unless that lies after `end`.
    pub(crate) fn step(&mut self, end: u64) -> bool {
        let due = |r: &(u64, usize, usize), end| r.0 <= end;
        let next = self.queue.first_key_value().map(|(&(at, _), _)| at);
        if let Some(i) = self
            .redials
            .iter()
            .position(|r| due(r, end.min(next.unwrap_or(end))))
        {
            let (at, a, b) = self.redials.remove(i);
            self.now = self.now.max(at);
            self.link(a, b, &[ROOM]);
            return true;
        }
        let Some(entry) = self.queue.first_entry() else {
            return false;
        };
        if entry.key().0 > end {
            return false;
        }
        let ((at, _), what) = entry.remove_entry();
        self.now = self.now.max(at);
        match what {
            What::Input { to, input } => self.give(to, input),
            What::Frame { to, peer, frame } => {
                // What is on its way when a link goes down is lost.
                if self.links.contains_key(&peer) {
                    match &frame {
                        Frame::Event(e) => {
                            self.nodes[to].arrived.insert((peer, e.event.hash()));
                        }
                        // Who grafts may have sent some of it while the graft was on its way.
                        Frame::Graft(_) => self.nodes[to].arrived.retain(|(p, _)| *p != peer),
                        _ => {}
                    }
                    self.give(to, Input::Frame { from: peer, frame });
                }
            }
        }
        true
    }

    pub(crate) fn give(&mut self, node: usize, input: Input) {
        let now = Timestamp(self.now);
        if let Input::Persisted { ticket, ok: true } = input {
            let one = &mut self.nodes[node];
            one.durable
                .extend(one.commits.remove(&ticket).unwrap_or_default());
        }
        let actions: Vec<_> = self.nodes[node].engine.handle(input, now).collect();
        for action in actions {
            self.note(node, &action);
            self.act(node, action);
        }
    }

    fn note(&mut self, node: usize, action: &Action) {
        for byte in format!("{} {node} {action:?}", self.now).bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn later(&mut self, at: u64, what: What) {
        self.serial += 1;
        self.queue.insert((at, self.serial), what);
    }

    fn answer(&mut self, node: usize, after_ms: u64, input: Input) {
        self.later(self.now + after_ms, What::Input { to: node, input });
    }

    fn act(&mut self, node: usize, action: Action) {
        match action {
            Action::Send { to, frame, lane } => self.transmit(node, to, &frame, lane),
            Action::Verify { ticket, item, .. } => {
                let refuse = self.dice.percent(self.faults.refuse);
                let verdict = self.nodes[node].judge(&item, refuse);
                self.answer(
                    node,
                    1 + self.serial % 3,
                    Input::Verified { ticket, verdict },
                );
            }
            Action::Persist {
                ticket,
                events,
                records,
                ..
            } => {
                let ok = !self.dice.percent(self.faults.disk);
                let hashes = events.iter().map(|(event, _)| event.hash()).collect();
                self.nodes[node].commits.insert(ticket, hashes);
                for (event, hops) in events.iter().filter(|_| ok) {
                    self.nodes[node].accepted.insert(event.hash());
                    let disk = self.nodes[node]
                        .disks
                        .entry(event.header().room)
                        .or_default();
                    disk.put(event, *hops);
                }
                for record in records.into_iter().filter(|_| ok) {
                    let disk = self.nodes[node]
                        .disks
                        .entry(record.header().room)
                        .or_default();
                    disk.records
                        .insert((record.header().kind, record.header().author), record);
                }
                self.answer(node, 4, Input::Persisted { ticket, ok });
            }
            Action::Load { query, what } => self.read(node, query, &what),
            Action::Deliver {
                event,
                hops,
                live,
                saved,
            } => {
                let one = &mut self.nodes[node];
                assert!(
                    one.accepted.contains(&event.hash()),
                    "delivered before its check"
                );
                let header = event.header();
                assert_eq!(
                    saved,
                    one.durable.contains(&event.hash()),
                    "whether it is durable"
                );
                if live && header.stream == Stream::CONTENT {
                    let mut past = header.parents.iter().chain([&header.previous]);
                    let known =
                        |hash: &EventHash| *hash == EventHash::ZERO || one.shown.contains(hash);
                    assert!(past.all(known), "delivered live before its past: {event:?}");
                }
                assert!(one.shown.insert(event.hash()), "delivered twice: {event:?}");
                one.delivered.push((event.clone(), hops, live));
                self.admitted(node, &event);
            }
            Action::DeliverRecord { record, hops } => {
                self.nodes[node].delivered_records.push((record, hops))
            }
            Action::Arm { timer, at } => self.later(
                at.0,
                What::Input {
                    to: node,
                    input: Input::Timer(timer),
                },
            ),
            Action::Notify(notice) => self.nodes[node].notices.push(notice),
            Action::Drop { peer, why } => {
                self.nodes[node].drops.push((peer, why));
                if let Some(&(a, b)) = self.links.get(&peer) {
                    self.cut(peer);
                    if self.redial {
                        self.redials.push((self.now + 1_000, a, b));
                    }
                }
            }
            Action::DeliverTo {
                from, id, payload, ..
            } => {
                let one = &mut self.nodes[node];
                let twice = one.letters.iter().any(|l| l.0 == from && l.1 == id);
                assert!(!twice, "delivered twice: {id:?}");
                one.letters.push((from, id, payload));
            }
            Action::UnicastDone { id, outcome, .. } => {
                self.nodes[node].outcomes.push((id, outcome));
            }
            Action::Heard { author, .. } => {
                self.nodes[node].heard.insert(author, self.now);
            }
            Action::Beacon { room } if self.beacons => {
                let author = self.nodes[node].author;
                let beacon = SignedBeacon {
                    author,
                    clock: Hlc::at(Timestamp(self.now)),
                    seq: Seq(0),
                    signature: Signature([3; 64]),
                };
                self.answer(node, 1, Input::Beacon { room, beacon });
            }
            _ => {}
        }
    }

    /// "admit N" in stream 0 makes author N a member.
    fn admitted(&mut self, node: usize, event: &SignedEvent) {
        let body = std::str::from_utf8(event.body().unwrap()).unwrap();
        if event.header().stream == Stream::MEMBERSHIP
            && let Some(n) = body.strip_prefix("admit ")
            && let Some(members) = &mut self.nodes[node].members
        {
            members.insert(author(n.parse().unwrap()));
            let room = event.header().room;
            self.answer(node, 1, Input::MembershipChanged { room });
        }
    }

    fn read(&mut self, node: usize, query: QueryId, what: &Query) {
        let (Query::Range { room, .. } | Query::Page { room, .. }) = *what;
        let (events, more) = self.nodes[node].disks.entry(room).or_default().load(what);
        self.answer(
            node,
            2,
            Input::Loaded {
                query,
                events,
                more,
            },
        );
    }

    fn transmit(&mut self, node: usize, peer: PeerId, frame: &Frame, lane: Lane) {
        let size = frame.to_bytes().len();
        assert!(size <= peddlenet_wire::limits::FRAME_MAX, "frame too long");
        if self.nodes[node].mute {
            return;
        }
        *self.nodes[node].sent.entry(frame.name()).or_default() += 1;
        let Some(&(a, b)) = self.links.get(&peer) else {
            return;
        };
        let to = if node == a { b } else { a };
        if let Frame::Event(e) = frame {
            let (one, hash) = (&self.nodes[node], e.event.hash());
            assert!(one.accepted.contains(&hash), "sent before its check");
            assert!(!one.arrived.contains(&(peer, hash)), "sent back");
            let h = e.event.header();
            if h.author == one.author {
                let place = (h.author, h.stream, h.seq, hash);
                assert!(
                    one.disks[&h.room].events.contains_key(&place),
                    "sent before it was durable"
                );
            }
        }
        if let Frame::Route(r) = frame
            && r.task != Task::Keep
        {
            let key = (peer, r.from, r.id, r.attempt, r.task);
            let new = self.nodes[node].routed.insert(key);
            assert!(new, "a loop: {r:?}");
        }
        if self.dice.percent(self.faults.loss) {
            return;
        }
        let copies = if self.dice.percent(self.faults.duplicate) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let held_back = if self.dice.percent(self.faults.reorder) {
                self.dice.roll(50)
            } else {
                0
            };
            let last = self.last.entry((peer, node, lane)).or_default();
            let mut at = (self.now + self.latency_ms).max(*last);
            if lane == Lane::Bulk {
                at = at.max(*last + (size as u64).div_ceil(self.bulk_bytes_per_ms));
            }
            *last = at;
            self.later(
                at + held_back,
                What::Frame {
                    to,
                    peer,
                    frame: frame.clone(),
                },
            );
        }
    }

    pub(crate) fn heal(&mut self) {
        self.faults = Faults::default();
    }

    pub(crate) fn counts(&self, node: usize) -> Counts {
        self.nodes[node].engine.counts(ROOM)
    }

    pub(crate) fn same(&self, room: RoomTag) -> bool {
        let digests: BTreeSet<_> = self.nodes.iter().map(|n| n.engine.digest(room)).collect();
        digests.len() == 1
    }

    /// Every node holds `events`, has shown all of them, and all digests are equal.
    pub(crate) fn converged(&self, room: RoomTag, events: usize) -> bool {
        self.same(room)
            && self
                .nodes
                .iter()
                .all(|n| n.engine.counts(room).events == events as u64)
    }

    pub(crate) fn bodies(&self, node: usize) -> Vec<String> {
        let text = |e: &SignedEvent| String::from_utf8(e.body().unwrap().to_vec()).unwrap();
        self.nodes[node]
            .delivered
            .iter()
            .map(|(e, ..)| text(e))
            .collect()
    }
}
