//! The real `iroh-gossip` crate: its `HyParView` and Plumtree run unchanged, as `proto::State` without its network.
//!
//! What its own network layer (`net.rs`) does for the state, this module does with the world's links:
//! a message to a peer without a link dials and waits in a queue; a dial that fails drops the queue and
//! tells the state that the peer is disconnected; `DisconnectPeer` closes the link, once what was
//! sent before it has had time to arrive (there the stream is finished, then closed).
//!
//! Discovery is the application's: a node joins through [`CONTACTS`] of those it knows, and again
//! through others until it has had a first neighbour. From then on the crate is on its own, as in its
//! own network layer. A peer is named by 32 bytes on the wire, as there; addresses (`PeerData`) are left empty, which
//! saves it some bytes. Sizes are those of its own encoding and the 4-byte length before each message.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use iroh_gossip::proto::{
    Command, Config, Event, InEvent, Message, OutEvent, PeerData, Scope, State, Timer, TopicId,
    state::MessageKind,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dice;
use crate::{Dice, In, Lens, MS, Machine, MessageId, NodeId, Out, SECOND, dice::spread};

/// A joiner asks so many nodes at a time: with one, a room that starts all at once falls apart into pieces.
const CONTACTS: usize = 2;
/// A joiner first waits for up to so long.
const START_US: u64 = SECOND;
/// Until its first neighbour a joiner asks others that often.
const JOIN_US: u64 = 3 * SECOND;
/// Longer than a message is under way, shorter than it takes the overlay to want the link again.
const CLOSE_US: u64 = 250 * MS;
/// The length before each message on a stream.
const LENGTH: usize = 4;
/// Room in the state's own bound for the largest bodies of the scenarios.
const MESSAGE_MAX: usize = 64 * 1024;

/// A node as the crate sees it: 32 bytes on the wire, like the crate's own `EndpointId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer(u32);

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut name = [0; 32];
        name[..4].copy_from_slice(&self.0.to_le_bytes());
        name.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <[u8; 32]>::deserialize(deserializer)?;
        Ok(Self(u32::from_le_bytes([
            name[0], name[1], name[2], name[3],
        ])))
    }
}

/// Where the link to a peer stands.
#[derive(Debug)]
enum Link {
    /// Dialled; these wait for it.
    Dialling(Vec<Message<Peer>>),
    Up,
    /// The state is done with it; it is closed then, unless a message takes it up again.
    Closing(u64),
}

/// What a timer of this machine is for.
#[derive(Debug)]
enum Due {
    State(Timer<Peer>),
    Close(NodeId),
    Join,
    JoinAgain,
}

/// One node.
#[derive(Debug)]
pub struct Iroh {
    me: NodeId,
    seed: u64,
    active_view: usize,
    state: State<Peer, ChaCha8Rng>,
    dice: Dice,
    links: BTreeMap<NodeId, Link>,
    timers: BTreeMap<u64, Due>,
    next_timer: u64,
    known: Vec<NodeId>,
    had_neighbour: bool,
    /// What the state calls now, at virtual time 0. It only ever looks at differences.
    epoch: Instant,
}

impl Iroh {
    /// A node that draws from (`seed`, `me`) and keeps `active_view` neighbours (the crate's default is 5).
    #[must_use]
    pub fn new(me: NodeId, seed: u64, active_view: usize) -> Self {
        Self {
            me,
            seed,
            active_view,
            state: state(me, seed, active_view),
            dice: dice(seed, me),
            links: BTreeMap::new(),
            timers: BTreeMap::new(),
            next_timer: 0,
            known: Vec::new(),
            had_neighbour: false,
            epoch: Instant::now(),
        }
    }

    fn feed(&mut self, event: InEvent<Peer>, now_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        let now = self.epoch + Duration::from_micros(now_us);
        let events: Vec<_> = self.state.handle(event, now.into(), None).collect();
        for event in events {
            match event {
                OutEvent::SendMessage(to, message) => self.send(NodeId(to.0), message, out),
                OutEvent::DisconnectPeer(peer) => self.disconnect(NodeId(peer.0), now_us, out),
                OutEvent::ScheduleTimer(after, timer) => {
                    let after = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
                    self.set(Due::State(timer), now_us.saturating_add(after), out);
                }
                OutEvent::EmitEvent(_, Event::Received(gossip)) => {
                    out.extend(named(&gossip.content).map(|id| Out::Deliver { id }));
                }
                OutEvent::EmitEvent(_, Event::NeighborUp(_)) => self.had_neighbour = true,
                OutEvent::EmitEvent(_, Event::NeighborDown(_)) | OutEvent::PeerData(..) => {}
            }
        }
    }

    fn send(&mut self, to: NodeId, message: Message<Peer>, out: &mut Vec<Out<Message<Peer>>>) {
        match self.links.get_mut(&to) {
            Some(Link::Dialling(queue)) => queue.push(message),
            Some(link) => {
                *link = Link::Up;
                out.push(on_wire(to, message));
            }
            None => {
                self.links.insert(to, Link::Dialling(vec![message]));
                out.push(Out::Dial { peer: to });
            }
        }
    }

    fn disconnect(&mut self, peer: NodeId, now_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        // A dial under way goes on: what waits for it is still to be said.
        if let Some(link @ Link::Up) = self.links.get_mut(&peer) {
            *link = Link::Closing(now_us + CLOSE_US);
            self.set(Due::Close(peer), now_us + CLOSE_US, out);
        }
    }

    fn link_up(&mut self, peer: NodeId, out: &mut Vec<Out<Message<Peer>>>) {
        if let Some(Link::Dialling(queue)) = self.links.insert(peer, Link::Up) {
            out.extend(queue.into_iter().map(|message| on_wire(peer, message)));
        }
    }

    fn link_down(&mut self, peer: NodeId, now_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        // The end of a link that the state had given up is no news to it, as in `net.rs`.
        if let Some(Link::Up) = self.links.get(&peer) {
            self.links.remove(&peer);
            self.feed(InEvent::PeerDisconnected(Peer(peer.0)), now_us, out);
        } else if let Some(Link::Closing(_)) = self.links.get(&peer) {
            self.links.remove(&peer);
        }
    }

    fn due(&mut self, due: Due, now_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        match due {
            Due::State(timer) => self.feed(InEvent::TimerExpired(timer), now_us, out),
            Due::Close(peer) => {
                if matches!(self.links.get(&peer), Some(Link::Closing(at)) if *at <= now_us) {
                    self.links.remove(&peer);
                    out.push(Out::Close { peer });
                }
            }
            Due::Join => self.join(now_us, out),
            Due::JoinAgain if self.had_neighbour => {}
            Due::JoinAgain => self.join(now_us, out),
        }
    }

    fn join(&mut self, now_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        let contacts = self.dice.sample(&self.known, CONTACTS);
        let peers = contacts.into_iter().map(|node| Peer(node.0)).collect();
        self.feed(InEvent::Command(topic(), Command::Join(peers)), now_us, out);
        self.set(Due::JoinAgain, now_us + JOIN_US, out);
    }

    fn set(&mut self, due: Due, at_us: u64, out: &mut Vec<Out<Message<Peer>>>) {
        let token = self.next_timer;
        self.next_timer += 1;
        self.timers.insert(token, due);
        out.push(Out::Timer { token, at_us });
    }
}

impl Machine for Iroh {
    type Message = Message<Peer>;

    fn handle(&mut self, input: In<Self::Message>, now_us: u64, out: &mut Vec<Out<Self::Message>>) {
        match input {
            In::Start { known } => {
                self.known = known;
                self.feed(
                    InEvent::Command(topic(), Command::Join(Vec::new())),
                    now_us,
                    out,
                );
                // Where all start in one instant, most would dial others that are not there yet.
                let soon = self.dice.between(0, START_US);
                self.set(Due::Join, now_us + soon, out);
            }
            In::LinkUp { peer } => self.link_up(peer, out),
            In::LinkDown { peer } => self.link_down(peer, now_us, out),
            In::DialFailed { peer } => {
                if let Some(Link::Dialling(_)) = self.links.get(&peer) {
                    self.links.remove(&peer);
                    self.feed(InEvent::PeerDisconnected(Peer(peer.0)), now_us, out);
                }
            }
            In::Message { from, message } => {
                self.feed(InEvent::RecvMessage(Peer(from.0), message), now_us, out)
            }
            In::Timer { token } => {
                if let Some(due) = self.timers.remove(&token) {
                    self.due(due, now_us, out);
                }
            }
            In::Publish { id, bytes } => {
                let command = Command::Broadcast(body(id, bytes), Scope::Swarm);
                self.feed(InEvent::Command(topic(), command), now_us, out);
            }
            In::SendTo { .. } | In::Load { .. } => {}
        }
    }

    fn crash(&mut self) {
        let seed = spread(self.seed ^ self.next_timer);
        self.state = state(self.me, seed, self.active_view);
        self.links.clear();
        self.timers.clear();
        self.had_neighbour = false;
    }
}

fn state(me: NodeId, seed: u64, active_view: usize) -> State<Peer, ChaCha8Rng> {
    let mut config = Config::default();
    config.membership.active_view_capacity = active_view;
    config.max_message_size = MESSAGE_MAX;
    let rng = ChaCha8Rng::seed_from_u64(spread(seed ^ spread(u64::from(me.0))));
    State::new(Peer(me.0), PeerData::default(), config, rng)
}

/// How the simulator reads the crate's messages, whose fields are its own: by their encoding.
#[must_use]
pub fn lens() -> Lens<Message<Peer>> {
    Lens {
        relays: |_, message| {
            let bytes = postcard::to_allocvec(message).unwrap_or_default();
            // 32 bytes of topic, the layer, the kind; a message ends with the hops it has behind it.
            match bytes.get(32..34) {
                Some([1, 0]) => bytes.last() != Some(&0),
                Some([1, 3]) => true,
                _ => false,
            }
        },
        ..Lens::default()
    }
}

fn topic() -> TopicId {
    TopicId::from_bytes([7; 32])
}

/// The crate hashes a message's content for its id: the simulator's id goes in front.
fn body(id: MessageId, bytes: usize) -> Bytes {
    let mut body = id.0.to_le_bytes().to_vec();
    body.resize(bytes.max(body.len()), 0);
    body.into()
}

fn named(body: &Bytes) -> Option<MessageId> {
    let id = body.first_chunk()?;
    Some(MessageId(u64::from_le_bytes(*id)))
}

fn on_wire(to: NodeId, message: Message<Peer>) -> Out<Message<Peer>> {
    // Its encoding to a counter cannot fail: the types have fixed shapes.
    let bytes = LENGTH + message.size().unwrap_or(0);
    let (payload, control) = match message.kind() {
        MessageKind::Data => (bytes, 0),
        MessageKind::Control => (0, bytes),
    };
    Out::Send {
        to,
        message,
        payload,
        control,
    }
}
