//! The photographs of zxing-cpp's own tests, where they are at hand; nothing of them is copied here.

use std::fs;
use std::path::Path;

use crate::{Luma, decode};

/// Beside the repository, as the benchmarks expect it too.
const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/qr-photos"
);

/// A picture and what its code says.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
    pub(crate) text: String,
}

/// In the order of their names; `None` where the folder is missing.
pub(crate) fn all() -> Option<Vec<Sample>> {
    let mut samples = Vec::new();
    for group in fs::read_dir(FOLDER).ok()? {
        for file in fs::read_dir(group.ok()?.path()).ok()? {
            let path = file.ok()?.path();
            let is_picture = path.extension().is_some_and(|ext| ext == "png");
            if let (true, Ok(text)) = (is_picture, fs::read_to_string(path.with_extension("txt"))) {
                samples.push(sample(&path, &text));
            }
        }
    }
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    Some(samples)
}

fn sample(path: &Path, text: &str) -> Sample {
    let picture = image::open(path).unwrap().into_luma8();
    Sample {
        name: path
            .iter()
            .rev()
            .take(2)
            .map(|part| part.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" of "),
        width: picture.width(),
        height: picture.height(),
        pixels: picture.into_raw(),
        // Some of the text files end in a line break that is not in the code.
        text: text.trim_end().to_owned(),
    }
}

#[test]
fn sixty_of_sixty_six_photographs_are_read_and_none_wrongly() {
    let Some(samples) = all() else {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "{FOLDER} is missing"
        );
        eprintln!("skipped: {FOLDER} is missing");
        return;
    };
    let (mut missed, mut wrong) = (Vec::new(), Vec::new());
    for sample in &samples {
        let picture = Luma::new(sample.width, sample.height, &*sample.pixels).unwrap();
        let found = decode(&picture);
        if found.is_empty() {
            missed.push(&sample.name);
        } else if !found.iter().any(|text| text.trim_end() == sample.text) {
            wrong.push((&sample.name, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(samples.len() >= 66, "{} photographs", samples.len());
    assert!(
        (samples.len() - missed.len()) * 66 >= 60 * samples.len(),
        "missed {missed:?}"
    );
}
