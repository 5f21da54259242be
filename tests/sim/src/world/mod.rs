//! Machines, links and the order in which things happen to them.
//!
//! ```text
//!   run_until -> next event -> In -> Machine::handle -> Out.. -> more events
//!                  |  Message (send.rs)   Down, Silent, DialDone (links.rs)   Tick, Wake (life.rs)
//! ```

mod life;
mod links;
mod send;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{Dice, In, Machine, MessageId, Net, NodeId, Out, Tally, Traffic, queue::Queue};
use links::Link;

/// Broken invariants that are kept word by word; more are only counted.
const VIOLATIONS_KEPT: usize = 50;

/// A network of machines in virtual time.
pub struct World<M: Machine> {
    /// What the network is like from now on.
    pub net: Net,
    /// Who got what, and what it cost.
    pub tally: Tally,
    /// Broken invariants, in words; at most the first fifty.
    pub violations: Vec<String>,
    /// Whether every step is printed.
    pub log: bool,
    /// Links per node above which it is a violation; 0: not checked.
    pub degree_max: usize,
    /// How the simulator reads this protocol's messages.
    pub lens: Lens<M::Message>,
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    now: u64,
    nodes: Vec<Node<M>>,
    links: Vec<Link>,
    /// Pairs, the lower first, of which each can hear the other. `None`: all.
    in_range: Option<BTreeSet<(u32, u32)>>,
    free_links: Vec<u32>,
    queue: Queue<What<M::Message>>,
    crossed: std::collections::BTreeMap<(u64, u32, u32), u32>,
    out: Vec<Out<M::Message>>,
    trace: u64,
    steps: u64,
    busy: Duration,
}

/// What the simulator has to know about a protocol's messages.
#[derive(Debug)]
pub struct Lens<T> {
    /// Whether it carries or offers what others than its sender published: silent droppers never send
    /// those.
    pub relays: fn(NodeId, &T) -> bool,
    /// How many full copies of messages one with any payload carries.
    pub copies: fn(&T) -> u64,
    /// What a message to one member is known by, if it is one: none may cross a link in one direction
    /// again and again.
    pub unicast: Unicast<T>,
}

/// See [`Lens::unicast`].
pub type Unicast<T> = fn(&T) -> Option<u64>;

impl<T> Default for Lens<T> {
    fn default() -> Self {
        Self {
            relays: |_, _| false,
            copies: |_| 1,
            unicast: |_| None,
        }
    }
}

struct Node<M: Machine> {
    machine: M,
    /// Grows with each start, so that what belongs to an earlier life is recognised.
    life: u32,
    state: State,
    /// How dials to it end while it is dead.
    death: crate::Death,
    crashed: bool,
    /// Neighbours, ascending, with the link to each, as far as this node was told.
    neighbours: Vec<(u32, u32)>,
    /// Half of a split.
    side: u8,
    dropper: bool,
    uplink: Option<u64>,
    busy_until: u64,
    /// The most bytes that waited for the uplink since the last tick.
    peak: u64,
    /// What came to pass while it slept.
    deferred: Vec<What<M::Message>>,
    dialling: Vec<u32>,
    known: Vec<NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    Up,
    Asleep,
}

#[derive(Clone)]
enum What<T> {
    Message {
        link: u32,
        generation: u32,
        to: u32,
        payload: u32,
        message: T,
    },
    Timer {
        node: u32,
        life: u32,
        token: u64,
    },
    /// Once a second: pings, loads, upkeep.
    Tick {
        node: u32,
        life: u32,
    },
    /// An end of a link learns that it is gone.
    Down {
        node: u32,
        life: u32,
        link: u32,
        generation: u32,
    },
    /// A link may have been silent for too long.
    Silent {
        link: u32,
        generation: u32,
        since: u64,
    },
    DialDone {
        from: u32,
        life: u32,
        to: u32,
        works: bool,
    },
    Wake {
        node: u32,
    },
}

impl<M: Machine> World<M> {
    /// A world of machines that are off and not linked.
    pub fn new(net: Net, seed: u64, machines: Vec<M>) -> Self {
        let nodes = machines.into_iter().map(|machine| Node {
            machine,
            life: 0,
            state: State::Off,
            death: crate::Death::Refuses,
            crashed: false,
            neighbours: Vec::new(),
            side: 0,
            dropper: false,
            uplink: None,
            busy_until: 0,
            peak: 0,
            deferred: Vec::new(),
            dialling: Vec::new(),
            known: Vec::new(),
        });
        let nodes: Vec<_> = nodes.collect();
        let tally = Tally {
            traffic: vec![Traffic::default(); nodes.len()],
            ..Tally::default()
        };
        Self {
            net,
            tally,
            violations: Vec::new(),
            log: false,
            degree_max: 0,
            lens: Lens::default(),
            seed,
            dice: Dice::new(seed),
            now: 0,
            nodes,
            links: Vec::new(),
            in_range: None,
            free_links: Vec::new(),
            queue: Queue::default(),
            crossed: std::collections::BTreeMap::new(),
            out: Vec::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            steps: 0,
            busy: Duration::ZERO,
        }
    }

    /// Virtual time in µs.
    pub fn now_us(&self) -> u64 {
        self.now
    }

    /// How many nodes there are, in whatever state.
    pub fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node's protocol.
    pub fn machine(&self, node: u32) -> &M {
        &self.nodes[node as usize].machine
    }

    /// A node's protocol, to be changed from outside.
    pub fn machine_mut(&mut self, node: u32) -> &mut M {
        &mut self.nodes[node as usize].machine
    }

    /// A hash over everything that happened. The same seed gives the same.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// How many events happened so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Real time spent in all machines together.
    pub fn busy(&self) -> Duration {
        self.busy
    }

    /// The seeded dice, for a scenario's own choices.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Says something to all. `bytes`: the size of its sealed body.
    pub fn publish(&mut self, node: u32, bytes: usize) -> MessageId {
        let id = self.tally.say(self.now, NodeId(node), None);
        self.tally.deliver(id, node, self.now);
        self.give(node, In::Publish { id, bytes });
        id
    }

    /// Says something to one.
    pub fn send_to(&mut self, node: u32, to: u32, bytes: usize) -> MessageId {
        let to = NodeId(to);
        let id = self.tally.say(self.now, NodeId(node), Some(to));
        self.give(node, In::SendTo { to, id, bytes });
        id
    }

    /// Lets that much time pass.
    pub fn run_for(&mut self, span_us: u64) {
        self.run_until(self.now + span_us);
    }

    /// Lets time pass until then.
    pub fn run_until(&mut self, end_us: u64) {
        while let Some((at, what)) = self.queue.pop(end_us) {
            self.now = at;
            self.steps += 1;
            self.happen(what);
        }
        self.now = self.now.max(end_us);
    }

    fn happen(&mut self, what: What<M::Message>) {
        if let Some(node) = what.node()
            && self.nodes[node as usize].state == State::Asleep
        {
            // A frozen node hears nothing; what its own clock or system tells it, it learns late.
            if !matches!(what, What::Message { .. }) {
                self.nodes[node as usize].deferred.push(what);
            }
            return;
        }
        match what {
            What::Message {
                link,
                generation,
                to,
                payload,
                message,
            } => self.arrive(link, generation, to, payload, message),
            What::Timer { node, life, token } => {
                if self.is_living(node, life) {
                    self.give(node, In::Timer { token });
                }
            }
            What::Tick { node, life } => self.tick(node, life),
            What::Down {
                node,
                life,
                link,
                generation,
            } => self.on_down(node, life, link, generation),
            What::Silent {
                link,
                generation,
                since,
            } => self.on_silent(link, generation, since),
            What::DialDone {
                from,
                life,
                to,
                works,
            } => self.on_dial_done(from, life, to, works),
            What::Wake { node } => self.wake(node),
        }
    }

    fn is_living(&self, node: u32, life: u32) -> bool {
        let one = &self.nodes[node as usize];
        one.life == life && one.state != State::Off
    }

    fn give(&mut self, node: u32, input: In<M::Message>) {
        self.note(node, &input);
        if self.log {
            println!("{:>12} {node:>4} <- {input:?}", self.now);
        }
        let mut out = std::mem::take(&mut self.out);
        let started = Instant::now();
        self.nodes[node as usize]
            .machine
            .handle(input, self.now, &mut out);
        self.busy += started.elapsed();
        for one in out.drain(..) {
            self.act(node, one);
        }
        self.out = out;
    }

    fn act(&mut self, node: u32, out: Out<M::Message>) {
        if self.log {
            println!("{:>12} {node:>4} -> {out:?}", self.now);
        }
        let life = self.nodes[node as usize].life;
        match out {
            Out::Send {
                to,
                message,
                payload,
                control,
            } => self.send(node, to.0, &message, payload, control),
            Out::Dial { peer } => self.dial(node, peer.0),
            Out::Close { peer } => self.close(node, peer.0),
            Out::Timer { token, at_us } => {
                let at = at_us.max(self.now);
                self.queue.push(at, What::Timer { node, life, token });
            }
            Out::Deliver { id } => self.deliver(node, id),
            Out::DeliverTo { from, id } => {
                let claimed = self.tally.said.get(id.0 as usize).map(|said| said.from);
                if claimed != Some(from) {
                    self.violate(format!("{node} was given {id:?} as from {from:?}"));
                }
                self.deliver(node, id);
            }
        }
    }

    fn deliver(&mut self, node: u32, id: MessageId) {
        self.mix(&[3, u64::from(node), id.0]);
        match self.tally.deliver(id, node, self.now) {
            Some(true) => {}
            // What was shown before a crash and was not durable may be shown again.
            Some(false) if self.nodes[node as usize].crashed => {}
            Some(false) => self.violate(format!("{node} was shown {id:?} twice")),
            None => self.violate(format!("{node} was shown {id:?}, which is not for it")),
        }
    }

    /// Notes that something happened which never may.
    pub fn violate(&mut self, what: impl std::fmt::Display) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(format!("at {} µs: {what}", self.now));
        }
    }

    fn note(&mut self, node: u32, input: &In<M::Message>) {
        let (kind, detail) = match input {
            In::Start { .. } => (10, 0),
            In::LinkUp { peer } => (11, u64::from(peer.0)),
            In::LinkDown { peer } => (12, u64::from(peer.0)),
            In::DialFailed { peer } => (13, u64::from(peer.0)),
            In::Message { from, .. } => (14, u64::from(from.0)),
            In::Timer { token } => (15, *token),
            In::Publish { id, .. } => (16, id.0),
            In::SendTo { id, .. } => (17, id.0),
            In::Load { rtt_us, .. } => (18, *rtt_us),
        };
        self.mix(&[kind, self.now, u64::from(node), detail]);
    }

    fn mix(&mut self, words: &[u64]) {
        for &word in words {
            self.trace = (self.trace ^ word)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(29);
        }
    }
}

impl<T> What<T> {
    /// To whom it happens, unless to a link.
    fn node(&self) -> Option<u32> {
        match *self {
            Self::Message { to: node, .. }
            | Self::Timer { node, .. }
            | Self::Tick { node, .. }
            | Self::Down { node, .. }
            | Self::DialDone { from: node, .. } => Some(node),
            Self::Silent { .. } | Self::Wake { .. } => None,
        }
    }
}
