//! A carry pass: what the organiser who runs a carrier box gives a room's owner, so that the box keeps the room's parcels.
//!
//! ```text
//!  0         1            33            37          41        73                       +64 each
//!  +---------+------------+-------------+-----------+---------+------------------------+
//!  | version | box key 32 | first day 4 | space KiB | seed 32 | signature of each day  |   big-endian
//!  +---------+------------+-------------+-----------+---------+------------------------+
//!
//!  certificate, which goes to the box:   day 4 | that day's key 32 | space KiB 4 | signature 64, by the box key
//! ```
//!
//! A pass holds a certificate for each of its days. The days' keys come from the seed (`peddlenet_crypto::pass`), so
//! who holds the pass can use it, and nothing that the box is shown on one day returns on another. Whoever made the pass and kept
//! a copy can still recognise its days.
//!
//! The text form is `PEDDLENET:C/` and RFC 4648 base32 without padding, upper case, as for join codes ([`crate::invite`]).

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Capped, Signature,
    code::{self, Cut, Reader},
    limits,
};

/// What the text form starts with.
pub const PREFIX: &str = "PEDDLENET:C/";
/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of a [`Certificate`].
pub const CERTIFICATE_LEN: usize = 4 + 32 + 4 + Signature::LEN;
/// Bytes of what goes with a put: a certificate, and the signature of its day's key over the parcel.
pub const SHOWN_LEN: usize = CERTIFICATE_LEN + Signature::LEN;

/// A pass, decoded. Shows neither its seed nor the box in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    /// The box, by its Ed25519 key.
    pub box_key: [u8; 32],
    /// The first of its days, counted from 1970 (UTC).
    pub first_day: u32,
    /// What the box keeps under each of its days, in KiB.
    pub space_kib: u32,
    /// What the days' keys come from.
    pub seed: PassSeed,
    /// The box's signature in the certificate of each day, from the first on; never empty in a pass that was read.
    pub signatures: Capped<Signature, { limits::PASS_DAYS_MAX }>,
}

/// The part of a pass that must not leak. Redacted in logs, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PassSeed(pub [u8; 32]);

/// One day of a pass, as it is shown to the box. Comes from a stranger until its signature is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// Counted from 1970 (UTC).
    pub day: u32,
    /// The day's Ed25519 key.
    pub public: [u8; 32],
    /// What the box keeps under it, in KiB.
    pub space_kib: u32,
    /// By the box key, over the fields before.
    pub signature: Signature,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pass({} days)", self.signatures.len())
    }
}

impl fmt::Debug for PassSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassSeed(..)")
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate(day {})", self.day)
    }
}

/// Why a text is no pass. Each has its own next step for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// Some other text, an invite among them.
    #[error("not a pass of a carrier box")]
    NotOurs,
    /// Ours, but cut off or garbled.
    #[error("an incomplete or damaged pass")]
    Damaged,
    /// Ours, in a format that this build can't read.
    #[error("a pass of format {0}, made by a newer program")]
    Newer(u8),
}

impl From<Cut> for PassError {
    fn from(_: Cut) -> Self {
        Self::Damaged
    }
}

impl Pass {
    /// Whether a text claims to be a pass, of whatever format and state.
    pub fn is_one(text: &str) -> bool {
        code::payload(text, PREFIX).is_some()
    }

    /// Its days, counted from 1970 (UTC).
    pub fn days(&self) -> impl Iterator<Item = u32> + '_ {
        (self.first_day..=u32::MAX).take(self.signatures.len())
    }

    /// The binary form, at most [`limits::PASS_MAX`] bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Reserved once, so that writing never moves the seed.
        let mut out = Vec::with_capacity(limits::PASS_MAX);
        out.push(VERSION);
        out.extend(self.box_key);
        out.extend(self.first_day.to_be_bytes());
        out.extend(self.space_kib.to_be_bytes());
        out.extend(self.seed.0);
        self.signatures.iter().for_each(|by| out.extend(by.0));
        out
    }

    /// Reads the binary form; every byte must be accounted for, and no day may lie beyond what 32 bits count.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PassError> {
        let r = &mut Reader(bytes);
        let [version] = r.take()?;
        if version != VERSION {
            return Err(PassError::Newer(version));
        }
        let box_key = r.take()?;
        let first_day = u32::from_be_bytes(r.take()?);
        let space_kib = u32::from_be_bytes(r.take()?);
        let seed = PassSeed(r.take()?);
        let mut signatures = Vec::new();
        while r.end().is_err() && signatures.len() < limits::PASS_DAYS_MAX {
            signatures.push(Signature(r.take()?));
        }
        r.end()?;
        let after_first = signatures.len().checked_sub(1).ok_or(Cut)?;
        let after_first = u32::try_from(after_first).map_err(|_| Cut)?;
        first_day.checked_add(after_first).ok_or(Cut)?;
        Ok(Self {
            box_key,
            first_day,
            space_kib,
            seed,
            signatures: signatures.try_into().map_err(|_| Cut)?,
        })
    }

    /// The text to draw or copy, below [`limits::PASS_TEXT_MAX`].
    pub fn to_link(&self) -> String {
        code::to_text(PREFIX, &self.to_bytes())
    }

    /// Reads a text as a person or a scanner hands it over: any case, white space around and inside.
    pub fn from_link(text: &str) -> Result<Self, PassError> {
        let payload = code::payload(text, PREFIX).ok_or(PassError::NotOurs)?;
        Self::from_bytes(&code::decode_up_to(payload, limits::PASS_TEXT_MAX)?)
    }
}

impl Certificate {
    /// What the box signs, after a context of its own: day, key and space.
    pub fn signed(&self) -> [u8; CERTIFICATE_LEN - Signature::LEN] {
        let mut out = [0; CERTIFICATE_LEN - Signature::LEN];
        let fields = self.day.to_be_bytes().into_iter().chain(self.public);
        let fields = fields.chain(self.space_kib.to_be_bytes());
        out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        out
    }

    /// As it is shown to the box.
    pub fn to_bytes(&self) -> [u8; CERTIFICATE_LEN] {
        let mut out = [0; CERTIFICATE_LEN];
        let all = self.signed().into_iter().chain(self.signature.0);
        out.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        out
    }

    /// Reads it again; `None`: another number of bytes than [`CERTIFICATE_LEN`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let r = &mut Reader(bytes);
        let certificate = Self {
            day: u32::from_be_bytes(r.take().ok()?),
            public: r.take().ok()?,
            space_kib: u32::from_be_bytes(r.take().ok()?),
            signature: Signature(r.take().ok()?),
        };
        r.end().ok().map(|()| certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(days: usize) -> Pass {
        Pass {
            box_key: [1; 32],
            first_day: 20_783,
            space_kib: 64 * 1024,
            seed: PassSeed([2; 32]),
            signatures: vec![Signature([3; 64]); days].try_into().unwrap(),
        }
    }

    #[test]
    fn the_longest_pass_fits_its_limits_and_alphanumeric_qr_mode() {
        let pass = sample(limits::PASS_DAYS_MAX);
        assert_eq!(pass.to_bytes().len(), limits::PASS_MAX);
        let link = pass.to_link();
        assert_eq!(link.len(), 1_563);
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || ":/".contains(c);
        assert!(link.chars().all(plain));
        let wrapped = format!(" {}\n  {}\r\n", &link[..60], &link[60..].to_lowercase());
        assert_eq!(Pass::from_link(&wrapped), Ok(pass));
    }

    #[test]
    fn other_codes_damaged_ones_and_newer_ones_are_told_apart() {
        for other in ["", "PEDDLENET:J/AAAA", "PEDDLENET:B/AAAA", "é"] {
            assert_eq!(Pass::from_link(other), Err(PassError::NotOurs));
        }
        let link = sample(2).to_link();
        for len in PREFIX.len()..link.len() {
            let cut = Pass::from_link(&link[..len]);
            // One that ends with a whole day reads as a shorter pass.
            let one_day = cut.as_ref().is_ok_and(|pass| pass.signatures.len() == 1);
            assert!(
                one_day || cut == Err(PassError::Damaged),
                "{cut:?} at {len}"
            );
        }
        let mut bytes = sample(1).to_bytes();
        bytes[0] = 2;
        assert_eq!(Pass::from_bytes(&bytes), Err(PassError::Newer(2)));
    }

    #[test]
    fn there_are_one_to_fourteen_days_and_none_beyond_the_last_that_is_counted() {
        assert_eq!(
            Pass::from_bytes(&sample(0).to_bytes()),
            Err(PassError::Damaged)
        );
        let mut more = sample(limits::PASS_DAYS_MAX).to_bytes();
        more.extend([3; Signature::LEN]);
        assert_eq!(Pass::from_bytes(&more), Err(PassError::Damaged));
        let mut last = sample(2);
        last.first_day = u32::MAX - 1;
        assert_eq!(Pass::from_bytes(&last.to_bytes()), Ok(last.clone()));
        assert!(last.days().eq([u32::MAX - 1, u32::MAX]));
        last.first_day = u32::MAX;
        assert_eq!(Pass::from_bytes(&last.to_bytes()), Err(PassError::Damaged));
    }

    #[test]
    fn a_certificate_has_one_length() {
        let certificate = Certificate {
            day: 7,
            public: [1; 32],
            space_kib: 9,
            signature: Signature([2; 64]),
        };
        let bytes = certificate.to_bytes();
        assert_eq!(Certificate::from_bytes(&bytes), Some(certificate));
        assert_eq!(Certificate::from_bytes(&bytes[1..]), None);
        assert_eq!(Certificate::from_bytes(&[&bytes[..], &[0]].concat()), None);
    }
}
