//! The key of a carrier box: what its passes are signed with, and how a device knows that it has found the box it looks for.
//!
//! ```text
//!  DATA/box.key ──> "pn/carry-pass/1" | day 4 | that day's key 32 | space KiB 4     each certificate of a pass
//!                └─> "pn/box-here/1" | nonce 16                                      "I am that box"
//! ```
//!
//! The layout of passes and certificates stands in `peddlenet_wire::pass`. This is the box's side; devices' is
//! `peddlenet_crypto::pass`, and a test in tests/rendezvous holds the two together.

use std::fmt;
use std::path::Path;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use peddlenet_store::{StoreError, file};
use peddlenet_wire::pass::{Certificate, PassSeed};
use peddlenet_wire::{Capped, Pass, limits};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key's file in the data folder: 32 random bytes, for the server's eyes only.
const FILE: &str = "box.key";
const SEED_BYTES: usize = 32;

const CERTIFICATE: &[u8] = b"pn/carry-pass/1";
const HERE: &[u8] = b"pn/box-here/1";
const DAY: &[u8] = b"pn/pass/1";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoxKeyError {
    /// Nobody has made one yet.
    #[error(
        "there is no box.key in {0}; start peddlenet-signaling with --beacon on this folder once"
    )]
    None(String),
    /// The file is there and is no key.
    #[error(
        "box.key in {0} is damaged; with another key the passes that were given out are worth nothing"
    )]
    Damaged(String),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] StoreError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// A box's Ed25519 key. Redacted in logs, wiped on drop.
pub struct BoxKey(SigningKey);

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(..)")
    }
}

impl BoxKey {
    /// The key in a data folder, made and durable on return where there was none. For the process that has the folder.
    ///
    /// # Errors
    /// See [`BoxKeyError`].
    pub fn open(folder: &Path) -> Result<Self, BoxKeyError> {
        match Self::read(folder) {
            Err(BoxKeyError::None(_)) => {}
            read => return read,
        }
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        getrandom::fill(&mut *seed).map_err(|_| BoxKeyError::Random)?;
        file::write(&folder.join(FILE), &*seed)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The key in a data folder. Writes nothing, and works beside the process that has the folder.
    ///
    /// # Errors
    /// See [`BoxKeyError`].
    pub fn read(folder: &Path) -> Result<Self, BoxKeyError> {
        let shown = || folder.display().to_string();
        let bytes = match file::read(&folder.join(FILE), SEED_BYTES) {
            Ok(bytes) => bytes.map(Zeroizing::new),
            Err(StoreError::TooLarge { .. }) => return Err(BoxKeyError::Damaged(shown())),
            Err(error) => return Err(error.into()),
        };
        let bytes = bytes.ok_or_else(|| BoxKeyError::None(shown()))?;
        let seed = bytes.as_slice().try_into();
        let seed = seed.map_err(|_| BoxKeyError::Damaged(shown()))?;
        Ok(Self(SigningKey::from_bytes(seed)))
    }

    #[cfg(test)]
    pub(crate) fn from_seed(seed: [u8; SEED_BYTES]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// What passes name the box by.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Makes a pass from `first_day` on (counted from 1970, UTC), each day of it with so much space. `seed` must be 32 fresh random
    /// bytes. There are 1 to [`limits::PASS_DAYS_MAX`] days; another number becomes the nearest of them.
    #[must_use]
    pub fn issue(&self, first_day: u32, days: usize, space_kib: u32, seed: [u8; 32]) -> Pass {
        let seed = PassSeed(seed);
        let days = (first_day..=u32::MAX).take(days.clamp(1, limits::PASS_DAYS_MAX));
        let mut signatures = days.map(|day| {
            let unsigned = Certificate {
                day,
                public: day_key(&seed, day).verifying_key().to_bytes(),
                space_kib,
                signature: peddlenet_wire::Signature::ZERO,
            };
            let signed = [CERTIFICATE, &unsigned.signed()].concat();
            peddlenet_wire::Signature(self.0.sign(&signed).to_bytes())
        });
        Pass {
            box_key: self.public(),
            first_day,
            space_kib,
            signatures: Capped::take_from(&mut signatures),
            seed,
        }
    }

    /// "I am this box", to who chose the nonce.
    pub(crate) fn prove(&self, nonce: &[u8; 16]) -> [u8; 64] {
        self.0.sign(&[HERE, nonce].concat()).to_bytes()
    }

    /// Whether a certificate is this box's.
    pub(crate) fn signed(&self, certificate: &Certificate) -> bool {
        let message = [CERTIFICATE, &certificate.signed()].concat();
        let signature = Signature::from_bytes(&certificate.signature.0);
        let key: VerifyingKey = self.0.verifying_key();
        key.verify_strict(&message, &signature).is_ok()
    }
}

/// HKDF-SHA256 (RFC 5869) of the pass's seed.
pub(crate) fn day_key(seed: &PassSeed, day: u32) -> SigningKey {
    let mut key = Zeroizing::new([0; 32]);
    let info = [DAY, &day.to_be_bytes()].concat();
    match Hkdf::<Sha256>::new(None, &seed.0).expand(&info, &mut *key) {
        Ok(()) => SigningKey::from_bytes(&key),
        // HKDF refuses only outputs over 255 hashes.
        Err(_) => unreachable!("32 bytes are one hash"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_beside() {
        let folder = tempfile::tempdir().unwrap();
        let none = BoxKey::read(folder.path()).unwrap_err();
        assert!(matches!(none, BoxKeyError::None(_)), "{none}");
        let made = BoxKey::open(folder.path()).unwrap().public();
        assert_eq!(BoxKey::open(folder.path()).unwrap().public(), made);
        assert_eq!(BoxKey::read(folder.path()).unwrap().public(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = std::fs::metadata(folder.path().join(FILE)).unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [&[1; 31][..], &[1; 33], &[]] {
            std::fs::write(folder.path().join(FILE), bytes).unwrap();
            let damaged = BoxKey::open(folder.path()).unwrap_err();
            assert!(matches!(damaged, BoxKeyError::Damaged(_)), "{damaged}");
            assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), bytes);
        }
    }
}
