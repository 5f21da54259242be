//! The one window: our own page, which can neither leave nor open another, and may use the camera and, when
//! a button is pressed for it, read the clipboard.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tauri::webview::{NewWindowResponse, PermissionKind, PermissionResponse};
use tauri::{
    App, AppHandle, Manager, Monitor, Url, Webview, WebviewWindow, WebviewWindowBuilder, Window,
    WindowEvent,
};

use crate::alerts::Alerts;
use crate::notices::Told;
use crate::place::{Area, Place};
use crate::tray;

/// The label in tauri.conf.json and in capabilities/main.json.
pub(crate) const LABEL: &str = "main";

/// Where the window is kept, and where it was last. Managed by Tauri.
struct Kept {
    folder: PathBuf,
    last: Mutex<Option<Place>>,
}

/// Opens the window where it was last; `folder` is the profile's, `data` is where the web view keeps what
/// the page stores.
///
/// # Errors
/// The system has no web view, or tauri.conf.json lost its window.
pub(crate) fn open(
    app: &App,
    folder: &Path,
    data: PathBuf,
    title: String,
) -> tauri::Result<WebviewWindow> {
    let windows = &app.config().app.windows;
    let config = windows
        .iter()
        .find(|window| window.label == LABEL)
        .ok_or(tauri::Error::WindowNotFound)?;
    let mut builder = WebviewWindowBuilder::from_config(app, config)?;
    let last = Place::read(folder);
    if let Some(last) = last {
        let screens: Vec<Area> = app.available_monitors()?.iter().map(screen).collect();
        let fitted = last.fit(&screens);
        let (width, height) = fitted.size;
        builder = builder
            .inner_size(width.into(), height.into())
            .maximized(fitted.maximised);
        if let Some((x, y)) = fitted.position {
            builder = builder.position(x.into(), y.into());
        }
    }
    app.manage(Kept {
        folder: folder.to_owned(),
        last: Mutex::new(last),
    });
    builder
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

/// Brings the window to the person: out of the tray, off the taskbar, before the others.
pub(crate) fn raise(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        for done in [window.show(), window.unminimize(), window.set_focus()] {
            if let Err(problem) = done {
                tracing::debug!(%problem, "the window doesn't come to the front");
            }
        }
    }
}

/// Off the screen; only the tray, or a second start, brings it back.
pub(crate) fn hide(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(problem) = window.hide()
    {
        tracing::debug!(%problem, "the window stays");
    }
}

/// What happens to the window as a whole.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    let app = window.app_handle();
    match event {
        WindowEvent::Focused(focused) => {
            if let Some(alerts) = app.try_state::<Alerts>() {
                alerts.tell(Told::Focus(*focused));
            }
            if !focused {
                remember(app);
            }
        }
        WindowEvent::CloseRequested { api, .. } => {
            remember(app);
            if tray::shown(app) {
                api.prevent_close();
                hide(app);
            }
        }
        _ => {}
    }
}

/// Keeps where the window is. A maximised or minimised one comes back to where it was before that.
pub(crate) fn remember(app: &AppHandle) {
    let (Some(window), Some(kept)) = (app.get_webview_window(LABEL), app.try_state::<Kept>())
    else {
        return;
    };
    // A window that is closing has no place any more.
    let (Ok(now), Ok(mut last)) = (place(&window), kept.last.lock()) else {
        return;
    };
    let place = match (now, *last) {
        (Where::At(area), _) => Place {
            area,
            maximised: false,
        },
        (Where::Maximised, Some(last)) => Place {
            maximised: true,
            ..last
        },
        _ => return,
    };
    if *last != Some(place) {
        *last = Some(place);
        place.write(&kept.folder);
    }
}

enum Where {
    At(Area),
    Maximised,
    /// Minimised, hidden, or the whole screen.
    Elsewhere,
}

fn place(window: &WebviewWindow) -> tauri::Result<Where> {
    if window.is_minimized()? || window.is_fullscreen()? || !window.is_visible()? {
        return Ok(Where::Elsewhere);
    }
    if window.is_maximized()? {
        return Ok(Where::Maximised);
    }
    let scale = window.scale_factor()?;
    let position = window.outer_position()?.to_logical(scale);
    let size = window.inner_size()?.to_logical(scale);
    Ok(Where::At(Area {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
    }))
}

fn screen(monitor: &Monitor) -> Area {
    let scale = monitor.scale_factor();
    let position = monitor.position().to_logical(scale);
    let size = monitor.size().to_logical(scale);
    Area {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
    }
}

/// The camera and the clipboard for our own page; nothing else, and nobody else.
///
/// Without an answer WebKitGTK refuses the camera, and WKWebView grants it to any origin.
pub(crate) fn answer_permission(webview: &Webview, kind: &PermissionKind) -> PermissionResponse {
    let own = webview.label() == LABEL && webview.url().is_ok_and(|url| is_own(&url));
    let allow = own && may(kind);
    tracing::info!(%kind, allow, "the page asked for a permission");
    if allow {
        PermissionResponse::Allow
    } else {
        PermissionResponse::Deny
    }
}

/// What our page may have. A microphone it never asks for.
///
/// WebKitGTK asks whether the clipboard may be read, and only for a page that does so while a button is pressed;
/// wry has no name for that. What else has none there (a list of cameras, storage of frames, keys of films) our
/// page either may have with the camera or has no use for.
fn may(kind: &PermissionKind) -> bool {
    let clipboard = cfg!(target_os = "linux") && *kind == PermissionKind::Other;
    clipboard || matches!(kind, PermissionKind::Camera | PermissionKind::ClipboardRead)
}

/// Where Tauri serves the embedded page: a scheme of its own, which Windows and Android map to a host.
fn is_own(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) => true,
        ("http" | "https", Some("tauri.localhost")) => cfg!(any(windows, target_os = "android")),
        _ => false,
    }
}
