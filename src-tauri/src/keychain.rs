//! The system's keychain: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.
//!
//! Where there is none (no desktop session, no keyring program) the key goes to a file, and the settings
//! say so.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use peddlenet_mesh::{Keychain, KeychainError};
use zeroize::Zeroizing;

/// What a person sees in the keychain's own window.
const SERVICE: &str = "PeddleNet";

struct System(Arc<CredentialStore>);

/// The keychain of this system, if one answers. Blocks.
pub(crate) fn find() -> Option<Arc<dyn Keychain>> {
    match open() {
        Ok(store) => Some(Arc::new(System(store?))),
        Err(problem) => {
            tracing::info!(%problem, "there is no keychain");
            None
        }
    }
}

#[cfg(target_os = "linux")]
fn open() -> Result<Option<Arc<CredentialStore>>, Error> {
    Ok(Some(dbus_secret_service_keyring_store::Store::new()?))
}

#[cfg(target_os = "macos")]
fn open() -> Result<Option<Arc<CredentialStore>>, Error> {
    Ok(Some(apple_native_keyring_store::keychain::Store::new()?))
}

#[cfg(windows)]
fn open() -> Result<Option<Arc<CredentialStore>>, Error> {
    Ok(Some(windows_native_keyring_store::Store::new()?))
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open() -> Result<Option<Arc<CredentialStore>>, Error> {
    Ok(None)
}

impl System {
    fn entry(&self, account: &str) -> Result<Entry, KeychainError> {
        Entry::new_in_store(&self.0, SERVICE, account).map_err(said)
    }
}

impl Keychain for System {
    fn read(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        match self.entry(account)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(problem) => Err(said(problem)),
        }
    }

    fn write(&self, account: &str, secret: &[u8]) -> Result<(), KeychainError> {
        self.entry(account)?.set_secret(secret).map_err(said)
    }

    fn delete(&self, account: &str) -> Result<(), KeychainError> {
        match self.entry(account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(problem) => Err(said(problem)),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(problem: Error) -> KeychainError {
    KeychainError(problem.to_string())
}
