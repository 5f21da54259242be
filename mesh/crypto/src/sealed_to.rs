//! Sealed to one author: HPKE (RFC 9180), base mode, single shot.
//!
//! ```text
//!  author id (Ed25519) --birational map--> X25519 public key
//!  plaintext --DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305--> enc 32 | ciphertext | tag 16
//! ```
//!
//! Everybody in a room is known by an Ed25519 key, and the same pair serves as the X25519 pair that
//! things are sealed to: the public key is the same point in Montgomery form, the secret key the
//! scalar that Ed25519 hashes from its seed. So every author id is its own seal key; none has to be
//! certified, spread or looked up, and none can be missing. That one pair may serve both is proven
//! for precisely this composition (Ed25519 beside an X25519-HKDF KEM as in HPKE) by Thormarker,
//! "On using the same key pair for Ed25519 and an X25519 based KEM", IACR ePrint 2021/509.
//!
//! Base mode says nothing about who sealed: what carries a sealed box is signed by its author.
//! A recipient of low order or in a non-canonical encoding is refused, as `verify_strict` refuses
//! its signatures: one author has one id.
//!
//! `info` names the purpose (`pn/../1`) and what else the two ends know; `aad` is what the box
//! belongs to. A box opens under exactly the pair that it was sealed under. `seed` must be 32 fresh
//! random bytes: the key pair of the sender's side comes from them (through ChaCha20), and the same
//! bytes for the same recipient give the same key and nonce.

use ed25519_dalek::VerifyingKey;
use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use peddlenet_wire::AuthorId;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use zeroize::Zeroizing;

use crate::{AuthorKey, CryptoError};

type Kem = X25519HkdfSha256;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type SecretKey = <Kem as hpke::Kem>::PrivateKey;
type Encapped = <Kem as hpke::Kem>::EncappedKey;

/// Length of the encapsulated key in front of a box (bytes).
const ENC_LEN: usize = 32;
/// What sealing adds to the plaintext: the encapsulated key and the tag (bytes).
pub const OVERHEAD: usize = ENC_LEN + 16;

/// Seals to one author: `enc 32 | ciphertext | tag 16`.
///
/// Fails with [`CryptoError::BadRecipient`] where `to` is no key that anything can be sealed to.
pub fn seal_to(
    to: AuthorId,
    info: &[u8],
    aad: &[u8],
    seed: [u8; 32],
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let seed = Zeroizing::new(seed);
    let to = recipient(to)?;
    let mut rng = ChaCha20Rng::from_seed(*seed);
    let (enc, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to,
        info,
        plaintext,
        aad,
        &mut rng,
    )
    .map_err(|_| CryptoError::BadRecipient)?;
    Ok([&*enc.to_bytes(), &sealed].concat())
}

/// Opens what was sealed to the author with this key, under the same `info` and `aad`.
pub fn open_sealed(
    key: &AuthorKey,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let refused = |_| CryptoError::Sealed;
    let (enc, sealed) = sealed
        .split_first_chunk::<ENC_LEN>()
        .ok_or(CryptoError::Sealed)?;
    let enc = Encapped::from_bytes(enc).map_err(refused)?;
    let secret = SecretKey::from_bytes(&*key.x25519()).map_err(refused)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &secret,
        &enc,
        info,
        sealed,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(refused)
}

/// The X25519 key of an author.
fn recipient(author: AuthorId) -> Result<PublicKey, CryptoError> {
    let point = VerifyingKey::from_bytes(&author.0)
        .ok()
        .filter(|key| !key.is_weak() && key.to_edwards().compress().0 == author.0)
        .ok_or(CryptoError::BadRecipient)?;
    PublicKey::from_bytes(&point.to_montgomery().0).map_err(|_| CryptoError::BadRecipient)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INFO: &[u8] = b"pn/test/1";
    const AAD: &[u8] = b"header";

    fn key(n: u8) -> AuthorKey {
        AuthorKey::from_seed([n; 32])
    }

    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        seal_to(key(1).id(), INFO, AAD, [9; 32], plaintext).unwrap()
    }

    #[test]
    fn only_the_recipient_opens_and_only_as_it_was_sealed() {
        let sealed = sealed(b"hello");
        assert_eq!(sealed.len(), b"hello".len() + OVERHEAD);
        let open = |n, info, aad| open_sealed(&key(n), info, aad, &sealed);
        assert_eq!(&**open(1, INFO, AAD).unwrap(), b"hello");
        for refused in [
            open(2, INFO, AAD),
            open(1, b"pn/test/2", AAD),
            open(1, b"", AAD),
            open(1, INFO, b"another header"),
            open(1, INFO, b""),
        ] {
            assert_eq!(refused, Err(CryptoError::Sealed));
        }
    }

    /// Computed by another implementation (Python over OpenSSL) from RFC 9180, with the ChaCha20
    /// key stream of the seed (nonce 0, block 0) as the sender's keying material.
    #[test]
    fn known_answer() {
        let hex: String = sealed(b"hello")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "0e2e6b71a023c1d67c9df32f0459ff6e93d1805d20951728d3e5cd540eac945a89bef948aed7805f16168f993aa76361912aa7d410"
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = sealed(b"see you at gate B");
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                open_sealed(&key(1), INFO, AAD, &bad),
                Err(CryptoError::Sealed),
                "bit {bit}"
            );
        }
        for len in 0..sealed.len() {
            assert!(open_sealed(&key(1), INFO, AAD, &sealed[..len]).is_err());
        }
    }

    #[test]
    fn the_map_takes_the_secret_key_to_the_public_one() {
        for n in 0..50 {
            let key = key(n);
            let secret = SecretKey::from_bytes(&*key.x25519()).unwrap();
            let public = <Kem as hpke::Kem>::sk_to_pk(&secret);
            assert_eq!(public, recipient(key.id()).unwrap());
        }
    }

    #[test]
    fn a_recipient_of_low_order_or_written_unusually_is_refused() {
        // The eight points of low order, the sign of x = 0 written as minus, y = p and y = p + 1.
        let low = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for hex in low {
            let id: AuthorId = hex.parse().unwrap();
            let sealed = seal_to(id, INFO, AAD, [9; 32], b"hello");
            assert_eq!(sealed, Err(CryptoError::BadRecipient), "{hex}");
        }
        // Points of high order in a non-canonical encoding: y = p + 3 .. p + 18.
        for y in 0xf0..=0xff_u8 {
            for top in [0x7f, 0xff] {
                let mut id = [0xff; 32];
                (id[0], id[31]) = (y, top);
                let sealed = seal_to(AuthorId(id), INFO, AAD, [9; 32], b"hello");
                assert_eq!(sealed, Err(CryptoError::BadRecipient), "{y:x} {top:x}");
            }
        }
    }

    #[test]
    fn an_encapsulated_key_of_low_order_is_refused() {
        let mut sealed = sealed(b"hello");
        for first in [0, 1] {
            sealed[..ENC_LEN].fill(0);
            sealed[0] = first;
            assert_eq!(
                open_sealed(&key(1), INFO, AAD, &sealed),
                Err(CryptoError::Sealed)
            );
        }
    }

    proptest! {
        #[test]
        fn sealing_round_trips(
            seed in any::<[u8; 32]>(),
            author in any::<[u8; 32]>(),
            plaintext in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let key = AuthorKey::from_seed(author);
            let sealed = seal_to(key.id(), INFO, AAD, seed, &plaintext).unwrap();
            prop_assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
            prop_assert_eq!(&**open_sealed(&key, INFO, AAD, &sealed).unwrap(), &plaintext);
        }

        #[test]
        fn opening_garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open_sealed(&key(1), INFO, AAD, &bytes).is_err());
        }
    }
}
