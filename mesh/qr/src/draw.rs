//! Draws a text as a QR code that bad cameras can read.
//!
//! Always dark on light with a quiet zone of four modules, whatever the app's theme: rqrr and many phones
//! don't read inverted codes. Error correction starts at M, and goes up as far as it costs no larger code.
//! An invite is upper-case base32, for which the encoder picks alphanumeric mode (5.5 bits a
//! character): 140 characters make a code of 41 modules.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat};
use qrcode::{Color, EcLevel, QrCode};

use crate::QrError;

/// Light modules around the code, as the standard asks.
pub const QUIET_ZONE: usize = 4;

/// The most bytes of a text that is drawn. About 1 KB makes a code of 117 modules: more won't scan
/// from a phone's screen.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The least size of a module in a PNG, in pixels.
pub const MIN_MODULE_PX: u32 = 8;

/// The longest side of a PNG that is drawn.
pub const MAX_PNG_SIDE: u32 = 4096;

/// The code as an SVG picture: no script, no style, no fixed size, one viewBox unit a module.
///
/// It holds nothing that `style-src 'self'` would block, and takes whatever size CSS gives it.
///
/// # Errors
/// The text is empty or longer than [`MAX_TEXT_BYTES`].
pub fn svg(text: &str) -> Result<String, QrError> {
    let modules = Modules::of(text)?;
    let side = modules.side();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\""
    );
    for y in 0..side {
        for run in modules.dark_runs(y) {
            let (x, length) = (run.start, run.len());
            // Writing to a String can't fail.
            let _ = write!(svg, "M{x} {y}h{length}v1H{x}z");
        }
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}

/// The code as a grey PNG at least `min_px` wide, with modules of at least [`MIN_MODULE_PX`], all of one
/// whole size.
///
/// # Errors
/// The text is empty or longer than [`MAX_TEXT_BYTES`], or the picture wider than [`MAX_PNG_SIDE`].
pub fn png(text: &str, min_px: u32) -> Result<Vec<u8>, QrError> {
    let modules = Modules::of(text)?;
    let too_large = QrError::DrawingTooLarge { px: min_px };
    let Ok(side) = u32::try_from(modules.side()) else {
        return Err(too_large);
    };
    let scale = min_px.div_ceil(side).max(MIN_MODULE_PX);
    let Some(px) = side.checked_mul(scale).filter(|px| *px <= MAX_PNG_SIDE) else {
        return Err(too_large);
    };
    let picture = GrayImage::from_fn(px, px, |x, y| {
        let module = |at: u32| at.checked_div(scale).unwrap_or(0) as usize;
        let dark = modules.is_dark(module(x), module(y));
        image::Luma([if dark { 0 } else { u8::MAX }])
    });
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .map_err(|error| QrError::Draw {
            reason: error.to_string(),
        })?;
    Ok(bytes)
}

/// Writes [`png`] to a file, replacing what is there.
///
/// # Errors
/// Those of [`png`], or the file can't be written.
pub fn save_png(text: &str, min_px: u32, path: &Path) -> Result<(), QrError> {
    Ok(std::fs::write(path, png(text, min_px)?)?)
}

/// The squares of a code with its quiet zone.
pub(crate) struct Modules {
    /// Of the code without the quiet zone.
    width: usize,
    dark: Vec<bool>,
}

impl Modules {
    pub(crate) fn of(text: &str) -> Result<Self, QrError> {
        if text.is_empty() {
            return Err(QrError::EmptyText);
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(QrError::TextTooLong { bytes: text.len() });
        }
        let code = strongest(text)?;
        Ok(Self {
            width: code.width(),
            dark: code
                .into_colors()
                .into_iter()
                .map(|color| color == Color::Dark)
                .collect(),
        })
    }

    /// With the quiet zone on both sides.
    pub(crate) fn side(&self) -> usize {
        self.width.saturating_add(QUIET_ZONE.saturating_mul(2))
    }

    /// Places count from the corner of the quiet zone.
    pub(crate) fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < self.width);
        inside(x)
            .zip(inside(y))
            .and_then(|(x, y)| y.checked_mul(self.width)?.checked_add(x))
            .and_then(|place| self.dark.get(place).copied())
            .unwrap_or(false)
    }

    /// Stretches of dark modules in one row, left to right.
    fn dark_runs(&self, y: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let start = (from..self.side()).find(|x| self.is_dark(*x, y))?;
            // The last column is quiet zone, so every run ends inside the row.
            let end = (start..self.side()).find(|x| !self.is_dark(*x, y))?;
            from = end;
            Some(start..end)
        })
    }
}

/// The smallest code at level M, then the strongest level that fits the same size.
fn strongest(text: &str) -> Result<QrCode, QrError> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| QrError::Draw {
            reason: error.to_string(),
        })?;
    let stronger = [EcLevel::H, EcLevel::Q]
        .into_iter()
        .find_map(|level| QrCode::with_version(text, code.version(), level).ok());
    Ok(stronger.unwrap_or(code))
}

#[cfg(test)]
mod tests {
    use qrcode::Version;

    use super::*;

    /// As long as an invite with two IPv4 addresses: 80 bytes in base32 behind the prefix.
    fn invite_text() -> String {
        format!("PEDDLENET:J/{}", "AB34CDEFGH567ZYX".repeat(8))
    }

    #[test]
    fn upper_case_base32_is_drawn_in_alphanumeric_mode() {
        let upper = strongest(&invite_text()).unwrap();
        let lower = strongest(&invite_text().to_lowercase()).unwrap();
        // 140 alphanumeric characters fit version 6 at level M (154); as bytes they need version 8 (152).
        assert_eq!(upper.version(), Version::Normal(6));
        assert_eq!(lower.version(), Version::Normal(8));
    }

    #[test]
    fn correction_is_m_or_better_and_costs_no_larger_code() {
        assert_eq!(
            strongest(&invite_text()).unwrap().error_correction_level(),
            EcLevel::M
        );
        // One letter fits the smallest code at the strongest level.
        let letter = strongest("A").unwrap();
        assert_eq!(letter.version(), Version::Normal(1));
        assert_eq!(letter.error_correction_level(), EcLevel::H);
    }

    #[test]
    fn svg_holds_nothing_that_a_strict_policy_blocks() {
        let svg = svg(&invite_text()).unwrap();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 49 49\""));
        for forbidden in ["style", "script", "href", "<?", "<!", "width=", "height="] {
            assert!(!svg.contains(forbidden), "{forbidden} in {svg}");
        }
    }

    #[test]
    fn text_that_no_code_should_hold_is_refused() {
        assert!(matches!(svg(""), Err(QrError::EmptyText)));
        assert!(svg(&"x".repeat(MAX_TEXT_BYTES)).is_ok());
        assert!(matches!(
            svg(&"x".repeat(MAX_TEXT_BYTES + 1)),
            Err(QrError::TextTooLong { bytes: 1025 })
        ));
        assert!(matches!(
            png("x", u32::MAX),
            Err(QrError::DrawingTooLarge { px: u32::MAX })
        ));
    }
}
