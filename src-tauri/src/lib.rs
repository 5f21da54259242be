//! The shell: a window around the page in `ui/`, and a door between that page and [`Node`].
//!
//! ```text
//!   ui/ipc ──invoke──> commands::* ──one call──> Node         (peddlenet-mesh)
//!          ──frames──> commands::scan ─────────> peddlenet-qr, on a blocking thread
//!   ui/ipc <─batches── events       <──events─── Node
//! ```
//!
//! **Contract.** No protocol and no state here: what the page sees lives in the node. Commands
//! are async, so nothing runs on the thread that paints. Only the embedded page may call them
//! (capabilities/main.json), and it can't navigate away ([`window`]).

mod commands;
mod error;
mod options;
mod scanner;
mod window;

use std::process::ExitCode;

use tauri::Manager;
use tracing_subscriber::EnvFilter;

pub use options::{Options, Profile, USAGE};

/// What is logged without `PEDDLENET_LOG`: the life of the app, and the trouble of everybody else.
const DEFAULT_LOG: &str = "warn,peddlenet_app=info,peddlenet_mesh=info";

/// Opens the app with this profile; returns when its window was closed.
#[must_use]
pub fn run(profile: Profile) -> ExitCode {
    let filter =
        EnvFilter::try_from_env("PEDDLENET_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();

    let app = tauri::Builder::default()
        .manage(scanner::Scanner::new())
        .invoke_handler(tauri::generate_handler![commands::scan::scan_frame])
        .on_permission_request(|webview, kind| window::answer_permission(&webview, &kind))
        .setup(move |app| {
            let folder = profile.folder(&app.path().app_data_dir()?);
            window::open(app, folder.join("webview"), None)?;
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            app.run(|_, _| {});
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("PeddleNet can't open its window: {problem}");
            ExitCode::FAILURE
        }
    }
}
