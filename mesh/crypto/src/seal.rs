//! The sealed body of events and records.
//!
//! ```text
//!  plaintext | 0x80 | 0x00 .. to a bucket     --XChaCha20-Poly1305-->     nonce 24 | ciphertext | tag 16
//!                                              key: HKDF(epoch key, label, author, stream or kind)
//!                                              associated data: the header, body_hash zeroed
//! ```
//!
//! The padding is that of ISO/IEC 7816-4; it is checked after the tag, so it is no oracle.
//! Buckets: 32, 64, 128, 256, 512 bytes, which hide what a short message says by its length;
//! above, the steps of Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files
//! and Communication with PURBs", 2019), which cost at most 6 %.
//!
//! Each author's bodies in each stream have a key of their own, so 24 random bytes never repeat a
//! nonce under one key.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use peddlenet_wire::WireError;
use zeroize::Zeroizing;

use crate::CryptoError;

/// What sealing adds to the padded plaintext: nonce and tag.
const OVERHEAD: usize = NONCE_LEN + 16;
const NONCE_LEN: usize = 24;
/// The byte between plaintext and zeros.
const END: u8 = 0x80;
/// The bucket up to which sizes double.
const DOUBLING_MAX: usize = 512;
const SMALLEST_BUCKET: usize = 32;

/// Pads and seals. The result is at most `max` bytes long, or nothing is sealed.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    associated: &[u8],
    plaintext: &[u8],
    max: usize,
) -> Result<Vec<u8>, CryptoError> {
    let room = max.saturating_sub(OVERHEAD);
    let needed = plaintext.len().saturating_add(1);
    if needed > room {
        return Err(WireError::TooLong {
            what: "plaintext",
            len: plaintext.len(),
            max: room.saturating_sub(1),
        }
        .into());
    }
    let mut padded = Zeroizing::new(Vec::with_capacity(bucket(needed).min(room)));
    padded.extend_from_slice(plaintext);
    padded.push(END);
    padded.resize(bucket(needed).min(room), 0);
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: &padded,
                aad: associated,
            },
        )
        .map_err(|_| CryptoError::Sealed)?;
    Ok([nonce, &sealed[..]].concat())
}

/// Opens and takes the padding off.
pub(crate) fn open(key: &[u8; 32], associated: &[u8], body: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (nonce, sealed) = body
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(CryptoError::Sealed)?;
    let mut padded = XChaCha20Poly1305::new(key.into())
        .decrypt(
            &XNonce::from(*nonce),
            Payload {
                msg: sealed,
                aad: associated,
            },
        )
        .map_err(|_| CryptoError::Sealed)?;
    let end = padded
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or(CryptoError::Sealed)?;
    if padded.get(end) != Some(&END) {
        return Err(CryptoError::Sealed);
    }
    padded.truncate(end);
    Ok(padded)
}

/// The length that `len` bytes are padded to.
fn bucket(len: usize) -> usize {
    if len <= DOUBLING_MAX {
        return len.next_power_of_two().max(SMALLEST_BUCKET);
    }
    // Padmé: as many leading bits may vary as the exponent has bits.
    let exponent = len.ilog2();
    let free = exponent.saturating_sub(exponent.ilog2().saturating_add(1));
    let step = 1_usize << free;
    len.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_are_the_documented_ones() {
        let pairs = [
            (1, 32),
            (32, 32),
            (33, 64),
            (65, 128),
            (129, 256),
            (257, 512),
            (512, 512),
            (513, 544),
            (1000, 1024),
            (1025, 1088),
            (16 * 1024, 16 * 1024),
            (16 * 1024 + 1, 17 * 1024),
        ];
        for (len, padded) in pairs {
            assert_eq!(bucket(len), padded, "{len}");
        }
    }

    #[test]
    fn a_plaintext_that_just_fits_is_sealed_and_one_byte_more_is_not() {
        let max = 1000;
        let fits = vec![0; max - OVERHEAD - 1];
        let body = seal(&[1; 32], &[2; 24], b"", &fits, max).unwrap();
        assert_eq!(body.len(), max);
        assert_eq!(open(&[1; 32], b"", &body).as_ref(), Ok(&fits));
        let over = vec![0; fits.len() + 1];
        assert!(matches!(
            seal(&[1; 32], &[2; 24], b"", &over, max),
            Err(CryptoError::Wire(WireError::TooLong { .. }))
        ));
    }

    #[test]
    fn bad_padding_under_a_good_tag_is_refused() {
        for plaintext in [&[][..], &[0; 32], &[1; 32], &[END, 0, 7]] {
            let sealed = XChaCha20Poly1305::new(&[1; 32].into())
                .encrypt(
                    &XNonce::from([2; 24]),
                    Payload {
                        msg: plaintext,
                        aad: b"",
                    },
                )
                .unwrap();
            let body = [&[2; 24], &sealed[..]].concat();
            assert_eq!(open(&[1; 32], b"", &body), Err(CryptoError::Sealed));
        }
    }

    proptest! {
        #[test]
        fn sealing_round_trips_and_lengths_fall_into_buckets(
            plaintext in prop::collection::vec(any::<u8>(), 0..3000),
        ) {
            let body = seal(&[1; 32], &[2; 24], b"header", &plaintext, 1 << 16).unwrap();
            prop_assert_eq!(body.len(), bucket(plaintext.len() + 1) + OVERHEAD);
            prop_assert_eq!(open(&[1; 32], b"header", &body), Ok(plaintext));
            prop_assert_eq!(open(&[1; 32], b"other", &body), Err(CryptoError::Sealed));
            prop_assert_eq!(open(&[3; 32], b"header", &body), Err(CryptoError::Sealed));
        }

        #[test]
        fn buckets_grow_and_cost_at_most_a_sixteenth(len in 512_usize..1_000_000) {
            prop_assert!(bucket(len) >= len);
            prop_assert!(bucket(len) - len <= len / 16);
            prop_assert!(bucket(len + 1) >= bucket(len));
            prop_assert_eq!(bucket(bucket(len)), bucket(len));
        }

        #[test]
        fn opening_garbage_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(open(&[1; 32], b"", &body), Err(CryptoError::Sealed));
        }
    }
}
