//! A message's way: the sender's uplink, chance, the link's latency, the receiver.

use super::{What, World};
use crate::{In, Machine, NodeId, SECOND, net::REORDER_US};

/// A message to one member that crosses a link in one direction more often than this runs in a loop.
const CROSSINGS_MAX: u32 = 4;

impl<M: Machine> World<M> {
    pub(super) fn send(
        &mut self,
        from: u32,
        to: u32,
        message: &M::Message,
        payload: usize,
        control: usize,
    ) {
        let Some(link) = self.link_to(from, to) else {
            return self.violate(format!("{from} sent to {to} without a link"));
        };
        if self.nodes[from as usize].dropper && (self.lens.relays)(NodeId(from), message) {
            return;
        }
        if let Some(id) = (self.lens.unicast)(message) {
            let times = self.crossed.entry((id, from, to)).or_default();
            *times += 1;
            if *times > CROSSINGS_MAX {
                self.violate(format!("unicast {id} went from {from} to {to} again"));
            }
        }
        let bytes = (payload + control) as u64;
        let uplink = self.uplink(from);
        let waiting = self.backlog(from);
        if uplink > 0 && waiting + bytes > self.net.queue_bytes {
            self.tally.traffic[from as usize].overflow += 1;
            return;
        }
        let traffic = &mut self.tally.traffic[from as usize];
        traffic.payload += payload as u64;
        traffic.control += control as u64;
        traffic.frames += 1;
        let one = &mut self.nodes[from as usize];
        let serialised = (bytes * SECOND).checked_div(uplink);
        let departs = one.busy_until.max(self.now) + serialised.unwrap_or(0);
        one.busy_until = departs;
        one.peak = one.peak.max(waiting + bytes);
        if self.links[link as usize].closed {
            return;
        }
        let copies = 1 + u32::from(self.dice.ppm(self.net.duplicate));
        for _ in 0..copies {
            if self
                .dice
                .ppm(self.net.loss_on(self.seed, from, to).min(1_000_000))
            {
                self.tally.lost += 1;
                continue;
            }
            let late = if self.dice.ppm(self.net.reorder) {
                self.dice.roll(REORDER_US)
            } else {
                0
            };
            let way = &mut self.links[link as usize];
            let last = &mut way.last[usize::from(from > to)];
            let at = (departs + way.latency).max(*last);
            if late == 0 {
                *last = at;
            }
            let arrival = What::Message {
                link,
                generation: way.generation,
                to,
                payload: payload as u32,
                message: message.clone(),
            };
            self.queue.push(at + late, arrival);
        }
    }

    pub(super) fn arrive(
        &mut self,
        link: u32,
        generation: u32,
        to: u32,
        payload: u32,
        message: M::Message,
    ) {
        let way = &self.links[link as usize];
        if way.generation != generation || way.closed || way.silent_since.is_some() {
            return;
        }
        let from = if way.ends.0 == to {
            way.ends.1
        } else {
            way.ends.0
        };
        let traffic = &mut self.tally.traffic[to as usize];
        if payload > 0 {
            traffic.copies_in += (self.lens.copies)(&message);
            traffic.payload_in += u64::from(payload);
        }
        self.mix(&[4, u64::from(payload)]);
        let from = NodeId(from);
        self.give(to, In::Message { from, message });
    }

    /// Bytes a second that a node can send; 0: no limit.
    pub(super) fn uplink(&self, node: u32) -> u64 {
        self.nodes[node as usize].uplink.unwrap_or(self.net.uplink)
    }

    /// Bytes that wait for a node's uplink.
    pub(super) fn backlog(&self, node: u32) -> u64 {
        self.delay(node) * self.uplink(node) / SECOND
    }

    /// How long what is sent now waits for a node's uplink, in µs.
    pub(super) fn delay(&self, node: u32) -> u64 {
        self.nodes[node as usize]
            .busy_until
            .saturating_sub(self.now)
    }
}
