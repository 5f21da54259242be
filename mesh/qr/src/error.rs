//! What can go wrong between a text and a picture.

use crate::{MAX_DECODED_BYTES, MAX_FILE_BYTES, MAX_SIDE, MAX_TEXT_BYTES};

/// Why a code could not be drawn, or a picture not be looked at.
///
/// A picture in which no code is found is not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// An empty text says nothing to whoever scans it.
    #[error("there is no text to draw")]
    EmptyText,
    /// A code for this text would be too dense for a phone to read from a screen.
    #[error("the text has {bytes} bytes, a code holds at most {MAX_TEXT_BYTES}")]
    TextTooLong {
        /// Length of the text in UTF-8.
        bytes: usize,
    },
    /// The asked-for picture of a code is too large.
    #[error("a picture of {px} px is too large to draw")]
    DrawingTooLarge {
        /// The side asked for, in pixels.
        px: u32,
    },
    /// The encoder refused; limits are checked first, so this is not expected.
    #[error("the code can't be drawn: {reason}")]
    Draw {
        /// The encoder's own words.
        reason: String,
    },
    /// A picture with no pixels.
    #[error("the picture is empty")]
    PictureEmpty,
    /// A picture above the limits, refused before anything was allocated for it.
    #[error(
        "the picture is too large: at most {MAX_SIDE} px a side and {} MiB decoded",
        MAX_DECODED_BYTES >> 20
    )]
    PictureTooLarge,
    /// The pixel bytes don't fill the picture they claim to be.
    #[error("{actual} bytes don't make a picture of {expected} pixels")]
    LengthMismatch {
        /// Width times height.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The file is above the limit, refused while reading.
    #[error("the file is too large: at most {} MiB", MAX_FILE_BYTES >> 20)]
    FileTooLarge,
    /// Neither PNG nor JPEG.
    #[error("this is not a png or jpeg picture")]
    UnknownFormat,
    /// A PNG or JPEG that is truncated or damaged.
    #[error("the picture is damaged: {reason}")]
    Damaged {
        /// The picture decoder's own words.
        reason: String,
    },
    /// The file could not be read or written.
    #[error("the picture file can't be used: {0}")]
    File(#[from] std::io::Error),
}
