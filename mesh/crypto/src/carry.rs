//! Parcels: events left with a server or a carrier that is no member, for those who come back.
//!
//! ```text
//!  k_member --HKDF "pn/carry/1" | day--> key of that day --+--HKDF "sign"--> Ed25519 pair K; tag = SHA-256("pn/parcels/1" | K)[..16]
//!                                                          +--HKDF "seal"--> XChaCha20-Poly1305 of one event
//! ```
//!
//! Whoever holds the day's key can leave parcels and read them; nobody else can do either, since the tag is the hash of K and K signs
//! each parcel. Neither K nor the tag returns on another day. An event is sealed the same way by everybody who leaves it (the nonce is a
//! MAC over it, as in SIV modes, RFC 5297), so that two who leave the same event take the space of one.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use peddlenet_wire::{Signature, event::sha256, rendezvous::MeetingTag};

use crate::{
    CryptoError, Day,
    derive::{derive, first_of, mac},
    epoch::EpochKeys,
    seal,
};

/// One parcel's data (bytes): what servers take at most.
pub const PARCEL_MAX: usize = 32 * 1024;

/// The keys to an epoch's parcels of one day. Wiped on drop.
pub struct CarryKey {
    seal: zeroize::Zeroizing<[u8; 32]>,
    sign: SigningKey,
}

impl fmt::Debug for CarryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CarryKey(..)")
    }
}

impl CarryKey {
    /// For the members who hold this epoch's keys.
    pub fn of_members(epoch: &EpochKeys, day: Day) -> Self {
        let key = derive(epoch.member(), &[b"pn/carry/1", &day.to_be_bytes()]);
        Self {
            seal: derive(&*key, &[b"pn/carry/seal/1"]),
            sign: SigningKey::from_bytes(&derive(&*key, &[b"pn/carry/sign/1"])),
        }
    }

    /// K.
    pub fn public(&self) -> [u8; 32] {
        self.sign.verifying_key().to_bytes()
    }

    /// What a server knows the place by.
    pub fn tag(&self) -> MeetingTag {
        let hash = sha256(&[&b"pn/parcels/1"[..], &self.public()].concat());
        let (tag, _) = hash.0.split_first_chunk().unwrap_or((&[0; 16], &[]));
        MeetingTag(*tag)
    }

    /// Seals one event, encoded.
    ///
    /// # Errors
    /// What comes of it would be longer than [`PARCEL_MAX`].
    pub fn seal(&self, event: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let nonce = first_of(mac(&self.seal, &[b"pn/carry/nonce/1", event]));
        seal::seal(&self.seal, &nonce, &self.tag().0, event, PARCEL_MAX)
    }

    /// Opens it again.
    ///
    /// # Errors
    /// Nobody who holds this key sealed it.
    pub fn open(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if data.len() > PARCEL_MAX {
            return Err(CryptoError::Sealed);
        }
        seal::open(&self.seal, &self.tag().0, data)
    }

    /// "This is to be kept until then", for the server: Ed25519 over `"pn/parcel/1" | tag | expires 8 | SHA-256(data)`.
    pub fn sign(&self, expires: u64, data: &[u8]) -> Signature {
        let message = [
            &b"pn/parcel/1"[..],
            &self.tag().0,
            &expires.to_be_bytes(),
            &sha256(data).0,
        ]
        .concat();
        Signature(self.sign.sign(&message).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ed25519_dalek::VerifyingKey;
    use peddlenet_wire::Timestamp;

    use super::*;

    fn key(epoch: u8, day: u64) -> CarryKey {
        let day = Day::at(Timestamp(day * 86_400_000));
        CarryKey::of_members(&EpochKeys::from_seeds([epoch; 32], [0; 32]), day)
    }

    #[test]
    fn a_parcel_is_opened_under_the_same_epoch_and_day_only() {
        let sealed = key(1, 5).seal(b"an event").unwrap();
        assert_eq!(key(1, 5).open(&sealed).unwrap(), b"an event");
        assert!(key(1, 6).open(&sealed).is_err());
        assert!(key(2, 5).open(&sealed).is_err());
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1, 5).open(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn who_leaves_the_same_event_leaves_the_same_bytes_and_another_event_others() {
        assert_eq!(key(1, 5).seal(b"x").unwrap(), key(1, 5).seal(b"x").unwrap());
        let [one, other] = [&b"x"[..], b"y"].map(|e| key(1, 5).seal(e).unwrap());
        assert_ne!(one[..24], other[..24], "a nonce that repeats");
        let yesterday = key(1, 4).seal(b"x").unwrap();
        assert!(!one.windows(8).any(|w| yesterday.windows(8).any(|v| v == w)));
    }

    #[test]
    fn tags_and_keys_never_return() {
        let tags: BTreeSet<_> = (0..2_000).map(|day| key(1, day).tag()).collect();
        assert_eq!(tags.len(), 2_000);
        let keys: BTreeSet<_> = (0..2_000).map(|day| key(1, day).public()).collect();
        assert_eq!(keys.len(), 2_000);
    }

    #[test]
    fn a_server_can_check_what_it_keeps() {
        let (key, data) = (key(1, 5), b"sealed");
        let signature = key.sign(7, data);
        let message = [
            &b"pn/parcel/1"[..],
            &key.tag().0,
            &7u64.to_be_bytes(),
            &sha256(data).0,
        ]
        .concat();
        let public = VerifyingKey::from_bytes(&key.public()).unwrap();
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        assert!(public.verify_strict(&message, &signature).is_ok());
        assert!(key.seal(&vec![0; PARCEL_MAX]).is_err());
    }
}
