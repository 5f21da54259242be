//! What makes a parcel genuine: its tag is the hash of its key, and the key signed it.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::ParcelLimits;
use crate::frames::{Put, Refusal, Tag};

/// `tag = SHA-256(this || key)[..16]`
const TAG_CONTEXT: &[u8] = b"pn/parcels/1";
/// `signed = this || tag 16 || expires 8, big-endian || SHA-256(data) 32`
const SIGNATURE_CONTEXT: &[u8] = b"pn/parcel/1";

/// A parcel that a holder of the tag's key signed.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) tag: Tag,
    /// Seconds since 1970, at most [`ParcelLimits::ttl`] ahead.
    pub(crate) expires: u64,
    pub(crate) data: Vec<u8>,
    /// SHA-256 of the data.
    pub(crate) digest: [u8; 32],
}

impl Parcel {
    /// Checks a put at `now`, in seconds since 1970: cheap things first, the signature last.
    pub(crate) fn check(put: Put, now: u64, limits: &ParcelLimits) -> Result<Self, Refusal> {
        let Put {
            tag,
            key,
            expires,
            data,
            signature,
        } = put;
        if data.len() > limits.data_bytes {
            return Err(Refusal::TooLarge);
        }
        if expires <= now {
            return Err(Refusal::Malformed);
        }
        if tag_of(&key) != tag {
            return Err(Refusal::BadSignature);
        }
        let digest: [u8; 32] = Sha256::digest(&data).into();
        VerifyingKey::from_bytes(&key)
            .and_then(|key| {
                let signed = signed(tag, expires, &digest);
                key.verify_strict(&signed, &Signature::from_bytes(&signature))
            })
            .map_err(|_| Refusal::BadSignature)?;
        Ok(Self {
            tag,
            expires: expires.min(now.saturating_add(limits.ttl.as_secs())),
            data,
            digest,
        })
    }
}

fn tag_of(key: &[u8; 32]) -> Tag {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(TAG_CONTEXT)
        .chain_update(key)
        .finalize()
        .into();
    let [tag @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash;
    Tag(tag)
}

fn signed(tag: Tag, expires: u64, digest: &[u8; 32]) -> Vec<u8> {
    [SIGNATURE_CONTEXT, &tag.0, &expires.to_be_bytes(), digest].concat()
}

/// Puts as a member makes them.
#[cfg(test)]
pub(crate) mod made {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    /// By the key whose seed is `seed` repeated.
    pub(crate) fn put(seed: u8, expires: u64, data: &[u8]) -> Put {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = key.verifying_key().to_bytes();
        let tag = tag_of(&public);
        let signed = signed(tag, expires, &Sha256::digest(data).into());
        Put {
            tag,
            key: public,
            expires,
            data: data.to_vec(),
            signature: key.sign(&signed).to_bytes(),
        }
    }

    /// Checked at `now`.
    pub(crate) fn parcel(seed: u8, expires: u64, data: &[u8], now: u64) -> Parcel {
        Parcel::check(put(seed, expires, data), now, &ParcelLimits::default()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::made::put;
    use super::*;

    const NOW: u64 = 1_764_160_000;

    fn check(put: Put) -> Result<Parcel, Refusal> {
        Parcel::check(put, NOW, &ParcelLimits::default())
    }

    #[test]
    fn a_genuine_parcel_passes_and_its_time_is_cut() {
        let parcel = check(put(1, NOW + 60, b"sealed")).unwrap();
        assert_eq!(parcel.expires, NOW + 60);
        assert_eq!(parcel.data, b"sealed");
        let parcel = check(put(1, u64::MAX, b"sealed")).unwrap();
        assert_eq!(parcel.expires, NOW + 72 * 3600);
        assert_eq!(check(put(1, NOW, b"late")).unwrap_err(), Refusal::Malformed);
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let changes: [fn(&mut Put); 6] = [
            |put| put.tag.0[0] ^= 1,
            |put| put.key[31] ^= 0x80,
            |put| put.key = made::put(2, NOW + 60, b"").key,
            |put| put.expires += 1,
            |put| put.data.push(0),
            |put| put.signature[40] ^= 1,
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut put = put(1, NOW + 60, b"sealed");
            change(&mut put);
            assert_eq!(check(put).unwrap_err(), Refusal::BadSignature, "{at}");
        }
    }

    #[test]
    fn a_parcel_has_a_largest_size() {
        assert!(check(put(1, NOW + 60, &[0; 32 * 1024])).is_ok());
        let larger = put(1, NOW + 60, &[0; 32 * 1024 + 1]);
        assert_eq!(check(larger).unwrap_err(), Refusal::TooLarge);
    }

    #[test]
    fn a_key_of_low_order_signs_nothing() {
        // The neutral element: with it a signature of zeros would verify for any message if one let it.
        let mut key = [0; 32];
        key[0] = 1;
        let mut put = put(1, NOW + 60, b"anything");
        (put.key, put.tag) = (key, tag_of(&key));
        put.signature = [0; 64];
        put.signature[0] = 1;
        assert_eq!(check(put).unwrap_err(), Refusal::BadSignature);
    }
}
