//! Pictures: what a camera gives, and files.

use peddlenet_qr::{decode_image, decode_luma};

use super::take;

/// The largest side that is tried: an execution should take milliseconds.
const SIDE_MAX: u32 = 120;

/// `width 1 | height 1 | scale 1 | pixels`: grey pixels, each drawn `scale` times as large, so that corner marks
/// are within reach of a mutation. What is missing is white.
pub fn luma(mut data: &[u8]) {
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
    let texts = decode_luma(w, h, &pixels).expect("the pixels fit the size");
    for text in texts {
        super::invite(text.as_bytes());
    }
    // And as what it claims to be, whatever that is.
    let _ = decode_luma(width * 300, height, data);
}

/// A picture file.
pub fn picture(data: &[u8]) {
    // A header may promise up to 16 megapixels, which take seconds to search; what is larger than a thumbnail is
    // decoded by the picture's own decoder all the same when its data is there.
    if let Ok(texts) = decode_image(data) {
        for text in texts {
            super::invite(text.as_bytes());
        }
    }
}
