//! The icon in the tray, for those who asked for it: closing the window then leaves the app running.
//!
//! Linux shows such icons through libayatana-appindicator3, which is loaded when an icon is made, and
//! only where some program shows them (org.kde.StatusNotifierWatcher). Where either is missing there is
//! no icon, and closing the window quits, or nobody would find it again.

use std::sync::Mutex;

use tauri::menu::{CheckMenuItem, MenuBuilder, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Wry};

use crate::desktop::Desktop;
use crate::{alerts, window};

const ID: &str = "main";
const SHOW: &str = "show";
const HIDE: &str = "hide";
const MUTE: &str = "mute";
const QUIT: &str = "quit";

/// The menu's line that says whether notifications are off. Managed from the first icon on.
struct Mute(Mutex<CheckMenuItem<Wry>>);

/// Whether an icon is there.
pub(crate) fn shown(app: &AppHandle) -> bool {
    app.tray_by_id(ID).is_some()
}

/// The person wants an icon, or none. `muted` is what its menu says of notifications.
pub(crate) fn wanted(app: &AppHandle, desktop: &Desktop, on: bool, muted: bool) {
    let (app, desktop) = (app.clone(), desktop.clone());
    tauri::async_runtime::spawn(async move {
        let on = on && is_loadable() && desktop.has_tray().await;
        let on_main = app.clone();
        let told = app.run_on_main_thread(move || {
            if !on {
                // Whoever sits in the tray only would be lost with it.
                if on_main.remove_tray_by_id(ID).is_some() {
                    window::raise(&on_main);
                }
            } else if !shown(&on_main)
                && let Err(problem) = make(&on_main, muted)
            {
                tracing::warn!(%problem, "no icon in the tray");
            }
        });
        if let Err(problem) = told {
            tracing::debug!(%problem, "the app is closing");
        }
    });
}

/// Notifications were switched on or off.
pub(crate) fn muted(app: &AppHandle, muted: bool) {
    if let Some(mute) = app.try_state::<Mute>()
        && let Ok(mute) = mute.0.lock()
        && let Err(problem) = mute.set_checked(muted)
    {
        tracing::debug!(%problem, "the tray's menu is not up to date");
    }
}

/// What the icon says when it is pointed at.
pub(crate) fn tooltip(app: &AppHandle, text: &str) {
    if let Some(tray) = app.tray_by_id(ID)
        && let Err(problem) = tray.set_tooltip(Some(text))
    {
        tracing::debug!(%problem, "the tray's tooltip is not up to date");
    }
}

fn make(app: &AppHandle, muted: bool) -> tauri::Result<()> {
    let show = MenuItem::with_id(app, SHOW, "Show PeddleNet", true, None::<&str>)?;
    let hide = MenuItem::with_id(app, HIDE, "Hide", true, None::<&str>)?;
    let mute = CheckMenuItem::with_id(app, MUTE, "Mute notifications", true, muted, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?;
    let menu = MenuBuilder::new(app)
        .items(&[&show, &hide, &mute])
        .separator()
        .item(&quit)
        .build()?;
    let mut icon = TrayIconBuilder::with_id(ID)
        .menu(&menu)
        .tooltip("PeddleNet")
        .on_menu_event(|app, event| match event.id().as_ref() {
            SHOW => window::raise(app),
            HIDE => window::hide(app),
            MUTE => toggle(app),
            QUIT => {
                window::remember(app);
                app.exit(0);
            }
            _ => {}
        });
    if let Some(image) = app.default_window_icon() {
        icon = icon.icon(image.clone());
    }
    icon.build(app)?;
    // Of a second icon after a first the line is another one.
    if !app.manage(Mute(Mutex::new(mute.clone())))
        && let Ok(mut kept) = app.state::<Mute>().0.lock()
    {
        *kept = mute;
    }
    Ok(())
}

/// The menu has set its tick already.
fn toggle(app: &AppHandle) {
    if let Some(mute) = app.try_state::<Mute>()
        && let Ok(mute) = mute.0.lock()
        && let Ok(muted) = mute.is_checked()
    {
        alerts::set_notify(app, !muted);
    }
}

/// Without the library, making an icon would panic.
#[cfg(target_os = "linux")]
fn is_loadable() -> bool {
    // The names that libappindicator-sys looks for, in its order.
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"]
        .iter()
        .any(|name| {
            #[expect(
                unsafe_code,
                reason = "loading runs the library's initialisers: they are the desktop's own, and \
                          libappindicator-sys would run them next"
            )]
            let library = unsafe { libloading::Library::new(name) };
            // Kept: GTK's types, once registered, may not be unloaded.
            library.map(std::mem::forget).is_ok()
        })
}

#[cfg(not(target_os = "linux"))]
fn is_loadable() -> bool {
    true
}
