//! Whom the person trusts: codes to compare, new keys, mute, block.

use peddlenet_mesh::ErrorCode;
use tauri::State;

use super::parse;
use crate::dto::{Done, Scanned, Verify};
use crate::error::UiError;
use crate::shell::Shell;

/// What to show to a member so that both can compare their keys.
#[tauri::command]
pub(crate) async fn verify_code(
    shell: State<'_, Shell>,
    room: String,
    author: String,
) -> Result<Verify, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    let info = shell.node()?.verify_code(room, author).await?;
    let svg = peddlenet_qr::svg(&info.link).map_err(|problem| {
        tracing::error!(%problem, "a code can't be drawn");
        UiError::from(ErrorCode::Internal)
    })?;
    Ok(Verify::new(info, svg))
}

/// The code on the screen of a member was scanned.
#[tauri::command]
pub(crate) async fn verify_scan(
    shell: State<'_, Shell>,
    room: String,
    author: String,
    code: String,
) -> Result<Scanned, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    let author = shell.node()?.verify_scan(room, &code, Some(author)).await?;
    Ok(Scanned {
        author: author.to_string(),
    })
}

/// The digits were compared, or that is taken back.
#[tauri::command]
pub(crate) async fn set_verified(
    shell: State<'_, Shell>,
    room: String,
    author: String,
    on: bool,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.set_verified(room, author, on).await?;
    Ok(Done {})
}

/// A verified name stands for this key, too.
#[tauri::command]
pub(crate) async fn confirm_key(
    shell: State<'_, Shell>,
    room: String,
    author: String,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.confirm_key(room, author).await?;
    Ok(Done {})
}

/// This device signed two histories in a room: it asks to go on there under a new key.
#[tauri::command]
pub(crate) async fn move_on(shell: State<'_, Shell>, room: String) -> Result<Done, UiError> {
    let room = parse("room", &room)?;
    shell.node()?.move_on(room).await?;
    Ok(Done {})
}

/// A member who asked for it goes on under the new key.
#[tauri::command]
pub(crate) async fn confirm_move(
    shell: State<'_, Shell>,
    room: String,
    author: String,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.confirm_move(room, author).await?;
    Ok(Done {})
}

/// Shown without drawing attention, or with.
#[tauri::command]
pub(crate) async fn mute_member(
    shell: State<'_, Shell>,
    room: String,
    author: String,
    on: bool,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.mute(room, author, on).await?;
    Ok(Done {})
}

/// Not shown, or shown again.
#[tauri::command]
pub(crate) async fn block_member(
    shell: State<'_, Shell>,
    room: String,
    author: String,
    on: bool,
) -> Result<Done, UiError> {
    let (room, author) = (parse("room", &room)?, parse("author", &author)?);
    shell.node()?.block(room, author, on).await?;
    Ok(Done {})
}
