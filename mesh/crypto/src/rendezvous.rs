//! Meeting places on a server that may know nothing: a tag and a seal for each room or code and each day.
//!
//! ```text
//!  k_member --HKDF "pn/rendezvous/member/1" | day--> key of that day --HMAC "tag"--> tag (16 bytes, to the server)
//!  P        --HKDF "pn/rendezvous/invite/1" | day--> key of that day --HKDF "seal"-> XChaCha20-Poly1305 of what is said
//! ```
//!
//! Tags and keys of two days look unrelated without the secret, so a server can't tell that a room of today is one of
//! yesterday, and what it kept back is of no use the day after. What is said is padded to buckets and bound to its
//! tag. A tag is no proof of anything: everybody in the room, or with the code, knows it.

use std::{fmt, time::Duration};

pub use peddlenet_wire::rendezvous::{MeetingTag, TAG_LEN};
use peddlenet_wire::{InviteKey, Timestamp, limits};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    CryptoError,
    derive::{derive, first_of, mac},
    epoch::EpochKeys,
    seal,
};

/// How long one tag stands.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// So long before and after midnight (UTC) the neighbouring day counts, too: clocks differ.
pub const AROUND_MIDNIGHT: Duration = Duration::from_secs(600);
/// What sealing adds at most: nonce, tag and padding.
const SEALED_MAX: usize = limits::SIGNAL_MAX + limits::SIGNAL_MAX / 8;

/// A day, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u64);

impl Day {
    /// The one that a time lies in.
    pub fn at(now: Timestamp) -> Self {
        let length = u64::try_from(DAY.as_millis()).unwrap_or(u64::MAX);
        Self(now.0.checked_div(length).unwrap_or_default())
    }

    /// The one of that number, as formats that count days in 32 bits say it.
    pub fn of(number: u32) -> Self {
        Self(number.into())
    }

    /// Its number, counted from 1970.
    pub fn number(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }

    /// So many days before.
    pub fn before(self, days: u64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    pub(crate) fn to_be_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The days whose tags count at that time: one, or two around midnight; today's first.
    pub fn around(now: Timestamp) -> Vec<Self> {
        let today = Self::at(now);
        let near = [now.before(AROUND_MIDNIGHT), now.after(AROUND_MIDNIGHT)];
        let mut days = vec![today];
        days.extend(near.map(Self::at).into_iter().filter(|day| *day != today));
        days
    }
}

/// Tag and seal of one room or code for one day. Redacted in logs, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MeetingKey([u8; 32]);

impl fmt::Debug for MeetingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeetingKey(..)")
    }
}

impl MeetingKey {
    /// For the members who hold this epoch's keys.
    pub fn of_members(epoch: &EpochKeys, day: Day) -> Self {
        let info: [&[u8]; 2] = [b"pn/rendezvous/member/1", &day.0.to_be_bytes()];
        Self(*derive(epoch.member(), &info))
    }

    /// For who scanned a code, and for the members who may answer it.
    pub fn of_invite(invite: &InviteKey, day: Day) -> Self {
        let info: [&[u8]; 2] = [b"pn/rendezvous/invite/1", &day.0.to_be_bytes()];
        Self(*derive(&invite.0, &info))
    }

    /// What the server knows the place by.
    pub fn tag(&self) -> MeetingTag {
        MeetingTag(first_of(mac(&self.0, &[b"tag"])))
    }

    /// Seals what is said there. `nonce` must be 24 fresh random bytes.
    ///
    /// # Errors
    /// Longer than [`limits::SIGNAL_MAX`].
    pub fn seal(&self, nonce: &[u8; 24], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = derive(&self.0, &[b"pn/rendezvous/seal/1"]);
        seal::seal(&key, nonce, &self.tag().0, plaintext, SEALED_MAX)
    }

    /// Opens it again.
    ///
    /// # Errors
    /// Nobody who holds this key sealed it for this tag.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if sealed.len() > SEALED_MAX {
            return Err(CryptoError::Sealed);
        }
        let key = derive(&self.0, &[b"pn/rendezvous/seal/1"]);
        seal::open(&key, &self.tag().0, sealed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const NOON: Timestamp = Timestamp(20_833 * 86_400_000 + 43_200_000);

    fn epoch(n: u8) -> EpochKeys {
        EpochKeys::from_seeds([n; 32], [0; 32])
    }

    #[test]
    fn a_tag_stands_for_a_day_and_never_returns_in_ten_years() {
        let key = |day| MeetingKey::of_members(&epoch(1), Day(day));
        let tags: BTreeSet<_> = (0..3_650).map(|day| key(20_000 + day).tag()).collect();
        assert_eq!(tags.len(), 3_650);
        assert_eq!(key(5).tag(), key(5).tag());
        assert_ne!(
            key(5).tag(),
            MeetingKey::of_members(&epoch(2), Day(5)).tag()
        );
        let invite = MeetingKey::of_invite(&InviteKey([1; 32]), Day(5));
        assert_ne!(invite.tag(), key(5).tag());
    }

    #[test]
    fn around_midnight_two_days_count() {
        let today = Day::at(NOON);
        assert_eq!(Day::around(NOON), [today]);
        let minutes = |n: u64| Timestamp(NOON.0 + 43_200_000 + n * 60_000);
        let before = Timestamp(minutes(0).0 - 60_000);
        assert_eq!(Day::around(before), [today, Day(today.0 + 1)]);
        assert_eq!(Day::around(minutes(1)), [Day(today.0 + 1), today]);
        assert_eq!(Day::around(minutes(11)), [Day(today.0 + 1)]);
    }

    #[test]
    fn what_is_said_is_bound_to_its_place_and_day_and_to_every_bit() {
        let key = MeetingKey::of_invite(&InviteKey([3; 32]), Day(7));
        let sealed = key.seal(&[9; 24], b"here I am").unwrap();
        assert_eq!(key.open(&sealed).unwrap(), b"here I am");
        let tomorrow = MeetingKey::of_invite(&InviteKey([3; 32]), Day(8));
        assert!(tomorrow.open(&sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open(&bad).is_err(), "bit {bit}");
        }
        let longest = vec![1; limits::SIGNAL_MAX];
        let sealed = key.seal(&[9; 24], &longest).unwrap();
        assert_eq!(key.open(&sealed).unwrap(), longest);
        assert!(key.open(&vec![0; SEALED_MAX + 1]).is_err());
    }

    #[test]
    fn lengths_tell_little() {
        let key = MeetingKey::of_invite(&InviteKey([3; 32]), Day(7));
        let lengths = |from: usize, to| {
            let sealed = (from..to).map(|len| key.seal(&[0; 24], &vec![1; len]).unwrap().len());
            sealed.collect::<BTreeSet<_>>().len()
        };
        assert_eq!(lengths(1, 31), 1);
        assert!(lengths(300, 1_000) < 20);
    }
}
