//! The ways in which a picture is searched for codes, and what each has earned.
//!
//! Measured by `cargo test -p peddlenet-qr --lib -- --ignored earned --nocapture` on 66 hard photographs
//! (zxing-cpp's; the same 66 inverted in brackets) and 1200 generated frames of 640x480 (`generated.rs`); two busy cores:
//!
//! | rung | photographs alone | adds | generated alone | adds | ms a frame |
//! |---|---|---|---|---|---|
//! | blocks: rxing, zxing's thresholds | 64 | 64 | 1149 | 1149 | 3.7 |
//! | rqrr | 30 | 0 | 907 | 26 | 25.6 |
//! | inverted: light on dark | 0 (64) | 0 (64) | 0 | 0 | 3.6 |
//! | enlarged to 960 px | 49 | 1 | 1145 | 6 | 11.5 |
//! | means: threshold is the local mean | 61 | 0 | 1116 | 2 | 7.5 |
//! | reduced to 400 px | 63 | 0 | 1119 | 1 | 10.4 |
//!
//! No text was wrong. Of the 64 photographs rxing's own sampling reads 57, modules read from the grey picture 2 more, and a sheet
//! that may be bent another 5 (see [`crate::grid`]). rqrr stands second, not first, because it takes seven times as long
//! as what reads more; it stays because it reads tilted codes that rxing does not. Tried and dropped, because they added nothing: rqrr at 640 px, local means at
//! 1280 px and with other radii, and looking at every row.

use std::time::Instant;

use rqrr::PreparedImage;

use crate::caught::caught;
use crate::finder;
use crate::metered::{Meter, Metered};
use crate::{Luma, bits};

/// Above this rqrr looks at a smaller copy: it copies the picture for every group of three corners
/// that it tries, so its time grows with pixels times corners.
const RQRR_MAX_SIDE: u32 = 4096;

/// Above this rxing looks at a smaller copy: a code that fills a hundredth of it still has three pixels a module.
const RXING_MAX_SIDE: u32 = 2048;

/// Codes found, and whether there is one that could not be read.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Of every code that was read, in no particular order.
    pub texts: Vec<String>,
    /// Three corner marks stand as those of a code do, but what is between them could not be read.
    pub unclear: bool,
}

/// One way to find codes. The seam for further libraries, and for tests that put in a broken one.
pub trait Detector: Sync {
    /// For logs and reports.
    fn name(&self) -> &'static str;

    /// What it finds; soon after `until` it gives up. May panic: the caller goes on with the next detector.
    fn detect(&self, picture: &Luma<'_>, until: Instant) -> Found;
}

/// rqrr on the picture as it is (up to 4096 px a side, a smaller copy above).
#[derive(Clone, Copy, Debug)]
pub struct Rqrr;

impl Detector for Rqrr {
    fn name(&self) -> &'static str {
        "rqrr"
    }

    fn detect(&self, picture: &Luma<'_>, _: Instant) -> Found {
        let picture = picture.at_most(RQRR_MAX_SIDE);
        let meter = Meter::for_picture(&picture);
        let texts = PreparedImage::prepare(Metered::new(&picture, &meter))
            .detect_grids()
            .iter()
            // One broken grid must not hide a good one beside it. Payloads that are not UTF-8 are an
            // error of `decode`, and no invite.
            .filter_map(|grid| caught("rqrr grid", || grid.decode().ok()).flatten())
            .map(|(_, text)| text)
            .collect();
        Found {
            texts,
            unclear: false,
        }
    }
}

/// How far below the mean dark is, in percent: nearer, and blank paper turns to noise.
const MEAN_PERCENT: u32 = 5;

/// How grey becomes black and white.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Threshold {
    /// zxing's, by blocks of 8 pixels.
    Blocks,
    /// 5 % below the mean of a square whose half side is this share of the picture's longer side.
    LocalMean(u32),
}

/// rxing's reader on one version of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rxing {
    pub(crate) name: &'static str,
    /// The longer side of the copy it looks at; `None`: the picture as it is, up to 2048 px.
    pub(crate) side: Option<u32>,
    pub(crate) threshold: Threshold,
    /// Looks for light codes on dark ground.
    pub(crate) inverted: bool,
}

impl Detector for Rxing {
    fn name(&self) -> &'static str {
        self.name
    }

    fn detect(&self, picture: &Luma<'_>, until: Instant) -> Found {
        let picture = match self.side {
            // The rung for the picture as it is has seen these very pixels.
            Some(side) if side == picture.longest_side() => return Found::default(),
            Some(side) => picture.resized(side),
            None => picture.at_most(RXING_MAX_SIDE),
        };
        // Before thresholds are taken: zxing's hold paper to be light.
        let picture = if self.inverted {
            picture.inverted()
        } else {
            picture
        };
        let bits = match self.threshold {
            Threshold::Blocks => bits::hybrid(&picture),
            Threshold::LocalMean(share) => {
                let radius = picture
                    .longest_side()
                    .checked_div(share)
                    .unwrap_or(1)
                    .max(1);
                bits::local_mean(&picture, radius as usize, MEAN_PERCENT)
            }
        };
        bits.map_or_else(Found::default, |bits| finder::find(&picture, &bits, until))
    }
}
