//! `peddlenet-signaling pass`: makes a carry pass and prints it, as a text and as a code to scan.
//!
//! It reads the box's key and touches nothing else, so it works beside the running box.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use peddlenet_signaling::BoxKey;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::options::PassOptions;

/// Longer texts make codes that no phone reads from a screen: those of nine days and more.
const DRAWN_MAX: usize = 1024;
const SECONDS_A_DAY: u64 = 24 * 3600;

/// A day of the Gregorian calendar, counted from 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date(u32);

impl Date {
    pub(crate) fn day(self) -> u32 {
        self.0
    }

    fn today() -> anyhow::Result<Self> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock stands before 1970")?;
        Ok(Self(u32::try_from(now.as_secs() / SECONDS_A_DAY)?))
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('-').map(str::parse::<u32>).collect();
        let [Ok(year @ 1970..=9999), Ok(month), Ok(date)] = parts[..] else {
            return Err("give a day like 2026-11-26".to_owned());
        };
        // Counted as printed: whatever no calendar has comes out as another day.
        let day = days_before(year, month).and_then(|days| days.checked_add(date)?.checked_sub(1));
        day.map(Self)
            .filter(|day| day.parts() == (year, month, date))
            .ok_or_else(|| "there is no such day".to_owned())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, date) = self.parts();
        write!(f, "{year:04}-{month:02}-{date:02}")
    }
}

impl Date {
    /// Year, month and day of the month.
    fn parts(self) -> (u32, u32, u32) {
        let mut left = self.0;
        let mut year = 1970;
        while left >= days_of_year(year) {
            left -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while left >= days_of_month(year, month) {
            left -= days_of_month(year, month);
            month += 1;
        }
        (year, month, left + 1)
    }
}

/// Days from 1970 to the first of a month, if there is that month.
fn days_before(year: u32, month: u32) -> Option<u32> {
    let years: u32 = (1970..year).map(days_of_year).sum();
    let months: u32 = (1..month.min(12)).map(|m| days_of_month(year, m)).sum();
    (1..=12).contains(&month).then_some(years + months)
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_year(year: u32) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Makes a pass and prints it.
pub(crate) fn run(options: &PassOptions) -> anyhow::Result<()> {
    let key = BoxKey::read(&options.data)?;
    let today = Date::today()?;
    let first = options.from.unwrap_or(today);
    let last = Date(first.day().saturating_add(u32::from(options.days) - 1));
    ensure!(last >= today, "{last}, its last day, is over");
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).context("the system gives no random bytes")?;
    let space_kib = options.space_mib.saturating_mul(1024);
    let pass = key.issue(first.day(), options.days.into(), space_kib, *seed);
    let text = pass.to_link();
    let mut out = format!("{text}\n\n");
    let stdout = std::io::stdout();
    if text.len() <= DRAWN_MAX {
        out.push_str(&drawn(&text, stdout.is_terminal())?);
    } else {
        out.push_str("Too long for a code that phones read: hand on the text.\n");
    }
    out.push_str(&format!(
        "\nA carry pass from {first} to {last} (UTC), {} MiB on each day. Whoever has it can use it: show it to the room's owner only.\n",
        options.space_mib
    ));
    let mut stdout = stdout.lock();
    stdout.write_all(out.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Two modules a character. On a terminal dark on light whatever its colours, for many phones don't read inverted codes.
fn drawn(text: &str, colours: bool) -> anyhow::Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L)?;
    let picture = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Dark)
        .light_color(Dense1x2::Light)
        .build();
    let mut out = String::new();
    for line in picture.lines() {
        if colours {
            out.push_str(&format!("\x1b[30;107m{line}\x1b[0m\n"));
        } else {
            out.push_str(&format!("{line}\n"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("1972-02-29", 789),
            ("2000-02-29", 11_016),
            ("2026-11-26", 20_783),
            ("2100-03-01", 47_541),
        ] {
            assert_eq!(text.parse(), Ok(Date(day)), "{text}");
            assert_eq!(Date(day).to_string(), text);
        }
        for day in 0..50_000 {
            assert_eq!(Date(day).to_string().parse(), Ok(Date(day)));
        }
        for wrong in [
            "",
            "2026",
            "2026-11",
            "2026-11-26-1",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2100-02-29",
            "2026-11-00",
            "2026-11-31",
            "1969-12-31",
            "10000-01-01",
            "2026-11-x",
            "2026-01-4294967295",
        ] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pass_of_three_days_is_drawn_in_what_a_terminal_shows() {
        let text = format!("PEDDLENET:C/{}", "A".repeat(424));
        let picture = drawn(&text, false).unwrap();
        let width = picture.lines().map(|line| line.chars().count()).max();
        assert!(width.unwrap() <= 80, "{width:?}");
        assert!(!picture.contains('\x1b'));
        // After four light modules around it, the code's corner: dark is drawn, light is left out.
        let corner: String = picture.lines().nth(2).unwrap().chars().take(11).collect();
        assert_eq!(corner, "    █▀▀▀▀▀█");
        assert!(drawn(&text, true).unwrap().starts_with("\x1b[30;107m"));
    }
}
