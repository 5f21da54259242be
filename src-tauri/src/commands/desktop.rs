//! What the page asks of the desktop around its window.

use tauri::State;

use super::parse;
use crate::address;
use crate::alerts::Alerts;
use crate::desktop::{Desktop, Job};
use crate::dto::Done;
use crate::error::UiError;
use crate::notices::Told;

/// Opens a web address in the person's browser, whom the page has asked before.
#[tauri::command]
pub(crate) async fn open_link(url: String) -> Result<Done, UiError> {
    let Some(url) = address::safe(&url) else {
        let why = "That isn't a web address that can be opened from here.";
        return Err(UiError::new("bad_link", why));
    };
    // Looks for a browser, which may take a moment.
    let opened = tauri::async_runtime::spawn_blocking(move || open::that_detached(url.as_str()));
    match opened.await {
        Ok(Ok(())) => Ok(Done {}),
        _ => Err(UiError::new(
            "no_browser",
            "No browser opened. Copy the address, and open it yourself.",
        )),
    }
}

/// Whether the screen may not sleep, as while a code is shown. Ends with the page or the app at the latest.
#[tauri::command]
pub(crate) async fn keep_awake(desktop: State<'_, Desktop>, on: bool) -> Result<Done, UiError> {
    desktop.ask(Job::Awake(on));
    Ok(Done {})
}

/// The room that the page shows, so that the desktop isn't told of what the person is reading.
#[tauri::command]
pub(crate) async fn looking_at(
    alerts: State<'_, Alerts>,
    room: Option<String>,
) -> Result<Done, UiError> {
    let room = room.map(|id| parse("room", &id)).transpose()?;
    alerts.tell(Told::Looking(room));
    Ok(Done {})
}
