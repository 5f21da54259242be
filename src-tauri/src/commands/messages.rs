//! Messages: sent, read back, and marked as seen.

use tauri::State;

use super::parse;
use crate::dto::{Done, History, Message};
use crate::error::UiError;
use crate::shell::Shell;

/// The most messages of one answer.
const MAX_PAGE: u32 = 200;

/// Answers once the message is on disk, so that "saved" is true.
#[tauri::command]
pub(crate) async fn send_message(
    shell: State<'_, Shell>,
    room: String,
    client_id: String,
    text: String,
) -> Result<Message, UiError> {
    let message = shell.node()?.send(parse("room", &room)?, &text).await?;
    Ok(Message::sent(message, client_id))
}

/// Up to `limit` messages before the message `before`, or the newest; oldest first.
#[tauri::command]
pub(crate) async fn history(
    shell: State<'_, Shell>,
    room: String,
    before: Option<String>,
    limit: u32,
) -> Result<History, UiError> {
    let before = before.map(|id| parse("message", &id)).transpose()?;
    let limit = limit.min(MAX_PAGE) as usize;
    let messages = shell
        .node()?
        .history(parse("room", &room)?, before, limit)
        .await?;
    Ok(History {
        messages: messages.into_iter().map(Message::from).collect(),
    })
}

/// The newest message that the person has on the screen.
#[tauri::command]
pub(crate) async fn mark_seen(
    shell: State<'_, Shell>,
    room: String,
    message: String,
) -> Result<Done, UiError> {
    let message = parse("message", &message)?;
    shell
        .node()?
        .mark_seen(parse("room", &room)?, message)
        .await?;
    Ok(Done {})
}

/// Like `send_message`, to one member alone.
#[tauri::command]
pub(crate) async fn send_direct(
    shell: State<'_, Shell>,
    room: String,
    to: String,
    client_id: String,
    text: String,
) -> Result<Message, UiError> {
    let to = parse("member", &to)?;
    let message = shell.node()?.dm(parse("room", &room)?, to, &text).await?;
    Ok(Message::sent(message, client_id))
}

/// Like `history`, of what was said with one member alone.
#[tauri::command]
pub(crate) async fn direct_history(
    shell: State<'_, Shell>,
    room: String,
    with: String,
    before: Option<String>,
    limit: u32,
) -> Result<History, UiError> {
    let before = before.map(|id| parse("message", &id)).transpose()?;
    let limit = limit.min(MAX_PAGE) as usize;
    let messages = shell
        .node()?
        .direct_history(
            parse("room", &room)?,
            parse("member", &with)?,
            before,
            limit,
        )
        .await?;
    Ok(History {
        messages: messages.into_iter().map(Message::from).collect(),
    })
}
