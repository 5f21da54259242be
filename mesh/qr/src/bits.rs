//! Black and white out of grey: two ways to say what is dark.
//!
//! *Hybrid* (zxing's) takes one threshold for each block of 8 pixels from the 25 blocks around it; it is
//! quiet on empty paper. *Local mean* compares each pixel with the mean of the square around it, which
//! keeps single modules apart where a code is small, blurred or badly lit, and makes noise of everything else.

use rxing::common::{BitMatrix, HybridBinarizer};
use rxing::{Binarizer, Luma8Source};

use crate::Luma;

/// The most pixels that are thresholded: sums of them fit 32 bits.
const MAX_PIXELS: usize = 1 << 23;

/// zxing's thresholds by block. `None` for a picture with nothing in it.
pub(crate) fn hybrid(picture: &Luma<'_>) -> Option<BitMatrix> {
    let source =
        Luma8Source::new_with_slice(picture.pixels(), picture.width(), picture.height()).ok()?;
    HybridBinarizer::new(source)
        .get_black_matrix()
        .ok()
        .cloned()
}

/// Dark is what lies `percent` below the mean of the square of `radius` pixels around it.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "sides are at most 8192 and pixels at most MAX_PIXELS; every caller runs under `caught`"
)]
pub(crate) fn local_mean(picture: &Luma<'_>, radius: usize, percent: u32) -> Option<BitMatrix> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if picture.pixels().len() > MAX_PIXELS {
        return None;
    }
    // sums[y][x]: of all pixels above and left of (x, y).
    let stride = width + 1;
    let mut sums = vec![0_u32; stride * (height + 1)];
    for (y, row) in picture.pixels().chunks_exact(width).enumerate() {
        let (above, below) = sums.split_at_mut((y + 1) * stride);
        let above = &above[y * stride..];
        let mut sum = 0;
        for (x, grey) in row.iter().enumerate() {
            sum += u32::from(*grey);
            below[x + 1] = above[x + 1] + sum;
        }
    }
    let mut bits = BitMatrix::new(picture.width(), picture.height()).ok()?;
    for (row, y) in picture.pixels().chunks_exact(width).zip(0_u32..) {
        let top = (y as usize).saturating_sub(radius);
        let bottom = (y as usize + radius + 1).min(height);
        for (grey, x) in row.iter().zip(0_u32..) {
            let left = (x as usize).saturating_sub(radius);
            let right = (x as usize + radius + 1).min(width);
            let sum = sums[bottom * stride + right] + sums[top * stride + left]
                - sums[bottom * stride + left]
                - sums[top * stride + right];
            let area = (bottom - top) * (right - left);
            let mean = u64::from(sum) * u64::from(100 - percent.min(100));
            if u64::from(*grey) * area as u64 * 100 < mean {
                bits.set(x, y);
            }
        }
    }
    Some(bits)
}
