//! What makes a parcel genuine: its tag is the hash of its key, and the key signed it.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::pass::{self, Under};
use crate::ParcelLimits;
use crate::box_key::BoxKey;
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
    /// What it is kept under; the open pool, without one.
    pub(crate) under: Option<Under>,
}

impl Parcel {
    /// Checks a put at `now`, in seconds since 1970: cheap things first, the signature last.
    /// `carrier` is the box's key, where this server is one.
    pub(crate) fn check(
        put: Put,
        now: u64,
        carrier: Option<&BoxKey>,
        limits: &ParcelLimits,
    ) -> Result<Self, Refusal> {
        let Put {
            tag,
            key,
            expires,
            data,
            signature,
            pass,
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
        let shown = match pass {
            Some(shown) => Some((carrier.ok_or(Refusal::BadPass)?, pass::read(&shown, now)?)),
            None => None,
        };
        let digest: [u8; 32] = Sha256::digest(&data).into();
        VerifyingKey::from_bytes(&key)
            .and_then(|key| {
                let signed = signed(tag, expires, &digest);
                key.verify_strict(&signed, &Signature::from_bytes(&signature))
            })
            .map_err(|_| Refusal::BadSignature)?;
        let under = match &shown {
            Some((carrier, shown)) => Some(pass::check(carrier, shown, tag, &digest)?),
            None => None,
        };
        Ok(Self {
            tag,
            expires: expires.min(now.saturating_add(limits.ttl.as_secs())),
            data,
            digest,
            under,
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
    use peddlenet_wire::pass::Certificate;

    use super::*;
    use crate::box_key::day_key;
    use crate::frames::PASS_BYTES;

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
            pass: None,
        }
    }

    /// The same under a day of a pass.
    pub(crate) fn put_under(pass: &DayPass, seed: u8, expires: u64, data: &[u8]) -> Put {
        let put = put(seed, expires, data);
        let pass = Some(Box::new(pass.show(put.tag, data)));
        Put { pass, ..put }
    }

    /// One day of a pass: the box of `seed` gave `space_kib` of space to whoever holds the day's key.
    pub(crate) struct DayPass {
        pub(crate) certificate: Certificate,
        pub(crate) key: SigningKey,
    }

    impl DayPass {
        pub(crate) fn by(carrier: &BoxKey, holder: u8, day: u32, space_kib: u32) -> Self {
            let pass = carrier.issue(day, 1, space_kib, [holder; 32]);
            let key = day_key(&pass.seed, day);
            let certificate = Certificate {
                day,
                public: key.verifying_key().to_bytes(),
                space_kib,
                signature: pass.signatures[0],
            };
            Self { certificate, key }
        }

        pub(crate) fn show(&self, tag: Tag, data: &[u8]) -> [u8; PASS_BYTES] {
            let digest: [u8; 32] = Sha256::digest(data).into();
            let message = [b"pn/pass-put/1", &tag.0[..], &digest].concat();
            let signature = self.key.sign(&message).to_bytes();
            let shown = [&self.certificate.to_bytes()[..], &signature].concat();
            shown.try_into().unwrap()
        }
    }

    /// Checked at `now`.
    pub(crate) fn parcel(seed: u8, expires: u64, data: &[u8], now: u64) -> Parcel {
        let put = put(seed, expires, data);
        Parcel::check(put, now, None, &ParcelLimits::default()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::made::{DayPass, put, put_under};
    use super::*;
    use crate::frames::PASS_BYTES;

    const NOW: u64 = 1_764_160_000;

    fn check(put: Put) -> Result<Parcel, Refusal> {
        Parcel::check(put, NOW, None, &ParcelLimits::default())
    }

    const TODAY: u32 = 20_418;

    fn carrier() -> BoxKey {
        BoxKey::from_seed([8; 32])
    }

    fn check_at_box(put: Put) -> Result<Parcel, Refusal> {
        Parcel::check(put, NOW, Some(&carrier()), &ParcelLimits::default())
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

    #[test]
    fn a_pass_of_this_box_counts_on_its_day_and_the_ones_beside() {
        assert_eq!(u64::from(TODAY), NOW / 86_400);
        for (day, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let day = TODAY.checked_add_signed(day).unwrap();
            let pass = DayPass::by(&carrier(), 1, day, 7);
            let put = put_under(&pass, 1, NOW + 60, b"sealed");
            let under = check_at_box(put).map(|parcel| parcel.under);
            let (key, bytes) = (pass.certificate.public, 7 * 1024);
            let expected = Ok(Some(Under { key, bytes }));
            let refused = Err(Refusal::BadPass);
            assert_eq!(under, if good { expected } else { refused }, "{day}");
        }
        for day in [0, u32::MAX] {
            let put = put_under(&DayPass::by(&carrier(), 1, day, 7), 1, NOW + 60, b"x");
            assert_eq!(check_at_box(put).unwrap_err(), Refusal::BadPass);
        }
    }

    #[test]
    fn a_forged_a_stolen_and_another_boxs_pass_are_refused_to_every_bit() {
        let pass = DayPass::by(&carrier(), 1, TODAY, 7);
        let good = || put_under(&pass, 1, NOW + 60, b"sealed");
        assert_eq!(check(good()).unwrap_err(), Refusal::BadPass, "no box");
        let other = BoxKey::from_seed([9; 32]);
        let others = put_under(&DayPass::by(&other, 1, TODAY, 7), 1, NOW + 60, b"sealed");
        assert_eq!(check_at_box(others).unwrap_err(), Refusal::BadPass);
        // What was shown with one parcel is no good with another, nor under another tag.
        for (seed, data) in [(1, &b"mine"[..]), (2, b"sealed")] {
            let mut stolen = put(seed, NOW + 60, data);
            stolen.pass = good().pass;
            assert_eq!(check_at_box(stolen).unwrap_err(), Refusal::BadPass);
        }
        for bit in 0..PASS_BYTES * 8 {
            let mut bent = good();
            bent.pass.as_mut().unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check_at_box(bent).unwrap_err(), Refusal::BadPass, "{bit}");
        }
        assert!(check_at_box(good()).is_ok());
    }
}
