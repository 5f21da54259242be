//! What goes with a put under a carry pass: a certificate of this box for today, and the day's signature over the parcel.

use ed25519_dalek::{Signature, VerifyingKey};
use peddlenet_wire::pass::{CERTIFICATE_LEN, Certificate, SHOWN_LEN};

use crate::box_key::BoxKey;
use crate::frames::{PASS_BYTES, Refusal, Tag};

/// `signed = this || tag 16 || SHA-256(data) 32`
const PUT_CONTEXT: &[u8] = b"pn/pass-put/1";
/// Seconds.
const DAY: u64 = 24 * 3600;
/// Signatures that a put under a pass is checked for, its own included.
pub(super) const CHECKS: u32 = 3;

/// A certificate of this box that was used by who holds its pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Under {
    /// The day's key: what the space is counted under.
    pub(crate) key: [u8; 32],
    /// Bytes that the box keeps under it.
    pub(crate) bytes: u64,
}

/// Reads what was shown, and refuses cheaply what can't be good at `now`, in seconds since 1970: clocks may be one day apart.
pub(super) fn read(shown: &[u8; PASS_BYTES], now: u64) -> Result<(Certificate, [u8; 64]), Refusal> {
    let (certificate, signature) = shown.split_at(CERTIFICATE_LEN);
    let certificate = Certificate::from_bytes(certificate).ok_or(Refusal::BadPass)?;
    let signature = signature.try_into().map_err(|_| Refusal::BadPass)?;
    let day = u64::from(certificate.day);
    let today = now / DAY;
    let near = day <= today.saturating_add(1) && today <= day.saturating_add(1);
    near.then_some((certificate, signature))
        .ok_or(Refusal::BadPass)
}

/// Whether the box signed it, and the day's key this parcel.
pub(super) fn check(
    key: &BoxKey,
    (certificate, signature): &(Certificate, [u8; 64]),
    tag: Tag,
    digest: &[u8; 32],
) -> Result<Under, Refusal> {
    if !key.signed(certificate) {
        return Err(Refusal::BadPass);
    }
    let message = [PUT_CONTEXT, &tag.0, digest].concat();
    VerifyingKey::from_bytes(&certificate.public)
        .and_then(|key| key.verify_strict(&message, &Signature::from_bytes(signature)))
        .map_err(|_| Refusal::BadPass)?;
    Ok(Under {
        key: certificate.public,
        bytes: u64::from(certificate.space_kib) * 1024,
    })
}

const _: () = assert!(PASS_BYTES == SHOWN_LEN);
