//! How a profile is opened: at the start, with a passphrase, or anew under one.

use std::path::PathBuf;

use peddlenet_mesh::{Config, Error, ErrorCode, KeyPlace, Keys, Node, Passphrase};
use tokio::sync::Mutex;

use crate::alerts::Alerts;
use crate::error::UiError;
use crate::events::Feed;
use crate::keychain;
use crate::shell::{Shell, State};
use crate::tries::Tries;

/// Managed by Tauri: what it takes to open the profile.
pub(crate) struct Opening {
    data_dir: PathBuf,
    alerts: Alerts,
    /// Held while a passphrase is tried or set: one at a time.
    tries: Mutex<Tries>,
}

impl Opening {
    pub(crate) fn new(data_dir: PathBuf, alerts: Alerts) -> Self {
        Self {
            data_dir,
            alerts,
            tries: Mutex::default(),
        }
    }

    /// What the shell starts with; an error only when no window is wanted.
    pub(crate) async fn start(&self) -> Result<State, Error> {
        match self.open(None).await {
            Ok(state) => Ok(state),
            Err(error) if error.code == ErrorCode::ProfileInUse => Err(error),
            Err(error) if error.code == ErrorCode::PassphraseNeeded => Ok(State::Locked),
            Err(error) => {
                tracing::error!(%error, "the profile doesn't open");
                Ok(State::Shut(error.into()))
            }
        }
    }

    /// Opens a locked profile. The answer to a wrong passphrase is held back, longer each time.
    pub(crate) async fn unlock(&self, shell: &Shell, passphrase: &str) -> Result<(), UiError> {
        let mut tries = self.tries.lock().await;
        if !shell.is_locked() {
            return Ok(()); // by the call before, while this one waited
        }
        let opened = match Passphrase::new(passphrase) {
            Ok(passphrase) => self.open(Some(passphrase)).await,
            Err(_) => Err(ErrorCode::PassphraseWrong.into()),
        };
        match opened {
            Ok(state) => {
                shell.turn(state);
                Ok(())
            }
            Err(error) if error.code == ErrorCode::PassphraseWrong => {
                tokio::time::sleep(tries.wrong()).await;
                Err(UiError::new(
                    "wrong_passphrase",
                    "That is not the passphrase of this profile. Try again.",
                ))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a profile that holds nothing yet under a passphrase: its key is destroyed, and a new one
    /// wrapped. An older one would have to be sealed anew.
    pub(crate) async fn protect(&self, shell: &Shell, passphrase: &str) -> Result<(), UiError> {
        let _one_at_a_time = self.tries.lock().await;
        let passphrase = Passphrase::new(passphrase).map_err(|_| {
            UiError::new(
                "bad_passphrase",
                "A passphrase has 1 to 1,024 bytes. Choose another one.",
            )
        })?;
        let node = shell.node()?;
        if node.key_place() == KeyPlace::Passphrase || !node.rooms().await?.is_empty() {
            return Err(UiError::new(
                "not_new",
                "A passphrase can be set before the first room only. Start with a new profile for that.",
            ));
        }
        let (name, settings) = (node.profile_name().await?, node.settings().await?);
        let anew = async {
            node.wipe().await?;
            let state = self.open(Some(passphrase)).await?;
            if let State::Open { node, .. } = &state {
                if !name.is_empty() {
                    node.set_name(&name).await?;
                }
                for (name, value) in settings {
                    node.set_setting(&name, &value).await?;
                }
            }
            Ok(state)
        };
        match anew.await {
            Ok(state) => {
                shell.turn(state);
                Ok(())
            }
            Err(error) => {
                let error: Error = error;
                tracing::error!(%error, "the profile could not be put under a passphrase");
                shell.turn(State::Shut(error.clone().into()));
                Err(error.into())
            }
        }
    }

    async fn open(&self, passphrase: Option<Passphrase>) -> Result<State, Error> {
        // Asking the keychain may wait for the person to unlock it.
        let keychain = tauri::async_runtime::spawn_blocking(keychain::find).await;
        let config = Config {
            keys: Keys {
                keychain: keychain.ok().flatten(),
                passphrase,
                ..Keys::default()
            },
            ..Config::at(&self.data_dir)
        };
        let (node, events) = Node::open(config).await?;
        self.alerts.opened(node.clone()).await;
        let feed = Feed::start(events, self.alerts.clone());
        Ok(State::Open { node, feed })
    }
}
