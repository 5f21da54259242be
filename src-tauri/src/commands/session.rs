//! What a page needs to start, and to catch up after it missed something.

use tauri::ipc::Channel;
use tauri::{AppHandle, State};

use crate::desktop::{Desktop, Job};
use crate::dto::{Batch, Done, Draft, Profile, Room, Snapshot};
use crate::error::UiError;
use crate::shell::Shell;

/// From now on this channel gets the batches; the answer holds everything before them.
#[tauri::command]
pub(crate) async fn subscribe(
    shell: State<'_, Shell>,
    desktop: State<'_, Desktop>,
    channel: Channel<Batch>,
) -> Result<Snapshot, UiError> {
    shell.opened().await;
    // A page that begins shows no code: what one before it wanted is over.
    desktop.ask(Job::Awake(false));
    let seq = shell.feed()?.attach(channel).await?;
    since(&shell, seq).await
}

/// Everything, after a gap in the batches.
#[tauri::command]
pub(crate) async fn snapshot(shell: State<'_, Shell>) -> Result<Snapshot, UiError> {
    let seq = shell.feed()?.seq().await?;
    since(&shell, seq).await
}

/// The name that friends see.
#[tauri::command]
pub(crate) async fn set_name(shell: State<'_, Shell>, name: String) -> Result<Done, UiError> {
    shell.node()?.set_name(&name).await?;
    Ok(Done {})
}

/// Destroys the key and everything of this profile, then ends the app. What could not be removed is said.
#[tauri::command]
pub(crate) async fn wipe(app: AppHandle, shell: State<'_, Shell>) -> Result<Done, UiError> {
    shell.node()?.wipe().await?;
    app.exit(0);
    Ok(Done {})
}

/// Taken after `seq` was: it may hold more than the batches up to there, and never less.
async fn since(shell: &Shell, seq: u64) -> Result<Snapshot, UiError> {
    let node = shell.node()?;
    let name = Some(node.profile_name().await?).filter(|name| !name.is_empty());
    let rooms = node.rooms().await?;
    let drafts = node.drafts().await?;
    Ok(Snapshot {
        drafts: drafts.into_iter().map(Draft::from).collect(),
        settings: node.settings().await?,
        seq,
        profile: Profile {
            name,
            key: node.key_place().as_str(),
        },
        rooms: rooms.into_iter().map(Room::from).collect(),
    })
}
