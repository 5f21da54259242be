//! Finds the codes in a grey picture with a ladder of detectors.
//!
//! The rungs, cheapest first: rqrr on the picture as it is, then rqrr on a copy scaled to 640 px, where its
//! threshold window fits the modules of most photographs. The first rung that reads a text ends the
//! search. A detector that panics counts as one that found nothing. Inverted codes (light on dark) are
//! not read; mirrored ones are.

use std::collections::HashSet;

use crate::caught::caught;
use crate::metered::{Meter, Metered};
use crate::{Luma, QrError};

/// The most texts that are returned from one picture.
pub const MAX_CODES: usize = 16;

/// The longer side of the copy that the second rung looks at.
const RESIZED_SIDE: u32 = 640;

/// Above this the first rung looks at a smaller copy: rqrr copies the picture for every group of three
/// corners that it tries, so its time grows with pixels times corners.
const RQRR_MAX_SIDE: u32 = 4096;

/// One way to find codes. The seam for further libraries, and for tests that put in a broken one.
pub trait Detector: Sync {
    /// For logs and reports.
    fn name(&self) -> &'static str;

    /// Every text found, in no particular order. May panic: the caller goes on with the next detector.
    fn detect(&self, picture: &Luma<'_>) -> Vec<String>;
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
    decode_with(&[&Rqrr, &RqrrResized], picture)
}

/// Asks the detectors one after the other until one finds something; a panicking one is passed over.
/// At most [`MAX_CODES`] texts, each once, none empty.
#[must_use]
pub fn decode_with(detectors: &[&dyn Detector], picture: &Luma<'_>) -> Vec<String> {
    for detector in detectors {
        let found = caught(detector.name(), || detector.detect(picture)).unwrap_or_default();
        let mut seen = HashSet::new();
        let texts: Vec<String> = found
            .into_iter()
            .filter(|text| !text.is_empty() && seen.insert(text.clone()))
            .take(MAX_CODES)
            .collect();
        if !texts.is_empty() {
            tracing::trace!(
                detector = detector.name(),
                codes = texts.len(),
                "read a picture"
            );
            return texts;
        }
    }
    Vec::new()
}

/// rqrr on the picture as it is (up to 4096 px a side, a smaller copy above).
#[derive(Clone, Copy, Debug)]
pub struct Rqrr;

impl Detector for Rqrr {
    fn name(&self) -> &'static str {
        "rqrr"
    }

    fn detect(&self, picture: &Luma<'_>) -> Vec<String> {
        if picture.longest_side() > RQRR_MAX_SIDE {
            rqrr_texts(&picture.resized(RQRR_MAX_SIDE))
        } else {
            rqrr_texts(picture)
        }
    }
}

/// rqrr on a copy whose longer side is 640 px.
#[derive(Clone, Copy, Debug)]
pub struct RqrrResized;

impl Detector for RqrrResized {
    fn name(&self) -> &'static str {
        "rqrr at 640"
    }

    fn detect(&self, picture: &Luma<'_>) -> Vec<String> {
        if picture.longest_side() == RESIZED_SIDE {
            // The first rung has seen these very pixels.
            return Vec::new();
        }
        rqrr_texts(&picture.resized(RESIZED_SIDE))
    }
}

fn rqrr_texts(picture: &Luma<'_>) -> Vec<String> {
    let meter = Meter::for_picture(picture);
    rqrr::PreparedImage::prepare(Metered::new(picture, &meter))
        .detect_grids()
        .iter()
        // One broken grid must not hide a good one beside it. Payloads that are not UTF-8 are an
        // error of `decode`, and no invite.
        .filter_map(|grid| caught("rqrr grid", || grid.decode().ok()).flatten())
        .map(|(_, text)| text)
        .collect()
}
