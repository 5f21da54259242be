//! Our engine as a [`Machine`]: the driver that `peddlenet-mesh` is in the product, in virtual time.
//!
//! ```text
//!   In  -> Input  -> Engine -> Action -> Out
//!                      ^          |
//!                      +- checks (one at a time), commits (in groups), reads: answered by own timers
//! ```
//!
//! Authors' keys, signatures and membership are stand-ins: everybody is a member, and a check takes
//! its time and accepts. What a crash leaves is what the simulated store had committed.

mod disk;
mod driver;
mod make;
pub mod reconcile;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peddlenet_gossip::{
    Action, Config, Controls, Engine, Input, PeerId, Query, QueryId, Ticket, UnicastId,
};
use peddlenet_wire::{
    EventHash, Frame, Hlc, Seq, SignedEvent, Stream, Timestamp, ids::Digest, route::Task,
};

use crate::{Dice, In, MS, Machine, MessageId, NodeId, Out};
use disk::Disk;
use make::{ROOM, author, node_of};

/// What everybody's clock shows when a run begins, in Unix milliseconds.
const START_MS: u64 = 1_700_000_000_000;
/// Other members' events that an own one names as seen.
const PARENTS: usize = peddlenet_wire::limits::PARENTS_MAX;

/// What takes time in a device, and what fails there.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// One signature check; a device does one at a time.
    pub check_us: u64,
    /// One commit; what comes in meanwhile is in the next one.
    pub commit_us: u64,
    /// One read.
    pub read_us: u64,
    /// Checks that fail for no reason, in a million.
    pub failing_checks: u32,
    /// Commits that fail, in a million.
    pub failing_commits: u32,
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            check_us: 100,
            commit_us: 5 * MS,
            read_us: 2 * MS,
            failing_checks: 0,
            failing_commits: 0,
        }
    }
}

/// One device that runs our engine.
pub struct Ours {
    me: NodeId,
    members: usize,
    config: Config,
    costs: Costs,
    dice: Dice,
    engine: Engine,
    disk: Disk,
    /// How far this device's clock is from the others', in milliseconds.
    skew_ms: i64,
    peers: BTreeMap<NodeId, PeerId>,
    nodes: BTreeMap<PeerId, NodeId>,
    links: u64,
    checks: VecDeque<Ticket>,
    checks_until: u64,
    /// The commit that runs, and what waits for the next.
    committing: Vec<Commit>,
    waiting: Vec<Commit>,
    reads: VecDeque<(QueryId, Query)>,
    clock: Hlc,
    own: (Seq, EventHash),
    tips: VecDeque<(NodeId, EventHash)>,
    /// Events that the program shows, by the first bytes of their hashes.
    shown: BTreeSet<u64>,
    actions: Vec<Action>,
    /// What the engine did that it must not, in words.
    pub violations: Vec<String>,
    /// How messages to one member ended.
    pub outcomes: Vec<(MessageId, peddlenet_gossip::Outcome)>,
    /// Links that the engine closed, by reason.
    pub drops: BTreeMap<String, u64>,
}

struct Commit {
    ticket: Ticket,
    events: Vec<(SignedEvent, u8)>,
}

/// What a timer token stands for, in its upper bits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Engine = 0,
    Checked = 1,
    Committed = 2,
    Read = 3,
}

const KIND_SHIFT: u32 = 60;

impl Ours {
    /// A device with an empty store.
    pub fn new(me: NodeId, controls: Controls, seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ crate::dice::spread(u64::from(me.0)));
        let config = Config {
            salt: dice.bits(),
            controls,
            ..Config::default()
        };
        Self {
            me,
            members: 1,
            config,
            costs: Costs::default(),
            dice,
            engine: Engine::new(config),
            disk: Disk::default(),
            skew_ms: 0,
            peers: BTreeMap::new(),
            nodes: BTreeMap::new(),
            links: 0,
            checks: VecDeque::new(),
            checks_until: 0,
            committing: Vec::new(),
            waiting: Vec::new(),
            reads: VecDeque::new(),
            clock: Hlc::default(),
            own: (Seq(0), EventHash::ZERO),
            tips: VecDeque::new(),
            shown: BTreeSet::new(),
            actions: Vec::new(),
            violations: Vec::new(),
            outcomes: Vec::new(),
            drops: BTreeMap::new(),
        }
    }

    /// The same with other costs.
    pub fn with_costs(mut self, costs: Costs) -> Self {
        self.costs = costs;
        self
    }

    /// Other costs from now on.
    pub fn set_costs(&mut self, costs: Costs) {
        self.costs = costs;
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The digest of what the engine holds durably.
    pub fn digest(&self) -> Option<Digest> {
        self.engine.digest(ROOM)
    }

    /// Names and bodies of all that is on disk, as one number.
    pub fn bodies(&self) -> u64 {
        self.disk.events().fold(0, |sum, event| {
            let body = event.body().unwrap_or_default();
            let text = body
                .iter()
                .fold(event.hash().0[0].into(), |sum: u64, &byte| {
                    sum.wrapping_mul(31).wrapping_add(byte.into())
                });
            sum.wrapping_mul(0x0100_0000_01b3) ^ text
        })
    }

    /// Messages on disk, ascending.
    pub fn held(&self) -> Vec<MessageId> {
        let mut held: Vec<_> = self.disk.events().map(make::message_of).collect();
        held.sort_unstable();
        held
    }

    /// The device's clock jumps.
    pub fn jump(&mut self, ms: i64) {
        self.skew_ms += ms;
    }

    /// How the simulator reads our frames.
    pub fn lens() -> crate::Lens<Frame> {
        crate::Lens {
            relays: Self::relays,
            copies: Self::copies,
            unicast: Self::unicast,
        }
    }

    /// Whether a frame carries or offers events of others: what a silent dropper keeps to itself.
    fn relays(from: NodeId, frame: &Frame) -> bool {
        match frame {
            Frame::Event(frame) => frame.event.header().author != author(from),
            Frame::Beacon(frame) => frame.signed.author != author(from),
            Frame::Batch(_)
            | Frame::Heads(_)
            | Frame::DigestOf(_)
            | Frame::Sketch(_)
            | Frame::Ihave(_) => true,
            _ => false,
        }
    }

    /// One attempt at a message to one member, as long as it goes along a route; searches fan out.
    fn unicast(frame: &Frame) -> Option<u64> {
        match frame {
            Frame::Route(route) if route.task == Task::Pass => {
                let id = u64::from_be_bytes(route.id);
                Some(id << 8 | u64::from(route.attempt))
            }
            _ => None,
        }
    }

    /// How many events a frame carries.
    fn copies(frame: &Frame) -> u64 {
        match frame {
            Frame::Batch(batch) => batch.events.len() as u64,
            _ => 1,
        }
    }

    fn wall(&self, now_us: u64) -> Timestamp {
        let ms = (START_MS + now_us / MS).cast_signed() + self.skew_ms;
        Timestamp(ms.max(0).cast_unsigned())
    }

    /// The virtual time at which this device's clock will show that, unless it jumps.
    fn virtual_us(&self, at: Timestamp) -> u64 {
        let ms = at.0.cast_signed() - self.skew_ms - START_MS.cast_signed();
        ms.max(0).cast_unsigned() * MS
    }

    fn start(&mut self, known: Vec<NodeId>, now: u64, out: &mut Vec<Out<Frame>>) {
        // The program shows what is on disk, whether or not it was delivered before the crash.
        self.shown = self.disk.events().map(|e| name(e.hash())).collect();
        let on_disk = self.disk.events().map(make::message_of);
        out.extend(on_disk.map(|id| Out::Deliver { id }));
        let own = self.disk.tip(self.me, Stream::CONTENT);
        self.own = own.map_or((Seq(0), EventHash::ZERO), |e| (e.header().seq, e.hash()));
        let held = self.disk.held();
        let open = Input::OpenRoom {
            room: ROOM,
            held,
            records: Vec::new(),
        };
        self.drive(open, now, out);
        let members = self.members;
        self.drive(
            Input::RoomSize {
                room: ROOM,
                members,
            },
            now,
            out,
        );
        let authors = known.into_iter().map(author).collect();
        self.drive(
            Input::Known {
                room: ROOM,
                authors,
            },
            now,
            out,
        );
    }

    fn publish(&mut self, id: MessageId, bytes: usize, now: u64, out: &mut Vec<Out<Frame>>) {
        self.clock = self.clock.tick(self.wall(now));
        let tip = make::Tip {
            author: author(self.me),
            seq: Seq(self.own.0.0 + 1),
            previous: self.own.1,
            clock: self.clock,
            parents: self.tips.iter().map(|&(_, hash)| hash).collect(),
        };
        let event = make::event(tip, id, bytes);
        self.own = (event.header().seq, event.hash());
        self.shown.insert(name(event.hash()));
        self.drive(Input::Publish { event }, now, out);
    }

    /// The program shows an event.
    fn show(&mut self, event: &SignedEvent, live: bool, out: &mut Vec<Out<Frame>>) {
        let header = event.header();
        if !self.shown.insert(name(event.hash())) {
            self.violations
                .push(format!("{:?} was shown twice", event.hash()));
        }
        let before = header.parents.iter().chain([&header.previous]);
        let lacks =
            |hash: &EventHash| *hash != EventHash::ZERO && !self.shown.contains(&name(*hash));
        if live && before.into_iter().any(lacks) {
            let what = format!("{event:?} was shown before what it follows on");
            self.violations.push(what);
        }
        self.clock = self.clock.max(header.clock);
        if header.stream == Stream::CONTENT {
            let writer = node_of(header.author);
            self.tips.retain(|&(node, _)| node != writer);
            self.tips.push_back((writer, event.hash()));
            if self.tips.len() > PARENTS {
                self.tips.pop_front();
            }
            out.push(Out::Deliver {
                id: make::message_of(event),
            });
        }
    }
}

/// The first bytes of a hash: enough to tell a run's events apart.
fn name(hash: EventHash) -> u64 {
    hash.0
        .first_chunk::<8>()
        .map_or(0, |b| u64::from_be_bytes(*b))
}

impl Machine for Ours {
    type Message = Frame;

    fn handle(&mut self, input: In<Frame>, now_us: u64, out: &mut Vec<Out<Frame>>) {
        let input = match input {
            In::Start { known } => return self.start(known, now_us, out),
            In::Publish { id, bytes } => return self.publish(id, bytes, now_us, out),
            In::Timer { token } => return self.on_token(token, now_us, out),
            In::LinkUp { peer } => {
                self.links += 1;
                let link = PeerId(self.links);
                self.peers.insert(peer, link);
                self.nodes.insert(link, peer);
                Input::PeerUp {
                    peer: link,
                    room: ROOM,
                    author: author(peer),
                }
            }
            In::LinkDown { peer } => {
                let Some(link) = self.peers.remove(&peer) else {
                    return;
                };
                self.nodes.remove(&link);
                Input::PeerDown { peer: link }
            }
            In::DialFailed { peer } => Input::DialFailed {
                room: ROOM,
                author: author(peer),
            },
            In::Message { from, message } => {
                let Some(&from) = self.peers.get(&from) else {
                    return;
                };
                Input::Frame {
                    from,
                    frame: message,
                }
            }
            In::SendTo { to, id, bytes } => Input::SendTo {
                room: ROOM,
                to: author(to),
                id: UnicastId(id.0.to_be_bytes()),
                payload: vec![0x5a; bytes],
            },
            In::Load {
                peer,
                rtt_us,
                queued_bytes,
                bytes_per_s,
            } => {
                let Some(&peer) = self.peers.get(&peer) else {
                    return;
                };
                Input::Load {
                    peer,
                    rtt_ms: (rtt_us / MS) as u32,
                    queued_bytes: queued_bytes as u64,
                    bytes_per_s,
                }
            }
        };
        self.drive(input, now_us, out);
    }

    fn crash(&mut self) {
        self.engine = Engine::new(self.config);
        self.peers.clear();
        self.nodes.clear();
        self.checks.clear();
        self.checks_until = 0;
        self.committing.clear();
        self.waiting.clear();
        self.reads.clear();
        self.tips.clear();
    }

    fn room_size(&mut self, members: usize) {
        self.members = members;
    }

    fn memory(&self) -> usize {
        self.disk.memory() + self.shown.len() * 16
    }
}
