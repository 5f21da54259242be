//! Codes that this device shows.

use std::net::{IpAddr, SocketAddr};

use peddlenet_crypto::InviteKeys;
use peddlenet_room::InviteEntry;
use peddlenet_wire::{
    Fingerprint, Invite, RoomId, Stream, Timestamp,
    content::{InviteOpened, Membership, RevokeInvite},
    invite::InviteSecret,
    limits,
};

use super::{Actor, Reply};
use crate::{
    api::{InviteId, InviteInfo, InviteOptions, OpenInvite},
    clock, entropy,
    error::{Error, ErrorCode},
};

/// Addresses of each family in a code (count): more make the QR denser, and a device rarely has more
/// that help.
const ADDRESSES_OF_A_FAMILY: usize = 3;

/// Stands for any number of uses.
const ANY_NUMBER: u32 = u32::MAX;

impl Actor {
    /// The invites of a room that let somebody in now, those that end first first.
    pub(crate) fn open_invites(&self, id: RoomId) -> Result<Vec<OpenInvite>, Error> {
        let (room, now) = (self.room(id)?, clock::now());
        let open = |(id, entry): (InviteId, InviteEntry)| OpenInvite {
            id,
            by: entry.by,
            mine: entry.by == room.me(),
            expires: entry.expires,
            uses: (entry.uses != ANY_NUMBER).then_some(entry.uses),
            used: entry.used,
            poster: entry.poster,
        };
        let invites = room.roster.invites();
        let mut invites: Vec<_> = invites
            .filter(|(_, entry)| is_open(entry, now))
            .map(open)
            .collect();
        invites.sort_by_key(|invite| (invite.expires, invite.id));
        Ok(invites)
    }

    /// Codes by which this device lets somebody in now, over all rooms; those that end last first.
    pub(super) fn codes_to_answer(&self, now: Timestamp) -> Vec<InviteId> {
        let may = |room: &&crate::room::Room| {
            room.roster.may_invite(room.me()) && !room.roster.is_closed()
        };
        let open = |room: &crate::room::Room| {
            let invites = room.roster.invites().filter(|(_, e)| is_open(e, now));
            let invites: Vec<_> = invites.map(|(id, entry)| (entry.expires, id)).collect();
            invites
        };
        let mut all: Vec<_> = self.rooms.values().filter(may).flat_map(open).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether a code names no place of this device's, so that whoever has it found this device by itself: it is printed, or
    /// another's.
    pub(super) fn leads_nowhere(&self, id: InviteId) -> bool {
        let invite = |room: &crate::room::Room| Some((room.roster.invite(id)?, room.me()));
        let mut found = self.rooms.values().filter_map(invite);
        found.any(|(entry, me)| entry.poster || entry.by != me)
    }

    /// Opens an invite and makes its code. The secret lives in the code alone: the room learns the
    /// public half, and this device forgets the rest.
    pub(crate) fn invite(&mut self, id: RoomId, options: InviteOptions, reply: Reply<InviteInfo>) {
        match self.open_invite(id, options) {
            Ok((info, event)) => self.publish(event, move |_, _| drop(reply.send(Ok(info)))),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    fn open_invite(
        &mut self,
        id: RoomId,
        options: InviteOptions,
    ) -> Result<(InviteInfo, peddlenet_wire::SignedEvent), Error> {
        let tag = self.tag(id)?;
        self.must_be_in(tag)?;
        let room = self.room(id)?;
        if !room.roster.may_invite(room.me()) {
            return Err(ErrorCode::NotAllowed.into());
        }
        if room.roster.is_closed() {
            return Err(ErrorCode::RoomClosed.into());
        }
        let now = clock::now();
        let open = |room: &crate::room::Room| {
            let mine = |e: &InviteEntry| e.by == room.me() && is_open(e, now);
            room.roster.invites().filter(|(_, e)| mine(e)).count()
        };
        if self.rooms.values().map(open).sum::<usize>() >= limits::OPEN_INVITES_MAX {
            return Err(ErrorCode::TooManyInvites.into());
        }
        let InviteOptions { ttl, uses, poster } = options;
        let (port, addresses, fingerprint) = match poster {
            // Whoever of the room is near answers; no address stays true for days.
            true => (0, Vec::new(), Fingerprint::ZERO),
            false => {
                let (port, addresses) = self.invite_addresses();
                (port, addresses, self.endpoint.fingerprint())
            }
        };
        let secret = InviteSecret(entropy::bytes());
        let key = InviteKeys::from_secret(&secret).public();
        // Whole seconds, since the code counts those: both ends speak of the same moment.
        let expires =
            Timestamp(u64::from(now.after(ttl.min(limits::INVITE_TTL_MAX)).unix_seconds()) * 1000);
        let invite = Invite {
            expires: expires.unix_seconds(),
            room: id,
            port,
            addresses,
            fingerprint,
            secret,
            server: self.server_to_name(tag),
        };
        if !poster {
            self.need_certificate(expires.after(super::links::REFUSAL_SPAN));
        }
        let opened = Membership::Invite(InviteOpened {
            key,
            expires,
            uses: uses.unwrap_or(ANY_NUMBER),
            poster: poster.then_some(true),
        });
        let event = self.seal(tag, Stream::MEMBERSHIP, &opened.to_bytes())?;
        let info = InviteInfo {
            id: key,
            link: invite.to_link(),
            bytes: invite.to_bytes().len(),
            expires,
        };
        Ok((info, event))
    }

    /// A code names one port; where several were asked for, the others' addresses don't fit in.
    fn invite_addresses(&self) -> (u16, Vec<IpAddr>) {
        let all = self.endpoint.local_addrs();
        let port = all.first().map_or(0, SocketAddr::port);
        let all: Vec<IpAddr> = all
            .iter()
            .filter(|a| a.port() == port)
            .map(SocketAddr::ip)
            .collect();
        let v4 = all
            .iter()
            .filter(|ip| ip.is_ipv4())
            .take(ADDRESSES_OF_A_FAMILY);
        let v6 = all
            .iter()
            .filter(|ip| ip.is_ipv6())
            .take(ADDRESSES_OF_A_FAMILY);
        (port, v4.chain(v6).copied().collect())
    }

    pub(crate) fn revoke(&mut self, id: RoomId, invite: InviteId, reply: Reply<()>) {
        let sealed = self.room(id).and_then(|room| {
            let tag = room.tag;
            room.roster
                .invite(invite)
                .map(|_| tag)
                .ok_or(ErrorCode::InviteNotFound.into())
        });
        let revoke = Membership::RevokeInvite(RevokeInvite { key: invite }).to_bytes();
        match sealed.and_then(|tag| self.seal(tag, Stream::MEMBERSHIP, &revoke)) {
            Ok(event) => self.publish(event, move |_, _| drop(reply.send(Ok(())))),
            Err(e) => drop(reply.send(Err(e))),
        }
    }
}

fn is_open(invite: &InviteEntry, now: Timestamp) -> bool {
    !invite.revoked && invite.expires > now && invite.used < invite.uses
}
