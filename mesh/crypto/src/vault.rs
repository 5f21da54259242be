//! What lies on the disk of a device: sealed values, and the one key that opens them.
//!
//! ```text
//!  master key 32 --HKDF "pn/vault/value/1"--> value key --XChaCha20-Poly1305--> nonce 24 | ciphertext | tag 16
//!             |                                           associated data: table, its length before it; key
//!             +----HKDF "pn/vault/id/1"-----> id 16: public; tells which key a store was sealed with
//!             +----file.rs------------------> a key file, plain or under a passphrase
//! ```
//!
//! A value is bound to its table and its key, so one that is moved to another place does not open.
//! Values are not padded: bodies of events are padded already, and what else there is has sizes that
//! say little. A nonce is 24 random bytes, so that one key never sees one twice.

mod file;

use std::fmt;

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use file::{Cost, KEY_FILE_MAX, KeyFile, Passphrase, WrapRandom};

use crate::{CryptoError, derive::derive};

/// Bytes that sealing adds to a value: nonce and tag.
pub const SEAL_OVERHEAD: usize = NONCE_LEN + TAG_LEN;
/// Random bytes for one sealed value.
pub const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

/// The key of a device's disk. Redacted in logs, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A key from 32 fresh random bytes, or from where they are kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself, for the keychain that keeps it.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key's public name, from which nothing of the key can be learnt.
    pub fn id(&self) -> KeyId {
        let name = derive(&self.0, &[b"pn/vault/id/1"]);
        let Some(id) = name.first_chunk() else {
            unreachable!("32 bytes are more than 16")
        };
        KeyId(*id)
    }

    /// The key that seals values.
    pub fn value_key(&self) -> ValueKey {
        ValueKey(*derive(&self.0, &[b"pn/vault/value/1"]))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({:?})", self.id())
    }
}

/// Which master key something was sealed with. Public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 16]);

/// Seals and opens values. Redacted in logs, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ValueKey([u8; 32]);

impl ValueKey {
    /// Seals the value of `key` in `table`.
    ///
    /// # Errors
    /// The value is longer than the cipher takes (256 GiB).
    pub fn seal(
        &self,
        table: &str,
        key: &[u8],
        nonce: &[u8; NONCE_LEN],
        value: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let place = place(table, key);
        let sealed = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: value,
                    aad: &place,
                },
            )
            .map_err(|_| CryptoError::Sealed)?;
        Ok([nonce, &sealed[..]].concat())
    }

    /// Opens the value of `key` in `table`.
    ///
    /// # Errors
    /// It was sealed with another key, for another place, or was changed: [`CryptoError::Sealed`].
    pub fn open(&self, table: &str, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(CryptoError::Sealed)?;
        XChaCha20Poly1305::new(&self.0.into())
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: &place(table, key),
                },
            )
            .map_err(|_| CryptoError::Sealed)
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueKey(..)")
    }
}

/// No table and key read as another table and key: the table's length stands before it.
fn place(table: &str, key: &[u8]) -> Vec<u8> {
    let length = (table.len() as u64).to_be_bytes();
    [&length, table.as_bytes(), key].concat()
}

#[cfg(test)]
mod tests;
