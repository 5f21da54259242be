//! What this device keeps for its person: drafts, settings, and how much it all takes.

use tauri::State;

use super::{parse, parse_some};
use crate::dto::{Done, Storage};
use crate::error::UiError;
use crate::shell::Shell;

/// What the person began to write; an empty text forgets it.
#[tauri::command]
pub(crate) async fn set_draft(
    shell: State<'_, Shell>,
    room: String,
    to: Option<String>,
    text: String,
) -> Result<Done, UiError> {
    let draft = peddlenet_mesh::Draft {
        room: parse("room", &room)?,
        to: parse_some("member", to.as_deref())?,
        text,
    };
    shell.node()?.set_draft(draft).await?;
    Ok(Done {})
}

/// One of the person's settings; an empty value forgets it.
#[tauri::command]
pub(crate) async fn set_setting(
    shell: State<'_, Shell>,
    name: String,
    value: String,
) -> Result<Done, UiError> {
    shell.node()?.set_setting(&name, &value).await?;
    Ok(Done {})
}

/// What the rooms take on the disk.
#[tauri::command]
pub(crate) async fn storage(shell: State<'_, Shell>) -> Result<Storage, UiError> {
    Ok(shell.node()?.storage().await?.into())
}
