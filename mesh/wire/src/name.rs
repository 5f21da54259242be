//! Names: text that strangers choose for themselves and that stands beside what they say.
//!
//! A name is untrusted. It must not reorder or overrun the line it stands in, hide something, or be
//! two different byte strings that look like one. So it is cleaned when it is made and again when
//! it is decoded:
//!
//! ```text
//!  text -> invisible characters out -> white space = one blank -> NFC -> few marks on a letter -> 64 bytes
//! ```
//!
//! Two clean names may still look alike ("Ada" in Latin and in Cyrillic). [`Name::skeleton`] tells
//! them: names whose skeletons match are marked where people are listed.
//!
//! Sources: normalisation UAX #15; directional controls UAX #9; `Default_Ignorable_Code_Point`
//! of the Unicode Character Database; skeletons UTS #39, section 4. The joiners of UAX #31,
//! section 2.3 stay where a script or an emoji needs them.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton;

use crate::limits;

/// Combining marks on one letter (count). No script needs more; a pile of them climbs over other lines.
const MARKS_MAX: usize = 4;
/// Characters of a text that are looked at (count): a longer one can't be a longer name.
const LOOKED_AT: usize = 4 * limits::NAME_MAX;

/// Looks at a name until nothing more changes (count).
const PASSES: usize = 4;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Asks for the coloured form of the sign before it.
const AS_EMOJI: char = '\u{fe0f}';

/// Text from a person: at most [`limits::NAME_MAX`] bytes of clean, normalised UTF-8. Untrusted.
///
/// The cut respects characters. Shows its length only in `Debug`: logs carry no names.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Name(String);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({} B)", self.0.len())
    }
}

impl Name {
    /// Cleans, normalises and shortens a text into a name; may be empty. A name stays as it is.
    pub fn new(text: &str) -> Self {
        let mut name = pass(text);
        // What a pass takes out may have been what a joiner joined: mostly one more look settles it.
        for _ in 0..PASSES {
            let again = pass(&name);
            if again == name {
                return Self(name);
            }
            name = again;
        }
        name.retain(|c| !is_joiner(c) && c != AS_EMOJI);
        Self(pass(&name))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a reader's eye makes of it; `None` for an empty name.
    pub fn skeleton(&self) -> Option<Skeleton> {
        (!self.is_empty()).then(|| Skeleton::of(&self.0))
    }

    /// Whether a reader could take one for the other. Two empty names look like nobody.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.skeleton()
            .zip(other.skeleton())
            .is_some_and(|(a, b)| a == b)
    }
}

/// The shape of a name: equal shapes look alike. Not for showing.
///
/// UTS #39's skeleton, with upper and lower case taken for one, and without the blanks and the
/// punctuation that a reader skips.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skeleton(String);

impl Skeleton {
    fn of(text: &str) -> Self {
        // Shapes first, so that a capital of another script becomes ours before it loses its size;
        // and again, since the small letter may have a shape of its own.
        let shape: String = skeleton(text).collect();
        let small = shape.to_lowercase();
        let whole: String = skeleton(&small).collect();
        let skipped = |c: &char| !c.is_whitespace() && !c.is_ascii_punctuation();
        let plain: String = whole.chars().filter(skipped).collect();
        Self(if plain.is_empty() { whole } else { plain })
    }
}

impl fmt::Debug for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Skeleton({} B)", self.0.len())
    }
}

/// Cleans, normalises and shortens once.
fn pass(text: &str) -> String {
    let mut name = String::new();
    let mut marks = 0_usize;
    for c in visible(text).chars().nfc() {
        marks = match c {
            c if is_combining_mark(c) => marks.saturating_add(1),
            c if is_joiner(c) => marks,
            _ => 0,
        };
        if marks > MARKS_MAX {
            continue;
        }
        if name.len().saturating_add(c.len_utf8()) > limits::NAME_MAX {
            break;
        }
        name.push(c);
    }
    name.truncate(name.trim_end().len());
    name
}

/// The characters of a text that take part in what is seen, white space as single blanks.
fn visible(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().take(LOOKED_AT).peekable();
    // The last character that was kept, and the last but one that is no joiner.
    let mut last = ' ';
    while let Some(c) = chars.next() {
        let c = match c {
            c if c.is_whitespace() => ' ',
            JOINER | NON_JOINER if joins(last, c, chars.peek().copied()) => c,
            AS_EMOJI if is_pictograph(last) => c,
            c if is_invisible(c) => continue,
            c => c,
        };
        if c == ' ' && last == ' ' {
            continue;
        }
        out.push(c);
        last = c;
    }
    out
}

fn is_joiner(c: char) -> bool {
    matches!(c, JOINER | NON_JOINER)
}

/// Whether a joiner between two characters does what it is for.
fn joins(before: char, joiner: char, after: Option<char>) -> bool {
    let Some(after) = after else { return false };
    let emoji = joiner == JOINER && is_emoji_part(before) && is_pictograph(after);
    emoji || (needs_joiners(before) && needs_joiners(after))
}

fn is_emoji_part(c: char) -> bool {
    c == AS_EMOJI || is_pictograph(c)
}

/// Blocks that hold the signs which emoji sequences are made of.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Scripts in which a joiner changes how letters are written: Arabic and its kin, those of India, Khmer, Mongolian.
fn needs_joiners(c: char) -> bool {
    let script =
        matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1780}'..='\u{18af}');
    script && (c.is_alphabetic() || is_combining_mark(c))
}

/// What can't be seen, or is drawn differently on every device.
fn is_invisible(c: char) -> bool {
    c.is_control()
        // Default_Ignorable_Code_Point: soft hyphen, fillers, directional controls, selectors, tags.
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        // Line and paragraph separators, the blank of Braille, format controls of hieroglyphs.
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{13430}'..='\u{1343f}')
        // Private use and non-characters: whatever a font makes of them.
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

impl<C> Encode<C> for Name {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Name {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let text = d.str()?;
        if text.len() > limits::NAME_MAX {
            return Err(decode::Error::message("name too long").at(at));
        }
        Ok(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        Name::new(text).as_str().to_owned()
    }

    fn alike(a: &str, b: &str) -> bool {
        Name::new(a).looks_like(&Name::new(b))
    }

    #[test]
    fn a_name_loses_controls_and_is_cut_at_a_character() {
        assert_eq!(clean(" A\u{202e}da\n "), "Ada");
        assert_eq!(clean("\u{202e} Ada \u{202e}"), "Ada");
        let name = clean(&"é".repeat(limits::NAME_MAX));
        assert_eq!(name, "é".repeat(limits::NAME_MAX / 2));
    }

    #[test]
    fn nothing_invisible_is_left() {
        for c in "\u{0}\u{ad}\u{34f}\u{61c}\u{200b}\u{200c}\u{200d}\u{200e}\u{2060}\u{2066}\u{3164}\u{fe0f}\u{feff}\u{fff9}\u{2800}\u{e000}\u{e0041}\u{10ffff}\u{1d173}".chars() {
            assert_eq!(clean(&format!("A{c}da")), "Ada", "U+{:04X}", u32::from(c));
            assert!(Name::new(&c.to_string()).is_empty(), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn every_white_space_is_one_blank() {
        assert_eq!(
            clean("Ada\u{a0}\u{2003}\t\u{3000} Lovelace"),
            "Ada Lovelace"
        );
        assert_eq!(
            clean("\u{2000}Ada\u{2028}Lovelace\u{200b} "),
            "Ada Lovelace"
        );
    }

    #[test]
    fn one_word_has_one_spelling() {
        assert_eq!(clean("Zoe\u{308}"), "Zo\u{eb}");
        assert_eq!(clean("\u{212b}ke"), "\u{c5}ke");
        assert_eq!(clean("\u{1112}\u{1161}\u{11ab}"), "\u{d55c}");
        assert_eq!(
            clean("e\u{200b}\u{301}"),
            "\u{e9}",
            "what was hidden between them is gone first"
        );
    }

    #[test]
    fn marks_do_not_pile_up() {
        let name = clean(&format!("Z{}algo", "\u{300}\u{316}".repeat(12)));
        assert_eq!(
            name.chars().filter(|c| is_combining_mark(*c)).count(),
            MARKS_MAX
        );
        assert!(name.ends_with("algo"));
    }

    #[test]
    fn joiners_stay_where_they_are_needed() {
        for name in [
            "👩\u{200d}🚀 Kim",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}👨",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
        ] {
            assert_eq!(clean(name), name);
        }
        assert_eq!(clean("A\u{200d}da"), "Ada");
        assert_eq!(clean("👩\u{200d}Kim"), "👩Kim");
    }

    #[test]
    fn letters_of_other_scripts_look_like_ours() {
        assert!(alike("Ada", "Аdа"), "Cyrillic");
        assert!(alike("PAUL", "РАUL"), "Cyrillic capitals");
        assert!(alike("Ada", "Ａｄａ"), "full width");
        assert!(alike("Ada", "ADA"));
        assert!(alike("Lena", "Iena"), "a capital i");
        assert!(alike("Lena", "1ena"));
        assert!(alike("modem", "modern"));
        assert!(alike("Ada Lovelace", "AdaLovelace."));
        assert!(alike("Ada", "A\u{200d}d\u{2063}a"));
    }

    #[test]
    fn different_names_do_not() {
        for (a, b) in [
            ("Ada", "Bea"),
            ("Ada", "Ada 2"),
            ("Ada", "Adam"),
            ("مريم", "سارة"),
            ("Ada", ""),
            ("", ""),
            ("!!", "??"),
        ] {
            assert!(!alike(a, b), "{a} and {b}");
        }
    }
}
