//! rxing's reader (a port of zxing-cpp's), put together here so that its work has a bound.
//!
//! `rxing::qrcode::cpp_port::QrReader` tries every group of three corner marks, and a picture drawn full
//! of such marks keeps it busy for minutes. These are its own steps, with limits between them, and with
//! a second look at the grey picture ([`Sheet`]) where a code was found and not read.

use std::time::Instant;

use rxing::common::{BitMatrix, DetectorRXingResult};
use rxing::point;
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FindFinderPatterns, GenerateFinderPatternSets, SampleQR};
use rxing::qrcode::detector::QRCodeDetectorResult;

use crate::grid::{Grid, Sheet};
use crate::{Found, Luma, MAX_CODES};

/// Corner marks in one picture, the largest first.
const MAX_MARKS: usize = 128;

/// Groups of three corner marks that are tried, the most plausible first.
const MAX_GROUPS: usize = 128;

/// Groups whose modules are read once more from the grey picture.
const MAX_SECOND_LOOKS: usize = 8;

/// How much of the difference to their neighbours is added to modules that were read from the grey
/// picture. Soft first: where it is not needed it makes noise.
const SHARPEN: [f32; 3] = [0.0, 0.5, 1.0];

/// The codes in `bits`, which were made of `picture`. May panic; ends soon after `until`.
pub(crate) fn find(picture: &Luma<'_>, bits: &BitMatrix, until: Instant) -> Found {
    let mut marks = FindFinderPatterns(bits, false, 0);
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.size));
    marks.truncate(MAX_MARKS);
    let groups = GenerateFinderPatternSets(&mut marks);
    let mut used = Vec::new();
    let mut found = Found::default();
    let mut second_looks = 0..MAX_SECOND_LOOKS;
    for group in groups.into_iter().take(MAX_GROUPS) {
        if found.texts.len() >= MAX_CODES || Instant::now() >= until {
            break;
        }
        let corners = [group.bl, group.tl, group.tr];
        if corners.iter().any(|mark| used.contains(mark)) {
            continue;
        }
        let Ok(sampled) = SampleQR(bits, &group) else {
            continue;
        };
        let text = text(sampled.getBits()).or_else(|| {
            second_looks.next()?;
            second_look(picture, &sampled)
        });
        match text {
            Some(text) => {
                used.extend(corners);
                found.texts.push(text);
            }
            None => found.unclear = true,
        }
    }
    found
}

/// Reads a code's modules from the grey picture: first as a flat sheet, then as a bent one.
fn second_look(picture: &Luma<'_>, sampled: &QRCodeDetectorResult) -> Option<String> {
    let [tl, tr, bl, br] = *sampled.getPoints() else {
        return None;
    };
    // rxing reports them half a pixel too far; its own sampling does not add it.
    let corners = [tl, tr, br, bl].map(|corner| point(corner.x - 0.5, corner.y - 0.5));
    let sheet = Sheet::new(picture, sampled.getBits().width(), corners)?;
    let read = |grid: &Grid| {
        SHARPEN
            .iter()
            .find_map(|sharpen| text(&grid.bits(*sharpen)?))
    };
    read(&sheet.flat()).or_else(|| read(&sheet.bent()))
}

/// The text in a code's modules. Bytes that are not UTF-8 are no invite.
fn text(modules: &BitMatrix) -> Option<String> {
    let result = Decode(modules).ok().filter(|result| result.isValid())?;
    std::str::from_utf8(result.content().bytes())
        .ok()
        .map(str::to_owned)
}
