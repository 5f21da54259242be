//! Key derivation: HKDF-SHA256 (RFC 5869) with a label for each purpose.

use hkdf::Hkdf;
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
