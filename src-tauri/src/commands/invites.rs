//! Codes to show, and joining by one.

use std::time::Duration;

use peddlenet_mesh::ErrorCode;
use tauri::State;

use super::parse;
use crate::dto::{Done, Invite, Joined};
use crate::error::UiError;
use crate::shell::Shell;

/// A code that lets in up to `uses` people for `ttl_s` seconds.
#[tauri::command]
pub(crate) async fn create_invite(
    shell: State<'_, Shell>,
    room: String,
    ttl_s: u32,
    uses: u32,
) -> Result<Invite, UiError> {
    let ttl = Duration::from_secs(ttl_s.into());
    let invite = shell
        .node()?
        .invite(parse("room", &room)?, ttl, uses)
        .await?;
    let svg = peddlenet_qr::svg(&invite.link).map_err(|problem| {
        tracing::error!(%problem, "an invite can't be drawn");
        UiError::from(ErrorCode::Internal)
    })?;
    Ok(Invite::new(invite, svg))
}

/// From now on the code lets nobody in.
#[tauri::command]
pub(crate) async fn revoke_invite(
    shell: State<'_, Shell>,
    room: String,
    invite: String,
) -> Result<Done, UiError> {
    let invite = parse("invite", &invite)?;
    shell.node()?.revoke(parse("room", &room)?, invite).await?;
    Ok(Done {})
}

/// Joins by a scanned or pasted code; the node ends it by its own deadline, the person by `cancel_join`.
#[tauri::command]
pub(crate) async fn join_room(shell: State<'_, Shell>, link: String) -> Result<Joined, UiError> {
    Ok(shell.node()?.join(&link).await?.into())
}

/// Calls off the join that is under way; without one it does nothing.
#[tauri::command]
pub(crate) async fn cancel_join(shell: State<'_, Shell>) -> Result<Done, UiError> {
    shell.node()?.cancel_join();
    Ok(Done {})
}
