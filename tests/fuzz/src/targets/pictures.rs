//! Pictures: what a camera gives, and files.
//!
//! The whole ladder of a still picture takes tens of milliseconds, since a small picture is also searched enlarged to 960 pixels.
//! So every input is looked at as a frame of live video, by both detectors, and one in [`STILL_EVERY`] as a still picture.

use peddlenet_qr::{LiveDecoder, Luma, decode, read_image};

use super::take;

/// The largest side that is drawn: the smallest code with its margin, each module two pixels wide.
const SIDE_MAX: u32 = 60;
/// Still pictures are one in so many.
const STILL_EVERY: u32 = 256;
/// What is searched as live video (pixels): a header of thirty bytes may promise 16 million, which take seconds.
const LIVE_MAX: u32 = 4 * SIDE_MAX * SIDE_MAX;

/// `width 1 | height 1 | scale 1 | pixels`: grey pixels, each drawn `scale` times as large, so that corner marks
/// are within reach of a mutation. What is missing is white.
pub fn luma(mut data: &[u8]) {
    let all = data;
    let [width, height, scale] = take(&mut data);
    let scale = u32::from(scale % 4) + 1;
    let side = |byte: u8| (u32::from(byte) % (SIDE_MAX / scale)).max(1);
    let (width, height) = (side(width), side(height));
    let at = |x: u32, y: u32| {
        let index = (y / scale) * width + x / scale;
        data.get(index as usize).copied().unwrap_or(255)
    };
    let (w, h) = (width * scale, height * scale);
    let pixels: Vec<u8> = (0..h).flat_map(|y| (0..w).map(move |x| at(x, y))).collect();
    search(
        &Luma::new(w, h, &pixels).expect("the pixels fit the size"),
        all,
    );
    // And as what it claims to be, whatever that is.
    if let Ok(claimed) = Luma::new(width * 300, height, data) {
        search(&claimed, all);
    }
}

/// A picture file.
pub fn picture(data: &[u8]) {
    if let Ok(picture) = read_image(data) {
        search(&picture, data);
    }
}

fn search(picture: &Luma<'_>, data: &[u8]) {
    // By what is in it, so that an input that is tried again does the same.
    let sum = data
        .iter()
        .fold(0_u32, |sum, b| sum.rotate_left(5) ^ u32::from(*b));
    let mut texts = Vec::new();
    if picture.width().saturating_mul(picture.height()) <= LIVE_MAX {
        texts = LiveDecoder::default().look(picture).texts;
    }
    if sum % STILL_EVERY == 0 {
        texts.append(&mut decode(picture));
    }
    for text in texts {
        super::invite(text.as_bytes());
    }
}
