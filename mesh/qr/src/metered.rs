//! The pixels that rqrr works on, with a meter: a picture made to keep it busy is given up.
//!
//! rqrr 0.11 tries every corner mark with every pair of others, copies the whole picture for each such
//! group, and has no limit: 12,000 drawn corner marks in a picture of 1000 px keep it busy for many minutes, and a larger one
//! takes all memory. It sees pixels only through this type, so this is where the work is
//! counted. When the allowance is used up the read unwinds to [`caught`](crate::caught::caught), silently: no
//! panic hook runs.

use std::cell::Cell;
use std::panic::resume_unwind;

use image::{GenericImage, GenericImageView, Pixel};

use crate::Luma;

/// Pixels that one pass of rqrr may read, write and copy: 20 for each one of the picture, and this many more
/// (about half a second).
const SPARE_PIXELS: u64 = 1 << 28;
const PER_PIXEL: u64 = 20;

/// A copy of the picture moves 16 pixels in the time of one read.
const COPIED_PER_READ: u64 = 16;

/// Corner marks (three for each code) in one picture. Groups grow with the third power of it.
const MAX_CORNERS: u32 = 128;

/// The byte that rqrr 0.11 paints over the frame of each corner mark that it has accepted.
const CORNER: u8 = 2;

/// What is left of the allowance, shared by all copies of a picture.
pub(crate) struct Meter {
    pixels: Cell<u64>,
    corners: Cell<u32>,
    last_painted: Cell<u8>,
}

impl Meter {
    pub(crate) fn for_picture(picture: &Luma<'_>) -> Self {
        let pixels = picture.pixels().len() as u64;
        Self {
            pixels: Cell::new(
                pixels
                    .saturating_mul(PER_PIXEL)
                    .saturating_add(SPARE_PIXELS),
            ),
            corners: Cell::new(MAX_CORNERS),
            last_painted: Cell::new(0),
        }
    }

    fn spend(&self, pixels: u64) {
        match self.pixels.get().checked_sub(pixels) {
            Some(left) => self.pixels.set(left),
            None => give_up("too many steps"),
        }
    }

    /// Corner marks are painted one at a time, with other paint between them.
    fn painted(&self, value: u8) {
        if self.last_painted.replace(value) != value && value == CORNER {
            match self.corners.get().checked_sub(1) {
                Some(left) => self.corners.set(left),
                None => give_up("too many corner marks"),
            }
        }
    }
}

#[cold]
fn give_up(why: &'static str) -> ! {
    resume_unwind(Box::new(why))
}

/// A picture that counts. Dimensions and length agree because [`Luma`]'s do.
pub(crate) struct Metered<'m> {
    width: u32,
    height: u32,
    pixels: Vec<image::Luma<u8>>,
    meter: &'m Meter,
}

impl<'m> Metered<'m> {
    pub(crate) fn new(picture: &Luma<'_>, meter: &'m Meter) -> Self {
        Self {
            width: picture.width(),
            height: picture.height(),
            pixels: picture
                .pixels()
                .iter()
                .map(|grey| image::Luma([*grey]))
                .collect(),
            meter,
        }
    }

    /// Where a pixel stands in the bytes.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "both sides are at most 8192"
    )]
    fn place(&self, x: u32, y: u32) -> usize {
        y as usize * self.width as usize + x as usize
    }
}

impl Clone for Metered<'_> {
    fn clone(&self) -> Self {
        self.meter
            .spend((self.pixels.len() as u64).div_ceil(COPIED_PER_READ));
        Self {
            pixels: self.pixels.clone(),
            ..*self
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the trait asks for a panic outside the picture; rqrr runs under `caught`"
)]
impl GenericImageView for Metered<'_> {
    type Pixel = image::Luma<u8>;

    fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Self::Pixel {
        self.meter.spend(1);
        self.pixels[self.place(x, y)]
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the trait asks for a panic outside the picture; rqrr runs under `caught`"
)]
impl GenericImage for Metered<'_> {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Self::Pixel {
        let place = self.place(x, y);
        &mut self.pixels[place]
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: Self::Pixel) {
        self.meter.spend(1);
        self.meter.painted(pixel.0[0]);
        let place = self.place(x, y);
        self.pixels[place] = pixel;
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: Self::Pixel) {
        let place = self.place(x, y);
        self.pixels[place].blend(&pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caught::caught;

    #[test]
    fn work_beyond_the_allowance_ends_quietly() {
        let picture = Luma::new(64, 64, vec![0; 64 * 64]).unwrap();
        let meter = Meter::for_picture(&picture);
        let metered = Metered::new(&picture, &meter);
        let copies = SPARE_PIXELS / (64 * 64 / COPIED_PER_READ);
        assert!(caught("one pass", || (0..1000).for_each(|_| drop(metered.clone()))).is_some());
        assert!(
            caught("endless", || (0..copies * 2)
                .for_each(|_| drop(metered.clone())))
            .is_none()
        );
        assert!(caught("any more", || metered.clone().pixels.len()).is_none());
    }

    #[test]
    fn corner_marks_are_counted_once_each_and_limited() {
        let picture = Luma::new(2, 1, vec![0; 2]).unwrap();
        let meter = Meter::for_picture(&picture);
        let mut metered = Metered::new(&picture, &meter);
        let mut mark = || {
            for (x, value) in [(0, 4), (0, CORNER), (1, CORNER)] {
                metered.put_pixel(x, 0, image::Luma([value]));
            }
        };
        assert!(caught("allowed", || (0..MAX_CORNERS).for_each(|_| mark())).is_some());
        assert!(caught("one more", mark).is_none());
    }
}
