//! The shell: a window around the page in `ui/`, and a door between that page and [`Node`].
//!
//! ```text
//!   ui/ipc ──invoke──> commands::* ──one call──> Node         (peddlenet-mesh)
//!          ──frames──> commands::scan ─────────> peddlenet-qr, on a blocking thread
//!   ui/ipc <─batches── events <────────events─── Node
//! ```
//!
//! **Contract.** No protocol and no state here: what the page sees lives in the node. Commands
//! are async, so nothing runs on the thread that paints. Only the embedded page may call them
//! (capabilities/main.json), and it can't navigate away (window.rs).

mod batcher;
mod commands;
mod dto;
mod error;
mod events;
mod keychain;
mod options;
mod scanner;
mod shell;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use peddlenet_mesh::{Config, ErrorCode, Keys, Node};
use tauri::{Manager, RunEvent};

use crate::events::Feed;
use crate::shell::Shell;

pub use options::{Options, Profile, USAGE};

/// Opens the app with this profile; returns when its window was closed.
///
/// A profile that another process has open is told on standard error, and no window opens.
#[must_use]
pub fn run(profile: Profile) -> ExitCode {
    let asked = std::env::var("PEDDLENET_LOG").ok();
    tracing_subscriber::fmt()
        .with_env_filter(peddlenet_mesh::log_filter(asked.as_deref()))
        .with_writer(std::io::stderr)
        .init();

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
            commands::power::close_room
        ])
        .on_permission_request(|webview, kind| window::answer_permission(&webview, &kind))
        .setup(move |app| {
            if let Err(problem) = start(app, &profile) {
                // Tauri would panic with an error from here; a person gets the sentence.
                eprintln!("{problem}");
                std::process::exit(1);
            }
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            app.run(|app, event| {
                if matches!(event, RunEvent::Exit)
                    && let Ok(node) = app.state::<Shell>().node()
                {
                    // So that friends see at once who left; what was saved is on disk already.
                    tauri::async_runtime::block_on(node.clone().close());
                    if let Some(folder) = app.try_state::<Folder>() {
                        folder.forget_page_if_fresh();
                    }
                }
            });
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("PeddleNet can't open its window: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the profile, then the window; an error is a sentence.
fn start(app: &tauri::App, profile: &Profile) -> anyhow::Result<()> {
    let folder = Folder(profile.folder(&app.path().app_data_dir()?));
    // Before the node makes a new store: a wipe may have been interrupted, or the folder be new.
    folder.forget_page_if_fresh();
    app.manage(tauri::async_runtime::block_on(open(folder.mesh()))?);
    app.manage(scanner::Scanner::new());
    window::open(app, folder.webview(), profile.title())
        .context("PeddleNet can't open its window")?;
    app.manage(folder);
    Ok(())
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

    /// What the page remembered goes with the profile: after a wipe there is no store.
    fn forget_page_if_fresh(&self) {
        let webview = self.webview();
        if !self.mesh().join("store").join("seal").exists()
            && webview.exists()
            && let Err(problem) = std::fs::remove_dir_all(webview)
        {
            tracing::warn!(%problem, "what the page kept is still there");
        }
    }
}

/// The node of a profile, or the reason why there is none; an error only when no window is wanted.
async fn open(data_dir: PathBuf) -> Result<Shell, peddlenet_mesh::Error> {
    // Asking the keychain may wait for the person to unlock it.
    let keychain = tauri::async_runtime::spawn_blocking(keychain::find).await;
    let config = Config {
        keys: Keys {
            keychain: keychain.ok().flatten(),
            ..Keys::default()
        },
        ..Config::at(data_dir)
    };
    match Node::open(config).await {
        Ok((node, events)) => Ok(Shell::open(node, Feed::start(events))),
        Err(error) if error.code == ErrorCode::ProfileInUse => Err(error),
        Err(error) => {
            tracing::error!(%error, "the profile doesn't open");
            Ok(Shell::shut(error.into()))
        }
    }
}
