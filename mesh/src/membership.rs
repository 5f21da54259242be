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
