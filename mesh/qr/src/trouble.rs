//! What is wrong with a picture in which nothing was read, as far as the picture tells.

use crate::Luma;

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Too little light, or a finger on the lens.
    Dark,
    /// Burnt out: a lamp, the sun, a screen turned up beside a dark room.
    Bright,
    /// A code is there, but blurred, too far away or half outside.
    Unclear,
}

/// A picture whose brightest pixels are below this shows next to nothing. A screen with a code on it, seen
/// by night, has white at 60 and is read.
const DARK_WHITE: usize = 40;

/// A picture of which this share (in percent) is at [`BURNT`] or above has lost what was there.
const BRIGHT_PERCENT: usize = 85;
const BURNT: usize = 250;

/// Of all pixels, how many may be brighter in a dark picture: a status lamp, sensor noise (in percent).
const SPARKS_PERCENT: usize = 1;

/// Whether there is too little or too much light to see a code by.
pub(crate) fn of_light(picture: &Luma<'_>) -> Option<Trouble> {
    let pixels = picture.pixels();
    let at_least = |level: usize| {
        pixels
            .iter()
            .filter(|grey| usize::from(**grey) >= level)
            .count()
    };
    let share = |percent: usize| pixels.len().saturating_mul(percent).div_ceil(100);
    if at_least(DARK_WHITE) <= share(SPARKS_PERCENT) {
        Some(Trouble::Dark)
    } else if at_least(BURNT) >= share(BRIGHT_PERCENT) {
        Some(Trouble::Bright)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(pixels: Vec<u8>) -> Option<Trouble> {
        let side = u32::try_from(pixels.len().isqrt()).unwrap();
        of_light(&Luma::new(side, side, pixels).unwrap())
    }

    #[test]
    fn a_covered_lens_is_dark_even_with_sparks_in_it() {
        let mut pixels = vec![12; 100 * 100];
        pixels[..100].fill(255);
        assert_eq!(trouble(pixels.clone()), Some(Trouble::Dark));
        pixels[..1000].fill(90);
        assert_eq!(trouble(pixels), None, "a tenth of it is lit");
    }

    #[test]
    fn a_picture_burnt_out_is_bright_and_white_paper_is_not() {
        let mut pixels = vec![255; 100 * 100];
        pixels[..1000].fill(120);
        assert_eq!(trouble(pixels), Some(Trouble::Bright));
        assert_eq!(trouble(vec![235; 100 * 100]), None);
    }
}
