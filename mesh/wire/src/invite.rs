//! What a join code says: who to dial, and a secret that lets a stranger ask to be admitted.
//!
//! ```text
//!  0        1          5            21       23        24                          +32           +16
//!  +--------+----------+------------+--------+---------+----------------------------+-------------+-----------------+
//!  | ver|fl | expiry s | room id 16 | port 2 | n6 | n4 | IPv4 4*n4 .. IPv6 16*n6 .. | fingerprint | secret 16 | server? |
//!  +--------+----------+------------+--------+---------+----------------------------+-------------+-----------------+
//!  ver|fl   high nibble: format version; low nibble: flags, bit 0 = a rendezvous server follows (length, UTF-8)
//!  n6 | n4  how many IPv6 (high nibble) and IPv4 (low nibble) addresses; all big-endian
//! ```
//!
//! 80 bytes with two IPv4 addresses. The text form is `PEDDLENET:J/` and RFC 4648 base32 without
//! padding, upper case: a QR stores it in alphanumeric mode, any scanner hands it over unharmed, a
//! phone's own camera opens the app with it, and a person can paste it.
//!
//! The code holds no content key. Its secret seeds an Ed25519 key whose public half P the room knows
//! (`peddlenet_crypto::invite`).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    code::{self, Cut, Reader},
    ids::{Fingerprint, RoomId},
    limits,
};

/// What the text form starts with.
pub const PREFIX: &str = "PEDDLENET:J/";
/// The format this build writes and reads.
pub const VERSION: u8 = 1;

const FLAG_SERVER: u8 = 1;
const FAMILY_MAX: usize = 15;
/// No binary form is longer (it is at most 501 bytes), so writing one never moves the secret.
const LONGEST: usize = 512;

/// A join code, decoded. Shows neither secret nor addresses in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Invite {
    /// Unix seconds; judged by who answers, a joiner only warns.
    pub expires: u32,
    /// The room, which the answerer must prove to belong to.
    pub room: RoomId,
    /// The inviter's UDP port.
    pub port: u16,
    /// The inviter's addresses, IPv4 first, at most 15 of each family.
    pub addresses: Vec<IpAddr>,
    /// The inviter's DTLS certificate.
    pub fingerprint: Fingerprint,
    /// Seeds the invite key.
    pub secret: InviteSecret,
    /// A rendezvous server, for joiners who can't reach the addresses.
    pub server: Option<String>,
}

/// The part of a code that must not leak. Redacted in logs, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct InviteSecret(pub [u8; 16]);

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.addresses.len();
        write!(f, "Invite(to {:?}, {addresses} addresses)", self.room)
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteSecret(..)")
    }
}

/// Why a text is no join code. Each has its own next step for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// Some other text: a web address, a Wi-Fi code, a ticket.
    #[error("not a PeddleNet code")]
    NotOurs,
    /// Ours, but cut off or garbled.
    #[error("an incomplete or damaged PeddleNet code")]
    Damaged,
    /// Ours, in a format that this build can't read.
    #[error("a code of format {0}, made by a newer app")]
    Newer(u8),
}

impl Invite {
    /// The addresses with the port.
    pub fn endpoints(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, self.port))
    }

    /// The binary form. At most 15 addresses of each family and [`limits::SERVER_MAX`] bytes of server are written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let server = self
            .server
            .as_deref()
            .filter(|s| s.len() <= limits::SERVER_MAX);
        let mut out = Vec::with_capacity(LONGEST);
        out.push(VERSION << 4 | if server.is_some() { FLAG_SERVER } else { 0 });
        out.extend(self.expires.to_be_bytes());
        out.extend(self.room.0);
        out.extend(self.port.to_be_bytes());
        code::put_addresses(&mut out, &self.addresses, FAMILY_MAX);
        out.extend(self.fingerprint.0);
        out.extend(self.secret.0);
        if let Some(server) = server {
            out.push(u8::try_from(server.len()).unwrap_or(0));
            out.extend(server.as_bytes());
        }
        out
    }

    /// Reads the binary form; every byte must be accounted for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InviteError> {
        let r = &mut Reader(bytes);
        let [head] = r.take()?;
        if head >> 4 != VERSION {
            return Err(InviteError::Newer(head >> 4));
        }
        let expires = u32::from_be_bytes(r.take()?);
        let room = RoomId(r.take()?);
        let port = u16::from_be_bytes(r.take()?);
        let addresses = r.addresses(FAMILY_MAX)?;
        let fingerprint = Fingerprint(r.take()?);
        let secret = InviteSecret(r.take()?);
        let server = if head & FLAG_SERVER != 0 {
            let [len] = r.take()?;
            let text = r.take_slice(usize::from(len))?;
            let text = std::str::from_utf8(text).map_err(|_| InviteError::Damaged)?;
            if text.len() > limits::SERVER_MAX || text.chars().any(char::is_control) {
                return Err(InviteError::Damaged);
            }
            Some(text.to_owned())
        } else {
            None
        };
        r.end()?;
        Ok(Self {
            expires,
            room,
            port,
            addresses,
            fingerprint,
            secret,
            server,
        })
    }

    /// The link to draw or copy.
    pub fn to_link(&self) -> String {
        code::to_text(PREFIX, &self.to_bytes())
    }

    /// Reads a link as a person or a scanner hands it over: any case, white space around and inside
    /// (chat programs wrap long lines).
    pub fn from_link(text: &str) -> Result<Self, InviteError> {
        let payload = code::payload(text, PREFIX).ok_or(InviteError::NotOurs)?;
        Self::from_bytes(&code::decode(payload)?)
    }
}

impl From<Cut> for InviteError {
    fn from(_: Cut) -> Self {
        Self::Damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Invite {
        Invite {
            expires: 1_800_000_000,
            room: RoomId(*b"room-id-16-bytes"),
            port: 47_777,
            addresses: vec![IpAddr::from([192, 168, 43, 1]), IpAddr::from([10, 0, 0, 7])],
            fingerprint: Fingerprint([7; 32]),
            secret: InviteSecret([9; 16]),
            server: None,
        }
    }

    #[test]
    fn two_ipv4_addresses_make_80_bytes() {
        assert_eq!(sample().to_bytes().len(), 80);
    }

    #[test]
    fn the_link_fits_alphanumeric_qr_mode() {
        let link = sample().to_link();
        assert!(
            link.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || ":/".contains(c))
        );
        assert_eq!(link.len(), PREFIX.len() + 128);
    }

    #[test]
    fn pasted_links_survive_case_and_wrapping() {
        let link = sample().to_link().to_lowercase();
        let wrapped = format!("  {}\n  {}\r\n", &link[..60], &link[60..]);
        assert_eq!(Invite::from_link(&wrapped), Ok(sample()));
    }

    #[test]
    fn other_codes_and_damaged_ones_are_told_apart() {
        assert_eq!(
            Invite::from_link("WIFI:S:camp;T:WPA;P:x;;"),
            Err(InviteError::NotOurs)
        );
        assert_eq!(Invite::from_link(""), Err(InviteError::NotOurs));
        let link = sample().to_link();
        for len in PREFIX.len()..link.len() {
            assert_eq!(
                Invite::from_link(&link[..len]),
                Err(InviteError::Damaged),
                "cut to {len}"
            );
        }
        let mut newer = sample().to_bytes();
        newer[0] = 0x20;
        assert_eq!(Invite::from_bytes(&newer), Err(InviteError::Newer(2)));
    }
}
