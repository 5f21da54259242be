//! The key file: a master key as it is, or wrapped under a passphrase.
//!
//! ```text
//!  "PNKEY" 5 | version 1 | kind 1 | .. | check 8          check: SHA-256 over what stands before it
//!  kind 0, plain        .. = key 32
//!  kind 1, passphrase   .. = memory KiB 4 | passes 4 | lanes 4 | salt 16 | nonce 24 | sealed key 48
//! ```
//!
//! The passphrase becomes a key by Argon2id (RFC 9106), and that key seals the master key with
//! XChaCha20-Poly1305; what stands before the nonce is its associated data. The parameters come from a
//! file, so they are bounded before anything is allocated. The check tells a damaged file from a
//! wrong passphrase; against a person it means nothing.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use peddlenet_wire::event::sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{MasterKey, NONCE_LEN};
use crate::CryptoError;

const MAGIC: &[u8; 5] = b"PNKEY";
const VERSION: u8 = 1;
const PLAIN: u8 = 0;
const WRAPPED: u8 = 1;
const HEAD_LEN: usize = 7;
const COST_LEN: usize = 12;
const SALT_LEN: usize = 16;
const CHECK_LEN: usize = 8;
/// A key and its tag.
const SEALED_LEN: usize = 48;

/// More bytes than any key file has: what a reader takes in at most.
pub const KEY_FILE_MAX: usize = 256;
/// The longest passphrase, in bytes.
const PASSPHRASE_MAX: usize = 1024;

/// What Argon2id costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// How often it is gone over.
    pub passes: u32,
    /// How many lanes it has.
    pub lanes: u32,
}

impl Cost {
    /// The second recommendation of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
    pub const STANDARD: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 4,
    };
    /// What a file may ask for at most: 256 MiB for some seconds.
    pub const MOST: Self = Self {
        memory_kib: 256 * 1024,
        passes: 16,
        lanes: 16,
    };

    fn params(self) -> Result<Params, CryptoError> {
        let most = Self::MOST;
        if self.memory_kib > most.memory_kib || self.passes > most.passes || self.lanes > most.lanes
        {
            return Err(CryptoError::KeyFile(
                "it asks for more memory or time than is sane",
            ));
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| CryptoError::KeyFile("its parameters make no sense"))
    }
}

/// Words that a person knows. Redacted in logs, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// A passphrase as typed; line ends at its end don't count.
    ///
    /// # Errors
    /// It is empty, or longer than 1,024 bytes.
    pub fn new(text: &str) -> Result<Self, CryptoError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() || text.len() > PASSPHRASE_MAX {
            return Err(CryptoError::Passphrase);
        }
        Ok(Self(text.to_owned()))
    }

    fn key(&self, cost: Cost, salt: &[u8; SALT_LEN]) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?)
            .hash_password_into(self.0.as_bytes(), salt, &mut *key)
            .map_err(|_| CryptoError::KeyFile("its parameters make no sense"))?;
        Ok(key)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Fresh random bytes for wrapping a key once.
#[derive(Debug, Clone, Copy)]
pub struct WrapRandom {
    /// For Argon2id.
    pub salt: [u8; SALT_LEN],
    /// For the seal.
    pub nonce: [u8; NONCE_LEN],
}

/// A key file that was read.
pub enum KeyFile {
    /// The key lies in it as it is.
    Plain(MasterKey),
    /// The key opens with a passphrase: [`Wrapped::open`].
    Wrapped(Wrapped),
}

impl KeyFile {
    /// The bytes of a file that holds the key as it is.
    pub fn plain(key: &MasterKey) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_MAX));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, PLAIN]);
        bytes.extend_from_slice(key.expose());
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    /// The bytes of a file that holds the key under a passphrase.
    ///
    /// # Errors
    /// The cost is out of bounds.
    pub fn wrapped(
        key: &MasterKey,
        passphrase: &Passphrase,
        cost: Cost,
        random: &WrapRandom,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = Vec::with_capacity(KEY_FILE_MAX);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, WRAPPED]);
        for number in [cost.memory_kib, cost.passes, cost.lanes] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&random.salt);
        let under = passphrase.key(cost, &random.salt)?;
        let sealed = XChaCha20Poly1305::new((&*under).into())
            .encrypt(
                &XNonce::from(random.nonce),
                Payload {
                    msg: key.expose(),
                    aad: &bytes,
                },
            )
            .map_err(|_| CryptoError::Sealed)?;
        bytes.extend_from_slice(&random.nonce);
        bytes.extend_from_slice(&sealed);
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        Ok(bytes)
    }

    /// Reads a file's bytes. Allocates nothing that the file asks for.
    ///
    /// # Errors
    /// It is no key file, a damaged one, or one of a newer app: [`CryptoError::KeyFile`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        const CUT: CryptoError = CryptoError::KeyFile("it is cut off or damaged");
        let (magic, rest) = bytes.split_first_chunk().ok_or(CUT)?;
        if magic != MAGIC {
            return Err(CryptoError::KeyFile("it is no key file"));
        }
        let (version, _) = rest.split_first().ok_or(CUT)?;
        if *version != VERSION {
            return Err(CryptoError::KeyFile("it was made by a newer app"));
        }
        let (checked, sum) = bytes.split_last_chunk::<CHECK_LEN>().ok_or(CUT)?;
        if check(checked) != *sum {
            return Err(CUT);
        }
        let (head, rest) = checked.split_first_chunk::<HEAD_LEN>().ok_or(CUT)?;
        match head.last() {
            Some(&PLAIN) => {
                let key: &[u8; 32] = rest.try_into().map_err(|_| CUT)?;
                Ok(Self::Plain(MasterKey::from_bytes(*key)))
            }
            Some(&WRAPPED) => {
                let associated = checked.get(..HEAD_LEN + COST_LEN + SALT_LEN).ok_or(CUT)?;
                let (memory, rest) = rest.split_first_chunk().ok_or(CUT)?;
                let (passes, rest) = rest.split_first_chunk().ok_or(CUT)?;
                let (lanes, rest) = rest.split_first_chunk().ok_or(CUT)?;
                let (salt, rest) = rest.split_first_chunk().ok_or(CUT)?;
                let (nonce, rest) = rest.split_first_chunk().ok_or(CUT)?;
                Ok(Self::Wrapped(Wrapped {
                    associated: associated.to_vec(),
                    cost: Cost {
                        memory_kib: u32::from_be_bytes(*memory),
                        passes: u32::from_be_bytes(*passes),
                        lanes: u32::from_be_bytes(*lanes),
                    },
                    salt: *salt,
                    nonce: *nonce,
                    sealed: rest.try_into().map_err(|_| CUT)?,
                }))
            }
            _ => Err(CryptoError::KeyFile("it was made by a newer app")),
        }
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "KeyFile::Plain(..)",
            Self::Wrapped(_) => "KeyFile::Wrapped(..)",
        })
    }
}

/// A master key under a passphrase.
pub struct Wrapped {
    associated: Vec<u8>,
    cost: Cost,
    salt: [u8; SALT_LEN],
    nonce: [u8; NONCE_LEN],
    sealed: [u8; SEALED_LEN],
}

impl Wrapped {
    /// What opening costs.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Opens it. Takes the memory and time that [`cost`](Self::cost) says, at most [`Cost::MOST`].
    ///
    /// # Errors
    /// The passphrase is another one: [`CryptoError::Passphrase`]; the cost is out of bounds:
    /// [`CryptoError::KeyFile`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<MasterKey, CryptoError> {
        let under = passphrase.key(self.cost, &self.salt)?;
        let key = XChaCha20Poly1305::new((&*under).into())
            .decrypt(
                &XNonce::from(self.nonce),
                Payload {
                    msg: &self.sealed,
                    aad: &self.associated,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::Passphrase)?;
        let key: &[u8; 32] = key
            .as_slice()
            .try_into()
            .map_err(|_| CryptoError::Passphrase)?;
        Ok(MasterKey::from_bytes(*key))
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_LEN] {
    let hash = sha256(bytes).0;
    let Some(check) = hash.first_chunk() else {
        unreachable!("a hash is longer than 8 bytes")
    };
    *check
}
