//! Carries out what the engine asks for, and answers when it is done.

use peddlenet_gossip::{Action, Input, TimerId, Verdict};
use peddlenet_wire::Frame;

use super::{
    Commit, KIND_SHIFT, Kind, Ours,
    make::{self, ROOM, author, length, node_of},
};
use crate::{MessageId, Out};

impl Ours {
    /// Gives the engine an input and does what it says.
    pub(super) fn drive(&mut self, input: Input, now: u64, out: &mut Vec<Out<Frame>>) {
        let wall = self.wall(now);
        let mut actions = std::mem::take(&mut self.actions);
        actions.extend(self.engine.handle(input, wall));
        for action in actions.drain(..) {
            self.act(action, now, out);
        }
        self.actions = actions;
    }

    fn act(&mut self, action: Action, now: u64, out: &mut Vec<Out<Frame>>) {
        match action {
            Action::Send { to, frame, .. } => {
                // A link that went down in the same breath takes nothing any more.
                if let Some(&to) = self.nodes.get(&to) {
                    let (payload, control) = sizes(&frame);
                    out.push(Out::Send {
                        to,
                        message: frame,
                        payload,
                        control,
                    });
                }
            }
            Action::Verify { ticket, .. } => {
                self.checks_until = self.checks_until.max(now) + self.costs.check_us;
                self.checks.push_back(ticket);
                out.push(timer(Kind::Checked, 0, self.checks_until));
            }
            Action::Persist { ticket, events, .. } => {
                self.waiting.push(Commit { ticket, events });
                self.commit(now, out);
            }
            Action::Load { query, what } => {
                self.reads.push_back((query, what));
                out.push(timer(Kind::Read, 0, now + self.costs.read_us));
            }
            Action::Deliver { event, live, .. } => self.show(&event, live, out),
            Action::Arm { timer: id, at } => {
                let at = self.virtual_us(at);
                out.push(timer(Kind::Engine, id.0, at));
            }
            Action::Drop { peer, why } => {
                *self.drops.entry(format!("{why:?}")).or_default() += 1;
                if let Some(&peer) = self.nodes.get(&peer) {
                    out.push(Out::Close { peer });
                }
            }
            Action::Dial { author, .. } => out.push(Out::Dial {
                peer: node_of(author),
            }),
            Action::DeliverTo { from, id, .. } => out.push(Out::DeliverTo {
                from: node_of(from),
                id: MessageId(u64::from_be_bytes(id.0)),
            }),
            Action::UnicastDone { id, outcome, .. } => {
                let id = MessageId(u64::from_be_bytes(id.0));
                self.outcomes.push((id, outcome));
            }
            Action::Beacon { .. } => {
                self.clock = self.clock.tick(self.wall(now));
                let beacon = make::beacon(author(self.me), self.clock, self.own.0);
                self.drive(Input::Beacon { room: ROOM, beacon }, now, out);
            }
            _ => {}
        }
    }

    fn commit(&mut self, now: u64, out: &mut Vec<Out<Frame>>) {
        if self.committing.is_empty() && !self.waiting.is_empty() {
            self.committing = std::mem::take(&mut self.waiting);
            out.push(timer(Kind::Committed, 0, now + self.costs.commit_us));
        }
    }

    /// One of the timers that this driver set is due.
    pub(super) fn on_token(&mut self, token: u64, now: u64, out: &mut Vec<Out<Frame>>) {
        let number = token & ((1 << KIND_SHIFT) - 1);
        match token >> KIND_SHIFT {
            kind if kind == Kind::Checked as u64 => self.on_checked(now, out),
            kind if kind == Kind::Committed as u64 => self.on_committed(now, out),
            kind if kind == Kind::Read as u64 => self.on_read(now, out),
            _ => self.drive(Input::Timer(TimerId(number)), now, out),
        }
    }

    fn on_checked(&mut self, now: u64, out: &mut Vec<Out<Frame>>) {
        let Some(ticket) = self.checks.pop_front() else {
            return;
        };
        let fails = self.dice.ppm(self.costs.failing_checks);
        let verdict = if fails {
            Verdict::Reject
        } else {
            Verdict::Accept
        };
        self.drive(Input::Verified { ticket, verdict }, now, out);
    }

    fn on_committed(&mut self, now: u64, out: &mut Vec<Out<Frame>>) {
        let done = std::mem::take(&mut self.committing);
        let ok = !self.dice.ppm(self.costs.failing_commits);
        let mut tickets = Vec::with_capacity(done.len());
        for Commit { ticket, events } in done {
            for (event, hops) in events {
                if ok {
                    self.disk.put(event, hops);
                }
            }
            tickets.push(ticket);
        }
        self.commit(now, out);
        for ticket in tickets {
            self.drive(Input::Persisted { ticket, ok }, now, out);
        }
    }

    fn on_read(&mut self, now: u64, out: &mut Vec<Out<Frame>>) {
        let Some((query, what)) = self.reads.pop_front() else {
            return;
        };
        let (events, more) = self.disk.load(&what);
        let loaded = Input::Loaded {
            query,
            events,
            more,
        };
        self.drive(loaded, now, out);
    }
}

fn timer(kind: Kind, number: u64, at_us: u64) -> Out<Frame> {
    let token = (kind as u64) << KIND_SHIFT | number;
    Out::Timer { token, at_us }
}

/// Bytes of events, and all others. An event's own frame counts as payload whole, as does each event
/// in a batch.
fn sizes(frame: &Frame) -> (usize, usize) {
    let all = length(frame);
    let payload = match frame {
        Frame::Event(_) => all,
        Frame::Batch(batch) => batch.events.iter().map(make::event_length).sum(),
        _ => 0,
    };
    (payload, all - payload)
}
