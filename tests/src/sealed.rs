//! The cipher of a device's disk, for tests and benchmarks that open a store themselves.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use peddlenet_crypto::vault::{KeyFile, KeyId, MasterKey, ValueKey};
use peddlenet_store::{Cipher, Options};

struct Vault {
    id: KeyId,
    key: ValueKey,
}

/// Options that seal with a key.
pub fn options(key: &MasterKey) -> Options {
    let vault = Vault {
        id: key.id(),
        key: key.value_key(),
    };
    Options {
        cipher: Some(Arc::new(vault)),
        ..Options::default()
    }
}

/// The key in a plain key file.
///
/// # Errors
/// There is none, or it needs a passphrase.
pub fn key_of(path: &Path) -> Result<MasterKey> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    match KeyFile::parse(&bytes)? {
        KeyFile::Plain(key) => Ok(key),
        KeyFile::Wrapped(_) => bail!("{} needs a passphrase", path.display()),
    }
}

impl Cipher for Vault {
    fn key_id(&self) -> [u8; 16] {
        self.id.0
    }

    fn seal(&self, table: &str, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).ok()?;
        self.key.seal(table, key, &nonce, value).ok()
    }

    fn open(&self, table: &str, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.key.open(table, key, sealed).ok()
    }
}
