//! Where the window was: kept in the profile's folder, and never restored to where nobody sees it.
//!
//! One line, `x y width height maximised`, in logical pixels. A file of our own: the plugin for it
//! (tauri-plugin-window-state) keeps one file for all profiles.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The smallest window, as in tauri.conf.json.
const MIN: (u32, u32) = (360, 480);

/// The file in the profile's folder.
const FILE: &str = "window";

/// More bytes than such a line has.
const MAX_FILE: u64 = 128;

/// How much of the title bar has to be on a screen, so that it can be grabbed.
const GRIP: (i64, i64) = (120, 24);

/// A window, or a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it is, or would be were it not maximised.
    pub(crate) area: Area,
    pub(crate) maximised: bool,
}

/// What fits the screens of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fitted {
    pub(crate) size: (u32, u32),
    /// `None`: let the system choose.
    pub(crate) position: Option<(i32, i32)>,
    pub(crate) maximised: bool,
}

impl Place {
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(FILE);
        let small = path.metadata().is_ok_and(|file| file.len() <= MAX_FILE);
        small.then(|| std::fs::read_to_string(path).ok()?.parse().ok())?
    }

    /// A window that forgets where it was is no reason to stop: a failure goes to the log.
    pub(crate) fn write(&self, folder: &Path) {
        let new = folder.join(format!("{FILE}.new"));
        let written = std::fs::write(&new, self.to_string())
            .and_then(|()| std::fs::rename(&new, folder.join(FILE)));
        if let Err(problem) = written {
            tracing::info!(%problem, "where the window is was not kept");
        }
    }

    /// Made to fit: no smaller than the smallest, no larger than the screen that it is on, and its title
    /// bar within reach.
    pub(crate) fn fit(&self, screens: &[Area]) -> Fitted {
        let area = self.area;
        let on = screens.iter().find(|screen| reachable(area, screen));
        let most = on.or(screens.first());
        let size = (
            area.width
                .min(most.map_or(u32::MAX, |s| s.width))
                .max(MIN.0),
            area.height
                .min(most.map_or(u32::MAX, |s| s.height))
                .max(MIN.1),
        );
        Fitted {
            size,
            position: on.map(|_| (area.x, area.y)),
            maximised: self.maximised,
        }
    }
}

/// After a wipe.
pub(crate) fn forget(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FILE)); // mostly there is none
}

/// Whether enough of a window's title bar is on a screen.
fn reachable(window: Area, screen: &Area) -> bool {
    let overlap = |a: i32, a_len: i64, b: i32, b_len: u32| {
        let (a, b) = (i64::from(a), i64::from(b));
        (a + a_len).min(b + i64::from(b_len)) - a.max(b)
    };
    overlap(window.x, i64::from(window.width), screen.x, screen.width) >= GRIP.0
        && overlap(window.y, GRIP.1, screen.y, screen.height) >= GRIP.1
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Area {
            x,
            y,
            width,
            height,
        } = self.area;
        write!(f, "{x} {y} {width} {height} {}", u8::from(self.maximised))
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [x, y, width, height, maximised] = words[..] else {
            return Err(());
        };
        let area = Area {
            x: x.parse().map_err(drop)?,
            y: y.parse().map_err(drop)?,
            width: width.parse().map_err(drop)?,
            height: height.parse().map_err(drop)?,
        };
        let maximised = maximised == "1";
        Ok(Self { area, maximised })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAPTOP: Area = Area {
        x: 0,
        y: 0,
        width: 1280,
        height: 800,
    };

    fn at(x: i32, y: i32, width: u32, height: u32) -> Place {
        let area = Area {
            x,
            y,
            width,
            height,
        };
        Place {
            area,
            maximised: false,
        }
    }

    #[test]
    fn it_comes_back_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Place::read(folder.path()), None);
        let place = at(-20, 30, 900, 700);
        place.write(folder.path());
        assert_eq!(Place::read(folder.path()), Some(place));
        let fitted = place.fit(&[LAPTOP]);
        assert_eq!(
            (fitted.size, fitted.position),
            ((900, 700), Some((-20, 30)))
        );
    }

    #[test]
    fn a_damaged_file_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let long = "9".repeat(100_000);
        for text in [
            "",
            "1 2 3",
            "1 2 3 4 5 6",
            "a b c d e",
            "0 0 -5 4294967296 1",
            &long,
        ] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert_eq!(Place::read(folder.path()), None, "{text:.20}");
        }
        std::fs::write(folder.path().join(FILE), [0xff; 10]).unwrap();
        assert_eq!(Place::read(folder.path()), None);
    }

    #[test]
    fn a_window_that_nobody_would_see_comes_where_the_system_puts_it() {
        for (x, y) in [
            (5000, 10),
            (10, 900),
            (-850, 10),
            (10, -40),
            (i32::MIN, i32::MAX),
        ] {
            assert_eq!(at(x, y, 900, 700).fit(&[LAPTOP]).position, None, "{x} {y}");
        }
        let second = Area { x: 1280, ..LAPTOP };
        let fitted = at(1300, 10, 900, 700).fit(&[LAPTOP, second]);
        assert_eq!(fitted.position, Some((1300, 10)));
        assert_eq!(
            at(0, 0, 900, 700).fit(&[]).position,
            None,
            "no screen is known"
        );
    }

    #[test]
    fn it_is_never_too_small_nor_larger_than_its_screen() {
        assert_eq!(at(0, 0, 1, 1).fit(&[LAPTOP]).size, MIN);
        assert_eq!(at(0, 0, 9000, 9000).fit(&[LAPTOP]).size, (1280, 800));
        assert_eq!(at(9000, 0, 9000, 9000).fit(&[LAPTOP]).size, (1280, 800));
    }

    #[test]
    fn the_smallest_is_what_the_configuration_says() {
        let config: serde_json::Value =
            serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        let window = &config["app"]["windows"][0];
        assert_eq!(
            (window["minWidth"].as_u64(), window["minHeight"].as_u64()),
            (Some(360), Some(480))
        );
    }
}
