//! Links: made by dials, found dead by silence, closed by their ends.

use super::{State, What, World};
use crate::{
    Death, In, Machine, NodeId,
    net::{DIAL_COST_US, DIAL_TIMEOUT_US, SILENCE_JITTER_US, SILENCE_US},
};

/// A link between two nodes. Its slot is used again once both ends know that it is gone.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) ends: (u32, u32),
    pub(super) generation: u32,
    /// Nothing comes through any more.
    pub(super) closed: bool,
    /// Since when it carries nothing, because an end sleeps or the network is split.
    pub(super) silent_since: Option<u64>,
    /// Ends that have it among their neighbours.
    pub(super) holders: u8,
    pub(super) latency: u64,
    /// When the last message arrives, from the lower and from the higher end.
    pub(super) last: [u64; 2],
}

impl<M: Machine> World<M> {
    /// Links two living nodes at once.
    pub fn link(&mut self, a: u32, b: u32) {
        if a == b || self.is_linked(a, b) {
            return;
        }
        // A node that was not yet told of the old link's end is told now.
        for (one, other) in [(a, b), (b, a)] {
            if let Some(link) = self.link_to(one, other) {
                let (life, generation) = (
                    self.nodes[one as usize].life,
                    self.links[link as usize].generation,
                );
                self.on_down(one, life, link, generation);
            }
        }
        let latency = self.net.latency(self.seed, a, b);
        let fresh = |generation| Link {
            ends: (a.min(b), a.max(b)),
            generation,
            closed: false,
            silent_since: None,
            holders: 2,
            latency,
            last: [0; 2],
        };
        let slot = match self.free_links.pop() {
            Some(slot) => {
                self.links[slot as usize] = fresh(self.links[slot as usize].generation + 1);
                slot
            }
            None => {
                self.links.push(fresh(0));
                self.links.len() as u32 - 1
            }
        };
        for (one, other) in [(a, b), (b, a)] {
            let node = &mut self.nodes[one as usize];
            let at = node.neighbours.partition_point(|&(peer, _)| peer < other);
            node.neighbours.insert(at, (other, slot));
            node.dialling.retain(|&to| to != other);
        }
        for (one, other) in [(a, b), (b, a)] {
            if self.degree_max > 0 && self.degree(one) > self.degree_max {
                self.violate(format!("{one} has {} links", self.degree(one)));
            }
            self.give(
                one,
                In::LinkUp {
                    peer: NodeId(other),
                },
            );
        }
    }

    /// How many links a node has, as far as it knows.
    pub fn degree(&self, node: u32) -> usize {
        self.nodes[node as usize].neighbours.len()
    }

    /// The neighbours of a node, ascending, as far as it knows.
    pub fn neighbours(&self, node: u32) -> Vec<u32> {
        let node = &self.nodes[node as usize];
        node.neighbours.iter().map(|&(peer, _)| peer).collect()
    }

    /// Whether a link between them is there and not closed.
    pub fn is_linked(&self, a: u32, b: u32) -> bool {
        self.link_to(a, b)
            .is_some_and(|link| !self.links[link as usize].closed)
    }

    /// Whether what one sends the other comes through now, but for chance.
    pub fn carries(&self, from: u32, to: u32) -> bool {
        self.is_linked(from, to) && self.can_reach(from, to)
    }

    /// One-way latency between two nodes, in µs.
    pub fn latency(&self, a: u32, b: u32) -> u64 {
        self.net.latency(self.seed, a, b)
    }

    pub(super) fn link_to(&self, from: u32, to: u32) -> Option<u32> {
        let neighbours = &self.nodes[from as usize].neighbours;
        let at = neighbours
            .binary_search_by_key(&to, |&(peer, _)| peer)
            .ok()?;
        Some(neighbours[at].1)
    }

    /// Only these pairs are in range from now on. Links of others carry nothing, and dials to others fail fast.
    pub fn set_in_range(&mut self, pairs: impl IntoIterator<Item = (u32, u32)>) {
        let ordered = pairs.into_iter().map(|(a, b)| (a.min(b), a.max(b)));
        self.in_range = Some(ordered.collect());
        (0..self.len()).for_each(|node| self.look_at_links(node));
    }

    fn are_in_range(&self, a: u32, b: u32) -> bool {
        (self.in_range.as_ref()).is_none_or(|pairs| pairs.contains(&(a.min(b), a.max(b))))
    }

    /// Whether what one sends can reach the other.
    pub(super) fn can_reach(&self, a: u32, b: u32) -> bool {
        let in_range = self.are_in_range(a, b);
        let (a, b) = (&self.nodes[a as usize], &self.nodes[b as usize]);
        a.state == State::Up && b.state == State::Up && a.side == b.side && in_range
    }

    pub(super) fn dial(&mut self, from: u32, to: u32) {
        if to >= self.len() || to == from {
            return self.violate(format!("{from} dialled {to}"));
        }
        if self.is_linked(from, to) || self.nodes[from as usize].dialling.contains(&to) {
            return;
        }
        let rtt = 2 * self.latency(from, to);
        let (works, after) = if self.can_reach(from, to) {
            if self.dice.ppm(self.net.dial_refused) {
                (false, rtt)
            } else if self.dice.ppm(self.net.dial_hangs) {
                (false, DIAL_TIMEOUT_US)
            } else {
                (true, 2 * rtt + DIAL_COST_US)
            }
        } else {
            let there = &self.nodes[to as usize];
            let split = self.nodes[from as usize].side != there.side;
            let gone = there.state == State::Off && there.death == Death::Refuses && !split;
            let refuses = gone || !self.are_in_range(from, to);
            (false, if refuses { rtt } else { DIAL_TIMEOUT_US })
        };
        let one = &mut self.nodes[from as usize];
        one.dialling.push(to);
        let life = one.life;
        let done = What::DialDone {
            from,
            life,
            to,
            works,
        };
        self.queue.push(self.now + after, done);
    }

    pub(super) fn on_dial_done(&mut self, from: u32, life: u32, to: u32, works: bool) {
        if !self.is_living(from, life) {
            return;
        }
        let one = &mut self.nodes[from as usize];
        let Some(at) = one.dialling.iter().position(|&other| other == to) else {
            // Its other end was quicker.
            return;
        };
        one.dialling.swap_remove(at);
        if self.is_linked(from, to) {
            return;
        }
        if works && self.can_reach(from, to) {
            self.link(from, to);
        } else {
            self.give(from, In::DialFailed { peer: NodeId(to) });
        }
    }

    /// One end closes a link: it knows at once, the other end after the way there.
    pub(super) fn close(&mut self, from: u32, to: u32) {
        let Some(link) = self.link_to(from, to) else {
            return;
        };
        self.tell_down(link, from, self.now);
        if std::mem::replace(&mut self.links[link as usize].closed, true) {
            // The other end was quicker, and this one had not heard of it.
            return;
        }
        let latency = self.links[link as usize].latency;
        let heard = if self.can_reach(from, to) {
            latency
        } else {
            SILENCE_US
        };
        self.tell_down(link, to, self.now + heard);
    }

    pub(super) fn tell_down(&mut self, link: u32, node: u32, at: u64) {
        let life = self.nodes[node as usize].life;
        let generation = self.links[link as usize].generation;
        let down = What::Down {
            node,
            life,
            link,
            generation,
        };
        self.queue.push(at, down);
    }

    pub(super) fn on_down(&mut self, node: u32, life: u32, link: u32, generation: u32) {
        if !self.is_living(node, life) || self.links[link as usize].generation != generation {
            return;
        }
        let one = &mut self.nodes[node as usize];
        let Some(at) = one.neighbours.iter().position(|&(_, other)| other == link) else {
            return;
        };
        let (peer, _) = one.neighbours.remove(at);
        self.links[link as usize].closed = true;
        self.let_go(link);
        self.give(node, In::LinkDown { peer: NodeId(peer) });
    }

    pub(super) fn let_go(&mut self, link: u32) {
        let one = &mut self.links[link as usize];
        one.holders -= 1;
        if one.holders == 0 {
            one.generation += 1;
            self.free_links.push(link);
        }
    }

    /// Looks which of a node's links carry something, after its state or the split changed.
    pub(super) fn look_at_links(&mut self, node: u32) {
        for (peer, link) in self.nodes[node as usize].neighbours.clone() {
            let reach = self.can_reach(node, peer);
            let one = &mut self.links[link as usize];
            if one.closed {
                continue;
            }
            if reach {
                one.silent_since = None;
            } else if one.silent_since.is_none() {
                one.silent_since = Some(self.now);
                let generation = one.generation;
                let late = self.dice.roll(SILENCE_JITTER_US);
                let silent = What::Silent {
                    link,
                    generation,
                    since: self.now,
                };
                self.queue.push(self.now + SILENCE_US + late, silent);
            }
        }
    }

    pub(super) fn on_silent(&mut self, link: u32, generation: u32, since: u64) {
        let one = &mut self.links[link as usize];
        if one.generation != generation || one.closed || one.silent_since != Some(since) {
            return;
        }
        one.closed = true;
        let (a, b) = one.ends;
        self.tell_down(link, a, self.now);
        self.tell_down(link, b, self.now);
    }
}
