//! Our own codes, held askew, blurred, mirrored in glass and by night.

use crate::generated::{HEIGHT, WIDTH, picture};
use crate::{Luma, decode};

/// `bench qr` reads 500 with the same seed.
const PICTURES: u32 = 120;
const SEED: u64 = 1;

#[test]
fn nineteen_of_twenty_generated_pictures_are_read_and_none_wrongly() {
    let mut missed = Vec::new();
    for number in 0..PICTURES {
        let made = picture(SEED, number);
        let found = decode(&Luma::new(WIDTH, HEIGHT, &*made.pixels).unwrap());
        if found.is_empty() {
            missed.push((number, made.distortion));
        } else {
            assert_eq!(found, [made.text], "picture {number} of seed {SEED}");
        }
    }
    assert!(
        missed.len() * 20 <= PICTURES as usize,
        "seed {SEED}, missed {missed:?}"
    );
}

#[test]
fn a_picture_is_the_same_in_every_run() {
    let (once, again) = (picture(SEED, 5), picture(SEED, 5));
    assert_eq!((once.text, once.pixels), (again.text, again.pixels));
    assert_ne!(picture(SEED + 1, 5).pixels, picture(SEED, 5).pixels);
}
