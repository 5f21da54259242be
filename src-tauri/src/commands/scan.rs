//! Pictures in, invites out.

use std::borrow::Cow;

use serde::Deserialize;
use tauri::State;
use tauri::http::HeaderMap;
use tauri::ipc::{InvokeBody, Request};

use crate::error::UiError;
use crate::scanner::{Scan, Scanner, Source};

/// A frame of the camera, or a chosen picture, as grey bytes.
///
/// Raw with the headers `pn-width`, `pn-height` and `pn-live` (`1` for a frame of the camera): 230 KB cost 3-5 ms, as a
/// JSON array 160. Android can't send raw bodies, so the same comes as `{width, height, live, luma: base64}`.
#[tauri::command]
pub(crate) async fn scan_frame(
    request: Request<'_>,
    scanner: State<'_, Scanner>,
) -> Result<Scan, UiError> {
    let frame = Frame::from_request(&request)?;
    scanner
        .scan(
            frame.source,
            frame.width,
            frame.height,
            frame.luma.into_owned(),
        )
        .await
        .map_err(|problem| UiError::new("bad_picture", sentence(&problem)))
}

struct Frame<'a> {
    source: Source,
    width: u32,
    height: u32,
    luma: Cow<'a, [u8]>,
}

#[derive(Deserialize)]
struct JsonFrame {
    width: u32,
    height: u32,
    #[serde(default)]
    live: bool,
    luma: String,
}

impl<'a> Frame<'a> {
    fn from_request(request: &'a Request<'_>) -> Result<Self, UiError> {
        match request.body() {
            InvokeBody::Raw(luma) => Ok(Self {
                source: source(
                    request
                        .headers()
                        .get("pn-live")
                        .is_some_and(|live| live == "1"),
                ),
                width: side(request.headers(), "pn-width")?,
                height: side(request.headers(), "pn-height")?,
                luma: luma.into(),
            }),
            InvokeBody::Json(json) => {
                let odd =
                    |problem: &dyn std::fmt::Display| UiError::bad_request("scan_frame", problem);
                let frame = JsonFrame::deserialize(json).map_err(|e| odd(&e))?;
                let luma = data_encoding::BASE64
                    .decode(frame.luma.as_bytes())
                    .map_err(|e| odd(&e))?;
                Ok(Self {
                    source: source(frame.live),
                    width: frame.width,
                    height: frame.height,
                    luma: luma.into(),
                })
            }
        }
    }
}

fn source(live: bool) -> Source {
    if live { Source::Camera } else { Source::Still }
}

fn side(headers: &HeaderMap, name: &str) -> Result<u32, UiError> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or_else(|| UiError::bad_request("scan_frame", name))
}

fn sentence(problem: &peddlenet_qr::QrError) -> String {
    tracing::warn!(%problem, "a picture was refused");
    "This picture can't be read. Try a smaller one, or paste the link.".into()
}
