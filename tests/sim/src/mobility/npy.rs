//! Reads a crowd trace: numpy's `.npy`, little-endian float32, `[step, person, xy]` in metres, one step a second.
//!
//! The format is numpy's `lib/format.py`: magic, version, length of the header, the header as a
//! Python dictionary in ASCII, then the numbers. Only what the traces use is read; all else is an error that says what was met.

use std::{fmt, fs::File, io::Read as _, path::Path};

/// The longest trace that is read; a day has 86,400 steps.
const STEPS_MAX: usize = 100_000;
const PEOPLE_MAX: usize = 10_000;
/// Of a file, whatever its header says: a trace of 100 people over an hour has 3 MB.
const FILE_MAX: u64 = 512 * 1024 * 1024;
const MAGIC: &[u8] = b"\x93NUMPY";
const COORDINATES: usize = 2;
const FLOAT: usize = 4;

/// Where everybody is at each step.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    people: usize,
    /// Step by step, person by person.
    positions: Vec<[f32; COORDINATES]>,
}

/// Why a file is not a trace.
#[derive(Debug, PartialEq, Eq)]
pub struct TraceError(String);

impl TraceError {
    pub(super) fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is longer than a trace may be, or holds something else.
    pub fn read(path: &Path) -> Result<Self, TraceError> {
        let named = |e: String| TraceError(format!("{}: {e}", path.display()));
        let file = File::open(path).map_err(|e| named(e.to_string()))?;
        let mut bytes = Vec::new();
        file.take(FILE_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| named(e.to_string()))?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(named(format!("longer than {FILE_MAX} bytes")));
        }
        Self::parse(&bytes).map_err(|e| named(e.0))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// They are not float32 `[step, person, 2]`, are cut short, go on after the end, or name more steps or people than a trace may have.
    pub fn parse(bytes: &[u8]) -> Result<Self, TraceError> {
        let (header, data) = split(bytes)?;
        let kind = quoted(header, "'descr':")?;
        if kind != "<f4" {
            return fail(format!("numbers of type {kind}, not <f4"));
        }
        if !value(header, "'fortran_order':")?.starts_with("False") {
            return fail("in Fortran order, not C order");
        }
        let shape = shape(header)?;
        let &[steps, people, COORDINATES] = shape.as_slice() else {
            return fail(format!("shape {shape:?}, not [steps, people, 2]"));
        };
        if !(1..=STEPS_MAX).contains(&steps) || !(1..=PEOPLE_MAX).contains(&people) {
            return fail(format!(
                "{steps} steps of {people} people: not 1 to {STEPS_MAX} and {PEOPLE_MAX}"
            ));
        }
        let expected = steps * people * COORDINATES * FLOAT;
        if data.len() != expected {
            return fail(format!("{} bytes of numbers, not {expected}", data.len()));
        }
        let (numbers, _) = data.as_chunks::<FLOAT>();
        let positions = numbers
            .chunks_exact(COORDINATES)
            .map(|xy| [f32::from_le_bytes(xy[0]), f32::from_le_bytes(xy[1])])
            .collect();
        Ok(Self { people, positions })
    }

    /// People that stand still: a trace of as many steps as asked for.
    #[must_use]
    pub fn still(positions: &[[f32; 2]], steps: usize) -> Self {
        Self {
            people: positions.len(),
            positions: positions.repeat(steps),
        }
    }

    /// One trace after another of the same people.
    #[must_use]
    pub fn then(mut self, next: &Self) -> Self {
        assert_eq!(self.people, next.people, "the same people");
        self.positions.extend_from_slice(&next.positions);
        self
    }

    /// Its beginning.
    #[must_use]
    pub fn first(mut self, steps: usize) -> Self {
        self.positions.truncate(steps * self.people);
        self
    }

    /// How many steps (seconds) it has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.positions.len() / self.people
    }

    /// How many people it has.
    #[must_use]
    pub fn people(&self) -> usize {
        self.people
    }

    /// All pairs within `range_m` of each other at a step, the nearest first, as (person, person, metres).
    ///
    /// Somebody whose coordinates are no numbers is not there.
    #[must_use]
    pub fn in_range(&self, step: usize, range_m: f32) -> Vec<(usize, usize, f32)> {
        let at = &self.positions[step * self.people..][..self.people];
        let mut pairs = Vec::new();
        for (a, from) in at.iter().enumerate() {
            for (b, to) in at.iter().enumerate().skip(a + 1) {
                let metres = (from[0] - to[0]).hypot(from[1] - to[1]);
                if metres <= range_m {
                    pairs.push((a, b, metres));
                }
            }
        }
        pairs.sort_by(|x, y| x.2.total_cmp(&y.2).then((x.0, x.1).cmp(&(y.0, y.1))));
        pairs
    }
}

fn fail<T>(why: impl Into<String>) -> Result<T, TraceError> {
    Err(TraceError(why.into()))
}

/// The header's text and the numbers' bytes.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), TraceError> {
    let short = || TraceError("the header is cut short".into());
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return fail("not a .npy file");
    };
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, _] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(short)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        [other, _] => return fail(format!("version {other} of .npy")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let header = str::from_utf8(header).map_err(|_| TraceError("the header is not text".into()))?;
    Ok((header, data))
}

/// What stands after a key.
fn value<'a>(header: &'a str, key: &str) -> Result<&'a str, TraceError> {
    match header.split_once(key) {
        Some((_, after)) => Ok(after.trim_start()),
        None => fail(format!("no {key} in the header")),
    }
}

fn quoted<'a>(header: &'a str, key: &str) -> Result<&'a str, TraceError> {
    let inner = value(header, key)?.strip_prefix('\'');
    match inner.and_then(|text| text.split_once('\'')) {
        Some((text, _)) => Ok(text),
        None => fail(format!("{key} is no string")),
    }
}

fn shape(header: &str) -> Result<Vec<usize>, TraceError> {
    let inner = value(header, "'shape':")?.strip_prefix('(');
    let Some((inner, _)) = inner.and_then(|text| text.split_once(')')) else {
        return fail("'shape': is no tuple");
    };
    let sizes = inner
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty());
    let parsed = sizes.map(|size| {
        size.parse()
            .map_err(|_| TraceError(format!("{size} in the shape is no size")))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 2), }\n";

    fn file(header: &str, numbers: usize) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        for n in 0..numbers {
            bytes.extend(f32::from(u8::try_from(n).unwrap()).to_le_bytes());
        }
        bytes
    }

    #[test]
    fn a_trace_is_read_step_by_step_and_person_by_person() {
        let trace = Trace::parse(&file(HEADER, 12)).unwrap();
        assert_eq!((trace.steps(), trace.people()), (2, 3));
        assert_eq!(trace.positions[4], [8.0, 9.0]);
    }

    #[test]
    fn whatever_else_a_file_holds_is_named() {
        let cases: [(&[u8], &str); 8] = [
            (b"PK", "not a .npy file"),
            (b"\x93NUMPY\x01\x00\xff\xff{", "cut short"),
            (b"\x93NUMPY\x09\x00\x00\x00", "version 9"),
            (&file(HEADER, 11), "44 bytes of numbers, not 48"),
            (&file(&HEADER.replace("<f4", "<f8"), 12), "type <f8"),
            (&file(&HEADER.replace("False", "True"), 12), "Fortran"),
            (
                &file(&HEADER.replace("(2, 3, 2)", "(6, 2)"), 12),
                "shape [6, 2]",
            ),
            (
                &file(&HEADER.replace("(2, 3, 2)", "(2, -3, 2)"), 12),
                "-3 in the shape",
            ),
        ];
        for (bytes, said) in cases {
            let error = Trace::parse(bytes).unwrap_err().to_string();
            assert!(error.contains(said), "{error:?} does not say {said:?}");
        }
    }

    #[test]
    fn sizes_in_the_header_are_bounded_before_anything_is_computed() {
        for shape in [
            "(0, 3, 2)",
            "(9999999999999, 9999999999999, 2)",
            "(100001, 1, 2)",
        ] {
            let error = Trace::parse(&file(&HEADER.replace("(2, 3, 2)", shape), 0)).unwrap_err();
            assert!(error.to_string().contains("not 1 to"), "{error}");
        }
        let cut = file(HEADER, 12);
        for length in 0..cut.len() {
            assert!(Trace::parse(&cut[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn pairs_in_range_come_nearest_first() {
        let trace = Trace::still(&[[0.0, 0.0], [15.0, 0.0], [20.0, 0.0], [f32::NAN, 0.0]], 1);
        let pairs = trace.in_range(0, 15.0);
        assert_eq!(pairs, vec![(1, 2, 5.0), (0, 1, 15.0)]);
    }
}
