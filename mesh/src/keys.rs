//! Where the key that seals the disk is kept, how it is found again, and what is used when it isn't there.
//!
//! ```text
//!  a key file is there       plain -> file          wrapped + passphrase -> passphrase
//!  the store names its key   keychain has it -> keychain             else -> key_missing
//!  neither: a new key        passphrase given -> wrapped file; keychain -> there; else a plain file
//! ```
//!
//! Contract: a new key is made only where no store is sealed yet, so a lost or forgotten key is told and
//! never replaced. A new key is durable before anything is sealed with it. All of it happens while the
//! profile's lock is held. The key lies beside the data folder, never inside: a copy of the folder is
//! worth nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use peddlenet_crypto::{
    CryptoError,
    vault::{Cost, KEY_FILE_MAX, KeyFile, KeyId, MasterKey, ValueKey, WrapRandom},
};
use peddlenet_store::{Cipher, file};
use zeroize::Zeroizing;

pub use peddlenet_crypto::vault::Passphrase;

use crate::{
    entropy,
    error::{Error, ErrorCode},
};

/// The system's keychain, as the program that has one brings it along.
///
/// Every method blocks, perhaps for as long as the person is asked to unlock it. `account` is the key's
/// public name.
pub trait Keychain: Send + Sync {
    /// The secret of an account; `None` when there is none.
    fn read(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError>;

    /// Keeps a secret.
    fn write(&self, account: &str, secret: &[u8]) -> Result<(), KeychainError>;

    /// Forgets a secret; one that isn't there is forgotten already.
    fn delete(&self, account: &str) -> Result<(), KeychainError>;
}

/// Why a keychain did not answer, for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeychainError(pub String);

/// How the key that seals this device's data is found, and where a new one goes.
#[derive(Clone, Default)]
pub struct Keys {
    /// The system's keychain, where there is one.
    pub keychain: Option<Arc<dyn Keychain>>,
    /// What the person knows. A new key is wrapped with it.
    pub passphrase: Option<Passphrase>,
    /// The key file; beside the data folder, named like it with `.key` at the end, when `None`.
    pub file: Option<PathBuf>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("keychain", &self.keychain.is_some())
            .field("passphrase", &self.passphrase)
            .field("file", &self.file)
            .finish()
    }
}

/// What keeps the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPlace {
    /// The system's keychain.
    Keychain,
    /// A file that opens with a passphrase.
    Passphrase,
    /// A file: whoever has it and the data can read the data.
    File,
}

impl KeyPlace {
    /// The name as it stands in `ready`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::Passphrase => "passphrase",
            Self::File => "file",
        }
    }
}

/// Where a key is, so that it can be destroyed.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) place: KeyPlace,
    pub(crate) file: PathBuf,
    pub(crate) account: String,
    keychain: Option<Arc<dyn Keychain>>,
}

impl Kept {
    /// What to say where a key is readable for whoever has the files.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.place == KeyPlace::File).then(|| {
            format!(
                "The key to this data lies in {}: whoever has that file and the data folder can read everything. Keep it \
                 elsewhere, or start a new profile with a passphrase.",
                self.file.display()
            )
        })
    }

    /// Destroys the key wherever it may be. Tries everything before it reports a failure.
    pub(crate) fn destroy(&self) -> Result<(), Error> {
        let in_file = file::destroy(&self.file, KEY_FILE_MAX);
        let in_keychain = self
            .keychain
            .as_ref()
            .filter(|_| !self.account.is_empty())
            .map_or(Ok(()), |keychain| keychain.delete(&self.account));
        in_file?;
        in_keychain.map_err(|error| {
            // What a keychain says may name accounts of others.
            tracing::debug!(%error, "keychain");
            Error::new(
                ErrorCode::StoreFailed,
                "The key could not be removed from the system's keychain. Remove the entry “PeddleNet” there by hand.",
            )
        })
    }

    /// The key of a wipe that an earlier process began.
    pub(crate) fn noted(keys: &Keys, file: PathBuf, account: String) -> Self {
        Self {
            place: KeyPlace::File,
            file,
            account,
            keychain: keys.keychain.clone(),
        }
    }
}

/// Seals what goes to disk. The master key is gone once this was made of it.
pub(crate) struct DiskCipher {
    id: KeyId,
    key: ValueKey,
}

impl DiskCipher {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            id: master.id(),
            key: master.value_key(),
        }
    }
}

impl Cipher for DiskCipher {
    fn key_id(&self) -> [u8; 16] {
        self.id.0
    }

    fn seal(&self, table: &str, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        self.key.seal(table, key, &entropy::bytes(), value).ok()
    }

    fn open(&self, table: &str, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.key.open(table, key, sealed).ok()
    }
}

/// Finds the key of a profile, or makes one where nothing is sealed yet. Blocks.
pub(crate) fn find_or_make(
    data_dir: &Path,
    keys: &Keys,
    sealed_by: Option<[u8; 16]>,
    cost: Cost,
) -> Result<(MasterKey, Kept), Error> {
    let path = key_path(data_dir, keys)?;
    let kept = |place, key: &MasterKey| Kept {
        place,
        file: path.clone(),
        account: account(key.id()),
        keychain: keys.keychain.clone(),
    };
    if let Some((key, place)) = from_file(&path, keys)?
        && sealed_by.is_none_or(|id| id == key.id().0)
    {
        let kept = kept(place, &key);
        return Ok((key, kept));
    }
    if let Some(id) = sealed_by {
        if let Some(key) = from_keychain(keys, KeyId(id))? {
            let kept = kept(KeyPlace::Keychain, &key);
            return Ok((key, kept));
        }
        return Err(if path.exists() {
            ErrorCode::KeyWrong.into()
        } else {
            missing(&path)
        });
    }
    let key = MasterKey::from_bytes(entropy::bytes());
    let place = keep(&key, &path, keys, cost)?;
    let kept = kept(place, &key);
    Ok((key, kept))
}

/// Keeps a new key; durable on return.
fn keep(key: &MasterKey, path: &Path, keys: &Keys, cost: Cost) -> Result<KeyPlace, Error> {
    if let Some(passphrase) = &keys.passphrase {
        let random = WrapRandom {
            salt: entropy::bytes(),
            nonce: entropy::bytes(),
        };
        let bytes =
            KeyFile::wrapped(key, passphrase, cost, &random).map_err(|e| unusable(path, &e))?;
        file::write(path, &bytes)?;
        return Ok(KeyPlace::Passphrase);
    }
    if let Some(keychain) = &keys.keychain {
        let account = account(key.id());
        let there = keychain
            .write(&account, key.expose())
            .and_then(|()| keychain.read(&account));
        match there {
            // A keychain that forgets at once is none.
            Ok(Some(secret)) if secret.as_slice() == key.expose() => return Ok(KeyPlace::Keychain),
            Ok(_) => tracing::warn!("the keychain doesn't keep what it is given"),
            Err(error) => tracing::debug!(%error, "no keychain"),
        }
    }
    file::write(path, &KeyFile::plain(key))?;
    Ok(KeyPlace::File)
}

fn from_file(path: &Path, keys: &Keys) -> Result<Option<(MasterKey, KeyPlace)>, Error> {
    let bytes = match file::read(path, KEY_FILE_MAX) {
        Err(peddlenet_store::StoreError::TooLarge { .. }) => {
            return Err(unusable(path, &CryptoError::KeyFile("it is no key file")));
        }
        read => read?.map(Zeroizing::new),
    };
    let Some(bytes) = bytes else { return Ok(None) };
    match KeyFile::parse(&bytes).map_err(|e| unusable(path, &e))? {
        KeyFile::Plain(key) => Ok(Some((key, KeyPlace::File))),
        KeyFile::Wrapped(wrapped) => {
            let passphrase = keys.passphrase.as_ref();
            let passphrase = passphrase.ok_or(Error::from(ErrorCode::PassphraseNeeded))?;
            let key = wrapped.open(passphrase).map_err(|e| match e {
                CryptoError::Passphrase => ErrorCode::PassphraseWrong.into(),
                other => unusable(path, &other),
            })?;
            Ok(Some((key, KeyPlace::Passphrase)))
        }
    }
}

fn from_keychain(keys: &Keys, id: KeyId) -> Result<Option<MasterKey>, Error> {
    let Some(keychain) = &keys.keychain else {
        return Ok(None);
    };
    let secret = keychain.read(&account(id)).map_err(|error| {
        tracing::debug!(%error, "keychain");
        Error::new(
            ErrorCode::KeyMissing,
            "The system's keychain, which may keep the key to this data, doesn't answer. Unlock it, then start again.",
        )
    })?;
    let key = secret.and_then(|s| <[u8; 32]>::try_from(s.as_slice()).ok().map(Zeroizing::new));
    Ok(key.map(|k| MasterKey::from_bytes(*k)))
}

/// Where the key file is, whether it exists or not: beside the data folder, never inside.
pub(crate) fn key_path(data_dir: &Path, keys: &Keys) -> Result<PathBuf, Error> {
    let nowhere = || {
        Error::new(
            ErrorCode::KeyFileBad,
            "The key file needs a place outside of the data folder. Say where it is to be.",
        )
    };
    let path = match &keys.file {
        Some(path) => std::path::absolute(path).map_err(|_| nowhere())?,
        None => {
            let folder = std::path::absolute(data_dir).map_err(|_| nowhere())?;
            let mut name = folder.file_name().ok_or_else(nowhere)?.to_owned();
            name.push(".key");
            folder.with_file_name(name)
        }
    };
    // Links are followed as far as there is something to follow.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = real(path.parent().ok_or_else(nowhere)?);
    if folder.starts_with(real(data_dir)) {
        return Err(nowhere());
    }
    Ok(path)
}

fn account(id: KeyId) -> String {
    id.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn missing(path: &Path) -> Error {
    Error::new(
        ErrorCode::KeyMissing,
        format!(
            "This data is sealed, and its key isn't here: there is no {}. Put the key file back, or say where it is.",
            path.display()
        ),
    )
}

fn unusable(path: &Path, why: &CryptoError) -> Error {
    Error::new(
        ErrorCode::KeyFileBad,
        format!("{} can't be used: {why}.", path.display()),
    )
}

#[cfg(test)]
mod tests;
