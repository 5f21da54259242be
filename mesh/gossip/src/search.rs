//! Expanding ring search for a member to whom no known route leads (after AODV, RFC 3561).
//!
//! A search floods so many links far, then goes on along the reverse tree of whom it looks for
//! where there is one. Its answer comes back the way it went; the message itself follows that way.
//! Each device passes each search on once.

use peddlenet_wire::{
    AuthorId, AuthorShort, RoomTag, Timestamp,
    route::{Answer, Route, Task},
};

use crate::{
    api::{PeerId, UnicastId},
    custody::Phase,
    engine::{Due, Engine},
    limits,
    unicast::{Key, Quest, Sender},
};

impl Engine {
    /// An own message has no way left: search wider, and keep it in the end.
    pub(crate) fn stuck(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get(&key)) else {
            return;
        };
        match kept.phase {
            Phase::Direct => self.search(tag, key, 0, now),
            // Tried the way that was found: the next ring.
            Phase::Found(ring) => self.search(tag, key, ring.saturating_add(1), now),
            // The ring's timer goes on.
            Phase::Searching(_) => {}
            Phase::Resting => self.rest_again(tag, key, now),
        }
    }

    fn search(&mut self, tag: RoomTag, key: Key, ring: usize, now: Timestamp) {
        let neighbours = self.neighbours(tag);
        let wanted = self.config.controls.alternates && !neighbours.is_empty();
        let Some(&(ttl, wait)) = limits::RINGS.get(ring).filter(|_| wanted) else {
            return self.rest(tag, key, now);
        };
        let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get_mut(&key)) else {
            return;
        };
        kept.phase = Phase::Searching(ring);
        kept.attempt = kept.attempt.saturating_add(1);
        kept.turn = kept.turn.wrapping_add(1);
        let (to, attempt, turn) = (kept.to, kept.attempt, kept.turn);
        let quest = Quest {
            to,
            upstream: None,
            found: false,
        };
        if let Some(unicast) = self.unicast(tag) {
            unicast.insert_quest((key.0, key.1, attempt), quest);
        }
        tracing::debug!(id = ?key.0, ring, "search");
        self.ask_around(tag, (key.0, key.1, to), (attempt, ttl), None, now);
        self.arm(Due::Ring(tag, key, turn), now.after(wait));
    }

    pub(crate) fn on_ring_due(&mut self, tag: RoomTag, key: Key, turn: u32, now: Timestamp) {
        let kept = self.unicast(tag).and_then(|u| u.kept.get(&key));
        if let Some(kept) = kept
            && kept.turn == turn
            && let Phase::Searching(ring) = kept.phase
        {
            self.search(tag, key, ring.saturating_add(1), now);
        }
    }

    pub(crate) fn on_search(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        from: AuthorId,
        to: Option<AuthorId>,
        frame: &Route,
        now: Timestamp,
    ) {
        let (id, attempt) = (UnicastId(frame.id), frame.attempt);
        let Some(to) = to else {
            return self.reply(peer, tag, (id, from.short(), attempt), Answer::Found);
        };
        let ttl = frame.ttl.min(limits::SEARCH_TTL);
        let quest = Quest {
            to,
            upstream: Some(peer),
            found: false,
        };
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        // An own search that came round.
        let own = unicast.quests.contains_key(&(id, None, attempt));
        if !own && unicast.insert_quest((id, Some(from), attempt), quest) {
            self.ask_around(tag, (id, Some(from), to), (attempt, ttl), Some(peer), now);
        }
    }

    /// Passes a search on: to whom it looks for, or to everybody, or along a known way.
    fn ask_around(
        &mut self,
        tag: RoomTag,
        (id, from, to): (UnicastId, Sender, AuthorId),
        (attempt, ttl): (u8, u8),
        except: Option<PeerId>,
        now: Timestamp,
    ) {
        let everybody = self.neighbours(tag);
        let itself = everybody.iter().copied();
        let itself = itself.filter(|&peer| self.author_at(peer, tag) == Some(to));
        let mut asked: Vec<PeerId> = itself.take(1).collect();
        if asked.is_empty() && ttl > 0 {
            asked = everybody;
        } else if asked.is_empty() {
            let known = self.route_to(tag, to).into_iter().map(|(peer, _)| peer);
            asked = known.filter(|&p| Some(p) != except).take(1).collect();
        }
        let ttl = ttl.saturating_sub(1);
        for peer in asked.into_iter().filter(|&p| Some(p) != except) {
            if self.may_route(peer, Task::Search, 0, now) {
                self.send_route(
                    peer,
                    tag,
                    (id, from, to),
                    (Task::Search, attempt, ttl),
                    vec![],
                );
            }
        }
    }

    pub(crate) fn on_found(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        (id, from, attempt): (UnicastId, AuthorShort, u8),
        now: Timestamp,
    ) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let Some(key) = unicast.quest_of(id, from, attempt) else {
            return;
        };
        let Some(quest) = unicast.quests.get_mut(&key) else {
            return;
        };
        // It comes from where the question went, not from where it came from.
        if quest.upstream == Some(peer) {
            return;
        }
        let (to, upstream) = (quest.to, quest.upstream);
        let first = !std::mem::replace(&mut quest.found, true);
        unicast.note_way(to, peer, now);
        match upstream {
            Some(upstream) if first => {
                self.reply(upstream, tag, (id, from, attempt), Answer::Found);
            }
            None if first => self.follow(tag, key, now),
            _ => {}
        }
    }

    /// Sets out on the way that was found.
    fn follow(&mut self, tag: RoomTag, quest: (UnicastId, Sender, u8), now: Timestamp) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let kept = unicast
            .kept
            .range_mut((quest.0, quest.1, [0; 8])..=(quest.0, quest.1, [0xff; 8]))
            // An answer to an earlier ring is as good.
            .find(|(_, kept)| kept.attempt >= quest.2);
        if let Some((&key, kept)) = kept
            && let Phase::Searching(ring) = kept.phase
        {
            kept.phase = Phase::Found(ring);
            kept.turn = kept.turn.wrapping_add(1);
            self.launch(tag, key, now);
        }
    }
}
