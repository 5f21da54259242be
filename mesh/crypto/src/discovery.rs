//! Tags by which members and joiners find each other nearby, and nobody else follows them.
//!
//! ```text
//!  k_member --HKDF "pn/discovery/member/1"--> discovery key --HMAC-SHA256(.., slot)[..8]--> tag
//!  P        --HKDF "pn/discovery/invite/1"--> discovery key              slot = 10 minutes
//!                                 discovery key --HMAC-SHA256(.., slot || author)[..4]--> mark
//! ```
//!
//! A tag stands for ten minutes, and one that is up to an hour off is recognised, since clocks
//! differ. A mark says beside the tag which member it is. Two tags of one key look unrelated without
//! the key; and no key comes from a public one (P is shown in the code and in the room alone), or everyone
//! could compute the tags.
//!
//! [`DiscoveryTags`] recognises tags without hashing anything for a packet: it computes the tags of
//! every key for the slots that count, at most [`KEYS_MAX`] x [`SLOTS`], and looks them up.

use std::{collections::BTreeMap, fmt, time::Duration};

pub use peddlenet_wire::near::{DiscoveryTag, MARK_LEN, Mark, TAG_LEN};
use peddlenet_wire::{AuthorId, InviteKey, Timestamp};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    derive::{derive, first_of, mac},
    epoch::EpochKeys,
};

/// How long one tag stands.
pub const SLOT: Duration = Duration::from_secs(600);
/// Slots before and after the present one whose tags are recognised.
pub const SLOTS_OFF: u64 = 6;
/// Slots whose tags are recognised (count).
pub const SLOTS: usize = 13;
/// Discovery keys of one device (count): member keys of 256 epochs and 16 invites.
pub const KEYS_MAX: usize = 256 + 16;

/// One span of ten minutes, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u64);

impl Slot {
    /// The one that a time lies in.
    pub fn at(now: Timestamp) -> Self {
        Self(slot(now))
    }

    /// Those whose tags are recognised at that time: clocks differ.
    pub fn around(now: Timestamp) -> impl Iterator<Item = Self> {
        around(slot(now)).map(Self)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// Makes and recognises the tags of an epoch or an invite. Redacted in logs, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DiscoveryKey([u8; 32]);

impl fmt::Debug for DiscoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiscoveryKey(..)")
    }
}

impl DiscoveryKey {
    /// For the members who hold this epoch's keys.
    pub fn of_members(epoch: &EpochKeys) -> Self {
        Self(*derive(epoch.member(), &[b"pn/discovery/member/1"]))
    }

    /// For who scanned a code, and for the members who may answer it.
    pub fn of_invite(invite: &InviteKey) -> Self {
        Self(*derive(&invite.0, &[b"pn/discovery/invite/1"]))
    }

    /// The tag to say at that time.
    pub fn tag(&self, now: Timestamp) -> DiscoveryTag {
        self.tag_of(slot(now))
    }

    /// Who says the tag of that slot.
    pub fn mark(&self, slot: Slot, author: AuthorId) -> Mark {
        Mark(first_of(mac(&self.0, &[&slot.0.to_be_bytes(), &author.0])))
    }

    fn tag_of(&self, slot: u64) -> DiscoveryTag {
        DiscoveryTag(first_of(mac(&self.0, &[&slot.to_be_bytes()])))
    }
}

/// Which slot a time lies in.
fn slot(now: Timestamp) -> u64 {
    let length = u64::try_from(SLOT.as_millis()).unwrap_or(u64::MAX);
    now.0.checked_div(length).unwrap_or_default()
}

/// Recognises the tags of a set of keys, each under a name of the caller's.
#[derive(Debug)]
pub struct DiscoveryTags<N> {
    keys: Vec<(N, DiscoveryKey)>,
    /// The slot around which `tags` lies.
    slot: u64,
    /// Tag -> its slot and the key's place.
    tags: BTreeMap<DiscoveryTag, (u64, usize)>,
}

impl<N: Copy> DiscoveryTags<N> {
    /// Beyond [`KEYS_MAX`] the last keys are left out: the most important come first.
    pub fn new(keys: impl IntoIterator<Item = (N, DiscoveryKey)>, now: Timestamp) -> Self {
        let mut this = Self {
            keys: keys.into_iter().take(KEYS_MAX).collect(),
            slot: slot(now),
            tags: BTreeMap::new(),
        };
        this.add(around(this.slot));
        this
    }

    /// Goes on to the slot of that time, and hashes no more than the tags that are new in it: once
    /// in ten minutes, one for each key.
    pub fn advance(&mut self, now: Timestamp) {
        let next = slot(now);
        if next == self.slot {
            return;
        }
        let (old, new) = (around(self.slot), around(next));
        self.slot = next;
        self.tags.retain(|_, (slot, _)| new.contains(slot));
        self.add(new.filter(|slot| !old.contains(slot)));
    }

    /// Whose tag that is, and of which slot; the first key's, should two have the same. As of the last
    /// [`advance`](Self::advance).
    pub fn recognise(&self, tag: DiscoveryTag) -> Option<(N, &DiscoveryKey, Slot)> {
        let (slot, place) = self.tags.get(&tag)?;
        let (name, key) = self.keys.get(*place)?;
        Some((*name, key, Slot(*slot)))
    }

    /// Tags that are recognised now (count).
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no tag is recognised.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    fn add(&mut self, slots: impl Iterator<Item = u64>) {
        for slot in slots {
            for (place, (_, key)) in self.keys.iter().enumerate() {
                self.tags.entry(key.tag_of(slot)).or_insert((slot, place));
            }
        }
    }
}

fn around(slot: u64) -> std::ops::RangeInclusive<u64> {
    slot.saturating_sub(SLOTS_OFF)..=slot.saturating_add(SLOTS_OFF)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn epoch(n: u8) -> EpochKeys {
        EpochKeys::from_seeds([n; 32], [0; 32])
    }

    fn later(slots: u64) -> Timestamp {
        Timestamp(NOW.0 + slots * 600_000)
    }

    #[test]
    fn a_tag_stands_for_ten_minutes_and_never_returns_in_a_year() {
        let key = DiscoveryKey::of_members(&epoch(1));
        assert_eq!(key.tag(NOW), key.tag(Timestamp(NOW.0 + 599_999)));
        let year: BTreeSet<_> = (0..52_560).map(|n| key.tag(later(n))).collect();
        assert_eq!(year.len(), 52_560);
    }

    #[test]
    fn an_hour_off_is_recognised_and_more_is_not() {
        let key = DiscoveryKey::of_members(&epoch(1));
        let tags = DiscoveryTags::new([((), key.clone())], later(100));
        for off in 0..=20u64 {
            let known = off <= SLOTS_OFF;
            assert_eq!(tags.recognise(key.tag(later(100 + off))).is_some(), known);
            assert_eq!(tags.recognise(key.tag(later(100 - off))).is_some(), known);
        }
    }

    #[test]
    fn a_mark_says_who_to_those_who_know_the_tag() {
        let (ada, bea) = (AuthorId([1; 32]), AuthorId([2; 32]));
        let key = DiscoveryKey::of_members(&epoch(1));
        let tags = DiscoveryTags::new([((), key.clone())], NOW);
        // Said a slot later by a clock that is fast.
        let mark = key.mark(Slot::at(later(1)), ada);
        let ((), key, slot) = tags.recognise(key.tag(later(1))).unwrap();
        assert_eq!(key.mark(slot, ada), mark);
        assert_ne!(key.mark(slot, bea), mark);
        assert_ne!(key.mark(Slot::at(NOW), ada), mark);
    }

    #[test]
    fn members_and_codes_have_tags_of_their_own() {
        let secret = [1; 32];
        let member = DiscoveryKey::of_members(&epoch(1));
        let invite = DiscoveryKey::of_invite(&InviteKey(secret));
        assert_ne!(member.tag(NOW), invite.tag(NOW));
        assert_ne!(
            member.tag(NOW),
            DiscoveryKey::of_members(&epoch(2)).tag(NOW)
        );
        let gate = crate::member_gate(&epoch(1));
        assert!(![gate.ice_key, gate.psk, secret].contains(&member.0));
        assert_eq!(format!("{member:?}"), "DiscoveryKey(..)");
    }

    #[test]
    fn a_flood_of_tags_is_looked_up_in_a_table_of_bounded_size() {
        let keys = (0..500u16).map(|n| {
            let mut seed = [0; 32];
            seed[..2].copy_from_slice(&n.to_be_bytes());
            let key = DiscoveryKey::of_members(&EpochKeys::from_seeds(seed, [0; 32]));
            (n, key)
        });
        let keys: Vec<_> = keys.collect();
        let tags = DiscoveryTags::new(keys.clone(), NOW);
        assert_eq!(tags.len(), KEYS_MAX * SLOTS);
        for (n, key) in keys {
            let known = usize::from(n) < KEYS_MAX;
            assert_eq!(
                tags.recognise(key.tag(NOW)).map(|(n, ..)| n),
                known.then_some(n)
            );
        }
    }

    proptest! {
        #[test]
        fn going_on_is_the_same_as_beginning_anew(
            steps in proptest::collection::vec(0u64..40_000_000, 1..8), back: bool,
        ) {
            let keys = [(1u8, DiscoveryKey::of_members(&epoch(1))), (2, DiscoveryKey::of_members(&epoch(2)))];
            let mut tags = DiscoveryTags::new(keys.clone(), NOW);
            let mut now = NOW.0;
            for step in steps {
                // A clock may also be set back.
                now = if back { now.saturating_sub(step) } else { now + step };
                tags.advance(Timestamp(now));
                let anew = DiscoveryTags::new(keys.clone(), Timestamp(now));
                prop_assert_eq!(&tags.tags, &anew.tags);
            }
        }

        #[test]
        fn any_clock_and_any_tag_are_survived(now: u64, next: u64, tag: [u8; 8]) {
            let key = DiscoveryKey::of_invite(&InviteKey([3; 32]));
            let mut tags = DiscoveryTags::new([((), key)], Timestamp(now));
            tags.advance(Timestamp(next));
            prop_assert!(tags.recognise(DiscoveryTag(tag)).is_none());
        }
    }
}
