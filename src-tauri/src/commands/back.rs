//! The join with two scans: the joiner shows a code back.

use peddlenet_mesh::ErrorCode;
use tauri::State;

use crate::dto::{Back, Done, Joined};
use crate::error::UiError;
use crate::shell::Shell;

/// What to show to whoever made a code whose device can't be reached.
#[tauri::command]
pub(crate) async fn back_code(shell: State<'_, Shell>, link: String) -> Result<Back, UiError> {
    let link = shell.node()?.back_code(&link).await?;
    let svg = peddlenet_qr::svg(&link).map_err(|_| UiError::from(ErrorCode::Internal))?;
    Ok(Back { link, svg })
}

/// Joins while that is shown: goes on for a minute. `cancel_join` ends it.
#[tauri::command]
pub(crate) async fn join_shown_back(
    shell: State<'_, Shell>,
    link: String,
) -> Result<Joined, UiError> {
    Ok(shell.node()?.join_shown_back(&link).await?.into())
}

/// A joiner's code was scanned: its packets come through from now on.
#[tauri::command]
pub(crate) async fn answer_back(shell: State<'_, Shell>, link: String) -> Result<Done, UiError> {
    shell.node()?.answer_back(&link).await?;
    Ok(Done {})
}
