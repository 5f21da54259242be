//! Messages to one member on their way: hop by hop along known routes, and back when one ends.
//!
//! ```text
//!  SendTo --> kept here --> passage --Route--> relay --Route--> recipient --> DeliverTo
//!                              ^  ^---Accepted---'                  |
//!                              '---------- Delivered <--------------'   along the same links
//! ```
//!
//! The next hop is the neighbour from which the recipient's events come first; then those that said
//! to be nearer to it than we are, so that no loop can form (the feasibility condition of DUAL and
//! Babel, RFC 8966). One that does not accept in time, goes down or says that it has no way makes
//! room for the next; who has none left says so to whom the message came from. What nobody could
//! pass on is searched for (`search`) and then kept (`custody`).
//!
//! A message crosses a link at most once an attempt, whatever neighbours say about costs.

use std::{collections::BTreeMap, time::Duration};

use peddlenet_wire::{
    AuthorId, AuthorShort, Frame, RoomTag, Timestamp,
    limits::UNICAST_MAX,
    route::{Answer, Route, RouteReply, Task},
};

use crate::{
    api::{Action, Lane, PeerId, UnicastId, Why},
    custody::Phase,
    engine::{Due, Engine},
    limits,
    unicast::{Key, Passage, Sender, State, Step, Try, Unicast, sum_of},
};

impl Engine {
    pub(crate) fn on_route(&mut self, peer: PeerId, tag: RoomTag, frame: Route, now: Timestamp) {
        let len = frame.payload.len();
        if len > UNICAST_MAX || (frame.task == Task::Search && len > 0) {
            return self.blame(peer, Why::Nonsense, now);
        }
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if !link.unicast.takes(frame.task, len, now) {
            return self.blame(peer, Why::OverQuota, now);
        }
        let Some(neighbour) = link.rooms.get(&tag).map(|side| side.author) else {
            return;
        };
        let sender = frame.from.unwrap_or(neighbour);
        match (frame.task, frame.to) {
            (Task::Search, to) => self.on_search(peer, tag, sender, to, &frame, now),
            (_, None) => self.receive(peer, tag, sender, frame),
            (Task::Keep, Some(to)) => self.on_keep(peer, tag, to, frame, now),
            (Task::Pass, Some(to)) => self.pass(peer, tag, (sender, to), frame, now),
        }
    }

    /// For this device.
    fn receive(&mut self, peer: PeerId, tag: RoomTag, from: AuthorId, frame: Route) {
        let id = UnicastId(frame.id);
        let key = (id, Some(from), sum_of(&frame.payload));
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        if unicast.receive(key) {
            self.out.push(Action::DeliverTo {
                room: tag,
                from,
                id,
                payload: frame.payload,
            });
        }
        self.reply(
            peer,
            tag,
            (id, from.short(), frame.attempt),
            Answer::Delivered,
        );
    }

    /// For somebody else.
    fn pass(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        (from, to): (AuthorId, AuthorId),
        frame: Route,
        now: Timestamp,
    ) {
        let (id, sum) = (UnicastId(frame.id), sum_of(&frame.payload));
        let key = (id, Some(from), sum);
        let named = (id, from.short(), frame.attempt);
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        // An own message that came round is not ours to pass on.
        let own = unicast.kept.contains_key(&(id, None, sum));
        let mut ours = unicast.kept.contains_key(&key);
        if let Some(known) = unicast.passages.get_mut(&key) {
            ours |= known.ours;
            if known.state == State::Delivered {
                return self.reply(peer, tag, named, Answer::Delivered);
            }
            if frame.attempt <= known.attempt || known.ours {
                // Somebody else gave it to us: they hear how it ends, and look for another way.
                let again = known.upstream.contains(&peer) && known.state == State::UnderWay;
                if !again && known.upstream.len() < limits::UPSTREAMS_MAX {
                    known.upstream.push(peer);
                }
                let answer = if again {
                    Answer::Accepted
                } else {
                    Answer::NoWay
                };
                return self.reply(peer, tag, named, answer);
            }
        }
        if own || ours || frame.ttl == 0 || !unicast.has_space(peer, frame.payload.len()) {
            return self.reply(peer, tag, named, Answer::NoWay);
        }
        unicast.insert_passage(
            key,
            Passage {
                to,
                payload: frame.payload,
                attempt: frame.attempt,
                // What a neighbour claims is cut to what an honest sender gives.
                ttl: frame.ttl.min(limits::ROUTE_TTL).saturating_sub(1),
                upstream: vec![peer],
                ours: false,
                tries: BTreeMap::new(),
                state: State::UnderWay,
                turn: 0,
                width: 1,
            },
        );
        if self.advance(tag, key, now) {
            self.reply(peer, tag, named, Answer::Accepted);
        }
    }

    /// Sets out with a message that is kept here.
    pub(crate) fn launch(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let alternates = self.config.controls.alternates;
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let Some(kept) = unicast.kept.get(&key) else {
            return;
        };
        let mut passage = Passage {
            to: kept.to,
            payload: kept.payload.clone(),
            attempt: kept.attempt,
            ttl: limits::ROUTE_TTL,
            upstream: Vec::new(),
            ours: true,
            tries: BTreeMap::new(),
            state: State::UnderWay,
            turn: 0,
            width: 1,
        };
        // Two ways from the start: relays that have it refuse it, so they stay apart.
        if alternates && kept.phase != Phase::Resting {
            passage.width = limits::PATHS;
        }
        // Answers to earlier attempts still count.
        if let Some(old) = unicast.passages.remove(&key) {
            passage.tries = old.tries;
            passage.turn = old.turn.wrapping_add(1);
        }
        unicast.insert_passage(key, passage);
        self.widen(tag, key, now);
    }

    /// Gives a message to further neighbours, until as many have it as should.
    fn widen(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        for _ in 0..limits::PATHS {
            let narrow = self
                .passage(tag, key)
                .is_some_and(|p| p.state == State::UnderWay && p.hopes() < p.width);
            if !narrow || !self.advance(tag, key, now) {
                return;
            }
        }
    }

    /// Gives a message to the next neighbour; false if there is none.
    fn advance(&mut self, tag: RoomTag, key: Key, now: Timestamp) -> bool {
        let Some(peer) = self.next_hop(tag, key, now) else {
            self.exhausted(tag, key, now);
            return false;
        };
        let Some(passage) = self.passage(tag, key) else {
            return false;
        };
        let (to, attempt, ttl) = (passage.to, passage.attempt, passage.ttl);
        let step = Step::Sent;
        passage.tries.insert(peer, Try { attempt, step });
        passage.turn = passage.turn.wrapping_add(1);
        let (turn, payload) = (passage.turn, passage.payload.clone());
        tracing::debug!(peer = peer.0, id = ?key.0, attempt, "passed on");
        self.send_route(
            peer,
            tag,
            (key.0, key.1, to),
            (Task::Pass, attempt, ttl),
            payload,
        );
        self.arm(
            Due::Hop(tag, key, turn),
            now.after(self.accept_within(peer)),
        );
        true
    }

    /// The best neighbour that has not had it in this attempt, and may be sent one more message.
    fn next_hop(&mut self, tag: RoomTag, key: Key, now: Timestamp) -> Option<PeerId> {
        let passage = self
            .passage(tag, key)
            .filter(|p| p.state == State::UnderWay)?;
        let (to, len, attempt) = (passage.to, passage.payload.len(), passage.attempt);
        let tried = passage.tries.iter().filter(|(_, t)| t.attempt == attempt);
        let mut had: Vec<PeerId> = tried.map(|(&peer, _)| peer).collect();
        let first = had.is_empty();
        // Who only asked whether we know a way to what we keep may be that way.
        if !passage.ours {
            had.extend(&passage.upstream);
        }
        let full = passage.tries.len() >= limits::TRIES_MAX;
        let mut ways = self.ways(tag, to, now);
        if !self.config.controls.alternates {
            ways.truncate(usize::from(first));
        }
        ways.retain(|(peer, _)| !full && !had.contains(peer));
        ways.sort_by_key(|(peer, _)| {
            let link = self.links.get(peer);
            link.is_some_and(|link| link.unicast.is_doubted(now))
        });
        ways.into_iter()
            .map(|(peer, _)| peer)
            .find(|&peer| self.may_route(peer, Task::Pass, len, now))
    }

    /// No neighbour is left to try.
    fn exhausted(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let Some(passage) = self.passage(tag, key) else {
            return;
        };
        if passage.hopes() > 0 {
            return;
        }
        if passage.ours {
            return self.stuck(tag, key, now);
        }
        passage.end(State::Failed);
        let attempt = passage.attempt;
        self.tell_upstream(tag, key, attempt, Answer::NoWay);
    }

    pub(crate) fn on_route_reply(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        frame: RouteReply,
        now: Timestamp,
    ) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        if !link.unicast.takes_reply(now) {
            return self.blame(peer, Why::OverQuota, now);
        }
        let (id, attempt) = (UnicastId(frame.id), frame.attempt);
        match frame.answer {
            Answer::Found => return self.on_found(peer, tag, (id, frame.from, attempt), now),
            Answer::Kept => return self.on_keeper(peer, tag, id, true, now),
            Answer::Full => return self.on_keeper(peer, tag, id, false, now),
            Answer::Accepted | Answer::Delivered | Answer::NoWay => {}
        }
        // What did not go there can't be answered from there.
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let Some(key) = unicast.passage_of(id, frame.from, peer) else {
            if frame.answer == Answer::Delivered {
                self.release_kept(peer, tag, id);
            }
            return;
        };
        let Some(passage) = unicast.passages.get_mut(&key) else {
            return;
        };
        let under_way = passage.state == State::UnderWay;
        let current = passage.attempt == attempt;
        let Some(one) = passage.tries.get_mut(&peer) else {
            return;
        };
        match frame.answer {
            Answer::Delivered if passage.state != State::Delivered => {
                one.step = Step::Accepted;
                passage.end(State::Delivered);
                self.praise(peer);
                self.tell_upstream(tag, key, attempt, Answer::Delivered);
                self.delivered(tag, key);
            }
            Answer::Accepted if under_way && current && one.step != Step::Failed => {
                one.step = Step::Accepted;
                passage.turn = passage.turn.wrapping_add(1);
                let (turn, to) = (passage.turn, passage.to);
                let within = self.deliver_within(tag, to, peer, now);
                self.arm(Due::Hop(tag, key, turn), now.after(within));
            }
            Answer::NoWay if under_way && current => {
                one.step = Step::Failed;
                self.widen(tag, key, now);
            }
            _ => {}
        }
    }

    /// The neighbour that has it took too long.
    pub(crate) fn on_hop_due(&mut self, tag: RoomTag, key: Key, turn: u32, now: Timestamp) {
        let Some(passage) = self.passage(tag, key) else {
            return;
        };
        if passage.turn != turn || passage.state != State::UnderWay {
            return;
        }
        let mut silent = Vec::new();
        for (&peer, one) in &mut passage.tries {
            match one.step {
                Step::Sent => silent.push(peer),
                Step::Accepted => {}
                Step::Slow | Step::Failed => continue,
            }
            one.step = Step::Slow;
        }
        for peer in silent {
            if let Some(link) = self.links.get_mut(&peer) {
                link.unicast.doubt(now);
            }
        }
        self.widen(tag, key, now);
    }

    /// A link no longer carries a room: what went that way takes another one.
    pub(crate) fn reroute(&mut self, tag: RoomTag, peer: PeerId, now: Timestamp) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        for key in unicast.forget_peer(peer) {
            self.widen(tag, key, now);
        }
        self.lose_keeper(tag, peer, now);
    }

    fn tell_upstream(&mut self, tag: RoomTag, key: Key, attempt: u8, answer: Answer) {
        let Some(from) = key.1 else { return };
        let upstream = self.passage(tag, key).map(|p| p.upstream.clone());
        for peer in upstream.unwrap_or_default() {
            self.reply(peer, tag, (key.0, from.short(), attempt), answer);
        }
    }

    /// Neighbours on a way to a member: itself; where a search just found it; its tree, reversed.
    pub(crate) fn ways(&self, tag: RoomTag, to: AuthorId, now: Timestamp) -> Vec<(PeerId, u32)> {
        let routes = self.route_to(tag, to);
        let found = self
            .rooms
            .get(&tag)
            .map(|room| room.unicast.ways_to(to, now));
        let found = found.unwrap_or_default().iter().copied();
        let found = found.filter(|&peer| self.author_at(peer, tag).is_some());
        let found = found.map(|peer| (peer, limits::WAY_COST_UNKNOWN));
        let direct = |&(peer, _): &(PeerId, u32)| self.author_at(peer, tag) == Some(to);
        let (mut ways, others): (Vec<_>, Vec<_>) = routes.into_iter().partition(direct);
        for way in found.chain(others) {
            if ways.iter().all(|(known, _)| *known != way.0) {
                ways.push(way);
            }
        }
        ways
    }

    /// How long a neighbour may take to accept.
    fn accept_within(&self, peer: PeerId) -> Duration {
        let twice = self.round_trip(peer).saturating_mul(2);
        twice.clamp(limits::ACCEPT_LEAST, limits::ACCEPT_MOST)
    }

    /// How long the recipient may take to answer, once a neighbour accepted.
    fn deliver_within(&self, tag: RoomTag, to: AuthorId, peer: PeerId, now: Timestamp) -> Duration {
        let ways = self.ways(tag, to, now);
        let cost = ways.iter().find(|(p, _)| *p == peer).map(|(_, cost)| *cost);
        let cost = cost
            .unwrap_or(limits::WAY_COST_UNKNOWN)
            .min(limits::WAY_COST_MOST);
        let back = Duration::from_millis(u64::from(cost.saturating_mul(2)));
        back.saturating_add(limits::DELIVER_SLACK)
    }

    /// Whether a link may carry one more message; counts it.
    pub(crate) fn may_route(
        &mut self,
        peer: PeerId,
        task: Task,
        len: usize,
        now: Timestamp,
    ) -> bool {
        let link = self.links.get_mut(&peer).filter(|link| !link.dropped);
        link.is_some_and(|link| link.unicast.may_send(task, len, now))
    }

    /// Sends a frame on, leaving out the names that the link proves.
    pub(crate) fn send_route(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        (id, from, to): (UnicastId, Sender, AuthorId),
        (task, attempt, ttl): (Task, u8, u8),
        payload: Vec<u8>,
    ) {
        let there = self.author_at(peer, tag) == Some(to);
        let frame = Route {
            room: tag.short(),
            task,
            from,
            to: (!there).then_some(to),
            id: id.0,
            attempt,
            ttl,
            payload,
        };
        self.send(peer, Frame::Route(frame), Lane::Ordered);
    }

    pub(crate) fn reply(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        (id, from, attempt): (UnicastId, AuthorShort, u8),
        answer: Answer,
    ) {
        let frame = RouteReply {
            room: tag.short(),
            from,
            id: id.0,
            attempt,
            answer,
        };
        self.send(peer, Frame::RouteReply(frame), Lane::Ordered);
    }

    /// Who is at the other end of a link.
    pub(crate) fn author_at(&self, peer: PeerId, tag: RoomTag) -> Option<AuthorId> {
        let link = self.links.get(&peer).filter(|link| !link.dropped)?;
        link.rooms.get(&tag).map(|side| side.author)
    }

    pub(crate) fn unicast(&mut self, tag: RoomTag) -> Option<&mut Unicast> {
        self.rooms.get_mut(&tag).map(|room| &mut room.unicast)
    }

    fn passage(&mut self, tag: RoomTag, key: Key) -> Option<&mut Passage> {
        self.unicast(tag)?.passages.get_mut(&key)
    }
}
