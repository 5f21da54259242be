//! What a joiner shows when its own packets don't get through: where it is, for whoever made the code.
//!
//! ```text
//!  0         1           5        7         8                           +16
//!  +---------+-----------+--------+---------+---------------------------+----------+
//!  | version | expiry  s | port 2 | n6 | n4 | IPv4 4*n4 .. IPv6 16*n6 .. | proof 16 |
//!  +---------+-----------+--------+---------+---------------------------+----------+
//! ```
//!
//! The proof is keyed by the invite (`peddlenet_crypto::back`), so that nobody but a holder of the code
//! makes a device send anything. The text form is `PEDDLENET:B/` and RFC 4648 base32 without padding, upper
//! case, as for join codes ([`crate::invite`]).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::code::{self, Cut, Reader};

/// What the text form starts with.
pub const PREFIX: &str = "PEDDLENET:B/";
/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of the proof.
pub const PROOF_LEN: usize = 16;
/// Addresses of each family (count).
const FAMILY_MAX: usize = 4;

/// A joiner's answer to a code, decoded. Comes from a stranger until its proof is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct BackCode {
    /// Unix seconds.
    pub expires: u32,
    /// The joiner's UDP port.
    pub port: u16,
    /// The joiner's addresses.
    pub addresses: Vec<IpAddr>,
    /// See the module's documentation.
    pub proof: [u8; PROOF_LEN],
}

impl fmt::Debug for BackCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackCode({} addresses)", self.addresses.len())
    }
}

/// Why a text is no such code. Each has its own next step for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackCodeError {
    /// Some other text, an invite among them.
    #[error("not a joiner's answer to a code")]
    NotOurs,
    /// Ours, but cut off or garbled.
    #[error("an incomplete or damaged answer to a code")]
    Damaged,
    /// Ours, in a format that this build can't read.
    #[error("an answer of format {0}, made by a newer app")]
    Newer(u8),
}

impl BackCode {
    /// Whether a text claims to be such a code, of whatever format and state.
    pub fn is_one(text: &str) -> bool {
        code::payload(text, PREFIX).is_some()
    }

    /// The addresses with the port.
    pub fn endpoints(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let at = |ip: &IpAddr| SocketAddr::new(*ip, self.port);
        self.addresses.iter().map(at)
    }

    /// What the proof is over: all before it. At most four addresses of each family are written.
    pub fn proven(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.expires.to_be_bytes());
        out.extend(self.port.to_be_bytes());
        code::put_addresses(&mut out, &self.addresses, FAMILY_MAX);
        out
    }

    /// The text to draw or copy.
    pub fn to_link(&self) -> String {
        code::to_text(PREFIX, &[&self.proven()[..], &self.proof].concat())
    }

    /// Reads the text; every byte must be accounted for.
    pub fn from_link(text: &str) -> Result<Self, BackCodeError> {
        let payload = code::payload(text, PREFIX).ok_or(BackCodeError::NotOurs)?;
        Self::from_bytes(&code::decode(payload)?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, BackCodeError> {
        let r = &mut Reader(bytes);
        let [version] = r.take()?;
        if version != VERSION {
            return Err(BackCodeError::Newer(version));
        }
        let code = Self {
            expires: u32::from_be_bytes(r.take()?),
            port: u16::from_be_bytes(r.take()?),
            addresses: r.addresses(FAMILY_MAX)?,
            proof: r.take()?,
        };
        r.end()?;
        Ok(code)
    }
}

impl From<Cut> for BackCodeError {
    fn from(_: Cut) -> Self {
        Self::Damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> BackCode {
        BackCode {
            expires: 1_800_000_000,
            port: 40_000,
            addresses: vec![
                IpAddr::from([192, 168, 1, 7]),
                "2001:db8::7".parse().unwrap(),
            ],
            proof: [7; PROOF_LEN],
        }
    }

    #[test]
    fn it_goes_through_its_text_and_back() {
        let link = sample().to_link();
        assert_eq!(BackCode::from_link(&link), Ok(sample()));
        assert_eq!(
            BackCode::from_link(&format!(" {}\n", link.to_lowercase())),
            Ok(sample())
        );
        assert!(BackCode::is_one(&link) && !BackCode::is_one("PEDDLENET:J/AA"));
    }

    #[test]
    fn what_is_cut_off_odd_or_newer_is_told_apart() {
        let link = sample().to_link();
        for len in PREFIX.len()..link.len() {
            assert_eq!(
                BackCode::from_link(&link[..len]),
                Err(BackCodeError::Damaged),
                "{len}"
            );
        }
        assert_eq!(
            BackCode::from_link("PEDDLENET:J/AA"),
            Err(BackCodeError::NotOurs)
        );
        let mut bytes = [sample().proven(), vec![0; PROOF_LEN]].concat();
        bytes[7] = 0x55;
        assert_eq!(BackCode::from_bytes(&bytes), Err(BackCodeError::Damaged));
        bytes[0] = 2;
        assert_eq!(BackCode::from_bytes(&bytes), Err(BackCodeError::Newer(2)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,300}", bytes: Vec<u8>) {
            let _ = BackCode::from_link(&text);
            let _ = BackCode::from_link(&format!("{PREFIX}{text}"));
            let _ = BackCode::from_bytes(&bytes);
        }
    }
}
