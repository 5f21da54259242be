//! Neighbours that keep a copy of a message whose recipient is away, and keeping one for them.
//!
//! ```text
//!   writer --Keep--> neighbour   up to three at a time; Full: the next one; link down: another
//!          <--Kept, Full--'      only words of the neighbour's own, within a bound for each writer
//! ```
//!
//! A message has at most [`limits::KEEPERS_EVER`] copies. Keepers don't hand on what they keep, since
//! nobody could tell copies of copies from a flood.

use peddlenet_wire::{
    AuthorId, RoomTag, Timestamp,
    route::{Answer, Route, Task},
};

use crate::{
    api::{Outcome, PeerId, UnicastId},
    custody::{Kept, Phase},
    engine::Engine,
    limits,
    unicast::{Key, sum_of},
};

impl Engine {
    /// Asks one more neighbour to keep a copy, who is nearer to the recipient first.
    pub(crate) fn ask_keeper(&mut self, tag: RoomTag, key: Key, now: Timestamp) {
        let kept = self.unicast(tag).and_then(|u| u.kept.get(&key));
        let Some(kept) = kept.filter(|kept| kept.copies < limits::KEEPERS_EVER) else {
            return;
        };
        let (to, attempt, payload) = (kept.to, kept.attempt, kept.payload.clone());
        let asked = kept.asked.clone();
        let near = self.route_to(tag, to).into_iter().map(|(peer, _)| peer);
        let all: Vec<PeerId> = near.chain(self.neighbours(tag)).collect();
        for peer in all.into_iter().filter(|peer| !asked.contains(peer)) {
            if self.may_route(peer, Task::Keep, payload.len(), now) {
                self.send_route(
                    peer,
                    tag,
                    (key.0, None, to),
                    (Task::Keep, attempt, 0),
                    payload,
                );
                if let Some(kept) = self.unicast(tag).and_then(|u| u.kept.get_mut(&key)) {
                    kept.asked.push(peer);
                    kept.copies = kept.copies.saturating_add(1);
                }
                return;
            }
        }
    }

    /// A neighbour asks us to keep a message of its own.
    pub(crate) fn on_keep(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        to: AuthorId,
        frame: Route,
        now: Timestamp,
    ) {
        self.sweep_kept(tag, now);
        let Some(author) = self.author_at(peer, tag) else {
            return;
        };
        let named = (UnicastId(frame.id), author.short(), frame.attempt);
        let key = (named.0, Some(author), sum_of(&frame.payload));
        let len = frame.payload.len();
        let space = frame.from.is_none() && self.config.controls.custody;
        let space = space && self.may_keep(tag, author, len);
        let direct = self.route_to(tag, to).first().map(|(peer, _)| *peer);
        let direct = direct.is_some_and(|peer| self.author_at(peer, tag) == Some(to));
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let known = unicast.kept.contains_key(&key);
        if !known && !space {
            return self.reply(peer, tag, named, Answer::Full);
        }
        if !known {
            let kept = Kept::for_other(to, frame.payload, frame.attempt, now);
            unicast.kept.insert(key, kept);
        }
        self.reply(peer, tag, named, Answer::Kept);
        if !known {
            self.rest_again(tag, key, now);
        }
        if direct && !known {
            self.heard_of(tag, to, now);
        }
    }

    /// Whether one more message of an author keeps within the bounds, over all rooms.
    fn may_keep(&self, tag: RoomTag, author: AuthorId, len: usize) -> bool {
        let (mut count, mut bytes, mut of_author, mut bytes_of) = (0_usize, len, 0_usize, len);
        for (room, open) in &self.rooms {
            for (key, kept) in open.unicast.kept.iter().filter(|(key, _)| key.1.is_some()) {
                count = count.saturating_add(1);
                bytes = bytes.saturating_add(kept.payload.len());
                if *room == tag && key.1 == Some(author) {
                    of_author = of_author.saturating_add(1);
                    bytes_of = bytes_of.saturating_add(kept.payload.len());
                }
            }
        }
        count < limits::KEPT_MAX
            && bytes <= limits::KEPT_BYTES
            && of_author < limits::KEPT_PER_AUTHOR
            && bytes_of <= limits::KEPT_BYTES_PER_AUTHOR
    }

    /// A neighbour said whether it keeps a copy.
    pub(crate) fn on_keeper(
        &mut self,
        peer: PeerId,
        tag: RoomTag,
        id: UnicastId,
        keeps: bool,
        now: Timestamp,
    ) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let own = (id, None, [0; 8])..=(id, None, [0xff; 8]);
        let Some((&key, kept)) = unicast.kept.range_mut(own).next() else {
            return;
        };
        if !kept.asked.contains(&peer) {
            return;
        }
        if keeps {
            if !kept.keepers.contains(&peer) {
                kept.keepers.push(peer);
            }
            self.tell_kept(tag, key);
        } else {
            kept.copies = kept.copies.saturating_sub(1);
            self.ask_keeper(tag, key, now);
        }
    }

    /// A link no longer carries a room. Keepers behind it may be gone, so others are asked.
    pub(crate) fn lose_keeper(&mut self, tag: RoomTag, peer: PeerId, now: Timestamp) {
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let mut lost = Vec::new();
        for (&key, kept) in unicast.kept.iter_mut().filter(|(key, _)| key.1.is_none()) {
            let before = kept.asked.len();
            kept.asked.retain(|&asked| asked != peer);
            kept.keepers.retain(|&keeper| keeper != peer);
            if kept.asked.len() < before && kept.lacks_keepers() {
                lost.push(key);
            }
        }
        for key in lost {
            self.ask_keeper(tag, key, now);
        }
    }

    /// Whoever was asked had time to answer; this device keeps it in any case.
    pub(crate) fn on_keepers_due(&mut self, tag: RoomTag, key: Key) {
        self.tell_kept(tag, key);
    }

    fn tell_kept(&mut self, tag: RoomTag, key: Key) {
        let kept = self.unicast(tag).and_then(|u| u.kept.get_mut(&key));
        if kept.is_some_and(|kept| !std::mem::replace(&mut kept.told, true)) {
            self.done(tag, key.0, Outcome::Custody);
        }
    }

    /// A neighbour came: besides a sign of life, somebody who may take what nobody could.
    pub(crate) fn met(&mut self, tag: RoomTag, author: AuthorId, now: Timestamp) {
        self.heard_of(tag, author, now);
        let Some(unicast) = self.unicast(tag) else {
            return;
        };
        let alone = |key: &Key, kept: &Kept| {
            key.1.is_none() && kept.keepers.is_empty() && kept.phase == Phase::Resting
        };
        let few = |key: &Key, kept: &Kept| {
            key.1.is_none() && !kept.keepers.is_empty() && kept.lacks_keepers()
        };
        let all = unicast.kept.iter();
        let short = all.filter(|(key, kept)| few(key, kept));
        let short: Vec<Key> = short.map(|(&key, _)| key).collect();
        let due: Vec<Key> = unicast
            .kept
            .iter_mut()
            .filter(|(key, kept)| alone(key, kept))
            .map(|(&key, kept)| {
                kept.asked.clear();
                kept.tries = limits::REDELIVER_TRIES;
                key
            })
            .collect();
        for key in due {
            self.redeliver_soon(tag, key, now);
        }
        for key in short {
            self.ask_keeper(tag, key, now);
        }
    }

    /// A neighbour says that a message which this device keeps for it arrived.
    pub(crate) fn release_kept(&mut self, peer: PeerId, tag: RoomTag, id: UnicastId) {
        let author = self.author_at(peer, tag);
        if let Some(unicast) = self.unicast(tag).filter(|_| author.is_some()) {
            unicast.kept.retain(|key, _| key.0 != id || key.1 != author);
        }
    }
}
