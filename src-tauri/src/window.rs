//! The one window: our own page, which can neither leave nor open another, and may use the camera.

use std::path::PathBuf;

use tauri::webview::{NewWindowResponse, PermissionKind, PermissionResponse};
use tauri::{App, Url, Webview, WebviewWindow, WebviewWindowBuilder};

/// The label in tauri.conf.json and in capabilities/main.json.
const LABEL: &str = "main";

/// Opens the window; `data` is where the web view keeps what the page stores.
///
/// # Errors
/// The system has no web view, or tauri.conf.json lost its window.
pub(crate) fn open(app: &App, data: PathBuf, title: String) -> tauri::Result<WebviewWindow> {
    let windows = &app.config().app.windows;
    let config = windows
        .iter()
        .find(|window| window.label == LABEL)
        .ok_or(tauri::Error::WindowNotFound)?;
    WebviewWindowBuilder::from_config(app, config)?
        .title(title)
        .data_directory(data)
        .on_navigation(|url| {
            let own = is_own(url);
            if !own {
                tracing::warn!(%url, "the page tried to leave the app");
            }
            own
        })
        .on_new_window(|url, _| {
            tracing::warn!(%url, "the page tried to open a window");
            NewWindowResponse::Deny
        })
        .build()
}

/// The camera and the microphone for our own page; nothing else, and nobody else.
///
/// Without an answer WebKitGTK refuses the camera, and WKWebView grants it to any origin.
pub(crate) fn answer_permission(webview: &Webview, kind: &PermissionKind) -> PermissionResponse {
    let own = webview.label() == LABEL && webview.url().is_ok_and(|url| is_own(&url));
    let allow = own && matches!(kind, PermissionKind::Camera | PermissionKind::Microphone);
    tracing::info!(%kind, allow, "the page asked for a permission");
    if allow {
        PermissionResponse::Allow
    } else {
        PermissionResponse::Deny
    }
}

/// Where Tauri serves the embedded page: a scheme of its own, which Windows and Android map to a host.
fn is_own(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        ("http" | "https", Some("tauri.localhost")) => cfg!(any(windows, target_os = "android")),
        _ => false,
    }
}
