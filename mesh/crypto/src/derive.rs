//! Key derivation: HKDF-SHA256 (RFC 5869) with a label for each purpose; and MACs that are cut short.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 bytes from a secret, for the purpose that `info` says.
///
/// The first part of `info` is a label of the form `pn/../1`; no label is the beginning of
/// another, and what follows it has a fixed length, so no two purposes share a key.
pub(crate) fn derive(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    match Hkdf::<Sha256>::new(None, secret).expand_multi_info(info, &mut *key) {
        Ok(()) => key,
        // HKDF refuses only outputs over 255 hashes.
        Err(_) => unreachable!("32 bytes are one hash"),
    }
}

/// HMAC-SHA256 (RFC 2104) over the parts, one after the other.
pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            parts.iter().for_each(|part| mac.update(part));
            mac
        }
        Err(_) => unreachable!("HMAC takes a key of any length"),
    }
}

/// The first bytes of what it comes to.
pub(crate) fn first_of<const N: usize>(mac: Hmac<Sha256>) -> [u8; N] {
    const { assert!(N <= 32) };
    let whole: [u8; 32] = mac.finalize().into_bytes().into();
    let mut out = [0; N];
    out.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_info_are_concatenated_and_secrets_and_labels_separate_keys() {
        let key = derive(b"secret", &[b"pn/test/1", b"room"]);
        assert_eq!(*key, *derive(b"secret", &[b"pn/test/1room"]));
        assert_ne!(*key, *derive(b"secret", &[b"pn/test/2", b"room"]));
        assert_ne!(*key, *derive(b"other", &[b"pn/test/1", b"room"]));
    }
}
