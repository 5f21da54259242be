//! Looks for an invite in one picture: off the UI thread, one picture at a time.
//!
//! ```text
//!   frame ──check──> Luma ──permit──> blocking thread: LiveDecoder (camera) or the whole ladder (still) ──> Scan
//! ```
//!
//! Camera frames come from our own page, which keeps one in flight; the permit holds that bound
//! here too, so that a page gone wild can't take every thread.

use std::sync::Arc;

use peddlenet_qr::{LiveDecoder, Luma, QrError, Seen, Trouble};
use serde::Serialize;
use tokio::sync::Semaphore;

/// What a picture showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "camelCase")]
pub(crate) enum Scan {
    /// No code was read.
    None {
        /// Why, where the picture tells.
        why: Option<Why>,
    },
    /// A code of ours; whether it still works, joining will tell.
    Invite {
        /// The code's text.
        link: String,
    },
    /// What a joiner shows back who could not get through to this device.
    Back {
        /// The code's text.
        link: String,
    },
    /// A code for checking a person of a room.
    Verify {
        /// The code's text.
        code: String,
    },
    /// A code that this app has no use for.
    Other {
        /// For the page, which has the words in the person's language.
        kind: Kind,
        /// A plain sentence for the person who scanned it.
        hint: &'static str,
    },
}

/// Why no code was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Why {
    /// Too little light, or something before the lens.
    Dark,
    /// Too much light.
    Bright,
    /// A code is in the picture but can't be read: blurred, far away, half outside.
    Unclear,
}

/// What a code that is no invite is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// What an organiser gives a room's owner, of a carrier box.
    Pass,
    /// Ours, of a format or kind that came after this build.
    Newer,
    /// Joining a Wi-Fi network.
    Wifi,
    /// A web address.
    Web,
    /// A visiting card.
    Contact,
    /// Anything else.
    Other,
}

/// Where a picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// One of many frames: a quick look.
    Camera,
    /// The only one there is: every way is tried.
    Still,
}

/// Holds how many pictures are looked at side by side: one.
#[derive(Debug)]
pub(crate) struct Scanner {
    turn: Semaphore,
    live: Arc<LiveDecoder>,
}

impl Scanner {
    /// A scanner with nothing in hand.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self {
            turn: Semaphore::new(1),
            live: Arc::default(),
        }
    }

    /// Waits for its turn, then looks at the picture: one byte a pixel, row by row, 0 is black.
    ///
    /// # Errors
    /// The sides are above the limits or don't fit the bytes. A picture without a code is no error.
    pub(crate) async fn scan(
        &self,
        source: Source,
        width: u32,
        height: u32,
        luma: Vec<u8>,
    ) -> Result<Scan, QrError> {
        let picture = Luma::new(width, height, luma)?;
        let _turn = self.turn.acquire().await;
        let live = Arc::clone(&self.live);
        let looked = tokio::task::spawn_blocking(move || match source {
            Source::Camera => live.look(&picture),
            Source::Still => peddlenet_qr::look(&picture),
        })
        .await;
        // The decoder catches its own panics; should one slip through, scanning still goes on.
        let seen = looked.unwrap_or_else(|panic| {
            tracing::error!(%panic, "the decoder failed");
            Seen::default()
        });
        Ok(judge(seen))
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Ours before others': a poster in the background must not hide the code held up to the camera.
fn judge(seen: Seen) -> Scan {
    let mut other = None;
    for text in seen.texts {
        let kind = kind(&text);
        if kind != Kind::Newer && peddlenet_mesh::is_join_code(&text) {
            return Scan::Invite { link: text };
        }
        if kind != Kind::Newer && peddlenet_mesh::is_back_code(&text) {
            return Scan::Back { link: text };
        }
        if kind != Kind::Newer && peddlenet_mesh::is_verify_code(&text) {
            return Scan::Verify { code: text };
        }
        if other.is_none() || kind == Kind::Newer {
            other = Some(kind);
        }
    }
    match other {
        Some(kind) => Scan::Other {
            kind,
            hint: hint(kind),
        },
        None => Scan::None {
            why: seen.trouble.and_then(why),
        },
    }
}

fn why(trouble: Trouble) -> Option<Why> {
    match trouble {
        Trouble::Dark => Some(Why::Dark),
        Trouble::Bright => Some(Why::Bright),
        Trouble::Unclear => Some(Why::Unclear),
        _ => None,
    }
}

/// What a code is for; its text is a stranger's and isn't shown.
fn kind(text: &str) -> Kind {
    let any = |prefixes: &[&str]| prefixes.iter().any(|prefix| has_prefix(text, prefix));
    if peddlenet_mesh::is_newer_code(text) {
        Kind::Newer
    } else if peddlenet_mesh::is_pass(text) {
        Kind::Pass
    } else if any(&["WIFI:", "DPP:"]) {
        Kind::Wifi
    } else if any(&["http://", "https://", "www."]) {
        Kind::Web
    } else if any(&[
        "BEGIN:VCARD",
        "MECARD:",
        "tel:",
        "mailto:",
        "MATMSG:",
        "sms:",
        "smsto:",
    ]) {
        Kind::Contact
    } else {
        Kind::Other
    }
}

fn hint(kind: Kind) -> &'static str {
    match kind {
        Kind::Newer => {
            "This code was made by a newer PeddleNet. Update the app on this device, then scan it again."
        }
        Kind::Pass => {
            "This is a pass of a box, not a room. The owner of a room can enter it: open the room's people, then “Enter a pass of a box”."
        }
        Kind::Wifi => {
            "This code is for a Wi-Fi network, not a PeddleNet invite. Ask your friend to tap “Show my code”."
        }
        Kind::Web => {
            "This code is a web address, not a PeddleNet invite. Ask your friend to tap “Show my code”."
        }
        Kind::Contact => {
            "This code is somebody’s contact details, not a PeddleNet invite. Ask your friend to tap “Show my code”."
        }
        Kind::Other => "This code isn't a PeddleNet invite. Ask your friend to tap “Show my code”.",
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

    fn texts(texts: &[&str]) -> Seen {
        Seen {
            texts: texts.iter().map(ToString::to_string).collect(),
            trouble: None,
        }
    }

    fn named(text: &str) -> Kind {
        match judge(texts(&[text])) {
            Scan::Other { kind, .. } => kind,
            scan => panic!("{text}: {scan:?}"),
        }
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
        assert_eq!(judge(texts(&[&code])), Scan::Verify { code });
    }

    #[test]
    fn a_foreign_code_is_named_but_not_quoted() {
        let Scan::Other { kind, hint } = judge(texts(&["HTTPS://EVIL.EXAMPLE"])) else {
            panic!("a web address is no invite")
        };
        assert_eq!(kind, Kind::Web);
        assert!(
            hint.contains("web address") && !hint.contains("EVIL"),
            "{hint}"
        );
        assert_eq!(named("WIFI:S:x;;"), Kind::Wifi);
        assert_eq!(named("begin:vcard\nFN:Ada"), Kind::Contact);
        assert_eq!(named("mailto:ada@example.org"), Kind::Contact);
        assert_eq!(named("é"), Kind::Other);
        assert_eq!(named("peddlenet:c/ae"), Kind::Pass);
    }

    #[test]
    fn a_newer_apps_code_is_no_invite_and_outshines_a_poster() {
        // Format 2 of an invite, and a kind of code that is not known here.
        for newer in ["PEDDLENET:J/EAAAAAAA", "PEDDLENET:Z/ABC"] {
            let Scan::Other { kind, hint } = judge(texts(&["https://example.org", newer])) else {
                panic!("{newer} can't be joined")
            };
            assert_eq!(kind, Kind::Newer, "{newer}");
            assert!(hint.contains("newer PeddleNet"), "{hint}");
        }
    }

    #[test]
    fn the_page_gets_these_shapes() {
        let json = |scan: &Scan| serde_json::to_string(scan).unwrap();
        let none = |why| json(&Scan::None { why });
        assert_eq!(none(None), r#"{"result":"none","why":null}"#);
        assert_eq!(none(Some(Why::Dark)), r#"{"result":"none","why":"dark"}"#);
        assert_eq!(
            none(Some(Why::Unclear)),
            r#"{"result":"none","why":"unclear"}"#
        );
        let other = Scan::Other {
            kind: Kind::Wifi,
            hint: "No.",
        };
        assert_eq!(
            json(&other),
            r#"{"result":"other","kind":"wifi","hint":"No."}"#
        );
    }

    #[tokio::test]
    async fn a_drawn_code_is_read_back() {
        let link = "PEDDLENET:J/0123456789ABCDEFGHIJKLMNOP";
        let png = peddlenet_qr::png(link, 200).unwrap();
        let grey = image::load_from_memory(&png).unwrap().to_luma8();
        let (width, height) = grey.dimensions();
        for source in [Source::Camera, Source::Still] {
            let found = Scanner::new()
                .scan(source, width, height, grey.clone().into_raw())
                .await
                .unwrap();
            assert_eq!(found, Scan::Invite { link: link.into() });
        }
    }

    #[tokio::test]
    async fn a_camera_in_the_dark_says_so_and_a_dark_picture_is_only_without_a_code() {
        let scanner = Scanner::new();
        let dark = vec![5; 64 * 64];
        let frame = scanner.scan(Source::Camera, 64, 64, dark.clone()).await;
        assert_eq!(
            frame.unwrap(),
            Scan::None {
                why: Some(Why::Dark)
            }
        );
        let still = scanner.scan(Source::Still, 64, 64, dark).await;
        assert_eq!(still.unwrap(), Scan::None { why: None });
    }

    #[tokio::test]
    async fn a_lying_frame_is_refused_and_scanning_goes_on() {
        let scanner = Scanner::new();
        for source in [Source::Camera, Source::Still] {
            assert!(scanner.scan(source, 640, 480, vec![0; 12]).await.is_err());
            let huge = scanner.scan(source, u32::MAX, u32::MAX, vec![0; 12]);
            assert!(huge.await.is_err());
            assert_eq!(
                scanner
                    .scan(source, 64, 64, vec![128; 64 * 64])
                    .await
                    .unwrap(),
                Scan::None { why: None }
            );
        }
    }
}
