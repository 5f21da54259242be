//! Searches a grey picture for codes: everything at once in a still picture, bit by bit in live video.
//!
//! ```text
//!   still:  blocks ─> rqrr ─> inverted ─> enlarged ─> means ─> reduced    until one reads, at most STILL_BUDGET
//!   live:   frame 1: blocks, rqrr    frame 2: blocks, inverted    frame 3: blocks, enlarged    …
//! ```
//!
//! The first rung that reads a text ends the search. A detector that panics counts as one that found
//! nothing. What each rung has earned stands in `rungs.rs`. A camera gives the next frame in 33 ms, and the hand has moved by then:
//! one dear look at each of ten frames finds more than ten looks at one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::caught::caught;
use crate::rungs::{Detector, Found, Rqrr, Rxing, Threshold};
use crate::trouble::{self, Trouble};
use crate::{Luma, QrError};

/// The most texts that are returned from one picture.
pub const MAX_CODES: usize = 16;

/// No rung begins after this in a still picture; the last one may take half a second more.
pub const STILL_BUDGET: Duration = Duration::from_millis(500);

/// No rung begins after this in a frame of live video.
pub const FRAME_BUDGET: Duration = Duration::from_millis(60);

const BLOCKS: Rxing = Rxing {
    name: "blocks",
    side: None,
    threshold: Threshold::Blocks,
    inverted: false,
};

const INVERTED: Rxing = Rxing {
    name: "inverted",
    inverted: true,
    ..BLOCKS
};

const ENLARGED: Rxing = Rxing {
    name: "enlarged",
    side: Some(960),
    ..BLOCKS
};

const MEANS: Rxing = Rxing {
    name: "means",
    threshold: Threshold::LocalMean(16),
    ..BLOCKS
};

const REDUCED: Rxing = Rxing {
    name: "reduced",
    side: Some(400),
    ..BLOCKS
};

/// For a still picture, cheap and fruitful first.
pub(crate) const STILL: &[&dyn Detector] =
    &[&BLOCKS, &Rqrr, &INVERTED, &ENLARGED, &MEANS, &REDUCED];

/// For every frame.
const EVERY_FRAME: &[&dyn Detector] = &[&BLOCKS];

/// For one frame in turn.
const IN_TURN: &[&dyn Detector] = &[&Rqrr, &INVERTED, &ENLARGED, &MEANS];

/// What a picture shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Each once, none empty, at most [`MAX_CODES`].
    pub texts: Vec<String>,
    /// Why no text was read, where the picture tells.
    pub trouble: Option<Trouble>,
}

/// Texts of all codes in `width` times `height` grey bytes, row by row, 0 is black.
///
/// # Errors
/// The dimensions are above the limits, or don't fit the bytes. No code found is `Ok` and empty.
pub fn decode_luma(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<String>, QrError> {
    Ok(decode(&Luma::new(width, height, pixels)?))
}

/// Texts of all codes in a checked picture; empty when there is none.
#[must_use]
pub fn decode(picture: &Luma<'_>) -> Vec<String> {
    look(picture).texts
}

/// The whole ladder on a still picture: a photograph, a screenshot.
#[must_use]
pub fn look(picture: &Luma<'_>) -> Seen {
    look_with(STILL, picture, after(STILL_BUDGET))
}

/// Asks the detectors one after the other until one reads something; a panicking one is passed over.
#[must_use]
pub fn decode_with(detectors: &[&dyn Detector], picture: &Luma<'_>) -> Vec<String> {
    look_with(detectors, picture, after(STILL_BUDGET)).texts
}

/// Live video: the cheap rung on every frame, the dearer ones in turn.
#[derive(Debug, Default)]
pub struct LiveDecoder {
    frame: AtomicUsize,
}

impl LiveDecoder {
    /// Looks at the next frame. Where nothing is read it also says whether there is light enough: of a
    /// still picture that would mean nothing, a dark screenshot is no dark night.
    #[must_use]
    pub fn look(&self, frame: &Luma<'_>) -> Seen {
        let turn = self.frame.fetch_add(1, Ordering::Relaxed);
        let dear = turn
            .checked_rem(IN_TURN.len())
            .and_then(|turn| IN_TURN.get(turn));
        let rungs: Vec<_> = EVERY_FRAME.iter().chain(dear).copied().collect();
        let mut seen = look_with(&rungs, frame, after(FRAME_BUDGET));
        if seen.texts.is_empty() {
            seen.trouble = trouble::of_light(frame).or(seen.trouble);
        }
        seen
    }
}

fn after(budget: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(budget).unwrap_or(now)
}

fn look_with(detectors: &[&dyn Detector], picture: &Luma<'_>, until: Instant) -> Seen {
    let mut unclear = false;
    for detector in detectors {
        if Instant::now() >= until {
            break;
        }
        let found = caught(detector.name(), || detector.detect(picture, until));
        let Found {
            texts,
            unclear: seen,
        } = found.unwrap_or_default();
        unclear |= seen;
        let mut once = HashSet::new();
        let texts: Vec<String> = texts
            .into_iter()
            .filter(|text| !text.is_empty() && once.insert(text.clone()))
            .take(MAX_CODES)
            .collect();
        if !texts.is_empty() {
            tracing::trace!(
                detector = detector.name(),
                codes = texts.len(),
                "read a picture"
            );
            return Seen {
                texts,
                trouble: None,
            };
        }
    }
    Seen {
        texts: Vec::new(),
        trouble: unclear.then_some(Trouble::Unclear),
    }
}
