//! The mesh around this device, why things failed, and the code of the Wi-Fi to meet on.

use peddlenet_mesh::ErrorCode;
use tauri::State;

use super::parse;
use crate::dto::{Diagnostics, Drawn, NetworkMap};
use crate::error::UiError;
use crate::shell::Shell;

/// A room as a mesh, as far as this device knows.
#[tauri::command]
pub(crate) async fn network_map(
    shell: State<'_, Shell>,
    room: String,
) -> Result<NetworkMap, UiError> {
    let map = shell.node()?.network_map(parse("room", &room)?).await?;
    Ok(map.into())
}

/// What was tried, what failed and why, and how long things take.
#[tauri::command]
pub(crate) async fn diagnostics(shell: State<'_, Shell>) -> Result<Diagnostics, UiError> {
    Ok(Diagnostics::new(shell.node()?.diagnostics().await?))
}

/// The code by which a phone's own camera joins a Wi-Fi. An empty password stands for an open network.
#[tauri::command]
pub(crate) async fn wifi_code(
    name: String,
    password: String,
    hidden: bool,
) -> Result<Drawn, UiError> {
    let text = peddlenet_qr::wifi(&name, &password, hidden).ok_or_else(|| {
        UiError::new(
            ErrorCode::BadRequest.as_str(),
            "A Wi-Fi has a name of up to 32 letters and a password of 8 to 63, or none. Check both.",
        )
    })?;
    let svg = peddlenet_qr::svg(&text).map_err(|_| UiError::from(ErrorCode::Internal))?;
    Ok(Drawn { svg })
}
