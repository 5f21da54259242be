//! `bench qr DIR`: how many codes are read, in photographs and in pictures made for it, and how long one takes.
//!
//! Walks DIR for `NAME.png` with the expected text in `NAME.txt`, then looks at 500 generated pictures of invites (seed 1, see
//! `peddlenet_qr::generated`). Three readers stand beside each other in the same run and take turns on each picture: bare rqrr,
//! rqrr with rxing for what it misses, and our ladder. Every picture is *decoded* (the expected text is among those found),
//! *wrong* (only others are) or *missed*. `frame` times are those of the photograph scaled into 640x480, as a camera gives it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use image::{GrayImage, imageops};
use peddlenet_qr::{Luma, generated};
use rxing::common::{DetectorRXingResult, HybridBinarizer};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::{Binarizer, Luma8Source};
use serde_json::{Value, json};

/// Turns that each reader takes on a picture; the median time of them counts.
const TURNS: usize = 3;

/// Pictures of the generated set.
const GENERATED: u32 = 500;
const SEED: u64 = 1;

/// The texts in a picture, or `None` when the reader panicked.
type Reader = fn(&GrayImage) -> Option<Vec<String>>;

const READERS: [(&str, Reader); 3] = [
    ("bare rqrr", bare),
    ("rqrr then rxing", then_rxing),
    ("ours", ours),
];

/// A picture, and what its code says.
struct Sample {
    kind: &'static str,
    picture: GrayImage,
    expected: String,
}

/// Reads every picture under `dir` and the generated ones; a row for each reader and kind of picture.
///
/// # Errors
/// There is no pair of picture and text under `dir`, or one can't be read.
pub fn run(dir: &Path) -> anyhow::Result<Vec<Value>> {
    let mut rows = table("photographs", &photographs(dir)?);
    let made: Vec<Sample> = (0..GENERATED).map(made).collect();
    rows.extend(table("generated", &made));
    for distortion in generated::Distortion::ALL {
        let kind = distortion.name();
        let ours = &READERS[READERS.len() - 1..];
        let some: Vec<&Sample> = made.iter().filter(|sample| sample.kind == kind).collect();
        rows.extend(rows_of(kind, ours, &some));
    }
    Ok(rows)
}

fn table(set: &str, samples: &[Sample]) -> Vec<Value> {
    rows_of(set, &READERS, &samples.iter().collect::<Vec<_>>())
}

fn photographs(dir: &Path) -> anyhow::Result<Vec<Sample>> {
    let mut pictures = Vec::new();
    pictures_under(dir, &mut pictures)
        .with_context(|| format!("can't read the folder {}", dir.display()))?;
    if pictures.is_empty() {
        bail!("no NAME.png with NAME.txt under {}", dir.display());
    }
    pictures.sort();
    pictures
        .iter()
        .map(|path| {
            let picture = image::open(path)
                .with_context(|| format!("can't open {}", path.display()))?
                .into_luma8();
            let expected = fs::read_to_string(path.with_extension("txt"))
                .with_context(|| format!("no expected text for {}", path.display()))?;
            Ok(Sample {
                kind: "photograph",
                picture,
                expected,
            })
        })
        .collect()
}

fn made(number: u32) -> Sample {
    let made = generated::picture(SEED, number);
    let picture = GrayImage::from_raw(generated::WIDTH, generated::HEIGHT, made.pixels);
    Sample {
        kind: made.distortion.name(),
        picture: picture.expect("a frame has its pixels"),
        expected: made.text,
    }
}

fn rows_of(set: &str, readers: &[(&'static str, Reader)], samples: &[&Sample]) -> Vec<Value> {
    let mut tallies: Vec<Tally> = readers.iter().map(|_| Tally::default()).collect();
    for sample in samples {
        let frame = in_a_frame(&sample.picture);
        let mut times = vec![Vec::with_capacity(TURNS); readers.len()];
        let mut frames = times.clone();
        for turn in 0..TURNS {
            for (reader, (_, read)) in readers.iter().enumerate() {
                let started = Instant::now();
                let found = read(&sample.picture);
                times[reader].push(started.elapsed());
                // Readers are deterministic: the first turn tells what they find.
                if turn == 0 {
                    tallies[reader].judge(found, &sample.expected);
                }
                let started = Instant::now();
                read(&frame);
                frames[reader].push(started.elapsed());
            }
        }
        for (reader, tally) in tallies.iter_mut().enumerate() {
            tally.times.push(percentile(&mut times[reader], 50));
            tally.frames.push(percentile(&mut frames[reader], 50));
        }
    }
    let names = readers.iter().map(|(name, _)| name);
    names
        .zip(tallies)
        .map(|(name, tally)| tally.row(set, name))
        .collect()
}

/// Scaled to fit a camera's frame, with grey around it.
fn in_a_frame(picture: &GrayImage) -> GrayImage {
    let (width, height) = (generated::WIDTH, generated::HEIGHT);
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    // Whichever side fills the frame first; sides of a picture are at least 1.
    let wide = u64::from(width) * u64::from(picture.height())
        <= u64::from(height) * u64::from(picture.width());
    let (across, by) = match wide {
        true => (width, picture.width()),
        false => (height, picture.height()),
    };
    let scaled = |length: u32| (length * across / by).max(1);
    let scaled = imageops::resize(
        picture,
        scaled(picture.width()),
        scaled(picture.height()),
        imageops::FilterType::Triangle,
    );
    let mut frame = GrayImage::from_pixel(width, height, image::Luma([128]));
    let middle = |outer: u32, inner: u32| i64::from(outer.saturating_sub(inner) / 2);
    let (left, top) = (
        middle(width, scaled.width()),
        middle(height, scaled.height()),
    );
    imageops::replace(&mut frame, &scaled, left, top);
    frame
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

fn then_rxing(picture: &GrayImage) -> Option<Vec<String>> {
    let texts = bare(picture).unwrap_or_default();
    if !texts.is_empty() {
        return Some(texts);
    }
    let (width, height) = picture.dimensions();
    std::panic::catch_unwind(|| {
        let source = Luma8Source::new_with_slice(picture.as_raw(), width, height).ok()?;
        let binarizer = HybridBinarizer::new(source);
        let bits = binarizer.get_black_matrix().ok()?;
        // The steps of rxing's `QrReader`; its last one, which guesses a character set, is switched off in our build.
        let mut marks = FindFinderPatterns(bits, false, 0);
        GenerateFinderPatternSets(&mut marks)
            .iter()
            .find_map(|group| {
                let modules = SampleQR(bits, group).ok()?;
                let read = Decode(modules.getBits())
                    .ok()
                    .filter(|read| read.isValid())?;
                String::from_utf8(read.content().bytes().to_vec()).ok()
            })
    })
    .ok()
    .map(|text| text.into_iter().collect())
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
    frames: Vec<Duration>,
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

    fn row(mut self, set: &str, reader: &str) -> Value {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let pictures = self.times.len();
        json!({
            "bench": "qr",
            "set": set,
            "reader": reader,
            "pictures": pictures,
            "decoded": self.decoded,
            "wrong": self.wrong,
            "missed": self.missed,
            "panicked": self.panicked,
            "decoded_ratio": (self.decoded as f64 / pictures.max(1) as f64 * 1e3).round() / 1e3,
            "picture_p50_ms": ms(percentile(&mut self.times, 50)),
            "picture_p95_ms": ms(percentile(&mut self.times, 95)),
            "frame_p50_ms": ms(percentile(&mut self.frames, 50)),
            "frame_p95_ms": ms(percentile(&mut self.frames, 95)),
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

        let rows = table("photographs", &photographs(dir.path()).unwrap());
        assert_eq!(rows.len(), READERS.len());
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

    #[test]
    fn a_photograph_fits_a_frame_whole() {
        let wide = in_a_frame(&GrayImage::from_pixel(100, 10, image::Luma([0])));
        assert_eq!(wide.dimensions(), (generated::WIDTH, generated::HEIGHT));
        let dark = wide.pixels().filter(|pixel| pixel.0[0] == 0).count();
        assert_eq!(dark, 640 * 64);
    }
}
