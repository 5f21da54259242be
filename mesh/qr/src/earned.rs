//! What each rung of the ladder earns: `cargo test -p peddlenet-qr --lib -- --ignored earned --nocapture`.
//!
//! Prints, for the photographs and for the generated pictures, what every rung reads alone, what it
//! adds to those before it, and its time. The table in `rungs.rs` was made by this.

use std::time::{Duration, Instant};

use crate::Luma;
use crate::caught::caught;
use crate::decode::STILL;
use crate::generated;
use crate::tests::photographs::{self, Sample};

fn generated_set(pictures: u32) -> Vec<Sample> {
    (0..pictures)
        .map(|number| {
            let made = generated::picture(11, number);
            Sample {
                name: format!("{} {number}", made.distortion.name()),
                width: generated::WIDTH,
                height: generated::HEIGHT,
                pixels: made.pixels,
                text: made.text,
            }
        })
        .collect()
}

fn inverted(mut set: Vec<Sample>) -> Vec<Sample> {
    for sample in &mut set {
        for grey in &mut sample.pixels {
            *grey = u8::MAX - *grey;
        }
    }
    set
}

#[test]
#[ignore = "a measurement of a minute, not a check"]
fn earned() {
    let photos = photographs::all().unwrap_or_default();
    let sets = [
        ("photographs", photos.clone()),
        ("photographs, inverted", inverted(photos)),
        ("generated", generated_set(1200)),
    ];
    for (what, set) in sets {
        let mut read_before = vec![false; set.len()];
        println!("{what}: {} pictures", set.len());
        for rung in STILL {
            let (mut alone, mut added, mut wrong, mut took) = (0, 0, 0, Duration::ZERO);
            let mut missed = Vec::new();
            for (sample, before) in set.iter().zip(&mut read_before) {
                let picture = Luma::new(sample.width, sample.height, &*sample.pixels).unwrap();
                let started = Instant::now();
                let found = caught("rung", || {
                    rung.detect(&picture, started + Duration::from_secs(5))
                });
                took += started.elapsed();
                let texts = found.unwrap_or_default().texts;
                if texts.iter().any(|text| text.trim_end() == sample.text) {
                    alone += 1;
                    added += usize::from(!*before);
                    *before = true;
                } else if !texts.is_empty() {
                    wrong += 1;
                }
                if !*before {
                    missed.push(&*sample.name);
                }
            }
            let ms = took.as_secs_f64() * 1e3 / set.len().max(1) as f64;
            println!(
                "  {:14} alone {alone:4}  adds {added:4}  wrong {wrong}  {ms:6.2} ms  misses {}",
                rung.name(),
                missed.len()
            );
        }
    }
}
