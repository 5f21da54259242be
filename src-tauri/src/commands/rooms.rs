//! Rooms and the people in them.

use peddlenet_mesh::RoomPrefs;
use tauri::State;

use super::parse;
use crate::dto::{Created, Done, Member, Members, Rules};
use crate::error::UiError;
use crate::shell::Shell;

/// A new room with only this device in it.
#[tauri::command]
pub(crate) async fn create_room(
    shell: State<'_, Shell>,
    name: String,
    options: Rules,
) -> Result<Created, UiError> {
    let node = shell.node()?;
    let room = node.create_room_with(&name, options.into()).await?;
    Ok(Created {
        room: room.to_string(),
    })
}

/// Leaves the room; `keep`: what was said in it stays readable here.
#[tauri::command]
pub(crate) async fn leave_room(
    shell: State<'_, Shell>,
    room: String,
    keep: bool,
) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    match keep {
        true => shell.node()?.leave_and_keep(room).await?,
        false => shell.node()?.leave(room).await?,
    }
    Ok(Done {})
}

/// What the room is called from now on, for everybody.
#[tauri::command]
pub(crate) async fn rename_room(
    shell: State<'_, Shell>,
    room: String,
    name: String,
) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    shell.node()?.rename_room(room, &name).await?;
    Ok(Done {})
}

/// What the person thinks of the room; on this device only.
#[tauri::command]
pub(crate) async fn set_room_prefs(
    shell: State<'_, Shell>,
    room: String,
    favourite: bool,
    muted: bool,
) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    let prefs = RoomPrefs { favourite, muted };
    shell.node()?.set_prefs(room, prefs).await?;
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
