//! `bench qr DIR`: how many photographs of codes are read, and how long one takes.
//!
//! Walks DIR for `NAME.png` with the expected text in `NAME.txt`. Bare rqrr, straight on the whole picture,
//! stands beside our ladder in the same run; the two take turns on each picture. One row a reader: every
//! picture is *decoded* (the expected text is among those found), *wrong* (only others are) or *missed*.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use image::GrayImage;
use peddlenet_qr::Luma;
use serde_json::{Value, json};

/// Turns that each reader takes on a picture; the median time of them counts.
const TURNS: usize = 5;

/// The texts in a picture, or `None` when the reader panicked.
type Reader = fn(&GrayImage) -> Option<Vec<String>>;

const READERS: [(&str, Reader); 2] = [("bare rqrr", bare), ("ours", ours)];

/// Reads every picture under `dir`; a row for each reader.
///
/// # Errors
/// There is no pair of picture and text under `dir`, or one can't be read.
pub fn run(dir: &Path) -> anyhow::Result<Vec<Value>> {
    let mut pictures = Vec::new();
    pictures_under(dir, &mut pictures)
        .with_context(|| format!("can't read the folder {}", dir.display()))?;
    if pictures.is_empty() {
        bail!("no NAME.png with NAME.txt under {}", dir.display());
    }
    pictures.sort();

    let mut tallies = READERS.map(|_| Tally::default());
    for path in &pictures {
        let picture = image::open(path)
            .with_context(|| format!("can't open {}", path.display()))?
            .into_luma8();
        let expected = fs::read_to_string(path.with_extension("txt"))
            .with_context(|| format!("no expected text for {}", path.display()))?;
        let mut times = READERS.map(|_| Vec::with_capacity(TURNS));
        for turn in 0..TURNS {
            for (reader, (_, read)) in READERS.iter().enumerate() {
                let started = Instant::now();
                let found = read(&picture);
                times[reader].push(started.elapsed());
                // Readers are deterministic: the first turn tells what they find.
                if turn == 0 {
                    tallies[reader].judge(found, &expected);
                }
            }
        }
        for (tally, mut times) in tallies.iter_mut().zip(times) {
            tally.times.push(percentile(&mut times, 50));
        }
    }
    let names = READERS.map(|(name, _)| name);
    Ok(names
        .into_iter()
        .zip(tallies)
        .map(|(name, tally)| tally.row(name))
        .collect())
}

fn pictures_under(dir: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            pictures_under(&path, found)?;
        } else if path.extension().is_some_and(|ext| ext == "png")
            && path.with_extension("txt").is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}

fn bare(picture: &GrayImage) -> Option<Vec<String>> {
    std::panic::catch_unwind(|| {
        rqrr::PreparedImage::prepare(picture.clone())
            .detect_grids()
            .iter()
            .filter_map(|grid| grid.decode().ok())
            .map(|(_, text)| text)
            .collect()
    })
    .ok()
}

fn ours(picture: &GrayImage) -> Option<Vec<String>> {
    let (width, height) = picture.dimensions();
    let picture = Luma::new(width, height, picture.as_raw().as_slice()).ok()?;
    Some(peddlenet_qr::decode(&picture))
}

#[derive(Default)]
struct Tally {
    decoded: usize,
    wrong: usize,
    missed: usize,
    panicked: usize,
    times: Vec<Duration>,
}

impl Tally {
    fn judge(&mut self, found: Option<Vec<String>>, expected: &str) {
        let Some(found) = found else {
            self.panicked += 1;
            self.missed += 1;
            return;
        };
        // Some of the text files end in a line break that is not in the code.
        let same = |text: &String| text.trim_end() == expected.trim_end();
        match found.iter().any(same) {
            true => self.decoded += 1,
            false if found.is_empty() => self.missed += 1,
            false => self.wrong += 1,
        }
    }

    fn row(mut self, reader: &str) -> Value {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let pictures = self.times.len();
        json!({
            "bench": "qr",
            "reader": reader,
            "pictures": pictures,
            "decoded": self.decoded,
            "wrong": self.wrong,
            "missed": self.missed,
            "panicked": self.panicked,
            "decoded_ratio": (self.decoded as f64 / pictures as f64 * 1e3).round() / 1e3,
            "picture_p50_ms": ms(percentile(&mut self.times, 50)),
            "picture_p95_ms": ms(percentile(&mut self.times, 95)),
        })
    }
}

/// The smallest time that `percent` of all are not above.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_decoded_wrong_or_missed() {
        let dir = tempfile::tempdir().unwrap();
        let group = dir.path().join("group");
        fs::create_dir(&group).unwrap();
        for (name, drawn, expected) in [("a", "one", "one\n"), ("b", "two", "something else")] {
            let path = group.join(name).with_extension("png");
            peddlenet_qr::save_png(drawn, 0, &path).unwrap();
            fs::write(path.with_extension("txt"), expected).unwrap();
        }
        let blank = dir.path().join("c.png");
        GrayImage::from_pixel(100, 80, image::Luma([200]))
            .save(&blank)
            .unwrap();
        fs::write(blank.with_extension("txt"), "three").unwrap();
        // Without its text a picture is no question.
        peddlenet_qr::save_png("four", 0, &dir.path().join("d.png")).unwrap();

        let rows = run(dir.path()).unwrap();
        assert_eq!(rows.len(), 2);
        for row in rows {
            let counts = ["pictures", "decoded", "wrong", "missed"].map(|key| row[key].as_u64());
            assert_eq!(counts, [Some(3), Some(1), Some(1), Some(1)], "{row}");
            assert!(row["picture_p50_ms"].as_f64() <= row["picture_p95_ms"].as_f64());
        }
    }

    #[test]
    fn a_folder_without_pairs_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(run(dir.path()).is_err());
        assert!(run(&dir.path().join("absent")).is_err());
    }
}
