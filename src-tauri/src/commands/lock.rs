//! Profiles under a passphrase. The page subscribes again after either.

use tauri::State;
use zeroize::Zeroizing;

use crate::dto::Done;
use crate::error::UiError;
use crate::opening::Opening;
use crate::shell::Shell;

/// Opens a locked profile; rejects with `wrong_passphrase`, after a pause that grows.
#[tauri::command]
pub(crate) async fn unlock(
    shell: State<'_, Shell>,
    opening: State<'_, Opening>,
    passphrase: String,
) -> Result<Done, UiError> {
    let passphrase = Zeroizing::new(passphrase);
    opening.unlock(&shell, &passphrase).await?;
    Ok(Done {})
}

/// Puts a profile without rooms under a passphrase.
#[tauri::command]
pub(crate) async fn protect(
    shell: State<'_, Shell>,
    opening: State<'_, Opening>,
    passphrase: String,
) -> Result<Done, UiError> {
    let passphrase = Zeroizing::new(passphrase);
    opening.protect(&shell, &passphrase).await?;
    Ok(Done {})
}
