//! What is drawn can be read again, and nothing that is shown to the decoder breaks it.

mod generated;
pub(crate) mod photographs;

use image::{GrayImage, ImageFormat, Rgba, RgbaImage};
use proptest::prelude::*;

use crate::*;

const INVITE: &str = "PEDDLENET:J/AEDV3JTHQ2AAAAAAAQEAYEAUDAOCAJBIFQYDIOB4IBKCW3KMAJVPAAH7777YCAFIAEC2\
                      KZ4TQJ5G6WYQ37KHHHTOAZ4TQJ5G6WYQ37KHHHTOAZ4TQJ5G6WYQ";

fn picture_of(text: &str, min_px: u32) -> GrayImage {
    let png = png(text, min_px).unwrap();
    image::load_from_memory(&png).unwrap().into_luma8()
}

fn luma(picture: &GrayImage) -> Luma<'_> {
    Luma::new(
        picture.width(),
        picture.height(),
        picture.as_raw().as_slice(),
    )
    .unwrap()
}

fn encoded(picture: &image::DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_drawn_png_is_read_again() {
    for text in [INVITE, "A", "Grüße, 你好 👋", &"x".repeat(MAX_TEXT_BYTES)] {
        let png = png(text, 320).unwrap();
        assert_eq!(decode_image(&png).unwrap(), [text]);
    }
}

#[test]
fn a_saved_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("invite.png");
    save_png(INVITE, 600, &path).unwrap();
    let side = image::image_dimensions(&path).unwrap().0;
    assert!((600..700).contains(&side), "{side} px");
    assert_eq!(decode_file(&path).unwrap(), [INVITE]);
    assert!(matches!(
        decode_file(&folder.path().join("absent.png")),
        Err(QrError::File(_))
    ));
}

/// Reads the picture's own path language back: `M{x} {y}h{length}v1H{x}z` for every dark stretch.
#[test]
fn a_drawn_svg_is_read_again() {
    const SCALE: u32 = 5;
    let svg = svg(INVITE).unwrap();
    let number = |text: &str| text.parse::<u32>().unwrap();
    let side = svg.split("viewBox=\"0 0 ").nth(1).unwrap();
    let side = number(side.split(' ').next().unwrap());
    let mut picture = GrayImage::from_pixel(side * SCALE, side * SCALE, image::Luma([255]));
    let path = svg.split("fill=\"#000\" d=\"").nth(1).unwrap();
    for stretch in path.split('"').next().unwrap().split_terminator('z') {
        let (x, rest) = stretch.strip_prefix('M').unwrap().split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (length, _) = rest.split_once("v1H").unwrap();
        for dx in 0..number(length) * SCALE {
            for dy in 0..SCALE {
                picture.put_pixel(
                    number(x) * SCALE + dx,
                    number(y) * SCALE + dy,
                    image::Luma([0]),
                );
            }
        }
    }
    assert_eq!(decode(&luma(&picture)), [INVITE]);
}

#[test]
fn a_code_in_a_screenshot_is_read() {
    // A window with a title bar, lines of text and a button around the code, as `choose a picture` gets it.
    let mut screen = GrayImage::from_fn(1280, 800, |x, y| {
        let text_line = y > 60 && y % 22 < 10 && (40..520).contains(&x) && (x * 7 + y) % 13 < 6;
        let button = (560..700).contains(&x) && (700..740).contains(&y);
        image::Luma([match (y < 40, text_line, button) {
            (true, _, _) => 60,
            (_, true, _) => 30,
            (_, _, true) => 110,
            _ => 205,
        }])
    });
    let code = picture_of(INVITE, 0);
    image::imageops::replace(&mut screen, &code, 720, 200);
    assert_eq!(decode(&luma(&screen)), [INVITE]);

    let rgb = image::DynamicImage::ImageLuma8(screen).into_rgb8();
    let jpeg = encoded(&rgb.into(), ImageFormat::Jpeg);
    assert_eq!(decode_image(&jpeg).unwrap(), [INVITE]);
}

#[test]
fn all_codes_of_a_picture_are_read_and_each_once() {
    let mut both = GrayImage::from_pixel(1000, 400, image::Luma([255]));
    for (text, x) in [("one", 0), ("two", 350), ("one", 700)] {
        image::imageops::replace(&mut both, &picture_of(text, 0), x, 50);
    }
    let mut texts = decode(&luma(&both));
    texts.sort();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn a_code_on_transparency_is_read() {
    let grey = picture_of(INVITE, 0);
    let clear = RgbaImage::from_fn(grey.width(), grey.height(), |x, y| {
        // Black everywhere; only the alpha tells the code from its ground.
        Rgba([0, 0, 0, 255 - grey.get_pixel(x, y).0[0]])
    });
    let png = encoded(&clear.into(), ImageFormat::Png);
    assert_eq!(decode_image(&png).unwrap(), [INVITE]);
}

#[test]
fn a_payload_that_is_no_text_is_passed_over() {
    let code = qrcode::QrCode::new([0xff, 0xfe, 0x00, 0xc3, 0x28]).unwrap();
    let code: GrayImage = code.render::<image::Luma<u8>>().build();
    assert_eq!(decode(&luma(&code)), [""; 0]);
}

/// As many corner marks as fit, of one pixel a module: bare rqrr is busy with it for many minutes.
#[test]
fn a_picture_made_to_keep_the_decoder_busy_is_given_up() {
    const SIDE: u32 = 1000;
    let marks = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let ring = (x % 9).abs_diff(3).max((y % 9).abs_diff(3));
        image::Luma([if ring == 2 || ring > 3 { 255 } else { 0 }])
    });
    let started = std::time::Instant::now();
    assert_eq!(decode(&luma(&marks)), [""; 0]);
    let took = started.elapsed();
    assert!(took.as_secs() < 20, "{took:?}");
}

#[test]
fn a_code_lighter_than_its_ground_is_read() {
    let mut code = picture_of(INVITE, 0);
    image::imageops::invert(&mut code);
    assert_eq!(decode(&luma(&code)), [INVITE]);
}

#[test]
fn in_video_every_strategy_has_its_turn() {
    let plain = picture_of(INVITE, 0);
    let mut inverted = plain.clone();
    image::imageops::invert(&mut inverted);
    let live = LiveDecoder::default();
    // Four dear strategies take turns, so one round reads what only one of them can.
    let read = (0..4).filter(|_| live.look(&luma(&inverted)).texts == [INVITE]);
    assert_eq!(read.count(), 1);
    assert!((0..4).all(|_| live.look(&luma(&plain)).texts == [INVITE]));
}

#[test]
fn a_picture_says_why_nothing_was_read() {
    let dark = GrayImage::from_pixel(640, 480, image::Luma([9]));
    let live = LiveDecoder::default();
    assert_eq!(live.look(&luma(&dark)).trouble, Some(Trouble::Dark));
    let empty = GrayImage::from_pixel(640, 480, image::Luma([128]));
    assert_eq!(look(&luma(&empty)), Seen::default());

    // All of the code but its corner marks is wiped away.
    let mut code = picture_of(INVITE, 0);
    let side = code.width();
    let marks = side / 3;
    for (x, y, pixel) in code.enumerate_pixels_mut() {
        let inside = |at: u32| at >= marks && at < side - marks;
        if inside(x) || inside(y) || (x >= marks && y >= marks) {
            *pixel = image::Luma([if (x / 8 + y / 8) % 2 == 0 { 0 } else { 255 }]);
        }
    }
    assert_eq!(look(&luma(&code)).trouble, Some(Trouble::Unclear));
}

struct Panicking;

impl Detector for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }

    fn detect(&self, _: &Luma<'_>, _: std::time::Instant) -> Found {
        panic!("x <= i32::MAX");
    }
}

#[test]
fn a_panicking_detector_is_passed_over() {
    let code = picture_of(INVITE, 0);
    let found = decode_with(&[&Panicking, &Rqrr], &luma(&code));
    assert_eq!(found, [INVITE], "the next detector was asked");
    assert_eq!(decode_with(&[&Panicking], &luma(&code)), [""; 0]);
}

#[test]
fn damaged_pictures_are_errors() {
    let whole = png(INVITE, 320).unwrap();
    for length in [0, 1, 8, 20, 33, whole.len() / 2] {
        assert!(decode_image(&whole[..length]).is_err(), "{length} bytes");
    }
    assert!(matches!(
        decode_image(b"not a picture"),
        Err(QrError::UnknownFormat)
    ));
    assert!(matches!(
        decode_image(b"GIF89a\x01\x00\x01\x00\x00"),
        Err(QrError::UnknownFormat)
    ));
    let mut flipped = whole;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x40;
    assert!(matches!(
        decode_image(&flipped),
        Err(QrError::Damaged { .. })
    ));
}

/// A PNG of a few bytes that claims 60,000 times 60,000 pixels.
#[test]
fn a_picture_that_claims_absurd_dimensions_is_refused_from_its_header() {
    let mut png = png("A", 0).unwrap();
    for (width, height) in [(60_000_u32, 60_000_u32), (1, 8193), (8193, 1)] {
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(matches!(decode_image(&png), Err(QrError::PictureTooLarge)));
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_luma_never_panics(width in 1_u32..80, height in 1_u32..80, seed: [u8; 32]) {
        let noise = (0..width * height).map(|i| seed[(i as usize * 7 + i as usize / 32) % 32]);
        let noise: Vec<u8> = noise.collect();
        prop_assert!(decode_luma(width, height, &noise).is_ok());
    }

    #[test]
    fn a_speckled_code_never_panics(specks in prop::collection::vec((any::<u16>(), any::<u8>()), 0..400)) {
        let code = picture_of(INVITE, 0);
        let side = code.width();
        let mut code = code.into_raw();
        for (place, value) in specks {
            let place = usize::from(place) * 31 % code.len();
            code[place] = value;
        }
        prop_assert!(decode_luma(side, side, &code).is_ok());
    }

    #[test]
    fn a_damaged_jpeg_never_panics(cut in 0..4000_usize, place: prop::sample::Index, value: u8) {
        let mut jpeg = encoded(&picture_of("A", 0).into(), ImageFormat::Jpeg);
        let place = place.index(jpeg.len());
        jpeg[place] = value;
        jpeg.truncate(jpeg.len().saturating_sub(cut));
        // Whatever comes of it: what is left may be a picture.
        let _ = decode_image(&jpeg);
    }

    #[test]
    fn random_bytes_are_no_picture(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode_image(&bytes).is_err());
    }

    #[test]
    fn any_upper_case_text_is_read_again(text in "[A-Z2-7:/]{1,160}") {
        prop_assert_eq!(decode(&luma(&picture_of(&text, 0))), [text]);
    }
}
