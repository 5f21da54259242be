//! What a person's screen shows so that a friend can check that both see the same keys.
//!
//! ```text
//!  0         1            17                    49                     81
//!  +---------+------------+---------------------+----------------------+
//!  | version | room id 16 | print of who shows  | print of who looks   |
//!  +---------+------------+---------------------+----------------------+
//! ```
//!
//! A print is a hash of room and author key (`peddlenet_crypto::fingerprint`), so a photograph of
//! the code names nobody's key. The text form is `PEDDLENET:V/` and RFC 4648 base32 without padding, upper
//! case, as for join codes (`invite`): 142 characters, a QR in alphanumeric mode.

use std::fmt;

use crate::{
    code,
    ids::{Digest, RoomId},
};

/// What the text form starts with.
pub const PREFIX: &str = "PEDDLENET:V/";
/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// The binary form.
const LEN: usize = 1 + RoomId::LEN + 2 * Digest::LEN;

/// A code for checking keys, decoded. Comes from a stranger until it is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyCode {
    /// The room both are in.
    pub room: RoomId,
    /// The print of the author on whose screen it stands.
    pub shown_by: Digest,
    /// The print of the author for whom it was made.
    pub shown_to: Digest,
}

impl fmt::Debug for VerifyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyCode({:?})", self.room)
    }
}

/// Why a text is no code for checking keys. Each has its own next step for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyCodeError {
    /// Some other text, an invite among them.
    #[error("not a code for checking a person")]
    NotOurs,
    /// Ours, but cut off or garbled.
    #[error("an incomplete or damaged code for checking a person")]
    Damaged,
    /// Ours, in a format that this build can't read.
    #[error("a code of format {0}, made by a newer app")]
    Newer(u8),
}

impl VerifyCode {
    /// Whether a text claims to be such a code, of whatever format and state.
    pub fn is_one(text: &str) -> bool {
        code::payload(text, PREFIX).is_some()
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (by, to) = (self.shown_by.as_ref(), self.shown_to.as_ref());
        [&[VERSION], self.room.as_ref(), by, to].concat()
    }

    /// Reads the binary form; every byte must be accounted for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerifyCodeError> {
        let damaged = |_| VerifyCodeError::Damaged;
        match bytes.split_first() {
            Some((&VERSION, _)) if bytes.len() == LEN => {}
            None | Some((&VERSION, _)) => return Err(VerifyCodeError::Damaged),
            Some((newer, _)) => return Err(VerifyCodeError::Newer(*newer)),
        }
        let part = |from: usize, len: usize| {
            let to = from.saturating_add(len);
            bytes.get(from..to).unwrap_or_default()
        };
        let prints = 1 + RoomId::LEN;
        Ok(Self {
            room: RoomId::try_from(part(1, RoomId::LEN)).map_err(damaged)?,
            shown_by: Digest::try_from(part(prints, Digest::LEN)).map_err(damaged)?,
            shown_to: Digest::try_from(part(prints + Digest::LEN, Digest::LEN)).map_err(damaged)?,
        })
    }

    /// The text to draw or copy.
    pub fn to_link(&self) -> String {
        code::to_text(PREFIX, &self.to_bytes())
    }

    /// Reads a text as a person or a scanner hands it over: any case, white space around and inside.
    pub fn from_link(text: &str) -> Result<Self, VerifyCodeError> {
        let payload = code::payload(text, PREFIX).ok_or(VerifyCodeError::NotOurs)?;
        let bytes = code::decode(payload).map_err(|_| VerifyCodeError::Damaged)?;
        Self::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> VerifyCode {
        VerifyCode {
            room: RoomId(*b"room-id-16-bytes"),
            shown_by: Digest([7; 32]),
            shown_to: Digest([9; 32]),
        }
    }

    #[test]
    fn the_link_fits_alphanumeric_qr_mode() {
        let link = sample().to_link();
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || ":/".contains(c);
        assert!(link.chars().all(plain));
        assert_eq!(link.len(), 142);
        assert_eq!(VerifyCode::from_link(&link), Ok(sample()));
    }

    #[test]
    fn pasted_links_survive_case_and_wrapping() {
        let link = sample().to_link().to_lowercase();
        let wrapped = format!("  {}\n  {}\r\n", &link[..60], &link[60..]);
        assert_eq!(VerifyCode::from_link(&wrapped), Ok(sample()));
    }

    #[test]
    fn other_codes_damaged_ones_and_newer_ones_are_told_apart() {
        for other in ["", "PEDDLENET:J/AAAA", "WIFI:S:x;;", "é"] {
            assert_eq!(VerifyCode::from_link(other), Err(VerifyCodeError::NotOurs));
        }
        let link = sample().to_link();
        for len in PREFIX.len()..link.len() {
            let cut = VerifyCode::from_link(&link[..len]);
            assert_eq!(cut, Err(VerifyCodeError::Damaged), "cut to {len}");
        }
        let longer = VerifyCode::from_link(&format!("{link}AA"));
        assert_eq!(longer, Err(VerifyCodeError::Damaged));
        let mut newer = sample().to_bytes();
        newer[0] = 2;
        newer.push(0);
        assert_eq!(
            VerifyCode::from_bytes(&newer),
            Err(VerifyCodeError::Newer(2))
        );
    }
}
