//! What owners and moderators do. Who may is the node's to say.

use tauri::State;

use super::parse;
use crate::dto::{Done, Role};
use crate::error::UiError;
use crate::shell::Shell;

/// What a member may do from now on.
#[tauri::command]
pub(crate) async fn set_role(
    shell: State<'_, Shell>,
    room: String,
    author: String,
    role: Role,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.set_role(room, author, role.into()).await?;
    Ok(Done {})
}

/// A member reads nothing that is said from here on.
#[tauri::command]
pub(crate) async fn remove_member(
    shell: State<'_, Shell>,
    room: String,
    author: String,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.remove(room, author).await?;
    Ok(Done {})
}

/// The same, and what the member said is shown to nobody.
#[tauri::command]
pub(crate) async fn ban_member(
    shell: State<'_, Shell>,
    room: String,
    author: String,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.ban(room, author).await?;
    Ok(Done {})
}

/// The room takes nobody new, or does again.
#[tauri::command]
pub(crate) async fn close_room(
    shell: State<'_, Shell>,
    room: String,
    closed: bool,
) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    shell.node()?.close_to_joiners(room, closed).await?;
    Ok(Done {})
}

/// Members leave sealed copies of what they say with the room's servers, or no more; with a carrier box where its organiser gave
/// a pass.
#[tauri::command]
pub(crate) async fn back_up_room(
    shell: State<'_, Shell>,
    room: String,
    on: bool,
    pass: Option<String>,
) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    shell.node()?.back_up(room, on, pass.as_deref()).await?;
    Ok(Done {})
}
