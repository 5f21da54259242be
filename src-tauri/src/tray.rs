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
use crate::words::Words;
use crate::{alerts, window};

const ID: &str = "main";
const SHOW: &str = "show";
const HIDE: &str = "hide";
const MUTE: &str = "mute";
const QUIT: &str = "quit";

/// The menu's lines. Managed from the first icon on.
struct Menu(Mutex<Lines>);

struct Lines {
    show: MenuItem<Wry>,
    hide: MenuItem<Wry>,
    /// Says whether notifications are off.
    mute: CheckMenuItem<Wry>,
    quit: MenuItem<Wry>,
}

/// Whether an icon is there.
pub(crate) fn shown(app: &AppHandle) -> bool {
    app.tray_by_id(ID).is_some()
}

/// Whether an icon could be there. Looks for whoever shows it first: the library, once loaded, stays.
pub(crate) async fn is_possible(desktop: &Desktop) -> bool {
    desktop.has_tray().await && is_loadable()
}

/// The person wants an icon, or none. `muted` is what its menu says of notifications.
pub(crate) fn wanted(
    app: &AppHandle,
    desktop: &Desktop,
    on: bool,
    muted: bool,
    words: &'static Words,
) {
    let (app, desktop) = (app.clone(), desktop.clone());
    tauri::async_runtime::spawn(async move {
        let on = on && is_possible(&desktop).await;
        let on_main = app.clone();
        let told = app.run_on_main_thread(move || {
            if !on {
                // Whoever sits in the tray only would be lost with it.
                if on_main.remove_tray_by_id(ID).is_some() {
                    window::raise(&on_main);
                }
            } else if !shown(&on_main)
                && let Err(problem) = make(&on_main, muted, words)
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
    if let Some(menu) = app.try_state::<Menu>()
        && let Ok(lines) = menu.0.lock()
        && let Err(problem) = lines.mute.set_checked(muted)
    {
        tracing::debug!(%problem, "the tray's menu is not up to date");
    }
}

/// The menu speaks another language from now on.
pub(crate) fn speak(app: &AppHandle, words: &Words) {
    let Some(menu) = app.try_state::<Menu>() else {
        return;
    };
    let Ok(lines) = menu.0.lock() else {
        return;
    };
    for done in [
        lines.show.set_text(words.show),
        lines.hide.set_text(words.hide),
        lines.mute.set_text(words.mute),
        lines.quit.set_text(words.quit),
    ] {
        if let Err(problem) = done {
            tracing::debug!(%problem, "the tray's menu is in the old language");
        }
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

fn make(app: &AppHandle, muted: bool, words: &Words) -> tauri::Result<()> {
    let show = MenuItem::with_id(app, SHOW, words.show, true, None::<&str>)?;
    let hide = MenuItem::with_id(app, HIDE, words.hide, true, None::<&str>)?;
    let mute = CheckMenuItem::with_id(app, MUTE, words.mute, true, muted, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, words.quit, true, None::<&str>)?;
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
    // Of a second icon after a first the lines are others.
    let lines = || Lines {
        show: show.clone(),
        hide: hide.clone(),
        mute: mute.clone(),
        quit: quit.clone(),
    };
    if !app.manage(Menu(Mutex::new(lines())))
        && let Ok(mut kept) = app.state::<Menu>().0.lock()
    {
        *kept = lines();
    }
    Ok(())
}

/// The menu has set its tick already.
fn toggle(app: &AppHandle) {
    if let Some(menu) = app.try_state::<Menu>()
        && let Ok(lines) = menu.0.lock()
        && let Ok(muted) = lines.mute.is_checked()
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
