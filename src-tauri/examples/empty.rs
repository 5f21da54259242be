//! What the system's web view costs alone: a window like the app's with a blank page, and no node.
//!
//! `bench app` starts it beside the app, so that what is ours can be told from what any page would cost.

use tauri::{Url, WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .setup(|app| {
            let blank = WebviewUrl::External(Url::parse("about:blank")?);
            let window = WebviewWindowBuilder::new(app, "main", blank)
                .title("empty")
                .inner_size(1100.0, 760.0);
            // Where the bench wants it; the app keeps its own in the profile's folder.
            match std::env::var_os("PEDDLENET_DATA") {
                Some(folder) => window.data_directory(folder.into()),
                None => window,
            }
            .build()?;
            Ok(())
        })
        .run(tauri::generate_context!())
}
