//! What the system's web view costs alone: a window like the app's with a blank page, and no node.
//!
//! `bench app` starts it beside the app, so that what is ours can be told from what any page would cost. The page
//! comes through a protocol of its own, as the app's does: for `about:blank` WebKitGTK starts no web process at all. It
//! paints as the app does; with `--plain` as Tauri does by itself, which is what an app costs that changes nothing.

use tauri::{Url, WebviewUrl, WebviewWindowBuilder, http::Response};

const PAGE: &[u8] =
    b"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>empty</title></html>";

fn main() -> tauri::Result<()> {
    if std::env::args().nth(1).as_deref() != Some("--plain") {
        peddlenet_app::prepare();
    }
    tauri::Builder::default()
        .register_uri_scheme_protocol("blank", |_, _| {
            let mut page = Response::new(PAGE.to_vec());
            let html = tauri::http::HeaderValue::from_static("text/html");
            page.headers_mut().insert("content-type", html);
            page
        })
        .setup(|app| {
            let blank = WebviewUrl::CustomProtocol(Url::parse("blank://localhost/")?);
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
