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
    /// carried, as much as one may.
    pub(crate) fn epoch_is_due(&self, now: Timestamp) -> bool {
        let Some(keys) = self.ring.to_speak(&self.roster) else {
            return self.is_in();
        };
        let minted = self.ring.minted(keys.id()).map(|minted| minted.at.0);
        let created = self.roster.create().map(|create| create.header().clock);
        let began = minted.or(created);
        let old = began.is_some_and(|began| now.since(began.timestamp()) > EPOCH_LIFE);
        let full = self.carried.0 == Some(keys.id()) && self.carried.1 > EPOCH_MESSAGES;
        self.is_in() && (old || full)
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
