//! gossipsub v1.1 for one topic, written from its specification, without peer scoring.
//!
//! Sources: `libp2p/specs` at 7740c076, `pubsub/gossipsub/gossipsub-v1.0.md` (mesh, gossip, caches,
//! heartbeat, parameters) and `gossipsub-v1.1.md` (backoff after PRUNE, flood publishing, gossip
//! factor, refusal of GRAFT at `D_hi`). The links are the world's: ambient discovery is not part of the protocol.
//!
//! ```text
//!   publish ──► every link            (v1.1 flood publishing)
//!   message ──► the mesh, but not back   (D = 6, bounds 4 and 8, both ends agree by GRAFT and PRUNE)
//!   heartbeat 1 s ──► GRAFT up to D / PRUNE down to D, IHAVE of 3 windows to 6 links outside the mesh
//!   IHAVE ──► IWANT what was not seen ──► the message, if it is in the sender's last 5 windows
//! ```
//!
//! `D_hi` is 8 in place of 12: the degree budget of the comparison. The direction of a link is not
//! known here, so the quota of outbound links (`D_out`) and peer exchange are left out with the scores.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::dice;
use crate::{Dice, In, Lens, Machine, MessageId, NodeId, Out, SECOND};

const D: usize = 6;
const D_LO: usize = 4;
const D_HI: usize = 8;
const D_LAZY: usize = 6;
/// v1.1: gossip goes to a quarter of the links outside the mesh, or to `D_LAZY`.
const GOSSIP_FACTOR: usize = 4;
const HEARTBEAT_US: u64 = SECOND;
const MCACHE_LEN: usize = 5;
const MCACHE_GOSSIP: usize = 3;
const SEEN_US: u64 = 120 * SECOND;
const BACKOFF_US: u64 = 60 * SECOND;
/// go-libp2p-pubsub's bound of ids in one IHAVE or IWANT.
const IDS_MAX: usize = 5_000;

// Bytes of the protobuf encoding, the topic named by 16 bytes.
/// Author 38, sequence number 8, topic 16, signature 64, their tags, lengths and the RPC's.
const ENVELOPE: usize = 140;
/// An author and a sequence number, with tag and length.
const ID: usize = 48;
const SUBSCRIBE: usize = 24;
const GRAFT: usize = 24;
const PRUNE: usize = 26;
/// Tags, lengths and topic around a list of ids.
const IHAVE: usize = 26;
const IWANT: usize = 8;

/// What travels on a link.
#[derive(Debug, Clone)]
pub enum Rpc {
    /// The hello: subscribed to the topic.
    Subscribe,
    /// A full copy.
    Publish {
        /// Which message.
        id: MessageId,
        /// Of its body.
        bytes: usize,
        /// Not from its author.
        relayed: bool,
    },
    /// You are in my mesh.
    Graft,
    /// You are not in my mesh; no GRAFT for a minute.
    Prune,
    /// Seen of late.
    Ihave(Vec<MessageId>),
    /// Send me these.
    Iwant(Vec<MessageId>),
}

/// One node.
#[derive(Debug)]
pub struct Gossipsub {
    dice: Dice,
    links: BTreeSet<NodeId>,
    /// Those of them that said they are subscribed.
    subscribed: BTreeSet<NodeId>,
    mesh: BTreeSet<NodeId>,
    /// No GRAFT to or from these until then.
    backoff: BTreeMap<NodeId, u64>,
    seen: BTreeSet<MessageId>,
    ages: VecDeque<(u64, MessageId)>,
    /// The message cache: ids by heartbeat, the newest first, and their sizes.
    windows: VecDeque<Vec<MessageId>>,
    bodies: BTreeMap<MessageId, usize>,
    /// Counts the starts: a heartbeat set before a crash is not heeded after it.
    life: u64,
}

impl Gossipsub {
    /// A node that draws from (`seed`, `me`).
    #[must_use]
    pub fn new(me: NodeId, seed: u64) -> Self {
        Self {
            dice: dice(seed, me),
            links: BTreeSet::new(),
            subscribed: BTreeSet::new(),
            mesh: BTreeSet::new(),
            backoff: BTreeMap::new(),
            seen: BTreeSet::new(),
            ages: VecDeque::new(),
            windows: VecDeque::from([Vec::new()]),
            bodies: BTreeMap::new(),
            life: 0,
        }
    }

    /// How the simulator reads its messages.
    #[must_use]
    pub fn lens() -> Lens<Rpc> {
        Lens {
            relays: |_, rpc| matches!(rpc, Rpc::Publish { relayed: true, .. } | Rpc::Ihave(_)),
            ..Lens::default()
        }
    }

    fn received(&mut self, from: NodeId, rpc: Rpc, now_us: u64, out: &mut Vec<Out<Rpc>>) {
        if !self.links.contains(&from) {
            return;
        }
        match rpc {
            Rpc::Subscribe => {
                self.subscribed.insert(from);
            }
            Rpc::Publish { id, bytes, .. } => {
                if self.keep(id, bytes, now_us) {
                    out.push(Out::Deliver { id });
                    let to = self.mesh.iter().copied().filter(|&to| to != from);
                    out.extend(to.map(|to| copy(to, id, bytes, true)));
                }
            }
            Rpc::Graft => self.grafted_by(from, now_us, out),
            Rpc::Prune => {
                self.mesh.remove(&from);
                self.backoff.insert(from, now_us + BACKOFF_US);
            }
            Rpc::Ihave(ids) => {
                let unseen = |id: &MessageId| !self.seen.contains(id);
                let wanted: Vec<_> = ids.into_iter().filter(unseen).take(IDS_MAX).collect();
                if !wanted.is_empty() {
                    let bytes = IWANT + ID * wanted.len();
                    out.push(control(from, Rpc::Iwant(wanted), bytes));
                }
            }
            Rpc::Iwant(ids) => {
                let kept = |id| {
                    self.bodies
                        .get(&id)
                        .map(|&bytes| copy(from, id, bytes, true))
                };
                out.extend(ids.into_iter().filter_map(kept));
            }
        }
    }

    fn grafted_by(&mut self, from: NodeId, now_us: u64, out: &mut Vec<Out<Rpc>>) {
        let too_early = self.backoff.get(&from).is_some_and(|&until| until > now_us);
        let full = self.mesh.len() >= D_HI && !self.mesh.contains(&from);
        if too_early || full {
            self.backoff.insert(from, now_us + BACKOFF_US);
            out.push(control(from, Rpc::Prune, PRUNE));
        } else {
            self.mesh.insert(from);
        }
    }

    fn heartbeat(&mut self, now_us: u64, out: &mut Vec<Out<Rpc>>) {
        self.backoff.retain(|_, until| *until > now_us);
        if self.mesh.len() < D_LO {
            let free: Vec<_> = (self.subscribed.difference(&self.mesh).copied())
                .filter(|peer| !self.backoff.contains_key(peer))
                .collect();
            for peer in self.dice.sample(&free, D - self.mesh.len()) {
                self.mesh.insert(peer);
                out.push(control(peer, Rpc::Graft, GRAFT));
            }
        }
        if self.mesh.len() > D_HI {
            let all: Vec<_> = self.mesh.iter().copied().collect();
            for peer in self.dice.sample(&all, all.len() - D) {
                self.mesh.remove(&peer);
                self.backoff.insert(peer, now_us + BACKOFF_US);
                out.push(control(peer, Rpc::Prune, PRUNE));
            }
        }
        self.gossip(out);
        self.shift();
    }

    fn gossip(&mut self, out: &mut Vec<Out<Rpc>>) {
        let recent = self.windows.iter().take(MCACHE_GOSSIP).flatten();
        let ids: Vec<_> = recent.copied().take(IDS_MAX).collect();
        if ids.is_empty() {
            return;
        }
        let lazy: Vec<_> = self.subscribed.difference(&self.mesh).copied().collect();
        for peer in self
            .dice
            .sample(&lazy, D_LAZY.max(lazy.len() / GOSSIP_FACTOR))
        {
            let bytes = IHAVE + ID * ids.len();
            out.push(control(peer, Rpc::Ihave(ids.clone()), bytes));
        }
    }

    fn shift(&mut self) {
        self.windows.push_front(Vec::new());
        while self.windows.len() > MCACHE_LEN {
            for id in self.windows.pop_back().into_iter().flatten() {
                self.bodies.remove(&id);
            }
        }
    }

    /// Whether the message is new; then it is in the caches.
    fn keep(&mut self, id: MessageId, bytes: usize, now_us: u64) -> bool {
        while let Some(&(at, old)) = self.ages.front()
            && at + SEEN_US <= now_us
        {
            self.ages.pop_front();
            self.seen.remove(&old);
        }
        if !self.seen.insert(id) {
            return false;
        }
        self.ages.push_back((now_us, id));
        self.bodies.insert(id, bytes);
        if let Some(window) = self.windows.front_mut() {
            window.push(id);
        }
        true
    }

    fn beat_at(&self, at_us: u64) -> Out<Rpc> {
        Out::Timer {
            token: self.life,
            at_us,
        }
    }
}

fn copy(to: NodeId, id: MessageId, bytes: usize, relayed: bool) -> Out<Rpc> {
    Out::Send {
        to,
        message: Rpc::Publish { id, bytes, relayed },
        payload: ENVELOPE + bytes,
        control: 0,
    }
}

fn control(to: NodeId, message: Rpc, bytes: usize) -> Out<Rpc> {
    Out::Send {
        to,
        message,
        payload: 0,
        control: bytes,
    }
}

impl Machine for Gossipsub {
    type Message = Rpc;

    fn handle(&mut self, input: In<Rpc>, now_us: u64, out: &mut Vec<Out<Rpc>>) {
        match input {
            // The devices did not start together: each beats at a phase of its own.
            In::Start { .. } => {
                self.life += 1;
                let phase = self.dice.between(0, HEARTBEAT_US - 1);
                out.push(self.beat_at(now_us + phase));
            }
            In::LinkUp { peer } => {
                self.links.insert(peer);
                out.push(control(peer, Rpc::Subscribe, SUBSCRIBE));
            }
            In::LinkDown { peer } => {
                self.links.remove(&peer);
                self.subscribed.remove(&peer);
                self.mesh.remove(&peer);
            }
            In::Message { from, message } => self.received(from, message, now_us, out),
            In::Timer { token } if token == self.life => {
                self.heartbeat(now_us, out);
                out.push(self.beat_at(now_us + HEARTBEAT_US));
            }
            In::Publish { id, bytes } => {
                if self.keep(id, bytes, now_us) {
                    out.extend(self.links.iter().map(|&to| copy(to, id, bytes, false)));
                }
            }
            In::Timer { .. } | In::DialFailed { .. } | In::SendTo { .. } | In::Load { .. } => {}
        }
    }

    fn crash(&mut self) {
        self.links.clear();
        self.subscribed.clear();
        self.mesh.clear();
        self.backoff.clear();
        self.seen.clear();
        self.ages.clear();
        self.windows = VecDeque::from([Vec::new()]);
        self.bodies.clear();
    }

    fn memory(&self) -> usize {
        let peers = self.links.len() + self.subscribed.len() + self.mesh.len();
        let cached: usize = self.windows.iter().map(Vec::len).sum();
        peers * 4
            + self.backoff.len() * 12
            + self.seen.len() * 24
            + cached * 8
            + self.bodies.len() * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0);
    const OTHER: NodeId = NodeId(1);
    const HELLO: MessageId = MessageId(7);

    fn give(node: &mut Gossipsub, now_us: u64, input: In<Rpc>) -> Vec<Rpc> {
        let mut out = Vec::new();
        node.handle(input, now_us, &mut out);
        let sent = out.into_iter().filter_map(|one| match one {
            Out::Send { message, .. } => Some(message),
            _ => None,
        });
        sent.collect()
    }

    fn from_other(message: Rpc) -> In<Rpc> {
        In::Message {
            from: OTHER,
            message,
        }
    }

    /// Linked with one other, and what a heartbeat sends to it.
    fn linked() -> Gossipsub {
        let mut node = Gossipsub::new(ME, 1);
        give(&mut node, 0, In::Start { known: Vec::new() });
        give(&mut node, 0, In::LinkUp { peer: OTHER });
        give(&mut node, 0, from_other(Rpc::Subscribe));
        node
    }

    fn beat(node: &mut Gossipsub, now_us: u64) -> Vec<Rpc> {
        give(node, now_us, In::Timer { token: 1 })
    }

    #[test]
    fn what_a_link_outside_the_mesh_missed_is_offered_three_times_and_kept_for_five() {
        let mut node = linked();
        give(&mut node, 0, from_other(Rpc::Prune));
        give(
            &mut node,
            0,
            In::Publish {
                id: HELLO,
                bytes: 10,
            },
        );
        let offers = (1..=6).filter(
            |&s| matches!(&beat(&mut node, s * SECOND)[..], [Rpc::Ihave(ids)] if *ids == [HELLO]),
        );
        assert_eq!(offers.collect::<Vec<_>>(), [1, 2, 3]);

        let mut node = linked();
        give(
            &mut node,
            0,
            In::Publish {
                id: HELLO,
                bytes: 10,
            },
        );
        for second in 1..=6 {
            let sent = give(&mut node, 0, from_other(Rpc::Iwant(vec![HELLO])));
            assert_eq!(
                sent.len(),
                usize::from(second <= MCACHE_LEN),
                "after {} heartbeats",
                second - 1
            );
            beat(&mut node, 0);
        }
    }

    #[test]
    fn only_what_was_not_seen_is_asked_for() {
        let mut node = linked();
        let new = MessageId(8);
        give(
            &mut node,
            0,
            In::Publish {
                id: HELLO,
                bytes: 10,
            },
        );
        let sent = give(&mut node, 0, from_other(Rpc::Ihave(vec![HELLO, new])));
        assert!(
            matches!(&sent[..], [Rpc::Iwant(ids)] if *ids == [new]),
            "{sent:?}"
        );
    }

    #[test]
    fn after_a_prune_neither_end_grafts_for_a_minute() {
        let mut node = linked();
        assert!(matches!(beat(&mut node, 1)[..], [Rpc::Graft]));
        give(&mut node, 1, from_other(Rpc::Prune));
        assert!(beat(&mut node, BACKOFF_US).is_empty());
        assert!(matches!(
            give(&mut node, BACKOFF_US, from_other(Rpc::Graft))[..],
            [Rpc::Prune]
        ));
        assert!(
            beat(&mut node, 2 * BACKOFF_US - 1).is_empty(),
            "the early graft began another minute"
        );
        assert!(matches!(beat(&mut node, 2 * BACKOFF_US)[..], [Rpc::Graft]));
    }
}
