//! The shell: a window around the page in `ui/`, and a door between that page and [`Node`].
//!
//! ```text
//!   ui/ipc ──invoke──> commands::* ──one call──> Node         (peddlenet-mesh)
//!          ──frames──> commands::scan ─────────> peddlenet-qr, on a blocking thread
//!   ui/ipc <─batches── events <────────events─── Node
//!                         └─> alerts ──> desktop, tray, the window's title
//! ```
//!
//! **Contract.** No protocol and no state here: what the page sees lives in the node. Commands
//! are async, so nothing runs on the thread that paints. Only the embedded page may call them
//! (capabilities/main.json), and it can't navigate away (window.rs).

mod address;
mod alerts;
mod batcher;
#[cfg(target_os = "linux")]
mod caret;
mod commands;
mod desktop;
mod dto;
mod error;
mod events;
mod facts;
mod front;
mod keychain;
mod link;
mod notices;
mod opening;
mod options;
#[cfg(target_os = "linux")]
mod painting;
mod place;
mod scanner;
mod shell;
mod tray;
mod tries;
mod window;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use peddlenet_mesh::Node;
use tauri::{App, AppHandle, Manager, RunEvent};

use crate::alerts::Alerts;
use crate::desktop::Desktop;
use crate::front::Door;
use crate::notices::Talk;
use crate::opening::Opening;
use crate::shell::{Shell, State};

/// How long a start that finds its profile taken waits for the window of the other, which may be
/// opening just now: so many times so long.
const KNOCKS: u32 = 10;
const KNOCK_PAUSE: Duration = Duration::from_millis(150);
/// Said by a start that ends since the profile is open.
const OPEN_ALREADY: &str =
    "PeddleNet is already open with this profile; its window comes to the front.";

pub use link::Link;
pub use options::{Options, Profile, USAGE};

/// What has to be settled before anything else runs: how the system's web view paints.
pub fn prepare() {
    #[cfg(target_os = "linux")]
    painting::settle();
}

/// Opens the app with this profile; returns when its window was closed.
///
/// Where another process has the profile open, its window comes to the front and takes the link; one that
/// doesn't answer is told on standard error. No second window opens.
#[must_use]
pub fn run(profile: Profile, link: Option<Link>) -> ExitCode {
    let asked = std::env::var("PEDDLENET_LOG").ok();
    tracing_subscriber::fmt()
        .with_env_filter(peddlenet_mesh::log_filter(asked.as_deref()))
        .with_writer(std::io::stderr)
        .init();

    let context = tauri::generate_context!();
    // Before anything of the desktop's runs: to end beside GTK's threads has ended in a crash.
    let data =
        dirs::data_dir().map(|data| profile.folder(&data.join(&context.config().identifier)));
    if data.is_some_and(|folder| front::knock(&folder, link.as_ref())) {
        eprintln!("{OPEN_ALREADY}");
        return ExitCode::SUCCESS;
    }
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::session::subscribe,
            commands::session::snapshot,
            commands::session::set_name,
            commands::session::wipe,
            commands::rooms::create_room,
            commands::rooms::leave_room,
            commands::rooms::rename_room,
            commands::rooms::set_room_prefs,
            commands::rooms::members,
            commands::kept::set_draft,
            commands::kept::set_setting,
            commands::kept::storage,
            commands::invites::create_invite,
            commands::invites::invites,
            commands::invites::revoke_invite,
            commands::invites::join_room,
            commands::invites::cancel_join,
            commands::scan::scan_frame,
            commands::messages::send_message,
            commands::messages::history,
            commands::messages::mark_seen,
            commands::messages::edit_message,
            commands::messages::delete_message,
            commands::messages::react,
            commands::messages::message,
            commands::messages::search,
            commands::messages::send_direct,
            commands::messages::direct_history,
            commands::trust::verify_code,
            commands::trust::verify_scan,
            commands::trust::set_verified,
            commands::trust::confirm_key,
            commands::trust::move_on,
            commands::trust::confirm_move,
            commands::trust::mute_member,
            commands::trust::block_member,
            commands::power::set_role,
            commands::power::remove_member,
            commands::power::ban_member,
            commands::power::close_room,
            commands::power::back_up_room,
            commands::back::back_code,
            commands::back::join_shown_back,
            commands::back::answer_back,
            commands::network::network_map,
            commands::network::diagnostics,
            commands::network::wifi_code,
            commands::lock::unlock,
            commands::lock::protect,
            commands::desktop::open_link,
            commands::desktop::keep_awake,
            commands::desktop::has_tray,
            commands::desktop::print,
            commands::desktop::looking_at
        ])
        .on_window_event(window::on_event)
        .on_permission_request(|webview, kind| window::answer_permission(&webview, &kind))
        .setup(move |app| {
            if let Err(problem) = start(app, &profile, link) {
                // Tauri would panic with an error from here; a person gets the sentence.
                eprintln!("{problem}");
                std::process::exit(1);
            }
            Ok(())
        })
        .build(context);
    match app {
        Ok(app) => {
            app.run(|app, event| match event {
                RunEvent::Exit => end(app),
                // How macOS hands over a link, to a running app and to one that it starts.
                #[cfg(target_os = "macos")]
                RunEvent::Opened { urls } => {
                    for url in urls {
                        came(app, Link::parse(url.as_str()));
                    }
                }
                _ => {}
            });
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("PeddleNet can't open its window: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the profile and the window, side by side; an error is a sentence.
fn start(app: &App, profile: &Profile, link: Option<Link>) -> anyhow::Result<()> {
    let folder = Folder(profile.folder(&app.path().app_data_dir()?));
    // Before the node makes a new store: a wipe may have been interrupted, or the folder be new.
    folder.forget_page_if_fresh();
    let clicked = app.handle().clone();
    let chosen = move |talk: Talk| {
        window::raise(&clicked);
        if let Some(shell) = clicked.try_state::<Shell>() {
            shell.show(talk.room);
        }
    };
    let desktop = Desktop::start(chosen).context("PeddleNet can't start its threads")?;
    let alerts = Alerts::start(app.handle().clone(), desktop.clone(), profile.title());
    app.manage(Opening::new(folder.mesh(), alerts.clone()));
    app.manage(Shell::new());
    app.manage(alerts);
    let other = Other {
        folder: folder.0.clone(),
        link: link.clone(),
    };
    let opening = open_profile(app.handle().clone(), other);
    if Node::is_free(&folder.mesh()) {
        // The page takes longer to come than the profile, and waits for it where it has to.
        let handle = app.handle().clone();
        tauri::async_runtime::spawn(async move {
            if let Err(taken) = opening.await {
                handle.state::<Shell>().turn(State::Shut(taken.into()));
            }
        });
    } else {
        // No window before it is certain that there is no other.
        tauri::async_runtime::block_on(opening)?;
    }
    if let Some(link) = link {
        app.state::<Shell>().link(link);
    }
    app.manage(desktop);
    app.manage(scanner::Scanner::new());
    #[cfg(target_os = "linux")]
    caret::stand_still();
    window::open(app, &folder.0, folder.webview(), profile.title())
        .context("PeddleNet can't open its window")?;
    tauri::async_runtime::block_on(app.state::<Alerts>().window_opened());
    let handle = app.handle().clone();
    match front::open(&folder.0, move |link| came(&handle, link)) {
        Ok(door) => {
            app.manage(Mutex::new(Some(door)));
        }
        Err(problem) => tracing::info!(%problem, "a second start will not find this window"),
    }
    app.manage(folder);
    #[cfg(unix)]
    end_when_asked(app.handle().clone());
    Ok(())
}

/// A system that shuts down asks first, and so does Ctrl-C: friends are told, and the store is closed in order.
#[cfg(unix)]
fn end_when_asked(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};

    tauri::async_runtime::spawn(async move {
        let asked = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let [Ok(mut terminate), Ok(mut interrupt)] = asked else {
            return tracing::info!("the system's request to end will not be heard");
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        app.exit(0);
    });
}

/// The window of another process that has the profile open, or is about to.
struct Other {
    folder: PathBuf,
    link: Option<Link>,
}

/// Opens the profile. When another process has it and its window comes to the front, this one ends.
///
/// # Errors
/// Another process has it, and does not answer.
async fn open_profile(app: AppHandle, other: Other) -> Result<(), peddlenet_mesh::Error> {
    match app.state::<Opening>().start().await {
        Ok(state) => {
            app.state::<Shell>().turn(state);
            Ok(())
        }
        Err(taken) => {
            for _ in 0..KNOCKS {
                tokio::time::sleep(KNOCK_PAUSE).await;
                if front::knock(&other.folder, other.link.as_ref()) {
                    leave_it_to_the_other();
                }
            }
            Err(taken)
        }
    }
}

/// Ends this process: another one has the profile open, and has come to the front.
fn leave_it_to_the_other() -> ! {
    eprintln!("{OPEN_ALREADY}");
    std::process::exit(0)
}

/// The app was started again, perhaps with a link.
fn came(app: &AppHandle, link: Option<Link>) {
    window::raise(app);
    if let Some(link) = link {
        app.state::<Shell>().link(link);
    }
}

fn end(app: &AppHandle) {
    if let Some(door) = app.try_state::<Mutex<Option<Door>>>()
        && let Ok(mut door) = door.lock()
    {
        // The process ends without dropping what is managed.
        drop(door.take());
    }
    if let Ok(node) = app.state::<Shell>().node() {
        // So that friends see at once who left; what was saved is on disk already.
        tauri::async_runtime::block_on(node.close());
        if let Some(folder) = app.try_state::<Folder>() {
            folder.forget_page_if_fresh();
        }
    }
}

/// A profile's folder.
struct Folder(PathBuf);

impl Folder {
    /// What the node keeps; its key, where no keychain has it, is `mesh.key` beside.
    fn mesh(&self) -> PathBuf {
        self.0.join("mesh")
    }

    /// What the web view keeps.
    fn webview(&self) -> PathBuf {
        self.0.join("webview")
    }

    /// What the page and the window remembered goes with the profile: after a wipe there is no store.
    fn forget_page_if_fresh(&self) {
        if self.mesh().join("store").join("seal").exists() {
            return;
        }
        place::forget(&self.0);
        let webview = self.webview();
        if webview.exists()
            && let Err(problem) = std::fs::remove_dir_all(webview)
        {
            tracing::warn!(%problem, "what the page kept is still there");
        }
    }
}
