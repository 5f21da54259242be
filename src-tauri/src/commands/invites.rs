//! Codes to show, and joining by one.

use std::time::Duration;

use peddlenet_mesh::{ErrorCode, InviteOptions};
use tauri::State;

use super::parse;
use crate::dto::{Done, Invite, Invites, Joined, OpenInvite};
use crate::error::UiError;
use crate::shell::Shell;

/// A code that lets in up to `uses` people, or any number, for `ttl_s` seconds. `poster`: to be printed.
#[tauri::command]
pub(crate) async fn create_invite(
    shell: State<'_, Shell>,
    room: String,
    ttl_s: u32,
    uses: Option<u32>,
    poster: bool,
) -> Result<Invite, UiError> {
    let options = InviteOptions {
        ttl: Duration::from_secs(ttl_s.into()),
        uses,
        poster,
    };
    let room = parse("room", &room)?;
    let invite = shell.node()?.invite_with(room, options).await?;
    let svg = peddlenet_qr::svg(&invite.link).map_err(|problem| {
        tracing::error!(%problem, "an invite can't be drawn");
        UiError::from(ErrorCode::Internal)
    })?;
    Ok(Invite::new(invite, svg))
}

/// The codes that let somebody in now, whoever made them.
#[tauri::command]
pub(crate) async fn invites(shell: State<'_, Shell>, room: String) -> Result<Invites, UiError> {
    let room = parse("room", &room)?;
    let invites = shell.node()?.invites(room).await?;
    Ok(Invites {
        invites: invites.into_iter().map(OpenInvite::from).collect(),
    })
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
