//! Rooms and the people in them.

use tauri::State;

use super::parse;
use crate::dto::{Created, Done, Member, Members, NewRoom};
use crate::error::UiError;
use crate::shell::Shell;

/// A new room with only this device in it.
#[tauri::command]
pub(crate) async fn create_room(
    shell: State<'_, Shell>,
    name: String,
    options: NewRoom,
) -> Result<Created, UiError> {
    let node = shell.node()?;
    let room = node.create_room_with(&name, options.into()).await?;
    Ok(Created {
        room: room.to_string(),
    })
}

/// Forgets the room on this device.
#[tauri::command]
pub(crate) async fn leave_room(shell: State<'_, Shell>, room: String) -> Result<Done, UiError> {
    shell.node()?.leave(parse("room", &room)?).await?;
    Ok(Done {})
}

/// Everybody in the room, this device included.
#[tauri::command]
pub(crate) async fn members(shell: State<'_, Shell>, room: String) -> Result<Members, UiError> {
    let members = shell.node()?.members(parse("room", &room)?).await?;
    Ok(Members {
        members: members.into_iter().map(Member::from).collect(),
    })
}
