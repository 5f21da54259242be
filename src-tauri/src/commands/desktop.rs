//! What the page asks of the desktop around its window.

use serde::Serialize;
use tauri::{State, WebviewWindow};

use super::parse;
use crate::address;
use crate::alerts::Alerts;
use crate::desktop::{Desktop, Job};
use crate::dto::Done;
use crate::error::UiError;
use crate::notices::Told;
use crate::tray;

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

/// The reply of `has_tray`.
#[derive(Debug, Serialize)]
pub(crate) struct HasTray {
    tray: bool,
}

/// Whether there is a place for an icon that brings the window back.
#[tauri::command]
pub(crate) async fn has_tray(desktop: State<'_, Desktop>) -> Result<HasTray, UiError> {
    let tray = tray::is_possible(&desktop).await;
    Ok(HasTray { tray })
}

/// Opens the system's dialog for printing the page. The page's own `window.print` is none on macOS: Tauri has put
/// a command of its core there, which our page may not call.
#[tauri::command]
pub(crate) async fn print(window: WebviewWindow) -> Result<Done, UiError> {
    // Elsewhere the page's own print knows its window, which the dialog then belongs to.
    let asked = if cfg!(target_os = "macos") {
        window.print()
    } else {
        window.eval("window.print()")
    };
    asked.map_err(|problem| {
        tracing::warn!(%problem, "nothing is printed");
        UiError::from(peddlenet_mesh::ErrorCode::Internal)
    })?;
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
