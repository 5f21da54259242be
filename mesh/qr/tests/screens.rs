//! Codes that we draw, read off a picture of a screen that shows them at some odd size.
//!
//! A window scales the SVG to whatever fits, so a module is rarely a whole number of pixels wide and
//! its edges are grey. Whoever takes a screenshot of that must get in.

use image::{GrayImage, Luma, imageops};

/// Screens to read; each has its own text and size.
const SCREENS: u64 = 150;

/// The screens of a phone and of a laptop, in pixels.
const SIZES: [(u32, u32); 2] = [(360, 740), (1280, 800)];

fn random(state: &mut u64) -> u64 {
    // xorshift64 (Marsaglia, 2003): the same screens in every run.
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A text as long as an invite with two addresses, in its alphabet.
fn link(state: &mut u64) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |n: u64| char::from(alphabet[(n % 32) as usize]);
    let rest: String = (0..128).map(|_| letter(random(state))).collect();
    format!("PEDDLENET:J/{rest}")
}

/// A screen with the code in a white card over a page that a dialog has dimmed.
fn screen(text: &str, state: &mut u64) -> GrayImage {
    let (width, height) = SIZES[(random(state) % 2) as usize];
    let drawn = image::load_from_memory(&peddlenet_qr::png(text, 1000).expect("it is drawn"))
        .expect("a picture")
        .to_luma8();
    let most = width.min(height) - 40;
    let side = most - (random(state) % 120) as u32;
    let code = imageops::resize(&drawn, side, side, imageops::FilterType::Triangle);
    let mut screen = GrayImage::from_pixel(width, height, Luma([150]));
    for (x, y, pixel) in screen.enumerate_pixels_mut() {
        if y < 60 || (x / 7 + y / 11) % 9 == 0 {
            *pixel = Luma([120]);
        }
    }
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let card = GrayImage::from_pixel(side + 16, side + 16, Luma([255]));
    imageops::replace(&mut screen, &card, i64::from(left) - 8, i64::from(top) - 8);
    imageops::replace(&mut screen, &code, left.into(), top.into());
    screen
}

#[test]
fn a_screenshot_of_our_own_code_is_always_read() {
    let mut missed = Vec::new();
    for seed in 1..=SCREENS {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = link(&mut state);
        let screen = screen(&text, &mut state);
        let found = peddlenet_qr::decode_luma(screen.width(), screen.height(), screen.as_raw());
        if found.ok() != Some(vec![text]) {
            missed.push((seed, screen.width()));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {SCREENS} missed: {missed:?}",
        missed.len()
    );
}
