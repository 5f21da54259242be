//! What codes that are scanned, copied or pasted have in common.
//!
//! ```text
//!  PEDDLENET:J/…  come in                  PEDDLENET:V/…  check a person
//!  PEDDLENET:B/…  where a joiner is        PEDDLENET:C/…  a pass of a carrier box
//! ```
//!
//! The scheme, a letter for the kind, and RFC 4648 base32 without padding, all upper case: a QR stores it
//! in alphanumeric mode, any scanner hands it over unharmed, a phone's own camera opens the app with it,
//! and a person can paste it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::BASE32_NOPAD;

use crate::limits;

/// Bytes that end too soon, or go on for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

/// The text to draw or copy.
pub(crate) fn to_text(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", BASE32_NOPAD.encode(bytes))
}

/// What follows the prefix of a kind, in a text as a person or a scanner hands it over: any case, white
/// space around it. `None`: it is of another kind.
pub(crate) fn payload<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let text = text.trim();
    let start = text.get(..prefix.len())?;
    text.get(prefix.len()..)
        .filter(|_| start.eq_ignore_ascii_case(prefix))
}

/// The bytes of a payload; white space inside is skipped, since chat programs wrap long lines.
pub(crate) fn decode(payload: &str) -> Result<Vec<u8>, Cut> {
    decode_up_to(payload, limits::LINK_TEXT_MAX)
}

/// The same for a kind with a limit of its own, in bytes of text.
pub(crate) fn decode_up_to(payload: &str, most: usize) -> Result<Vec<u8>, Cut> {
    if payload.len() > most {
        return Err(Cut);
    }
    let plain: String = payload
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect();
    BASE32_NOPAD.decode(plain.as_bytes()).map_err(|_| Cut)
}

/// Writes how many addresses there are, then those: `n6 | n4` in one byte, IPv4 4·n4, IPv6 16·n6. At most
/// `most` of each family, and 15.
pub(crate) fn put_addresses(out: &mut Vec<u8>, addresses: &[IpAddr], most: usize) {
    let most = most.min(0x0f);
    let v4 = addresses.iter().filter_map(|ip| match ip {
        IpAddr::V4(ip) => Some(ip.octets()),
        IpAddr::V6(_) => None,
    });
    let v6 = addresses.iter().filter_map(|ip| match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(ip) => Some(ip.octets()),
    });
    let v4: Vec<_> = v4.take(most).collect();
    let v6: Vec<_> = v6.take(most).collect();
    // Both counts fit their nibble.
    out.push(u8::try_from(v6.len() << 4 | v4.len()).unwrap_or(0));
    v4.iter().for_each(|ip| out.extend(ip));
    v6.iter().for_each(|ip| out.extend(ip));
}

/// Reads a binary form from front to back.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Cut)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn take_slice(&mut self, len: usize) -> Result<&'a [u8], Cut> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Cut)?;
        self.0 = rest;
        Ok(head)
    }

    /// What [`put_addresses`] wrote.
    pub(crate) fn addresses(&mut self, most: usize) -> Result<Vec<IpAddr>, Cut> {
        let [counts] = self.take()?;
        let (n4, n6) = (usize::from(counts & 0x0f), usize::from(counts >> 4));
        if n4 > most || n6 > most {
            return Err(Cut);
        }
        let mut addresses = Vec::new();
        for _ in 0..n4 {
            addresses.push(Ipv4Addr::from(self.take::<4>()?).into());
        }
        for _ in 0..n6 {
            addresses.push(Ipv6Addr::from(self.take::<16>()?).into());
        }
        Ok(addresses)
    }

    /// Every byte must be accounted for.
    pub(crate) fn end(&self) -> Result<(), Cut> {
        if self.0.is_empty() { Ok(()) } else { Err(Cut) }
    }
}
