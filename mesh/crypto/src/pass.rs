//! Carry passes: how a carrier box recognises what its organiser promised to keep, day by day ([`peddlenet_wire::pass`]).
//!
//! ```text
//!  seed --HKDF "pn/pass/1" | day 4--> Ed25519 pair of that day
//!  box key  signs "pn/carry-pass/1" | day 4 | public 32 | space KiB 4      the certificate, when the pass is made
//!  day pair signs "pn/pass-put/1" | tag 16 | SHA-256(data) 32              each parcel that is put
//!  box key  signs "pn/box-here/1" | nonce 16                               "I am that box", before it is told any tag
//! ```
//!
//! Only who holds the pass can use it: a certificate that was overheard or kept signs no other parcel. Two days of
//! one pass have nothing in common that the box is shown. The contexts have no length in front as those of
//! author keys ([`crate::author`]) have: no other key of ours is a box's or a day's, and none of them is the beginning of another.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use peddlenet_wire::{
    Pass, Signature,
    event::sha256,
    limits,
    pass::{CERTIFICATE_LEN, Certificate, PassSeed, SHOWN_LEN},
    rendezvous::MeetingTag,
};

use crate::{CryptoError, Day, derive::derive};

const CERTIFICATE: &[u8] = b"pn/carry-pass/1";
const PUT: &[u8] = b"pn/pass-put/1";
const HERE: &[u8] = b"pn/box-here/1";

/// A box's own key, which its passes are checked by. Wiped on drop.
pub struct BoxKey(SigningKey);

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(..)")
    }
}

impl BoxKey {
    /// The key of 32 fresh random bytes, or of those that were kept.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What passes name the box by.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// "I am this box", to who chose `nonce` at random.
    pub fn prove(&self, nonce: &[u8; 16]) -> Signature {
        self.sign(HERE, nonce)
    }

    fn sign(&self, context: &[u8], message: &[u8]) -> Signature {
        Signature(self.0.sign(&[context, message].concat()).to_bytes())
    }
}

/// Whether the box of that key answered with that nonce.
///
/// # Errors
/// It didn't.
pub fn verify_box(
    box_public: &[u8; 32],
    nonce: &[u8; 16],
    signature: &Signature,
) -> Result<(), CryptoError> {
    verify(box_public, HERE, nonce, signature)
}

/// Makes a pass for so many days, each with so much space. `seed` must be 32 fresh random bytes. No days give one, and more than
/// [`limits::PASS_DAYS_MAX`] as many as there may be, or as are left before the last day that is counted.
pub fn issue(key: &BoxKey, first_day: Day, days: usize, space_kib: u32, seed: [u8; 32]) -> Pass {
    let first_day = first_day.number();
    let seed = PassSeed(seed);
    let days = (first_day..=u32::MAX).take(days.clamp(1, limits::PASS_DAYS_MAX));
    let mut signatures = days.map(|day| {
        let public = day_key(&seed, day).verifying_key().to_bytes();
        key.sign(CERTIFICATE, &unsigned(day, public, space_kib).signed())
    });
    let signatures = peddlenet_wire::Capped::take_from(&mut signatures);
    Pass {
        box_key: key.public(),
        first_day,
        space_kib,
        signatures,
        seed,
    }
}

/// Whether every certificate in a pass is the box's: a pass with a letter read wrong is told when it is entered, not
/// when the box refuses it.
///
/// # Errors
/// One of them is not.
pub fn verify_pass(pass: &Pass) -> Result<(), CryptoError> {
    pass.days().try_for_each(|day| {
        DayPass::of(pass, Day::of(day))
            .map(|_| ())
            .ok_or(CryptoError::Signature)
    })
}

/// What a pass comes to on one of its days. Its key is wiped on drop.
pub struct DayPass {
    certificate: Certificate,
    key: SigningKey,
}

impl fmt::Debug for DayPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DayPass({:?})", self.certificate)
    }
}

impl DayPass {
    /// `None`: the pass is not for that day, or its certificate of that day is not the box's.
    pub fn of(pass: &Pass, day: Day) -> Option<Self> {
        let day = day.number();
        let at = usize::try_from(day.checked_sub(pass.first_day)?).ok()?;
        let signature = *pass.signatures.get(at)?;
        let key = day_key(&pass.seed, day);
        let public = key.verifying_key().to_bytes();
        let certificate = Certificate {
            signature,
            ..unsigned(day, public, pass.space_kib)
        };
        verify_certificate(&pass.box_key, &certificate).ok()?;
        Some(Self { certificate, key })
    }

    /// What the box signed.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What goes with a put: the certificate, and the day's signature over the parcel.
    pub fn show(&self, tag: &MeetingTag, data: &[u8]) -> [u8; SHOWN_LEN] {
        let message = put_message(tag, &sha256(data).0);
        let signature = self.key.sign(&message).to_bytes();
        let mut out = [0; SHOWN_LEN];
        let both = self.certificate.to_bytes().into_iter().chain(signature);
        out.iter_mut().zip(both).for_each(|(to, from)| *to = from);
        out
    }
}

/// What a box checks of a put under a pass: that the certificate is its own, and that the day's key signed the parcel.
/// `digest` is SHA-256 of the parcel's data. Whether the day is today is for who knows the time.
///
/// # Errors
/// One of the two signatures is wrong, or the certificate has another length.
pub fn check(
    box_public: &[u8; 32],
    certificate: &[u8],
    tag: &MeetingTag,
    digest: &[u8; 32],
    signature: &Signature,
) -> Result<Certificate, CryptoError> {
    let certificate = Certificate::from_bytes(certificate).ok_or(CryptoError::Signature)?;
    verify_certificate(box_public, &certificate)?;
    let message = put_message(tag, digest);
    verify(&certificate.public, &[], &message, signature)?;
    Ok(certificate)
}

fn day_key(seed: &PassSeed, day: u32) -> SigningKey {
    SigningKey::from_bytes(&derive(&seed.0, &[b"pn/pass/1", &day.to_be_bytes()]))
}

fn unsigned(day: u32, public: [u8; 32], space_kib: u32) -> Certificate {
    Certificate {
        day,
        public,
        space_kib,
        signature: Signature::ZERO,
    }
}

fn put_message(tag: &MeetingTag, digest: &[u8; 32]) -> Vec<u8> {
    [PUT, &tag.0, digest].concat()
}

fn verify_certificate(box_public: &[u8; 32], it: &Certificate) -> Result<(), CryptoError> {
    verify(box_public, CERTIFICATE, &it.signed(), &it.signature)
}

fn verify(
    public: &[u8; 32],
    context: &[u8],
    message: &[u8],
    signature: &Signature,
) -> Result<(), CryptoError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| CryptoError::Signature)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(&[context, message].concat(), &signature)
        .map_err(|_| CryptoError::Signature)
}

// The halves of what goes with a put are told apart by their lengths.
const _: () = assert!(SHOWN_LEN == CERTIFICATE_LEN + Signature::LEN);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const FIRST: u32 = 20_783;
    const TAG: MeetingTag = MeetingTag([5; 16]);

    fn box_key() -> BoxKey {
        BoxKey::from_seed(&[1; 32])
    }

    fn pass(days: usize) -> Pass {
        issue(&box_key(), Day::of(FIRST), days, 64 * 1024, [2; 32])
    }

    fn check_shown(
        shown: &[u8],
        tag: &MeetingTag,
        data: &[u8],
    ) -> Result<Certificate, CryptoError> {
        let (certificate, signature) = shown.split_at(CERTIFICATE_LEN);
        let signature = Signature::try_from(signature).unwrap();
        let digest = sha256(data).0;
        check(&box_key().public(), certificate, tag, &digest, &signature)
    }

    #[test]
    fn each_day_of_a_pass_is_accepted_and_no_other_day_has_one() {
        let pass = Pass::from_link(&pass(3).to_link()).unwrap();
        assert_eq!(verify_pass(&pass), Ok(()));
        for day in FIRST..FIRST + 3 {
            let day_pass = DayPass::of(&pass, Day::of(day)).unwrap();
            let checked = check_shown(&day_pass.show(&TAG, b"sealed"), &TAG, b"sealed").unwrap();
            assert_eq!((checked.day, checked.space_kib), (day, 64 * 1024));
            assert_eq!(checked, *day_pass.certificate());
        }
        for day in [0, FIRST - 1, FIRST + 3, u32::MAX] {
            assert!(DayPass::of(&pass, Day::of(day)).is_none(), "{day}");
        }
    }

    #[test]
    fn what_is_shown_is_good_for_one_parcel_and_to_every_bit() {
        let day = DayPass::of(&pass(1), Day::of(FIRST)).unwrap();
        let shown = day.show(&TAG, b"sealed");
        assert!(check_shown(&shown, &MeetingTag([6; 16]), b"sealed").is_err());
        assert!(check_shown(&shown, &TAG, b"other").is_err());
        for bit in 0..shown.len() * 8 {
            let mut bad = shown;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(check_shown(&bad, &TAG, b"sealed").is_err(), "bit {bit}");
        }
    }

    #[test]
    fn another_box_knows_nothing_of_it() {
        let other = BoxKey::from_seed(&[9; 32]);
        let forged = issue(&other, Day::of(FIRST), 1, u32::MAX, [2; 32]);
        let shown = DayPass::of(&forged, Day::of(FIRST)).unwrap();
        assert!(check_shown(&shown.show(&TAG, b"x"), &TAG, b"x").is_err());
        let mut claimed = forged;
        claimed.box_key = box_key().public();
        assert_eq!(verify_pass(&claimed), Err(CryptoError::Signature));
        assert!(DayPass::of(&claimed, Day::of(FIRST)).is_none());
    }

    #[test]
    fn two_days_of_one_pass_show_nothing_in_common() {
        let pass = pass(14);
        assert_eq!(pass.signatures.len(), 14);
        let shown: Vec<_> = pass
            .days()
            .map(|day| DayPass::of(&pass, Day::of(day)).unwrap().show(&TAG, b"x"))
            .collect();
        let keys: BTreeSet<_> = shown.iter().map(|shown| &shown[4..36]).collect();
        assert_eq!(keys.len(), 14);
        // The space is the same on purpose; all else has no run of eight bytes that returns.
        for (at, one) in shown.iter().enumerate() {
            for other in &shown[at + 1..] {
                let parts = |of: &[u8; SHOWN_LEN]| [of[4..36].to_vec(), of[40..].to_vec()].concat();
                let (one, other) = (parts(one), parts(other));
                let runs: BTreeSet<_> = one.windows(8).collect();
                assert!(!other.windows(8).any(|run| runs.contains(run)));
            }
        }
    }

    #[test]
    fn days_are_bounded() {
        assert_eq!(pass(0).signatures.len(), 1);
        assert_eq!(pass(99).signatures.len(), limits::PASS_DAYS_MAX);
        let last = issue(&box_key(), Day::of(u32::MAX), 3, 1, [2; 32]);
        assert_eq!(last.signatures.len(), 1);
        assert_eq!(verify_pass(&last), Ok(()));
    }

    #[test]
    fn a_box_proves_itself_to_one_nonce() {
        let proof = box_key().prove(&[7; 16]);
        let public = box_key().public();
        assert_eq!(verify_box(&public, &[7; 16], &proof), Ok(()));
        assert!(verify_box(&public, &[8; 16], &proof).is_err());
        let other = BoxKey::from_seed(&[9; 32]).public();
        assert!(verify_box(&other, &[7; 16], &proof).is_err());
    }

    proptest! {
        #[test]
        fn nothing_shown_breaks_the_check(shown in proptest::collection::vec(any::<u8>(), 0..220)) {
            let (certificate, rest) = shown.split_at(shown.len().min(CERTIFICATE_LEN));
            let mut signature = [0; 64];
            signature.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            let checked = check(&[1; 32], certificate, &TAG, &[0; 32], &Signature(signature));
            prop_assert!(checked.is_err());
        }
    }
}
