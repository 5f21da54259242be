//! A grey picture whose dimensions have been checked.

use std::borrow::Cow;

use image::{ImageBuffer, imageops};

use crate::QrError;

/// The longest side of a picture that is looked at, in pixels: two 4K screens beside each other fit.
pub const MAX_SIDE: u32 = 8192;

/// The most pixels of a picture that is looked at (one byte each): 64 Mi, the square of [`MAX_SIDE`].
pub const MAX_PIXELS: usize = 64 << 20;

/// One byte a pixel, row by row, 0 is black. Holds: sides of 1..=[`MAX_SIDE`], and exactly width times
/// height bytes.
#[derive(Clone)]
pub struct Luma<'a> {
    width: u32,
    height: u32,
    pixels: Cow<'a, [u8]>,
}

impl<'a> Luma<'a> {
    /// Checks the dimensions before it touches the bytes; allocates nothing when `pixels` is borrowed.
    ///
    /// # Errors
    /// [`QrError::PictureEmpty`], [`QrError::PictureTooLarge`] or [`QrError::LengthMismatch`].
    pub fn new(width: u32, height: u32, pixels: impl Into<Cow<'a, [u8]>>) -> Result<Self, QrError> {
        if width == 0 || height == 0 {
            return Err(QrError::PictureEmpty);
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(QrError::PictureTooLarge);
        }
        let expected = usize::try_from(width)
            .ok()
            .zip(usize::try_from(height).ok())
            .and_then(|(w, h)| w.checked_mul(h))
            .filter(|pixels| *pixels <= MAX_PIXELS)
            .ok_or(QrError::PictureTooLarge)?;
        let pixels = pixels.into();
        if pixels.len() != expected {
            return Err(QrError::LengthMismatch {
                expected,
                actual: pixels.len(),
            });
        }
        Ok(Self {
            width,
            height,
            pixels,
        })
    }

    /// In pixels, at least 1.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, at least 1.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Row by row, 0 is black.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The longer side, in pixels.
    #[must_use]
    pub fn longest_side(&self) -> u32 {
        self.width.max(self.height)
    }

    /// The picture itself, or a smaller copy when a side is longer than `side` px.
    pub(crate) fn at_most(&self, side: u32) -> Luma<'_> {
        if self.longest_side() > side {
            return self.resized(side);
        }
        Luma {
            width: self.width,
            height: self.height,
            pixels: Cow::Borrowed(&*self.pixels),
        }
    }

    /// Light where it was dark.
    pub(crate) fn inverted(&self) -> Luma<'static> {
        let pixels: Vec<u8> = self.pixels.iter().map(|grey| !grey).collect();
        Luma {
            width: self.width,
            height: self.height,
            pixels: Cow::Owned(pixels),
        }
    }

    /// A copy whose longer side is `side` px, up or down, with the proportions kept.
    #[must_use]
    pub fn resized(&self, side: u32) -> Luma<'static> {
        let side = side.clamp(1, MAX_SIDE);
        let scaled = |length: u32| {
            let wide = u64::from(length).saturating_mul(u64::from(side));
            let scaled = wide
                .checked_div(u64::from(self.longest_side()))
                .unwrap_or(1);
            u32::try_from(scaled).unwrap_or(side).clamp(1, side)
        };
        let (width, height) = (scaled(self.width), scaled(self.height));
        let view =
            ImageBuffer::<image::Luma<u8>, &[u8]>::from_raw(self.width, self.height, &*self.pixels);
        let pixels = view.map_or_else(Vec::new, |view| {
            if side < self.longest_side() {
                // The mean of what each pixel covers: eight times faster than a filter on 64 megapixels.
                imageops::thumbnail(&view, width, height).into_raw()
            } else {
                enlarged(&view, width, height)
            }
        });
        Luma {
            width,
            height,
            pixels: Cow::Owned(pixels),
        }
    }
}

/// Between the four nearest pixels, in 256ths: ten times faster than `imageops::resize`.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "sides are at most 8192, so all fits u32; places are kept inside the picture"
)]
fn enlarged(picture: &ImageBuffer<image::Luma<u8>, &[u8]>, width: u32, height: u32) -> Vec<u8> {
    let places = |from: u32, to: u32| -> Vec<(usize, usize, u32)> {
        (0..to)
            .map(|at| {
                // Middle to middle, in 256ths of a pixel; u64, for 8192 * 2 * 8192 * 128 is more than 32 bits.
                let place = (u64::from(at) * 2 + 1) * u64::from(from) * 128 / u64::from(to);
                let place = place.saturating_sub(128);
                let low = ((place / 256) as u32).min(from - 1);
                (
                    low as usize,
                    (low + 1).min(from - 1) as usize,
                    (place % 256) as u32,
                )
            })
            .collect()
    };
    let stride = picture.width() as usize;
    let columns = places(picture.width(), width);
    let mut out = Vec::with_capacity(width as usize * height as usize);
    for (top, bottom, down) in places(picture.height(), height) {
        let above = &picture.as_raw()[top * stride..][..stride];
        let below = &picture.as_raw()[bottom * stride..][..stride];
        out.extend(columns.iter().map(|&(left, right, across)| {
            let mix =
                |row: &[u8]| u32::from(row[left]) * (256 - across) + u32::from(row[right]) * across;
            ((mix(above) * (256 - down) + mix(below) * down) >> 16) as u8
        }));
    }
    out
}

/// Says the size only: a frame of the camera is nobody's business in a log.
impl std::fmt::Debug for Luma<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Luma({}x{})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_dimensions_are_refused_before_the_bytes_are_looked_at() {
        for (width, height) in [
            (u32::MAX, u32::MAX),
            (MAX_SIDE + 1, 1),
            (1, MAX_SIDE + 1),
            (1 << 31, 2),
        ] {
            let refused = Luma::new(width, height, &[][..]);
            assert!(matches!(refused, Err(QrError::PictureTooLarge)));
        }
        assert!(matches!(
            Luma::new(0, 5, &[][..]),
            Err(QrError::PictureEmpty)
        ));
        // The largest allowed size asks for its bytes instead of making room for them.
        assert!(matches!(
            Luma::new(MAX_SIDE, MAX_SIDE, &[][..]),
            Err(QrError::LengthMismatch {
                expected: MAX_PIXELS,
                actual: 0
            })
        ));
    }

    #[test]
    fn length_must_fit_the_dimensions() {
        for length in [0, 5, 7] {
            assert!(Luma::new(3, 2, vec![0; length]).is_err());
        }
        assert!(Luma::new(3, 2, vec![0; 6]).is_ok());
    }

    #[test]
    fn resizing_keeps_proportions_and_never_loses_a_side() {
        let wide = Luma::new(1000, 2, vec![7; 2000]).unwrap().resized(640);
        assert_eq!((wide.width(), wide.height()), (640, 1));
        assert_eq!(wide.pixels(), vec![7; 640]);
        let huge = Luma::new(MAX_SIDE - 1, 1, vec![7; MAX_SIDE as usize - 1]).unwrap();
        assert_eq!(huge.resized(MAX_SIDE).pixels(), vec![7; MAX_SIDE as usize]);
        let small = Luma::new(3, 6, vec![7; 18]).unwrap().resized(640);
        assert_eq!((small.width(), small.height()), (320, 640));
    }
}
