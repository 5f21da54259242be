//! Letting a joiner in, and coming in oneself. The frames are described in `wire::join`.

use peddlenet_crypto::{verify_join, verify_voucher, welcome_proof};
use peddlenet_gossip::{Lane, PeerId};
use peddlenet_peer::{LinkReceiver, LinkSender};
use peddlenet_wire::{
    AuthorId, Capped, Frame, InviteKey, RoomId, RoomTag, SignedEvent, Stream,
    content::{Admit, Membership, Role},
    join::{JoinRequest, Refuse, Welcome},
};

use super::{
    Actor, Reply,
    dial::{DIRECT, To},
    links::Standing,
    nearby::named,
};
use crate::{
    api::{Event, JoinStage},
    clock,
    error::ErrorCode,
    room::Room,
};

/// What the joining task brings home: an authenticated link, and the room of the code, which was checked.
pub(crate) struct Arrival {
    pub(crate) sender: LinkSender,
    pub(crate) receiver: LinkReceiver,
    pub(crate) room: Room,
    /// What proves it, from `create` to this device's own admit.
    pub(crate) events: Vec<SignedEvent>,
    /// Which way it came up.
    pub(crate) via: &'static str,
}

impl Actor {
    /// A holder of a code asks to be let in. Once a link: whoever was answered asks no more.
    pub(super) fn on_join_request(&mut self, peer: PeerId, gate: InviteKey, request: &JoinRequest) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.standing = Standing::Asked;
        }
        if let Err(refuse) = self
            .may_join(peer, gate, request)
            .and_then(|tag| self.admit(peer, tag, request))
        {
            tracing::debug!(?peer, code = refuse.code, "joiner refused");
            self.stats.joins_refused += 1;
            // The joiner closes the link once it has read this; its patience timer does it otherwise.
            self.send_frame(peer, &Frame::Refuse(refuse), Lane::Ordered);
        }
    }

    /// Whether a request holds together and its invite still lets someone in, and to which room.
    fn may_join(
        &self,
        peer: PeerId,
        gate: InviteKey,
        request: &JoinRequest,
    ) -> Result<RoomTag, Refuse> {
        let link = self.links.get(&peer).ok_or(refuse(Refuse::BAD_REQUEST))?;
        let room = self
            .room(request.room)
            .map_err(|_| refuse(Refuse::UNKNOWN))?;
        let invite = room
            .roster
            .invite(request.invite)
            .ok_or(refuse(Refuse::UNKNOWN))?;
        let proven = verify_join(request.author, &link.hash, request.room, &request.proof)
            .and_then(|()| {
                verify_voucher(
                    request.invite,
                    request.room,
                    request.author,
                    &request.voucher,
                )
            });
        if gate != request.invite || proven.is_err() || room.roster.is_member(request.author) {
            return Err(refuse(Refuse::BAD_REQUEST));
        }
        if !room.roster.may_invite(room.me()) {
            // Somebody else must answer.
            return Err(refuse(Refuse::UNKNOWN));
        }
        if room.roster.is_closed() {
            return Err(refuse(Refuse::CLOSED));
        }
        if invite.revoked {
            return Err(refuse(Refuse::REVOKED));
        }
        let now = clock::now();
        if invite.expires <= now {
            let detail = u64::try_from(now.since(invite.expires).as_millis()).unwrap_or(u64::MAX);
            return Err(Refuse {
                code: Refuse::EXPIRED,
                detail,
            });
        }
        // Admits that are still on their way to the disk count, too.
        let under_way = self
            .admitting
            .iter()
            .filter(|(key, _)| *key == request.invite)
            .count();
        if u64::from(invite.used) + under_way as u64 >= u64::from(invite.uses) {
            return Err(refuse(Refuse::USED_UP));
        }
        if room.roster.is_full() {
            return Err(refuse(Refuse::FULL));
        }
        Ok(room.tag)
    }

    fn admit(&mut self, peer: PeerId, tag: RoomTag, request: &JoinRequest) -> Result<(), Refuse> {
        let admit = Membership::Admit(Admit {
            author: request.author,
            invite: request.invite,
            voucher: request.voucher,
            role: Role::Member,
        });
        let event = self
            .seal(tag, Stream::MEMBERSHIP, &admit.to_bytes())
            .map_err(|_| refuse(Refuse::UNKNOWN))?;
        let slot = (request.invite, request.author);
        self.admitting.insert(slot);
        self.publish(event, move |actor, event| {
            actor.admitting.remove(&slot);
            // Where the past is not shared an epoch begins with the joiner.
            actor.begin_epoch_if_needed(tag);
            actor.welcome(peer, tag, event);
        });
        Ok(())
    }

    /// The admit is on disk: hand over the keys, and treat the link as a member's from here on.
    fn welcome(&mut self, peer: PeerId, tag: RoomTag, admit: &SignedEvent) {
        let (Some(link), Some(room)) = (self.links.get_mut(&peer), self.rooms.get(&tag)) else {
            return;
        };
        let proof = room.roster.create().zip(room.roster.credentials(room.me()));
        let Some((create, credentials)) = proof else {
            // Too far from the creator to prove anything to a stranger: somebody nearer must answer.
            let frame = Frame::Refuse(refuse(Refuse::UNKNOWN));
            self.send_frame(peer, &frame, Lane::Ordered);
            return;
        };
        let mut events = [vec![create.clone()], credentials, vec![admit.clone()]]
            .concat()
            .into_iter();
        link.standing = Standing::Member;
        let welcome = Welcome {
            author: room.me(),
            proof: welcome_proof(room.key(), &link.hash, room.id),
            epochs: room.grants(admit_of(admit, room)),
            events: Capped::take_from(&mut events),
        };
        self.stats.joins_admitted += 1;
        self.send_frame(peer, &Frame::Welcome(welcome), Lane::Ordered);
        self.offer_rooms(peer);
    }

    /// This device was let in: keep the room, and open it.
    pub(crate) fn arrive(&mut self, arrival: Arrival, reply: Reply<()>) {
        let Arrival {
            sender,
            receiver,
            room,
            events,
            via,
        } = arrival;
        // Two joins of one room ran side by side; or another room took the tag of one that is here.
        let taken = [
            (self.by_id.contains_key(&room.id), ErrorCode::BadRequest),
            (self.rooms.contains_key(&room.tag), ErrorCode::WrongHost),
        ];
        if let Some((_, code)) = taken.into_iter().find(|(taken, _)| *taken) {
            return drop(reply.send(Err(code.into())));
        }
        let (tag, link) = (room.tag, (sender, receiver));
        self.save_new_room(room, &events, move |actor, outcome| {
            if let Err(e) = outcome {
                return drop(reply.send(Err(e)));
            }
            actor.events.emit(Event::Join(JoinStage::Fetching));
            actor.settle_in(tag);
            actor.fetching = Some(tag);
            actor.adopt(link, Standing::Member, via);
            // Joined means joined under one's name.
            actor.say_name(tag, move || drop(reply.send(Ok(()))));
        });
    }

    /// A code of a room that this device is in already: no new member, but a way to find each other
    /// again when every address has changed.
    pub(crate) fn rejoin(
        &mut self,
        id: RoomId,
        fingerprint: peddlenet_wire::Fingerprint,
        addrs: Vec<std::net::SocketAddr>,
    ) -> bool {
        let Ok(tag) = self.tag(id) else { return false };
        if !self.endpoint.has_certificate(fingerprint) {
            let to = To {
                author: None,
                fingerprint: named(fingerprint),
                epoch: None,
            };
            self.dial_device(tag, to, addrs, DIRECT);
        }
        true
    }
}

/// Whom an admit lets in.
fn admit_of(admit: &SignedEvent, room: &Room) -> AuthorId {
    match room.open_membership(admit) {
        Some(Membership::Admit(admit)) => admit.author,
        // It was sealed here a moment ago.
        _ => AuthorId::ZERO,
    }
}

fn refuse(code: u16) -> Refuse {
    Refuse { code, detail: 0 }
}
