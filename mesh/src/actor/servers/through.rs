//! Members who meet through a server: as through those between them ([`meet`](super::super::meet)), and greetings to
//! all of the room who are there.

use peddlenet_crypto::MeetingTag;
use peddlenet_gossip::Input;
use peddlenet_peer::ServerUrl;
use peddlenet_wire::{AuthorId, RoomTag, SignedRecord, limits, rendezvous::Signal};

use super::{Actor, Place};
use crate::{
    actor::{
        dial::{SERVER, TURN, To},
        links::LINKS_OPEN,
        meet::Offer,
    },
    entropy,
};

impl Actor {
    /// Says to all of a room who are on a tag that this device is there, too.
    pub(super) fn greet(&mut self, url: &ServerUrl, room: RoomTag, tag: MeetingTag) {
        let at = url.clone();
        self.once_seen(url, move |actor| {
            let offer = Offer {
                to: AuthorId::ZERO,
                id: entropy::bytes(),
                answer: false,
                addrs: actor.addrs_inside_and_out(),
                relay: None,
            };
            if let Some(record) = actor.meet_record(room, offer) {
                actor.say_there(&at, tag, &Signal::Record(record.to_bytes()));
            }
        });
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
        let Some(id) = self.new_meeting(room, to) else {
            return false;
        };
        for (url, tag) in &tags {
            let (at, tag) = (url.clone(), *tag);
            self.once_seen(url, move |actor| {
                let offer = Offer {
                    to,
                    id,
                    answer: false,
                    addrs: actor.addrs_inside_and_out(),
                    relay: relay.then_some(true),
                };
                if let Some(record) = actor.meet_record(room, offer) {
                    actor.say_there(&at, tag, &Signal::Record(record.to_bytes()));
                }
            });
        }
        !tags.is_empty()
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
        if self.server_others_unknown(url, tag) {
            // Whoever came later than this device is one of them.
            self.note_other(url, tag);
        }
        if meet.to == AuthorId::ZERO {
            self.serve_too(room, Some(from));
            return self.feed(Input::Near {
                room,
                authors: vec![from],
            });
        }
        let addrs: Vec<_> = meet.addresses.iter().map(|a| a.0).collect();
        let relayed = meet.relay == Some(true);
        if meet.answer {
            if !self.end_meeting(meet.id, room, from) {
                return;
            }
            if !self.linked_to(room, from) {
                let via = if relayed { TURN } else { SERVER };
                self.expect(&addrs, via);
                self.dial_device(room, To::member(from, meet.fingerprint), addrs, via);
            }
            return self.way_ended(room, from);
        }
        if self.is_linked_still(room, from) {
            return;
        }
        let full = self.link_count() >= LINKS_OPEN;
        let (at, id) = (url.clone(), meet.id);
        let answer = move |actor: &mut Self, addrs, relay: bool| {
            let offer = Offer {
                to: from,
                id,
                answer: true,
                addrs,
                relay: relay.then_some(true),
            };
            if let Some(record) = actor.meet_record(room, offer) {
                actor.say_there(&at, tag, &Signal::Record(record.to_bytes()));
            }
        };
        self.expect(&addrs, SERVER);
        if full {
            return answer(self, Vec::new(), false);
        }
        self.endpoint.expect(addrs.clone(), limits::JOIN_DEADLINE);
        if relayed {
            self.with_relay(url, &addrs, move |actor, there| {
                answer(actor, vec![there], true);
            });
            return;
        }
        self.once_seen(url, move |actor| {
            let own = actor.addrs_inside_and_out();
            answer(actor, own, false);
        });
        self.dial_device(room, To::member(from, meet.fingerprint), addrs, SERVER);
    }

    fn server_others_unknown(&self, url: &ServerUrl, tag: MeetingTag) -> bool {
        let server = self.servers.all.get(url);
        server.is_some_and(|server| server.others.get(&tag).is_none_or(|others| *others == 0))
    }

    fn note_other(&mut self, url: &ServerUrl, tag: MeetingTag) {
        if let Some(server) = self.servers.all.get_mut(url) {
            server.others.insert(tag, 1);
        }
    }
}
