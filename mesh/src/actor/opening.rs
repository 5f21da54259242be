//! Which rooms are open on which link.
//!
//! ```text
//!  link up -> Rooms (offers) both ways -> for each room that both are in: Open both ways -> PeerUp
//! ```
//!
//! A room is open on a link once this side has said who it is there and the other side has proven
//! the same. One link serves every shared room. Two links to one member are one too many: of two
//! that came up together both ends keep the one with the smaller handshake hash, else the newer.

use std::time::Duration;

use peddlenet_crypto::{open_proof, room_offer, verify_open};
use peddlenet_gossip::{Input, Lane, PeerId};
use peddlenet_wire::{
    AuthorId, Capped, EpochId, Frame, RoomTag,
    frame::{Close, NeedEpochs, Open, Rooms},
};

use super::{
    Actor,
    dial::DIRECT,
    links::{LinkState, Standing},
};

/// Links younger than that came up together.
const TOGETHER: Duration = Duration::from_secs(3);

/// How far a room's opening got on a link.
#[derive(Default)]
pub(super) struct Opening {
    said: bool,
    heard: Option<AuthorId>,
    /// What the other end said, while it can't be believed for lack of keys.
    doubted: Option<Box<Open>>,
}

impl Opening {
    pub(super) fn author(&self) -> Option<AuthorId> {
        self.heard.filter(|_| self.said)
    }

    /// Who the other end has proven to be, whether or not this side has answered.
    pub(super) fn heard(&self) -> Option<AuthorId> {
        self.heard
    }
}

impl Actor {
    pub(super) fn offer_rooms(&mut self, peer: PeerId) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        let hash = link.hash;
        let mut offers = self.rooms.keys().map(|tag| room_offer(&hash, *tag));
        let frame = Frame::Rooms(Rooms {
            offers: Capped::take_from(&mut offers),
        });
        self.send_frame(peer, &frame, Lane::Ordered);
    }

    /// After a room was made or joined: perhaps a neighbour is in it, too.
    pub(super) fn offer_rooms_everywhere(&mut self) {
        let settled: Vec<_> = self
            .links
            .iter()
            .filter(|(_, l)| l.standing == Standing::Member)
            .map(|(p, _)| *p)
            .collect();
        for peer in settled {
            self.offer_rooms(peer);
        }
    }

    pub(super) fn on_rooms(&mut self, peer: PeerId, rooms: &Rooms) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        let shared: Vec<RoomTag> = self
            .rooms
            .keys()
            .filter(|tag| rooms.offers.contains(&room_offer(&link.hash, **tag)))
            .copied()
            .collect();
        for tag in shared {
            self.say_open(peer, tag);
        }
    }

    /// Says who this device is in a room, once a link.
    pub(super) fn say_open(&mut self, peer: PeerId, tag: RoomTag) {
        let (Some(link), Some(room)) = (self.links.get_mut(&peer), self.rooms.get(&tag)) else {
            return;
        };
        let opening = link.rooms.entry(tag).or_default();
        if opening.said {
            return;
        }
        opening.said = true;
        // A credential that is too long to show leaves the list empty: most neighbours know us anyway.
        let credentials = room.roster.credentials(room.me()).unwrap_or_default();
        let frame = Frame::Open(Open {
            room: tag,
            author: room.me(),
            proof: open_proof(room.key(), &link.hash, tag, link.dialed),
            credentials: Capped::try_from(credentials).unwrap_or_default(),
        });
        self.send_frame(peer, &frame, Lane::Ordered);
        self.opened(peer, tag);
    }

    pub(super) fn on_open(&mut self, peer: PeerId, open: &Open) {
        let (Some(link), Some(room)) = (self.links.get(&peer), self.rooms.get(&open.room)) else {
            return;
        };
        let proven = verify_open(
            open.author,
            &link.hash,
            open.room,
            !link.dialed,
            &open.proof,
        )
        .is_ok();
        let said_before = link
            .rooms
            .get(&open.room)
            .is_some_and(|o| o.heard.is_some());
        if said_before {
            return;
        }
        if !proven || open.author == room.me() {
            tracing::warn!(?peer, author = ?open.author, proven, "room not opened");
            return;
        }
        let known =
            room.roster.is_member(open.author) || room.vouched(&open.credentials, open.author);
        if !known || !room.is_in() {
            return self.doubt(peer, open);
        }
        if let Some(link) = self.links.get_mut(&peer) {
            link.rooms.entry(open.room).or_default().heard = Some(open.author);
        }
        self.say_open(peer, open.room);
        self.opened(peer, open.room);
    }

    /// The other end holds its key, but is no member for all that this device knows. Either it was
    /// removed, and is shown why; or its credentials are sealed under keys that are missing here, and
    /// are asked for.
    fn doubt(&mut self, peer: PeerId, open: &Open) {
        let (Some(link), Some(room)) = (self.links.get_mut(&peer), self.rooms.get(&open.room))
        else {
            return;
        };
        let sealed = open.credentials.iter().map(|event| event.header().epoch);
        let mut missing: Vec<_> = sealed
            .filter(|epoch| room.ring.keys(*epoch).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let opening = link.rooms.entry(open.room).or_default();
        let again = opening.doubted.replace(Box::new(open.clone())).is_some();
        tracing::debug!(?peer, author = ?open.author, missing = missing.len(), "room not opened");
        if room.is_in() && room.roster.proof_of_removal(open.author).is_some() {
            if !again {
                self.show_removal(peer, open.room, open.author);
            }
        } else if !missing.is_empty() && !again {
            let frame = Frame::NeedEpochs(NeedEpochs {
                room: open.room,
                epochs: Capped::take_from(&mut missing.into_iter()),
            });
            self.say_open(peer, open.room);
            self.send_frame(peer, &frame, Lane::Ordered);
        }
    }

    /// Whether the other end's credentials wait for these keys.
    pub(super) fn awaits(&self, peer: PeerId, tag: RoomTag, epoch: EpochId) -> bool {
        let opening = self.links.get(&peer).and_then(|link| link.rooms.get(&tag));
        let open = opening.and_then(|opening| opening.doubted.as_ref());
        open.is_some_and(|open| open.credentials.iter().any(|e| e.header().epoch == epoch))
    }

    /// Keys or acts came over a link: perhaps its other end can be believed now.
    pub(super) fn retry_open(&mut self, peer: PeerId, tag: RoomTag) {
        let link = self.links.get_mut(&peer);
        let opening = link.and_then(|link| link.rooms.get_mut(&tag));
        if let Some(open) = opening.and_then(|opening| opening.doubted.take()) {
            self.on_open(peer, &open);
        }
    }

    /// Once both sides have said who they are, the room is open on the link.
    fn opened(&mut self, peer: PeerId, tag: RoomTag) {
        let Some(author) = self.author_on(peer, tag) else {
            return;
        };
        if let Some(other) = self.other_link_to(peer, tag, author) {
            let loser = self.worse_of(peer, other);
            tracing::debug!(?loser, "two links to one member");
            if loser == peer {
                return self.drop_link(peer);
            }
            self.drop_link(other);
        }
        if let Some(via) = self.meetings.asked_by(tag, author)
            && let Some(link) = self.links.get_mut(&peer)
            && !link.dialed
            && link.via == DIRECT
        {
            // Their dial was here before their answer.
            link.via = via;
        }
        let called = self.links.get(&peer).filter(|link| !link.dialed);
        let by = called.map(|link| link.via);
        self.note_offers(tag, author, by);
        self.dial_answered(tag, author);
        self.feed(Input::PeerUp {
            peer,
            room: tag,
            author,
        });
        self.refresh_reach(tag, author);
        self.announce(tag);
    }

    pub(super) fn author_on(&self, peer: PeerId, tag: RoomTag) -> Option<AuthorId> {
        self.links.get(&peer)?.rooms.get(&tag)?.author()
    }

    fn other_link_to(&self, peer: PeerId, tag: RoomTag, author: AuthorId) -> Option<PeerId> {
        self.links
            .iter()
            .find(|(p, l)| {
                **p != peer && l.rooms.get(&tag).and_then(Opening::author) == Some(author)
            })
            .map(|(p, _)| *p)
    }

    fn worse_of(&self, newer: PeerId, older: PeerId) -> PeerId {
        let (Some(n), Some(o)) = (self.links.get(&newer), self.links.get(&older)) else {
            return older;
        };
        if o.since.elapsed() > TOGETHER || n.hash < o.hash {
            older
        } else {
            newer
        }
    }

    pub(super) fn on_close(&mut self, peer: PeerId, tag: RoomTag) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(opening) = link.rooms.remove(&tag) else {
            return;
        };
        self.feed(Input::RoomDown { peer, room: tag });
        let (Some(author), Some(room)) = (opening.author(), self.rooms.get_mut(&tag)) else {
            return;
        };
        if let Some(last) = room.heard.get_mut(&author) {
            // It left, so its last sign of life stands for nothing.
            last.at = None;
        }
        self.refresh_reach(tag, author);
    }

    /// Closes a room on every link that has it open.
    pub(super) fn close_room_on_links(&mut self, tag: RoomTag) {
        let peers: Vec<_> = self
            .links
            .iter()
            .filter(|(_, l)| l.rooms.contains_key(&tag))
            .map(|(p, _)| *p)
            .collect();
        for peer in peers {
            self.send_frame(peer, &Frame::Close(Close { room: tag }), Lane::Ordered);
            self.on_close(peer, tag);
        }
    }

    pub(super) fn linked_to(&self, tag: RoomTag, author: AuthorId) -> bool {
        self.link_to(tag, author).is_some()
    }

    /// A link on which a room is open with that member.
    pub(super) fn link_to(&self, tag: RoomTag, author: AuthorId) -> Option<&LinkState> {
        self.links
            .values()
            .find(|l| l.rooms.get(&tag).and_then(Opening::author) == Some(author))
    }

    /// Members of a room at the other ends of links.
    pub(super) fn neighbours(&self, tag: RoomTag) -> usize {
        self.links
            .values()
            .filter(|l| l.rooms.get(&tag).and_then(Opening::author).is_some())
            .count()
    }
}
