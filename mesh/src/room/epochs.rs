//! The keys that a room speaks under: which, for how long, and what a joiner is handed of them.

use std::time::Duration;

use peddlenet_crypto::EpochKeys;
use peddlenet_wire::{
    AuthorId, Capped, EpochId, RoomTag, Timestamp, content::Membership, join::EpochGrant, limits,
};

use super::{Room, RoomError};
use crate::entropy;

/// Where the count of messages under the newest epoch stands in the store's `meta`.
pub(crate) fn carried_of(tag: RoomTag) -> Vec<u8> {
    [&b"carried/"[..], &tag.0].concat()
}

/// Epochs handed to a joiner (count): with [`limits::PROOF_EVENTS_MAX`] events they fit one frame.
/// It asks for the rest.
const GRANTS_MAX: usize = 128;
/// An epoch lasts that long at most (design).
const EPOCH_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// And carries that many messages (count, design).
const EPOCH_MESSAGES: u64 = 10_000;
/// A closed code ends no epoch younger than that: many that are closed one after the other cost two new epochs, not many.
const EPOCH_REVOKE: Duration = Duration::from_secs(60);
/// That count is saved whenever it grew by so many.
const CARRIED_SAVED_EVERY: u64 = 256;

impl Room {
    /// The keys to hand to a joiner.
    pub(crate) fn grants(&self, to: AuthorId) -> Capped<EpochGrant, { limits::EPOCHS_MAX }> {
        self.ring.grants(to, &self.roster, GRANTS_MAX)
    }

    /// The epoch that gates, records and stream 0 stand under: everyone who belongs comes to hold it,
    /// and whoever was removed since may learn who belongs, not what is said.
    pub(crate) fn newest_epoch(&self) -> Result<&EpochKeys, RoomError> {
        self.ring.newest().ok_or(RoomError::NoKeys)
    }

    pub(super) fn epoch(&self, id: EpochId) -> Result<&EpochKeys, RoomError> {
        self.ring.keys(id).ok_or(RoomError::NoKeys)
    }

    /// Whether an epoch must be made before anything is said.
    pub(crate) fn needs_epoch(&self) -> bool {
        self.is_in() && self.ring.to_speak(&self.roster).is_none()
    }

    /// Whether the next epoch is due: none may be spoken under, or the one that is has lasted, or
    /// carried, as much as one may, or a code that could have been photographed was closed since it began.
    ///
    /// What is dated into the future counts when that has come: the epoch that follows is later then, by its clock, too.
    pub(crate) fn epoch_is_due(&self, now: Timestamp) -> bool {
        let Some(keys) = self.ring.to_speak(&self.roster) else {
            return self.is_in();
        };
        let minted = self.ring.minted(keys.id()).map(|minted| minted.at.0);
        let created = self.roster.create().map(|create| create.header().clock);
        let began = minted.or(created);
        let lasted = began.map_or(Duration::ZERO, |began| now.since(began.timestamp()));
        let old = lasted > EPOCH_LIFE;
        let closed = lasted > EPOCH_REVOKE && self.roster.last_revoked(now) > began;
        let full = self.carried.0 == Some(keys.id()) && self.carried.1 > EPOCH_MESSAGES;
        self.is_in() && (old || full || closed)
    }

    /// Counts a message towards the epoch that it is sealed under; gives what to save now and then.
    pub(crate) fn carry(&mut self, epoch: EpochId) -> Option<Vec<u8>> {
        match self.carried.0 == Some(epoch) {
            true => self.carried.1 = self.carried.1.saturating_add(1),
            false => self.carried = (Some(epoch), 1),
        }
        let (_, count) = self.carried;
        (count % CARRIED_SAVED_EVERY == 0).then(|| [&epoch.0[..], &count.to_be_bytes()].concat())
    }

    /// Takes the count as it was saved.
    pub(crate) fn set_carried(&mut self, bytes: &[u8]) {
        let Some((epoch, count)) = bytes.split_first_chunk::<{ EpochId::LEN }>() else {
            return;
        };
        if let Ok(count) = <[u8; 8]>::try_from(count) {
            self.carried = (Some(EpochId(*epoch)), u64::from_be_bytes(count));
        }
    }

    /// Begins an epoch: its keys, and what to say in stream 0 for the others to have them, too.
    pub(crate) fn mint(&mut self) -> Result<(EpochKeys, Vec<Membership>), RoomError> {
        let under = self.newest_epoch()?.id();
        let minted = self
            .ring
            .mint(entropy::bytes(), entropy::bytes(), &self.roster, under);
        minted.ok_or(RoomError::NoKeys)
    }
}

#[cfg(test)]
mod tests {
    use peddlenet_crypto::InviteKeys;
    use peddlenet_wire::{
        Stream,
        content::{InviteOpened, RevokeInvite},
        event::sha256,
        invite::InviteSecret,
    };

    use super::super::made::{AT, ada_and_bea};
    use super::*;

    fn act(room: &mut Room, at: Timestamp, what: &Membership) {
        let sealed = room.seal(Stream::MEMBERSHIP, &what.to_bytes(), sha256(&[]), at);
        room.take_membership(&sealed.expect("it can be sealed"), what);
    }

    #[test]
    fn a_closed_code_ends_an_epoch_that_is_not_young_and_only_once() {
        let (mut ada, _) = ada_and_bea();
        let key = InviteKeys::from_secret(&InviteSecret([1; 16])).public();
        let (opened, young) = (AT.after(Duration::from_secs(5)), AT.after(EPOCH_REVOKE));
        let open = InviteOpened {
            key,
            expires: AT.after(Duration::from_secs(3600)),
            uses: 5,
            poster: None,
        };
        act(&mut ada, opened, &Membership::Invite(open));
        let later = AT.after(EPOCH_REVOKE * 3);
        assert!(!ada.epoch_is_due(later), "an open code is no reason");

        act(
            &mut ada,
            young,
            &Membership::RevokeInvite(RevokeInvite { key }),
        );
        assert!(!ada.epoch_is_due(young));
        assert!(ada.epoch_is_due(later));

        let (keys, said) = ada.mint().unwrap();
        for what in said {
            act(&mut ada, later, &what);
        }
        ada.ring.add(keys);
        assert!(!ada.epoch_is_due(later.after(EPOCH_REVOKE * 3)));
    }

    #[test]
    fn a_code_closed_in_the_future_or_after_its_end_is_no_reason_yet() {
        let (mut ada, _) = ada_and_bea();
        let close = |ada: &mut Room, n: u8, expires_s: u64, closed_s: u64| {
            let key = InviteKeys::from_secret(&InviteSecret([n; 16])).public();
            let open = InviteOpened {
                key,
                expires: AT.after(Duration::from_secs(expires_s)),
                uses: 5,
                poster: None,
            };
            act(ada, AT, &Membership::Invite(open));
            let at = AT.after(Duration::from_secs(closed_s));
            act(ada, at, &Membership::RevokeInvite(RevokeInvite { key }));
        };
        close(&mut ada, 1, 100, 200);
        let now = AT.after(Duration::from_secs(1_000));
        assert!(!ada.epoch_is_due(now), "it had ended by itself");
        close(&mut ada, 2, 90_000, 5_000);
        assert!(!ada.epoch_is_due(now), "its time has not come");
        assert!(ada.epoch_is_due(AT.after(Duration::from_secs(5_001))));
    }
}
