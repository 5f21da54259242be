//! The modules of a code that was found, read from the grey picture.
//!
//! The finder works on black and white, where a blurred module is already lost. Here every module is the
//! mean of its middle, sharpened by its neighbours (a lens or a moving hand spreads a module over
//! those beside it) and compared with the mean of the modules around it.

#![cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a sheet has 1..=MAX_SIDE modules a side; every caller runs under `caught`"
    )
)]

use rxing::Point;
use rxing::common::{BitMatrix, PerspectiveTransform, Quadrilateral};

use crate::Luma;

/// Modules a side of the largest code there is (version 40).
const MAX_SIDE: u32 = 177;

/// Places in a module at which the picture is read, from its middle, in modules.
const PROBES: [f32; 3] = [-0.25, 0.0, 0.25];

/// Modules on each side whose mean is the threshold.
const AROUND: usize = 5;

/// Modules between two places at which the sheet's bend is measured.
const BEND_STEP: usize = 4;

/// Modules on each side of such a place that are looked at.
const BEND_WINDOW: usize = 3;

/// How far a place is looked for around where its neighbours have it, in modules.
const BEND_SEARCH: [f32; 7] = [-0.45, -0.3, -0.15, 0.0, 0.15, 0.3, 0.45];

/// What it costs to be away from the neighbours, in shares of the contrast a module of distance.
const BEND_STIFF: f32 = 0.15;

/// Where the modules of a code lie in a picture.
pub(crate) struct Sheet<'p> {
    picture: &'p Luma<'p>,
    side: usize,
    to_pixels: PerspectiveTransform,
}

/// The grey levels of a code's modules, row by row.
pub(crate) struct Grid {
    side: usize,
    levels: Vec<f32>,
}

impl<'p> Sheet<'p> {
    /// A code of `side` modules between `corners` (top left, top right, bottom right, bottom left).
    pub(crate) fn new(picture: &'p Luma<'p>, side: u32, corners: [Point; 4]) -> Option<Self> {
        let length = i32::try_from(side)
            .ok()
            .filter(|_| (1..=MAX_SIDE).contains(&side))?;
        let to_pixels = PerspectiveTransform::quadrilateralToQuadrilateral(
            Quadrilateral::rectangle(length, length, None),
            Quadrilateral::from(corners),
        )
        .ok()?;
        Some(Self {
            picture,
            side: side as usize,
            to_pixels,
        })
    }

    /// Reads every module, as if the sheet were flat.
    pub(crate) fn flat(&self) -> Grid {
        self.read(|_, _| (0.0, 0.0))
    }

    /// Reads every module of a sheet that is bent or crumpled: a poster on a pole, a print on a shirt.
    ///
    /// Away from its middle a module is mixed with those beside it, so places are right where the modules
    /// around differ most from their mean. From the top left corner on, each place is looked for where the ones before have it.
    pub(crate) fn bent(&self) -> Grid {
        let nodes = self.side.div_ceil(BEND_STEP) + 1;
        let mut bend = vec![(0.0_f32, 0.0_f32); nodes * nodes];
        for row in 0..nodes {
            for column in 0..nodes {
                let expected = match (row.checked_sub(1), column.checked_sub(1)) {
                    (None, None) => (0.0, 0.0),
                    (None, Some(left)) => bend[left],
                    (Some(above), None) => bend[above * nodes],
                    (Some(above), Some(left)) => {
                        let (a, b) = (bend[above * nodes + column], bend[row * nodes + left]);
                        ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
                    }
                };
                bend[row * nodes + column] =
                    self.place(row * BEND_STEP, column * BEND_STEP, expected);
            }
        }
        self.read(|x, y| {
            let (column, row) = (x / BEND_STEP, y / BEND_STEP);
            let part = |at: usize| ((at % BEND_STEP) as f32 + 0.5) / BEND_STEP as f32;
            let (across, down) = (part(x), part(y));
            let at = |row: usize, column: usize| bend[row * nodes + column];
            let mix = |a: (f32, f32), b: (f32, f32), share: f32| {
                (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
            };
            let above = mix(at(row, column), at(row, column + 1), across);
            let below = mix(at(row + 1, column), at(row + 1, column + 1), across);
            mix(above, below, down)
        })
    }

    /// Where the modules around the corner (`column`, `row`) lie, away from the flat sheet.
    fn place(&self, row: usize, column: usize, expected: (f32, f32)) -> (f32, f32) {
        let window = |at: usize| at.saturating_sub(BEND_WINDOW)..(at + BEND_WINDOW).min(self.side);
        let mut best = (f32::MIN, expected);
        let mut levels = Vec::with_capacity(4 * BEND_WINDOW * BEND_WINDOW);
        for dy in BEND_SEARCH {
            for dx in BEND_SEARCH {
                let bend = (expected.0 + dx, expected.1 + dy);
                levels.clear();
                for y in window(row) {
                    for x in window(column) {
                        levels.push(self.level(x as f32 + 0.5 + bend.0, y as f32 + 0.5 + bend.1));
                    }
                }
                let mean = levels.iter().sum::<f32>() / levels.len() as f32;
                let contrast: f32 = levels.iter().map(|level| (level - mean).abs()).sum();
                let score = contrast * (1.0 - BEND_STIFF * dx.hypot(dy));
                if score > best.0 {
                    best = (score, bend);
                }
            }
        }
        best.1
    }

    fn read(&self, bend: impl Fn(usize, usize) -> (f32, f32)) -> Grid {
        let mut levels = Vec::with_capacity(self.side * self.side);
        for y in 0..self.side {
            for x in 0..self.side {
                let (bend_x, bend_y) = bend(x, y);
                let mut sum = 0.0;
                for dy in PROBES {
                    for dx in PROBES {
                        sum +=
                            self.level(x as f32 + 0.5 + bend_x + dx, y as f32 + 0.5 + bend_y + dy);
                    }
                }
                levels.push(sum / (PROBES.len() * PROBES.len()) as f32);
            }
        }
        Grid {
            side: self.side,
            levels,
        }
    }

    /// The grey at a place of the flat sheet, in modules.
    fn level(&self, x: f32, y: f32) -> f32 {
        level(self.picture, self.to_pixels.transform_point(Point { x, y }))
    }
}

impl Grid {
    /// Black and white; `sharpen` is how much of the difference to its four neighbours is added to each module.
    pub(crate) fn bits(&self, sharpen: f32) -> Option<BitMatrix> {
        let sharp = self.sharpened(sharpen);
        let side = self.side;
        let mut bits = BitMatrix::with_single_dimension(u32::try_from(side).ok()?).ok()?;
        for y in 0..side {
            for x in 0..side {
                let (mut sum, mut count) = (0.0, 0.0);
                for row in y.saturating_sub(AROUND)..(y + AROUND + 1).min(side) {
                    for column in x.saturating_sub(AROUND)..(x + AROUND + 1).min(side) {
                        sum += sharp[row * side + column];
                        count += 1.0;
                    }
                }
                if sharp[y * side + x] < sum / count {
                    bits.set(u32::try_from(x).ok()?, u32::try_from(y).ok()?);
                }
            }
        }
        Some(bits)
    }

    fn sharpened(&self, much: f32) -> Vec<f32> {
        let side = self.side;
        let at = |x: usize, y: usize| self.levels[y.min(side - 1) * side + x.min(side - 1)];
        let mut sharp = Vec::with_capacity(self.levels.len());
        for y in 0..side {
            for x in 0..side {
                let here = at(x, y);
                let beside = at(x.saturating_sub(1), y)
                    + at(x + 1, y)
                    + at(x, y.saturating_sub(1))
                    + at(x, y + 1);
                sharp.push(here + much * (here - beside / 4.0));
            }
        }
        sharp
    }
}

/// The picture between its pixels; beyond its edge, the edge.
#[expect(
    clippy::cast_possible_truncation,
    reason = "places are clamped to the picture first"
)]
fn level(picture: &Luma<'_>, at: Point) -> f32 {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let place = |at: f32, length: usize| {
        // NaN becomes 0.
        let at = (at - 0.5).clamp(0.0, length.saturating_sub(1) as f32);
        let low = at as usize;
        (
            low,
            low.saturating_add(1).min(length.saturating_sub(1)),
            at - low as f32,
        )
    };
    let (left, right, across) = place(at.x, width);
    let (top, bottom, down) = place(at.y, height);
    let pixel =
        |x: usize, y: usize| f32::from(picture.pixels()[y.saturating_mul(width).saturating_add(x)]);
    let above = pixel(left, top) * (1.0 - across) + pixel(right, top) * across;
    let below = pixel(left, bottom) * (1.0 - across) + pixel(right, bottom) * across;
    above * (1.0 - down) + below * down
}
