//! Sealing, as the disk backend asks for it. Which cipher it is, is the caller's business.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{StoreError, tables::Table};

/// Seals every value that goes to disk, and opens what comes back.
///
/// A value is bound to its table and key: one that was moved elsewhere must not open.
pub trait Cipher: Send + Sync {
    /// The public name of the key, by which a wrong one is recognised before anything is read.
    fn key_id(&self) -> KeyId;

    /// Seals a value; `None` when the cipher refuses it.
    fn seal(&self, table: &str, key: &[u8], value: &[u8]) -> Option<Vec<u8>>;

    /// Opens a sealed value; `None` when it was sealed with another key, for another place, or changed.
    fn open(&self, table: &str, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}

/// Which key a store is sealed with. Public.
pub type KeyId = [u8; 16];

/// How the values of a store are kept: as they are, or sealed.
#[derive(Clone, Default)]
pub(crate) struct Seal(Option<Arc<dyn Cipher>>);

impl Seal {
    pub(crate) fn new(cipher: Option<Arc<dyn Cipher>>) -> Self {
        Self(cipher)
    }

    pub(crate) fn key_id(&self) -> Option<KeyId> {
        self.0.as_ref().map(|cipher| cipher.key_id())
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn seal<'v>(
        &self,
        table: &'static str,
        key: &[u8],
        value: &'v [u8],
    ) -> Result<Cow<'v, [u8]>, StoreError> {
        match &self.0 {
            None => Ok(Cow::Borrowed(value)),
            Some(cipher) => cipher
                .seal(table, key, value)
                .map(Cow::Owned)
                .ok_or(StoreError::Altered { table }),
        }
    }

    pub(crate) fn open(
        &self,
        table: &'static str,
        key: &[u8],
        kept: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        match &self.0 {
            None => Ok(kept),
            Some(cipher) => cipher
                .open(table, key, &kept)
                .ok_or(StoreError::Altered { table }),
        }
    }

    /// Whether a value of `meta` opens: how a database tells whether it is sealed.
    pub(crate) fn opens(&self, key: &[u8], kept: &[u8]) -> bool {
        self.0
            .as_ref()
            .is_some_and(|cipher| cipher.open(Table::Meta.name(), key, kept).is_some())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "sealed" } else { "plain" })
    }
}
