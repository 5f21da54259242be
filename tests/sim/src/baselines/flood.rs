//! TTL-limited flood, plain and as bitchat runs it.
//!
//! Plain: seven hops; whoever sees a message first passes it on at once over every link but the one
//! it came by; ids seen are not passed on again.
//!
//! bitchat's clamp, read in `permissionlesstech/bitchat` at 9b84b361 (2026-08-10) and modelled for a public message:
//!
//! - `Services/RelayController.swift`: with 6 links or more a relay cuts the TTL to 5 before it takes one off, with 3 to 5 links to 6, with fewer not at all. A
//!   TTL of 1 is not relayed. A relay waits for 10-40 ms (0-2 links), 60-150 (3-5), 80-180 (6-9) or 100-220 (more).
//! - `BLEReceivePipeline.swift`: with more than 2 links, a copy that arrives during that wait cancels the relay.
//! - `BLE/BLEFanoutSelector.swift`: a broadcast goes to a subset of the links, chosen by a hash of message and link:
//!   of `n > 2` links `ceil(log2 n) + 1`, counted apart for those where the device is the Bluetooth central and those where it is the
//!   peripheral. The link it came by is taken out first.
//! - `TransportConfig.swift`: TTL 7, dense from 6 links; 1,000 ids are remembered for 300 s.
//! - `BinaryProtocol.swift`: header 14 B, sender 8 B, signature 64 B around the body.
//!
//! A pair's Bluetooth roles are drawn by a hash of the pair. Left out: announcements and its sync
//! by request, as the baseline is the flood, and cutting into Bluetooth-sized fragments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dice;
use crate::{Dice, In, Lens, MS, Machine, MessageId, NodeId, Out, SECOND, dice::spread};

const TTL: u8 = 7;
const DENSE_LINKS: usize = 6;
const DENSE_TTL: u8 = 5;
const MIDDLING_TTL: u8 = 6;
/// Up to so many links a node is part of a chain: full TTL, a short wait, no relay is cancelled.
const CHAIN_LINKS: usize = 2;
const SEEN_MAX: usize = 1_000;
const SEEN_US: u64 = 300 * SECOND;
/// Header, sender and signature.
const ENVELOPE: usize = 14 + 8 + 64;

/// Whether a relay holds back with many neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clamp {
    /// Every link, at once.
    None,
    /// The module's list of bitchat's rules.
    Bitchat,
}

/// A copy on a link.
#[derive(Debug, Clone)]
pub struct Packet {
    id: MessageId,
    bytes: usize,
    ttl: u8,
}

/// One node of the flood.
#[derive(Debug)]
pub struct Flood {
    me: NodeId,
    clamp: Clamp,
    dice: Dice,
    links: BTreeSet<NodeId>,
    seen: BTreeSet<MessageId>,
    /// The same ids by age, for the limits.
    ages: VecDeque<(u64, MessageId)>,
    /// Relays that wait, and who brought the message.
    waiting: BTreeMap<MessageId, (Packet, NodeId)>,
}

impl Flood {
    /// A node that draws its waits from (`seed`, `me`).
    #[must_use]
    pub fn new(me: NodeId, seed: u64, clamp: Clamp) -> Self {
        Self {
            me,
            clamp,
            dice: dice(seed, me),
            links: BTreeSet::new(),
            seen: BTreeSet::new(),
            ages: VecDeque::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// How the simulator reads its messages.
    #[must_use]
    pub fn lens() -> Lens<Packet> {
        Lens {
            relays: |_, packet| packet.ttl < TTL,
            ..Lens::default()
        }
    }

    fn received(&mut self, from: NodeId, packet: &Packet, now_us: u64, out: &mut Vec<Out<Packet>>) {
        if !self.first_time(packet.id, now_us) {
            if self.clamp == Clamp::Bitchat && self.links.len() > CHAIN_LINKS {
                self.waiting.remove(&packet.id);
            }
            return;
        }
        out.push(Out::Deliver { id: packet.id });
        if packet.ttl <= 1 {
            return;
        }
        let (ttl, wait_us) = self.relay_with(packet.ttl);
        let relayed = Packet { ttl, ..*packet };
        if wait_us == 0 {
            self.pass_on(&relayed, Some(from), out);
            return;
        }
        self.waiting.insert(packet.id, (relayed, from));
        out.push(Out::Timer {
            token: packet.id.0,
            at_us: now_us + wait_us,
        });
    }

    /// The TTL on the relayed copy, and how long the relay waits.
    fn relay_with(&mut self, ttl: u8) -> (u8, u64) {
        let ttl = ttl.min(TTL);
        if self.clamp == Clamp::None {
            return (ttl - 1, 0);
        }
        let limit = match self.links.len() {
            0..=CHAIN_LINKS => ttl,
            DENSE_LINKS.. => ttl.min(DENSE_TTL),
            _ => ttl.min(MIDDLING_TTL),
        };
        let (from, to) = match self.links.len() {
            0..=2 => (10, 40),
            3..=5 => (60, 150),
            6..=9 => (80, 180),
            _ => (100, 220),
        };
        (limit - 1, self.dice.between(from * MS, to * MS))
    }

    fn pass_on(&self, packet: &Packet, from: Option<NodeId>, out: &mut Vec<Out<Packet>>) {
        let open = self.links.iter().copied().filter(|&to| Some(to) != from);
        let chosen = match self.clamp {
            Clamp::None => open.collect(),
            Clamp::Bitchat => {
                let (central, peripheral): (Vec<_>, Vec<_>) =
                    open.partition(|&to| self.central_to(to));
                let mut chosen = subset(packet.id, central);
                chosen.extend(subset(packet.id, peripheral));
                chosen
            }
        };
        out.extend(chosen.into_iter().map(|to| Out::Send {
            to,
            message: packet.clone(),
            payload: ENVELOPE + packet.bytes,
            control: 0,
        }));
    }

    /// Which end of the pair is the Bluetooth central: both ends draw the same.
    fn central_to(&self, peer: NodeId) -> bool {
        let (low, high) = (self.me.min(peer), self.me.max(peer));
        let low_is_central = spread((u64::from(low.0) << 32) | u64::from(high.0)) & 1 == 0;
        low_is_central == (self.me == low)
    }

    fn first_time(&mut self, id: MessageId, now_us: u64) -> bool {
        while let Some(&(at, old)) = self.ages.front() {
            if self.ages.len() < SEEN_MAX && at + SEEN_US > now_us {
                break;
            }
            self.ages.pop_front();
            self.seen.remove(&old);
        }
        let first = self.seen.insert(id);
        if first {
            self.ages.push_back((now_us, id));
        }
        first
    }
}

/// bitchat's subset of some links: `ceil(log2 n) + 1` of them, by a hash of message and link.
fn subset(id: MessageId, mut links: Vec<NodeId>) -> Vec<NodeId> {
    let count = links.len();
    if count > CHAIN_LINKS {
        let bits = usize::BITS - (count - 1).leading_zeros();
        links.sort_by_key(|link| spread(spread(id.0) ^ u64::from(link.0)));
        links.truncate(bits as usize + 1);
    }
    links
}

impl Machine for Flood {
    type Message = Packet;

    fn handle(&mut self, input: In<Packet>, now_us: u64, out: &mut Vec<Out<Packet>>) {
        match input {
            In::LinkUp { peer } => {
                self.links.insert(peer);
            }
            In::LinkDown { peer } => {
                self.links.remove(&peer);
            }
            In::Message { from, message } => self.received(from, &message, now_us, out),
            In::Timer { token } => {
                if let Some((packet, from)) = self.waiting.remove(&MessageId(token)) {
                    self.pass_on(&packet, Some(from), out);
                }
            }
            In::Publish { id, bytes } => {
                if self.first_time(id, now_us) {
                    self.pass_on(
                        &Packet {
                            id,
                            bytes,
                            ttl: TTL,
                        },
                        None,
                        out,
                    );
                }
            }
            In::Start { .. } | In::DialFailed { .. } | In::SendTo { .. } | In::Load { .. } => {}
        }
    }

    fn crash(&mut self) {
        self.links.clear();
        self.seen.clear();
        self.ages.clear();
        self.waiting.clear();
    }

    fn memory(&self) -> usize {
        self.links.len() * 4 + self.seen.len() * 24 + self.waiting.len() * 40
    }
}
