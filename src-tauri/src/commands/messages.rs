//! Messages: sent, changed, read back, looked for, and marked as seen.

use peddlenet_mesh::Words;
use tauri::State;

use super::{parse, parse_some};
use crate::dto::{Done, Found, History, Message};
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
    reply_to: Option<String>,
    mentions: Vec<String>,
) -> Result<Message, UiError> {
    let named = mentions.iter().map(|author| parse("author", author));
    let words = Words {
        text,
        reply_to: parse_some("message", reply_to.as_deref())?,
        mentions: named.collect::<Result<_, _>>()?,
    };
    let message = shell.node()?.send(parse("room", &room)?, words).await?;
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
    let before = parse_some("message", before.as_deref())?;
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
    reply_to: Option<String>,
) -> Result<Message, UiError> {
    let to = parse("member", &to)?;
    let words = Words {
        text,
        reply_to: parse_some("message", reply_to.as_deref())?,
        mentions: Vec::new(),
    };
    let message = shell.node()?.dm(parse("room", &room)?, to, words).await?;
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
    let before = parse_some("message", before.as_deref())?;
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

/// An own message reads otherwise from now on.
#[tauri::command]
pub(crate) async fn edit_message(
    shell: State<'_, Shell>,
    room: String,
    message: String,
    text: String,
) -> Result<Message, UiError> {
    let (room, message) = (parse("room", &room)?, parse("message", &message)?);
    Ok(shell
        .node()?
        .edit(room, message, &text)
        .await?
        .message
        .into())
}

/// An own message is shown to nobody any more.
#[tauri::command]
pub(crate) async fn delete_message(
    shell: State<'_, Shell>,
    room: String,
    message: String,
) -> Result<Message, UiError> {
    let (room, message) = (parse("room", &room)?, parse("message", &message)?);
    Ok(shell.node()?.delete(room, message).await?.message.into())
}

/// A sign about a message; an empty one takes it back.
#[tauri::command]
pub(crate) async fn react(
    shell: State<'_, Shell>,
    room: String,
    message: String,
    reaction: String,
) -> Result<Message, UiError> {
    let (room, message) = (parse("room", &room)?, parse("message", &message)?);
    let noted = shell.node()?.react(room, message, &reaction).await?;
    Ok(noted.message.into())
}

/// One message as it is shown now.
#[tauri::command]
pub(crate) async fn message(
    shell: State<'_, Shell>,
    room: String,
    message: String,
) -> Result<Message, UiError> {
    let (room, message) = (parse("room", &room)?, parse("message", &message)?);
    Ok(shell.node()?.message(room, message).await?.into())
}

/// Messages that hold the words, newest first, and where to go on.
#[tauri::command]
pub(crate) async fn search(
    shell: State<'_, Shell>,
    room: String,
    query: String,
    before: Option<String>,
) -> Result<Found, UiError> {
    let before = parse_some("message", before.as_deref())?;
    let found = shell
        .node()?
        .search(parse("room", &room)?, &query, before)
        .await?;
    Ok(found.into())
}
