//! Nodes start, die, sleep, are split apart, and notice once a second how their links do.

use super::{State, What, World};
use crate::{
    Death, In, Machine, NodeId, SECOND,
    net::{KNOWN_MAX, PING_BYTES, SILENCE_JITTER_US, SILENCE_US},
};

impl<M: Machine> World<M> {
    /// Starts all nodes and links them.
    pub fn start_all(&mut self, links: &[(u32, u32)]) {
        (0..self.len()).for_each(|node| self.start(node));
        links.iter().for_each(|&(a, b)| self.link(a, b));
    }

    /// Whom a node may dial when it starts, instead of 200 others by chance. None: likewise by chance.
    pub fn set_known(&mut self, node: u32, known: Vec<NodeId>) {
        self.nodes[node as usize].known = known;
    }

    /// A node that is off starts, with what it had durable. It may dial up to 200 others.
    pub fn start(&mut self, node: u32) {
        if self.nodes[node as usize].state != State::Off {
            return;
        }
        if self.nodes[node as usize].known.is_empty() {
            let others: Vec<NodeId> = (0..self.len()).filter(|&n| n != node).map(NodeId).collect();
            let known = self.dice.sample(&others, KNOWN_MAX);
            self.nodes[node as usize].known = known;
        }
        let members = self.nodes.len();
        let one = &mut self.nodes[node as usize];
        one.machine.room_size(members);
        one.state = State::Up;
        one.life += 1;
        one.busy_until = self.now;
        let (life, known) = (one.life, one.known.clone());
        let phase = self.dice.roll(SECOND);
        self.queue.push(self.now + phase, What::Tick { node, life });
        self.give(node, In::Start { known });
    }

    /// The process dies. Its neighbours find out by themselves.
    pub fn kill(&mut self, node: u32, death: Death) {
        self.stop(node, death, false);
    }

    /// The process ends and says so to its neighbours.
    pub fn leave(&mut self, node: u32) {
        self.stop(node, Death::Refuses, true);
    }

    fn stop(&mut self, node: u32, death: Death, polite: bool) {
        let one = &mut self.nodes[node as usize];
        if one.state == State::Off {
            return;
        }
        one.state = State::Off;
        one.death = death;
        one.crashed = true;
        one.deferred.clear();
        one.dialling.clear();
        one.machine.crash();
        for (peer, link) in std::mem::take(&mut one.neighbours) {
            let way = &mut self.links[link as usize];
            let latency = way.latency;
            if !std::mem::replace(&mut way.closed, true) {
                let after = if polite {
                    latency
                } else {
                    SILENCE_US + self.dice.roll(SILENCE_JITTER_US)
                };
                self.tell_down(link, peer, self.now + after);
            }
            self.let_go(link);
        }
        self.mix(&[5, self.now, u64::from(node)]);
    }

    /// Whether a node is there and awake.
    pub fn is_up(&self, node: u32) -> bool {
        self.nodes[node as usize].state == State::Up
    }

    /// The nodes that are there and awake, ascending.
    pub fn up(&self) -> Vec<u32> {
        (0..self.len()).filter(|&node| self.is_up(node)).collect()
    }

    /// A phone freezes its app for a while.
    pub fn sleep(&mut self, node: u32, span_us: u64) {
        if self.is_up(node) {
            self.nodes[node as usize].state = State::Asleep;
            self.look_at_links(node);
            self.queue.push(self.now + span_us, What::Wake { node });
        }
    }

    pub(super) fn wake(&mut self, node: u32) {
        let one = &mut self.nodes[node as usize];
        if one.state != State::Asleep {
            return;
        }
        one.state = State::Up;
        let missed = std::mem::take(&mut one.deferred);
        self.look_at_links(node);
        missed.into_iter().for_each(|what| self.happen(what));
    }

    /// Splits the network: nodes reach only those with the same number.
    pub fn split(&mut self, side_of: impl Fn(u32) -> u8) {
        for node in 0..self.len() {
            self.nodes[node as usize].side = side_of(node);
        }
        (0..self.len()).for_each(|node| self.look_at_links(node));
    }

    /// Ends the split.
    pub fn heal(&mut self) {
        self.split(|_| 0);
    }

    /// Gives a node an uplink of its own, in bytes a second.
    pub fn set_uplink(&mut self, node: u32, bytes_per_s: u64) {
        self.nodes[node as usize].uplink = Some(bytes_per_s);
    }

    /// From now on a node sends nothing that [`World::relays`] says is others'.
    pub fn set_dropper(&mut self, node: u32) {
        self.nodes[node as usize].dropper = true;
    }

    pub(super) fn tick(&mut self, node: u32, life: u32) {
        if !self.is_living(node, life) {
            return;
        }
        self.queue
            .push(self.now + SECOND, What::Tick { node, life });
        let peak = std::mem::take(&mut self.nodes[node as usize].peak).max(self.backlog(node));
        for (peer, link) in self.nodes[node as usize].neighbours.clone() {
            self.tally.traffic[node as usize].pings += PING_BYTES;
            let way = &self.links[link as usize];
            if way.closed || way.silent_since.is_some() {
                continue;
            }
            let load = In::Load {
                peer: NodeId(peer),
                rtt_us: 2 * way.latency + self.delay(node) + self.delay(peer),
                // The mark that the queue reached since the last report: a moment's view misses bursts.
                queued_bytes: peak as usize,
                bytes_per_s: self.uplink(node),
            };
            self.give(node, load);
        }
        if self.degree(node) < self.net.upkeep {
            let known = &self.nodes[node as usize].known;
            let pick = self.dice.roll(known.len() as u64) as usize;
            if let Some(&NodeId(peer)) = known.get(pick) {
                self.dial(node, peer);
            }
        }
    }
}
