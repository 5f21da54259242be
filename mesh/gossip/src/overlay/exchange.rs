//! Neighbours name whom they are linked with.
//!
//! ```text
//!  link up           Peers both ways: so many links, these neighbours
//!  too few links     Peers(want) to one neighbour, then others with growing pauses -> Peers
//!  standing changes  Peers without names, at most every few seconds
//!  two minutes       Peers(want) to one neighbour, so that candidates stay fresh
//! ```

use peddlenet_wire::{AuthorId, Capped, Frame, RoomTag, Timestamp, peers::Peers};

use super::{Grade, Source};
use crate::{
    api::{Lane, PeerId, Why},
    engine::Engine,
    limits,
    recent::elapsed,
};

impl Engine {
    pub(crate) fn on_peers(&mut self, from: PeerId, room: RoomTag, frame: &Peers, now: Timestamp) {
        let Some(ends) = self.overlay.links.get_mut(&from) else {
            return;
        };
        if !ends.frames.take(now) {
            return self.blame(from, Why::OverQuota, now);
        }
        ends.links = Some(frame.links);
        if !frame.authors.is_empty() {
            ends.peers = frame.authors.to_vec();
            ends.linked = (room, frame.neighbours.map_or(0, usize::from));
        }
        let answers = frame.want
            && ends
                .answered
                .is_none_or(|at| elapsed(at, now, limits::ANSWER_EVERY));
        if answers {
            ends.answered = Some(now);
        }
        if frame.closing {
            ends.leaving.get_or_insert(now);
        }
        let mut news = false;
        for &author in frame.authors.iter() {
            news |= self.offer(room, author, Source::Told, now);
        }
        if news {
            self.overlay.ask_pause = limits::ASK_PAUSE;
        }
        if answers {
            self.tell(from, room, false, now);
        }
        if frame.part {
            self.consider_parting(from, now);
        }
        self.refill(now);
    }

    /// Tells a neighbour whom it could link up with.
    pub(super) fn tell(&mut self, peer: PeerId, room: RoomTag, want: bool, now: Timestamp) {
        let frame = self.peers_for(peer, room, now);
        self.send_peers(peer, Peers { want, ..frame }, now);
    }

    /// What that neighbour is told: all other neighbours, then members that were heard of lately.
    pub(super) fn peers_for(&self, peer: PeerId, room: RoomTag, now: Timestamp) -> Peers {
        let author_of = |(at, link, _): (PeerId, &crate::links::Link, _)| {
            let side = link.rooms.get(&room).filter(|_| at != peer)?;
            Some(side.author)
        };
        let whom = self
            .links
            .get(&peer)
            .and_then(|link| link.rooms.get(&room))
            .map(|side| side.author);
        let neighbours = self.standing().filter_map(author_of);
        let neighbours: Vec<_> = neighbours.filter(|&a| Some(a) != whom).collect();
        let linked = u8::try_from(neighbours.len()).unwrap_or(u8::MAX);
        let lively = self.overlay.views.get(&room).into_iter();
        let lively = lively.flat_map(|view| view.lively(now).take(limits::LIVELY_TOLD));
        let mut authors = neighbours
            .into_iter()
            .chain(lively)
            .filter(|&a| Some(a) != whom);
        Peers {
            room: room.short(),
            links: u8::try_from(self.standing().count()).unwrap_or(u8::MAX),
            want: false,
            part: false,
            closing: false,
            authors: Capped::take_from(&mut authors),
            neighbours: Some(linked),
        }
    }

    pub(super) fn send_peers(&mut self, peer: PeerId, frame: Peers, now: Timestamp) {
        let grade = self.grade();
        if let Some(ends) = self.overlay.links.get_mut(&peer) {
            ends.told = Some((now, grade));
            self.send(peer, Frame::Peers(frame), Lane::Ordered);
        }
    }

    /// Neighbours choose by it whom they may leave: they hear when it changes.
    pub(super) fn tell_grade(&mut self, now: Timestamp) {
        let grade = self.grade();
        let is_news = |told: Option<(Timestamp, Grade)>| {
            told.is_none_or(|(at, was)| was != grade && elapsed(at, now, limits::TELL_EVERY))
        };
        let untold: Vec<_> = self
            .standing()
            .filter(|(_, _, ends)| is_news(ends.told))
            .filter_map(|(peer, ..)| Some((peer, self.some_room(peer)?)))
            .collect();
        let links = u8::try_from(self.standing().count()).unwrap_or(u8::MAX);
        for (peer, room) in untold {
            let frame = Peers {
                room: room.short(),
                links,
                want: false,
                part: false,
                closing: false,
                authors: Capped::default(),
                neighbours: None,
            };
            self.send_peers(peer, frame, now);
        }
    }

    /// Asks a neighbour for candidates: soon and often while links are missing, seldom otherwise.
    pub(super) fn ask_for_peers(&mut self, now: Timestamp) {
        let short = self.is_short();
        let due = |at: Timestamp| now >= at;
        if short && due(self.overlay.ask_at) {
            let pause = self.overlay.ask_pause.max(limits::ASK_PAUSE);
            self.overlay.ask_at = now.after(self.jittered(pause));
            self.overlay.ask_pause = pause.saturating_mul(2).min(limits::SHUFFLE_EVERY);
        } else if due(self.overlay.shuffle_at) {
            let first = self.overlay.shuffle_at == Timestamp::default();
            self.overlay.shuffle_at = now.after(self.jittered(limits::SHUFFLE_EVERY));
            if first {
                return;
            }
        } else {
            return;
        }
        // Of the rooms the poorest, of its neighbours any.
        let poorest = self.rooms.keys().map(|&r| (self.have(r), r));
        let Some((have, room)) = poorest.filter(|&(have, _)| have > 0).min() else {
            return;
        };
        let nth = self.roll().checked_rem(have as u64).unwrap_or(0);
        let asked = self
            .standing()
            .filter(|(_, link, _)| link.rooms.contains_key(&room))
            .map(|(peer, ..)| peer)
            .nth(usize::try_from(nth).unwrap_or(0));
        if let Some(peer) = asked {
            self.tell(peer, room, true, now);
        }
    }

    /// A room under whose name a link can be spoken about.
    pub(super) fn some_room(&self, peer: PeerId) -> Option<RoomTag> {
        let rooms = self.links.get(&peer)?.rooms.keys();
        rooms.copied().find(|room| self.rooms.contains_key(room))
    }

    /// A room no longer runs over a link because its other end left it.
    pub(super) fn forget_author(&mut self, peer: PeerId, room: RoomTag) {
        let side = self.links.get(&peer).and_then(|link| link.rooms.get(&room));
        let author: Option<AuthorId> = side.map(|side| side.author);
        if let (Some(author), Some(view)) = (author, self.overlay.views.get_mut(&room)) {
            view.forget(author);
        }
    }
}
