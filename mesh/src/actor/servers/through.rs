//! Members who meet through a server: as through those between them ([`meet`](super::super::meet)), and greetings to
//! all of the room who are there.

use peddlenet_crypto::MeetingTag;
use peddlenet_gossip::Input;
use peddlenet_peer::ServerUrl;
use peddlenet_wire::{AuthorId, RoomTag, SignedRecord, limits, meet::Meet, rendezvous::Signal};

use super::{Actor, Place};
use crate::{
    actor::{
        dial::{SERVER, TURN},
        links::LINKS_OPEN,
        meet::{EXPECTED_FOR, Offer},
        whereabouts::addrs_of,
    },
    entropy,
};

impl Actor {
    /// Says to all of a room who are on a tag that this device is there, too.
    pub(super) fn greet(&self, url: &ServerUrl, room: RoomTag, tag: MeetingTag) {
        self.offer_there(url, tag, room, AuthorId::ZERO, entropy::bytes(), false);
    }

    /// Says where this device is, once the server has said how it looks from there.
    fn offer_there(
        &self,
        url: &ServerUrl,
        tag: MeetingTag,
        room: RoomTag,
        to: AuthorId,
        id: [u8; 8],
        relay: bool,
    ) {
        let at = url.clone();
        self.once_seen(url, move |actor| {
            let offer = Offer {
                to,
                id,
                answer: false,
                addrs: actor.addrs_inside_and_out(),
                relay,
            };
            actor.say_meet(&at, tag, room, offer);
        });
    }

    fn say_meet(&mut self, url: &ServerUrl, tag: MeetingTag, room: RoomTag, offer: Offer) {
        if let Some(record) = self.meet_record(room, offer) {
            self.say_there(url, tag, &Signal::Record(record.to_bytes()));
        }
    }

    /// Whether others of that room are at a server now.
    pub(in crate::actor) fn is_met_at_servers(&self, room: RoomTag) -> bool {
        !self.tags_with_others(room).is_empty()
    }

    fn tags_with_others(&self, room: RoomTag) -> Vec<(ServerUrl, MeetingTag)> {
        let mut out = Vec::new();
        for (url, server) in &self.servers.all {
            for (tag, (place, _)) in &server.places {
                let others = server.others.get(tag).is_some_and(|others| *others > 0);
                if others && matches!(place, Place::Room(of, _) if *of == room) {
                    out.push((url.clone(), *tag));
                }
            }
        }
        out
    }

    /// Asks a member to meet, wherever others of the room are. False when there is no such place.
    pub(in crate::actor) fn offer_at_servers(
        &mut self,
        room: RoomTag,
        to: AuthorId,
        relay: bool,
    ) -> bool {
        let tags = self.tags_with_others(room);
        if tags.is_empty() {
            return false;
        }
        let via = if relay { TURN } else { SERVER };
        let Some(id) = self.new_meeting(room, to, via) else {
            return false;
        };
        for (url, tag) in &tags {
            self.offer_there(url, *tag, room, to, id, relay);
        }
        true
    }

    /// A member said something on a room's tag.
    pub(super) fn on_record_there(
        &mut self,
        url: &ServerUrl,
        room: RoomTag,
        tag: MeetingTag,
        payload: &[u8],
    ) {
        let Ok(record) = SignedRecord::from_bytes(payload) else {
            return;
        };
        let from = record.header().author;
        let Some(meet) = self.read_meet(room, from, payload) else {
            return;
        };
        if let Some(server) = self.servers.all.get_mut(url) {
            // Whoever came later than this device is one of them.
            let others = server.others.entry(tag).or_default();
            *others = (*others).max(1);
        }
        if meet.to == AuthorId::ZERO {
            self.serve_too(room, Some(from));
            return self.feed(Input::Near {
                room,
                authors: vec![from],
            });
        }
        let relayed = meet.relay == Some(true);
        if meet.answer {
            let via = if relayed { TURN } else { SERVER };
            return self.follow_answer(room, from, &meet, via);
        }
        let url = url.clone();
        self.unless_linked(room, from, move |actor| {
            actor.answer_there(&url, room, tag, (from, &meet));
        });
    }

    /// Answers a member's offer at a server.
    fn answer_there(
        &mut self,
        url: &ServerUrl,
        room: RoomTag,
        tag: MeetingTag,
        (from, meet): (AuthorId, &Meet),
    ) {
        let relayed = meet.relay == Some(true);
        let full = self.link_count() >= LINKS_OPEN;
        let (at, id) = (url.clone(), meet.id);
        let answer = move |actor: &mut Self, addrs, relay| {
            let offer = Offer {
                to: from,
                id,
                answer: true,
                addrs,
                relay,
            };
            actor.say_meet(&at, tag, room, offer);
        };
        if full {
            return answer(self, Vec::new(), false);
        }
        let addrs = addrs_of(&meet.addresses);
        self.endpoint.expect(addrs.clone(), limits::JOIN_DEADLINE);
        if relayed {
            self.expect(&addrs, SERVER, EXPECTED_FOR);
            return self.with_relay(url, &addrs, move |actor, there| {
                answer(actor, vec![there], true);
            });
        }
        self.once_seen(url, move |actor| {
            let own = actor.addrs_inside_and_out();
            answer(actor, own, false);
        });
        self.dial_met(room, from, meet, SERVER);
    }
}
