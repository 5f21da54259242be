//! Reads PNG and JPEG pictures from outside: a chosen photograph, a screenshot, a file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};

use crate::caught::caught;
use crate::{Luma, MAX_SIDE, QrError, decode};

/// The most bytes that a picture may take once decoded: 16 megapixels with alpha, 22 in plain colour, 64 in
/// grey.
pub const MAX_DECODED_BYTES: u64 = 64 << 20;

/// The most bytes of a picture file that are read.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Texts of all codes in a PNG or JPEG; empty when there is none.
///
/// # Errors
/// Not such a picture, damaged, or above the limits (refused from its header, before decoding).
pub fn decode_image(bytes: &[u8]) -> Result<Vec<String>, QrError> {
    Ok(decode(&read_image(bytes)?))
}

/// As [`decode_image`], from a file of at most [`MAX_FILE_BYTES`].
///
/// # Errors
/// The file can't be read, and those of [`decode_image`].
pub fn decode_file(path: &Path) -> Result<Vec<String>, QrError> {
    let mut bytes = Vec::new();
    // One byte over the limit is enough to know; the length in the directory may lie (pipes, /proc).
    let mut file = File::open(path)?.take(MAX_FILE_BYTES.saturating_add(1));
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(QrError::FileTooLarge);
    }
    decode_image(&bytes)
}

/// A PNG or JPEG in grey, not yet searched.
///
/// # Errors
/// Those of [`decode_image`].
pub fn read_image(bytes: &[u8]) -> Result<Luma<'static>, QrError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    // Other crates of the program may switch on further formats of `image`; they are not for strangers.
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(QrError::UnknownFormat);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    // The decoders are well fuzzed, but these are a stranger's bytes all the same.
    let picture = caught("picture decoder", || reader.decode())
        .ok_or_else(|| QrError::Damaged {
            reason: "the decoder gave up".into(),
        })?
        .map_err(refusal)?;
    let picture = on_white(picture);
    let (width, height) = picture.dimensions();
    Luma::new(width, height, Cow::Owned(picture.into_raw()))
}

/// Grey, with whatever is transparent shown on white: a code drawn on transparency is dark on nothing.
fn on_white(picture: DynamicImage) -> image::GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let picture = picture.into_luma_alpha8();
    let (width, height) = picture.dimensions();
    let shown = picture
        .pixels()
        .map(|pixel| {
            let [grey, alpha] = pixel.0.map(u16::from);
            let white = u16::from(u8::MAX);
            // At most 255 * 255, twice: fits u16, and the quotient fits u8.
            let mixed = grey
                .saturating_mul(alpha)
                .saturating_add(white.saturating_mul(white.saturating_sub(alpha)));
            u8::try_from(mixed.checked_div(white).unwrap_or(white)).unwrap_or(u8::MAX)
        })
        .collect();
    // One byte for each of its pixels, so the buffer always fits.
    image::GrayImage::from_raw(width, height, shown).unwrap_or_default()
}

fn refusal(error: ImageError) -> QrError {
    match error {
        ImageError::Limits(_) => QrError::PictureTooLarge,
        ImageError::Unsupported(_) => QrError::UnknownFormat,
        other => QrError::Damaged {
            reason: other.to_string(),
        },
    }
}
