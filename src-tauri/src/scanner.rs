//! Looks for an invite in one picture: off the UI thread, one picture at a time.
//!
//! ```text
//!   frame ──check──> Luma ──permit──> blocking thread: peddlenet_qr::decode ──> Scan
//! ```
//!
//! Camera frames come from our own page, which keeps one in flight; the permit holds that bound
//! here too, so that a page gone wild can't take every thread.

use peddlenet_qr::{Luma, QrError};
use serde::Serialize;
use tokio::sync::Semaphore;

/// What a picture showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "camelCase")]
pub(crate) enum Scan {
    /// No code was found.
    None,
    /// A code of ours; whether it still works, joining will tell.
    Invite {
        /// The code's text.
        link: String,
    },
    /// A code for checking a person of a room.
    Verify {
        /// The code's text.
        code: String,
    },
    /// A code of somebody else's.
    Other {
        /// A plain sentence for the person who scanned it.
        hint: &'static str,
    },
}

/// Holds how many pictures are looked at side by side: one.
#[derive(Debug)]
pub(crate) struct Scanner {
    turn: Semaphore,
}

impl Scanner {
    /// A scanner with nothing in hand.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            turn: Semaphore::new(1),
        }
    }

    /// Waits for its turn, then looks at the picture: one byte a pixel, row by row, 0 is black.
    ///
    /// # Errors
    /// The sides are above the limits or don't fit the bytes. A picture without a code is no error.
    pub(crate) async fn scan(
        &self,
        width: u32,
        height: u32,
        luma: Vec<u8>,
    ) -> Result<Scan, QrError> {
        let picture = Luma::new(width, height, luma)?;
        let _turn = self.turn.acquire().await;
        let looked = tokio::task::spawn_blocking(move || peddlenet_qr::decode(&picture)).await;
        // The decoder catches its own panics; should one slip through, scanning still goes on.
        let texts = looked.unwrap_or_else(|panic| {
            tracing::error!(%panic, "the decoder failed");
            Vec::new()
        });
        Ok(judge(texts))
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Ours before others': a poster in the background must not hide the code held up to the camera.
fn judge(texts: Vec<String>) -> Scan {
    let mut other = None;
    for text in texts {
        if peddlenet_mesh::is_join_code(&text) {
            return Scan::Invite { link: text };
        }
        if peddlenet_mesh::is_verify_code(&text) {
            return Scan::Verify { code: text };
        }
        other.get_or_insert_with(|| hint(&text));
    }
    other.map_or(Scan::None, |hint| Scan::Other { hint })
}

/// Says what kind of code it is; its text is a stranger's and isn't shown.
fn hint(text: &str) -> &'static str {
    if has_prefix(text, "http://") || has_prefix(text, "https://") {
        "This code is a web address, not a PeddleNet invite. Ask your friend to tap “Show my code”."
    } else if has_prefix(text, "WIFI:") {
        "This code is for a Wi-Fi network, not a PeddleNet invite. Ask your friend to tap “Show my code”."
    } else {
        "This code isn't a PeddleNet invite. Ask your friend to tap “Show my code”."
    }
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.trim_start()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_invite_is_found_beside_a_poster() {
        let found = judge(texts(&["https://example.org", "PEDDLENET:J/ABC"]));
        assert_eq!(
            found,
            Scan::Invite {
                link: "PEDDLENET:J/ABC".into()
            }
        );
    }

    #[test]
    fn a_code_for_checking_a_person_is_no_invite() {
        let code = "peddlenet:v/ABC".to_owned();
        assert_eq!(judge(vec![code.clone()]), Scan::Verify { code });
    }

    #[test]
    fn a_foreign_code_is_named_but_not_quoted() {
        let Scan::Other { hint } = judge(texts(&["HTTPS://EVIL.EXAMPLE"])) else {
            panic!("a web address is no invite")
        };
        assert!(
            hint.contains("web address") && !hint.contains("EVIL"),
            "{hint}"
        );
        assert!(matches!(judge(texts(&["WIFI:S:x;;"])), Scan::Other { .. }));
        assert!(matches!(judge(texts(&["é"])), Scan::Other { .. }));
    }

    #[tokio::test]
    async fn a_drawn_code_is_read_back() {
        let link = "PEDDLENET:J/0123456789ABCDEFGHIJKLMNOP";
        let png = peddlenet_qr::png(link, 200).unwrap();
        let grey = image::load_from_memory(&png).unwrap().to_luma8();
        let (width, height) = grey.dimensions();
        let found = Scanner::new()
            .scan(width, height, grey.into_raw())
            .await
            .unwrap();
        assert_eq!(found, Scan::Invite { link: link.into() });
    }

    #[tokio::test]
    async fn a_lying_frame_is_refused_and_scanning_goes_on() {
        let scanner = Scanner::new();
        assert!(scanner.scan(640, 480, vec![0; 12]).await.is_err());
        assert!(scanner.scan(u32::MAX, u32::MAX, vec![0; 12]).await.is_err());
        assert_eq!(
            scanner.scan(64, 64, vec![255; 64 * 64]).await.unwrap(),
            Scan::None
        );
    }
}
