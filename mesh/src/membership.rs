//! Who belongs to a room: stream 0, folded into a set.
//!
//! Pure. Authority comes from the signed graph, never from who arrived first: an event counts once
//! its author is a member, and the fold gives the same result in whatever order the events came.
//!
//! ```text
//!  create (owner) --+-- invite P --- admit B, voucher by P --+-- profile "Bea"
//!                   |                                        +-- invite Q --- admit C ..
//!                   +-- profile "Ada"
//! ```

use std::collections::BTreeMap;

use peddlenet_crypto::verify_voucher;
use peddlenet_wire::{
    AuthorId, Hlc, InviteKey, RoomId, RoomTag, SignedEvent, Stream, Timestamp,
    codec::Name,
    content::{Admit, Membership, Role},
    limits,
};

/// The members and invites of one room as this device knows them.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    room: RoomId,
    tag: RoomTag,
    name: Name,
    create: Option<SignedEvent>,
    members: BTreeMap<AuthorId, MemberEntry>,
    invites: BTreeMap<InviteKey, InviteEntry>,
}

/// One member.
#[derive(Debug, Clone)]
pub(crate) struct MemberEntry {
    pub(crate) role: Role,
    pub(crate) name: Name,
    name_clock: Hlc,
    /// The event that let them in and the invite it names; none for the owner.
    admit: Option<(SignedEvent, InviteKey)>,
}

/// One invite.
#[derive(Debug, Clone)]
pub(crate) struct InviteEntry {
    pub(crate) by: AuthorId,
    pub(crate) expires: Timestamp,
    pub(crate) uses: u32,
    pub(crate) used: u32,
    pub(crate) revoked: bool,
}

/// What the fold says to an event of stream 0 whose signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It counts.
    Accept,
    /// Its author isn't known as a member yet.
    Later,
    /// It never will.
    Reject,
}

impl Roster {
    pub(crate) fn new(room: RoomId, tag: RoomTag) -> Self {
        Self {
            room,
            tag,
            name: Name::default(),
            create: None,
            members: BTreeMap::new(),
            invites: BTreeMap::new(),
        }
    }

    pub(crate) fn room_name(&self) -> &Name {
        &self.name
    }

    pub(crate) fn create(&self) -> Option<&SignedEvent> {
        self.create.as_ref()
    }

    pub(crate) fn is_member(&self, author: AuthorId) -> bool {
        self.members.contains_key(&author)
    }

    pub(crate) fn member(&self, author: AuthorId) -> Option<&MemberEntry> {
        self.members.get(&author)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (AuthorId, &MemberEntry)> {
        self.members.iter().map(|(author, entry)| (*author, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= limits::MEMBERS_MAX
    }

    pub(crate) fn invite(&self, key: InviteKey) -> Option<&InviteEntry> {
        self.invites.get(&key)
    }

    pub(crate) fn invites(&self) -> impl Iterator<Item = (InviteKey, &InviteEntry)> {
        self.invites.iter().map(|(key, entry)| (*key, entry))
    }

    /// The clock of the event that let a member in; none for the creator.
    pub(crate) fn admitted(&self, author: AuthorId) -> Option<Hlc> {
        let (admit, _) = self.members.get(&author)?.admit.as_ref()?;
        Some(admit.header().clock)
    }

    /// The admits that lead from the creator to a member, oldest first; `None` for strangers and
    /// for members further away than [`limits::CREDENTIALS_MAX`].
    pub(crate) fn credentials(&self, author: AuthorId) -> Option<Vec<SignedEvent>> {
        let mut chain = Vec::new();
        let mut at = self.members.get(&author)?;
        while let Some((admit, _)) = &at.admit {
            if chain.len() == limits::CREDENTIALS_MAX {
                return None;
            }
            chain.push(admit.clone());
            at = self.members.get(&admit.header().author)?;
        }
        chain.reverse();
        Some(chain)
    }

    /// Judges an event of stream 0. `opened` is its decoded body.
    pub(crate) fn judge(&self, event: &SignedEvent, opened: &Membership) -> Judgement {
        let header = event.header();
        if header.room != self.tag || header.stream != Stream::MEMBERSHIP {
            return Judgement::Reject;
        }
        if let Membership::Create(_) = opened {
            let ours = event.hash().0.starts_with(&self.room.0);
            return if ours {
                Judgement::Accept
            } else {
                Judgement::Reject
            };
        }
        if !self.is_member(header.author) {
            return Judgement::Later;
        }
        match opened {
            Membership::Admit(admit) if !self.voucher_holds(admit) => Judgement::Reject,
            Membership::Admit(_) if self.is_full() => Judgement::Later,
            _ => Judgement::Accept,
        }
    }

    fn voucher_holds(&self, admit: &Admit) -> bool {
        // Until roles can be given, an admit makes members and nothing more.
        admit.role == Role::Member
            && verify_voucher(admit.invite, self.room, admit.author, &admit.voucher).is_ok()
    }

    /// Takes an accepted event in. Idempotent, and independent of order.
    pub(crate) fn apply(&mut self, event: &SignedEvent, opened: &Membership) {
        let author = event.header().author;
        let clock = event.header().clock;
        match opened {
            Membership::Create(create) => {
                self.name = create.room_name.clone();
                self.create = Some(event.clone());
                let owner = self.members.entry(author).or_insert_with(|| MemberEntry {
                    role: Role::Owner,
                    name: create.owner_name.clone(),
                    name_clock: clock,
                    admit: None,
                });
                owner.role = Role::Owner;
                owner.admit = None;
            }
            Membership::Invite(invite) => {
                let used = self.uses_of(invite.key);
                self.invites.entry(invite.key).or_insert(InviteEntry {
                    by: author,
                    expires: invite.expires,
                    uses: invite.uses,
                    used,
                    revoked: false,
                });
            }
            Membership::Admit(admit) => self.admit(event, admit),
            Membership::Profile(profile) => {
                if let Some(entry) = self.members.get_mut(&author)
                    && clock >= entry.name_clock
                {
                    entry.name = profile.name.clone();
                    entry.name_clock = clock;
                }
            }
            Membership::RevokeInvite(revoke) => {
                if let Some(entry) = self.invites.get_mut(&revoke.key) {
                    entry.revoked = true;
                }
            }
            _ => {}
        }
    }

    /// A second admit of a member changes nothing: the first that this device applied stays its
    /// credential. Its admitter was a member by then, so credentials never form a circle.
    fn admit(&mut self, event: &SignedEvent, admit: &Admit) {
        self.members
            .entry(admit.author)
            .or_insert_with(|| MemberEntry {
                role: admit.role,
                name: Name::default(),
                name_clock: Hlc::default(),
                admit: Some((event.clone(), admit.invite)),
            });
        let used = self.uses_of(admit.invite);
        if let Some(invite) = self.invites.get_mut(&admit.invite) {
            invite.used = used;
        }
    }

    fn uses_of(&self, key: InviteKey) -> u32 {
        let by_key = |m: &&MemberEntry| m.admit.as_ref().is_some_and(|(_, invite)| *invite == key);
        u32::try_from(self.members.values().filter(by_key).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use peddlenet_crypto::{AuthorKey, EpochKeys, InviteKeys};
    use peddlenet_wire::{
        content::{InviteOpened, Profile, RevokeInvite},
        event::sha256,
        invite::InviteSecret,
    };

    use super::*;
    use crate::room::Room;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn room_of(id: RoomId, seed: u8) -> Room {
        let epoch = EpochKeys::from_seeds([1; 32], [2; 32]);
        Room::new(
            id,
            RoomTag([9; 16]),
            AuthorKey::from_seed([seed; 32]),
            vec![epoch],
        )
    }

    fn say(room: &mut Room, what: &Membership) -> SignedEvent {
        room.seal(Stream::MEMBERSHIP, &what.to_bytes(), sha256(&[]), NOW)
            .expect("it can be sealed")
    }

    /// The creator's room, and its `create`.
    fn created() -> (Room, SignedEvent, Membership) {
        let mut room = room_of(RoomId::ZERO, 1);
        let create = Membership::Create(peddlenet_wire::content::Create {
            room_name: Name::new("Camp 7"),
            owner_name: Name::new("Ada"),
            history: peddlenet_wire::content::History::Shared,
        });
        let event = say(&mut room, &create);
        let mut id = RoomId::ZERO;
        id.0.copy_from_slice(&event.hash().0[..RoomId::LEN]);
        room.name_it(id);
        room.roster.apply(&event, &create);
        (room, event, create)
    }

    fn invite(secret: u8) -> InviteKeys {
        InviteKeys::from_secret(&InviteSecret([secret; 16]))
    }

    fn admit(room: RoomId, keys: &InviteKeys, joiner: AuthorId) -> Membership {
        Membership::Admit(Admit {
            author: joiner,
            invite: keys.public(),
            voucher: keys.voucher(room, joiner),
            role: Role::Member,
        })
    }

    #[test]
    fn only_the_create_that_the_room_id_names_counts() {
        let (room, event, create) = created();
        assert_eq!(
            Roster::new(room.id, room.tag).judge(&event, &create),
            Judgement::Accept
        );
        let other = Roster::new(RoomId([7; 16]), room.tag);
        assert_eq!(other.judge(&event, &create), Judgement::Reject);
    }

    #[test]
    fn an_admit_needs_a_member_as_its_author_and_a_voucher_by_the_code() {
        let (mut ada, ..) = created();
        let keys = invite(3);
        let bea = room_of(ada.id, 2).me();
        let good = admit(ada.id, &keys, bea);
        let event = say(&mut ada, &good);
        assert_eq!(ada.roster.judge(&event, &good), Judgement::Accept);

        let stranger = say(&mut room_of(ada.id, 5), &good);
        assert_eq!(ada.roster.judge(&stranger, &good), Judgement::Later);

        let forged = Membership::Admit(Admit {
            author: room_of(ada.id, 6).me(),
            invite: keys.public(),
            voucher: keys.voucher(ada.id, bea),
            role: Role::Member,
        });
        let event = say(&mut ada, &forged);
        assert_eq!(ada.roster.judge(&event, &forged), Judgement::Reject);
    }

    #[test]
    fn nobody_is_admitted_as_more_than_a_member() {
        let (mut ada, ..) = created();
        let keys = invite(3);
        let bea = room_of(ada.id, 2).me();
        let owner = Membership::Admit(Admit {
            author: bea,
            invite: keys.public(),
            voucher: keys.voucher(ada.id, bea),
            role: Role::Owner,
        });
        let event = say(&mut ada, &owner);
        assert_eq!(ada.roster.judge(&event, &owner), Judgement::Reject);
    }

    #[test]
    fn credentials_lead_from_the_creator_to_a_member_that_others_have_not_heard_of() {
        let (mut ada, create, created) = created();
        let mut bea = room_of(ada.id, 2);
        bea.roster = ada.roster.clone();
        let by_ada = admit(ada.id, &invite(3), bea.me());
        let first = say(&mut ada, &by_ada);
        for room in [&mut ada, &mut bea] {
            room.roster.apply(&first, &by_ada);
        }
        let cem = room_of(ada.id, 4).me();
        let by_bea = admit(ada.id, &invite(5), cem);
        let second = say(&mut bea, &by_bea);
        bea.roster.apply(&second, &by_bea);

        let chain = bea.roster.credentials(cem).expect("Cem is a member");
        assert_eq!(chain, [first.clone(), second.clone()]);
        let mut fresh = room_of(ada.id, 8);
        fresh.roster.apply(&create, &created);
        assert!(fresh.vouched(&chain, cem));
        assert!(
            !fresh.vouched(&chain[1..], cem),
            "a chain with a gap proves nothing"
        );
        assert!(
            !fresh.vouched(&chain, room_of(ada.id, 7).me()),
            "nor does somebody else's"
        );
    }

    #[test]
    fn an_invite_counts_its_uses_whatever_comes_first_and_can_be_revoked() {
        let (mut ada, ..) = created();
        let keys = invite(3);
        let opened = Membership::Invite(InviteOpened {
            key: keys.public(),
            expires: NOW,
            uses: 2,
        });
        let event = say(&mut ada, &opened);
        let bea = admit(ada.id, &keys, room_of(ada.id, 2).me());
        let admitted = say(&mut ada, &bea);
        ada.roster.apply(&admitted, &bea);
        ada.roster.apply(&event, &opened);
        ada.roster.apply(&admitted, &bea);
        assert_eq!(ada.roster.invite(keys.public()).map(|i| i.used), Some(1));
        let revoke = Membership::RevokeInvite(RevokeInvite { key: keys.public() });
        let event = say(&mut ada, &revoke);
        ada.roster.apply(&event, &revoke);
        assert_eq!(
            ada.roster.invite(keys.public()).map(|i| i.revoked),
            Some(true)
        );
    }

    #[test]
    fn the_latest_name_counts_whatever_comes_first() {
        let (mut ada, ..) = created();
        let named = |name: &str| {
            Membership::Profile(Profile {
                name: Name::new(name),
            })
        };
        let old = say(&mut ada, &named("Ada L."));
        let new = say(&mut ada, &named("Ada Lovelace"));
        ada.roster.apply(&new, &named("Ada Lovelace"));
        ada.roster.apply(&old, &named("Ada L."));
        assert_eq!(ada.name_of(ada.me()), "Ada Lovelace");
    }
}
