//! Gates: the keys by which a dialer's very first packet is told from a stranger's.
//!
//! ```text
//! s_ufrag = "J1" | "M1"  +  b64(client certificate SHA-256)  +  client ICE pwd        69 chars
//! s_pwd   = b64(first 24 bytes of HMAC-SHA256(ice_key, "pn/ice/1" || s_ufrag))        32 chars
//! ```
//!
//! A dialer announces its certificate and its ICE password inside the user name fragment of the
//! listener, and proves with the message integrity of the packet that it could compute `s_pwd`.
//! So the listener knows both DTLS fingerprints and both ICE passwords after one packet, without
//! a signalling channel. A gate is no identity: identity is proven after the link handshake.
//!
//! A listener's certificate changes every day, and the one of yesterday may still be named by an
//! invite. The dialer's own fragment says which one it expects, and only to who holds the key:
//!
//! ```text
//! c_ufrag = "pn" + b64(first 6 bytes of HMAC-SHA256(ice_key, "pn/ice/certificate/1" || s_ufrag || hash))
//! ```
//!
//! A dialer that found a device nearby and knows no certificate of it names 32 zeros, and is told.

use crate::Fingerprint;
use data_encoding::BASE64_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroize;

/// Length of a listener's user name fragment.
pub(crate) const S_UFRAG_LEN: usize = 69;
/// Length of a listener's ICE password.
pub(crate) const S_PWD_LEN: usize = 32;
/// Length of a dialer's ICE password: 18 random bytes in base64.
pub(crate) const C_PWD_LEN: usize = 24;
/// Length of the base64 of a certificate's SHA-256.
const FINGERPRINT_LEN: usize = 43;
const LABEL: &[u8] = b"pn/ice/1";
const HINT_LABEL: &[u8] = b"pn/ice/certificate/1";
/// What a dialer's own fragment begins with when it names a certificate.
const HINT_PREFIX: &[u8] = b"pn";
/// Length of a dialer's own fragment.
pub(crate) const HINT_LEN: usize = 10;

/// No certificate has this hash: a dialer that names it asks for the listener's.
pub(crate) const ASKED: Fingerprint = Fingerprint::ZERO;

/// Names a gate towards `mesh`: it comes back with the link that the gate let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateId(pub u64);

/// Which of the two families of keys a gate belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `J1`: keys derived from an invite.
    Invite,
    /// `M1`: keys derived from a room's member key.
    Member,
}

impl Kind {
    fn prefix(self) -> &'static [u8; 2] {
        match self {
            Self::Invite => b"J1",
            Self::Member => b"M1",
        }
    }
}

/// One key that may open a link, and the Noise psk that goes with it.
#[derive(Clone)]
pub struct Gate {
    /// Chosen by `mesh`.
    pub id: GateId,
    /// Which user name prefix selects it.
    pub kind: Kind,
    /// Key of the ICE password.
    pub ice_key: [u8; 32],
    /// Pre-shared key of the Noise handshake.
    pub psk: [u8; 32],
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({:?}, {:?}, ..)", self.id, self.kind)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.ice_key.zeroize();
        self.psk.zeroize();
    }
}

/// A listener's user name fragment, as it stands in a packet.
pub(crate) type ServerUfrag = [u8; S_UFRAG_LEN];

/// Builds the fragment a dialer shows.
pub(crate) fn server_ufrag(
    kind: Kind,
    client: Fingerprint,
    client_pwd: &[u8; C_PWD_LEN],
) -> ServerUfrag {
    let mut ufrag = [0; S_UFRAG_LEN];
    let (prefix, rest) = ufrag.split_at_mut(2);
    let (fingerprint, pwd) = rest.split_at_mut(FINGERPRINT_LEN);
    prefix.copy_from_slice(kind.prefix());
    BASE64_NOPAD.encode_mut(&client.0, fingerprint);
    pwd.copy_from_slice(client_pwd);
    ufrag
}

/// What a well-formed fragment says. Borrows from the packet, allocates nothing.
pub(crate) struct Announced<'p> {
    pub(crate) kind: Kind,
    pub(crate) client: Fingerprint,
    pub(crate) client_pwd: &'p str,
}

/// Reads a fragment; `None` when it is not one of ours.
pub(crate) fn read_ufrag(ufrag: &ServerUfrag) -> Option<Announced<'_>> {
    if !ufrag.iter().copied().all(is_ice_char) {
        return None;
    }
    let (prefix, rest) = ufrag.split_first_chunk::<2>()?;
    let kind = match prefix {
        b"J1" => Kind::Invite,
        b"M1" => Kind::Member,
        _ => return None,
    };
    let (fingerprint, pwd) = rest.split_first_chunk::<FINGERPRINT_LEN>()?;
    let mut client = [0; 32];
    match BASE64_NOPAD.decode_mut(fingerprint, &mut client) {
        Ok(32) => {}
        _ => return None,
    }
    Some(Announced {
        kind,
        client: Fingerprint(client),
        client_pwd: std::str::from_utf8(pwd).ok()?,
    })
}

/// The listener's ICE password for that fragment under that key.
pub(crate) fn server_pwd(ice_key: &[u8; 32], ufrag: &ServerUfrag) -> [u8; S_PWD_LEN] {
    let mut pwd = [0; S_PWD_LEN];
    // HMAC takes a key of any length, so this never fails.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(ice_key) {
        mac.update(LABEL);
        mac.update(ufrag);
        let tag: [u8; 32] = mac.finalize().into_bytes().into();
        if let Some((first, _)) = tag.split_first_chunk::<24>() {
            BASE64_NOPAD.encode_mut(first, &mut pwd);
        }
    }
    pwd
}

/// The dialer's own user name fragment: which of the listener's certificates it expects. It looks
/// like chance to others, and is another one for each dial.
pub(crate) fn certificate_hint(
    ice_key: &[u8; 32],
    ufrag: &ServerUfrag,
    listener: Fingerprint,
) -> [u8; HINT_LEN] {
    let mut hint = [0; HINT_LEN];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(ice_key) {
        mac.update(HINT_LABEL);
        mac.update(ufrag);
        mac.update(&listener.0);
        let tag: [u8; 32] = mac.finalize().into_bytes().into();
        if let (Some(first), Some((prefix, rest))) = (
            tag.first_chunk::<6>(),
            hint.split_at_mut_checked(HINT_PREFIX.len()),
        ) {
            prefix.copy_from_slice(HINT_PREFIX);
            BASE64_NOPAD.encode_mut(first, rest);
        }
    }
    hint
}

/// Whether a dialer's own fragment names a certificate; that of a browser does not.
pub(crate) fn is_hint(c_ufrag: &[u8]) -> bool {
    c_ufrag.len() == HINT_LEN && c_ufrag.starts_with(HINT_PREFIX)
}

/// `ice-char` of RFC 8839: also what keeps line breaks out of the SDP we write.
pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_reads_back_as_it_was_built() {
        let ufrag = server_ufrag(
            Kind::Member,
            Fingerprint([7; 32]),
            b"abcdefghijklmnopqrstuvwx",
        );
        let read = read_ufrag(&ufrag).unwrap();
        assert_eq!(read.kind, Kind::Member);
        assert_eq!(read.client, Fingerprint([7; 32]));
        assert_eq!(read.client_pwd, "abcdefghijklmnopqrstuvwx");
    }

    #[test]
    fn foreign_fragments_are_refused() {
        let good = server_ufrag(
            Kind::Invite,
            Fingerprint([7; 32]),
            b"abcdefghijklmnopqrstuvwx",
        );
        for (at, byte) in [
            (0, b'X'),
            (1, b'2'),
            (10, b'\r'),
            (44, b'z'),
            (68, b'\n'),
            (68, 0xff),
        ] {
            let mut bad = good;
            bad[at] = byte;
            assert!(read_ufrag(&bad).is_none(), "byte {at} = {byte}");
        }
    }

    #[test]
    fn a_hint_names_one_certificate_of_one_dial_to_holders_of_the_key() {
        let one = server_ufrag(Kind::Member, Fingerprint([1; 32]), &[b'p'; C_PWD_LEN]);
        let two = server_ufrag(Kind::Member, Fingerprint([2; 32]), &[b'p'; C_PWD_LEN]);
        let hint = certificate_hint(&[9; 32], &one, Fingerprint([5; 32]));
        assert!(is_hint(&hint) && hint.iter().copied().all(is_ice_char));
        assert_ne!(hint, certificate_hint(&[9; 32], &one, Fingerprint([6; 32])));
        assert_ne!(hint, certificate_hint(&[9; 32], &two, Fingerprint([5; 32])));
        assert_ne!(hint, certificate_hint(&[8; 32], &one, Fingerprint([5; 32])));
        assert!(!is_hint(b"abcd") && !is_hint(b"abcdefghij"));
    }

    #[test]
    fn the_password_depends_on_key_and_fragment() {
        let one = server_ufrag(
            Kind::Invite,
            Fingerprint([1; 32]),
            b"abcdefghijklmnopqrstuvwx",
        );
        let two = server_ufrag(
            Kind::Invite,
            Fingerprint([2; 32]),
            b"abcdefghijklmnopqrstuvwx",
        );
        let pwd = server_pwd(&[9; 32], &one);
        assert!(pwd.iter().copied().all(is_ice_char));
        assert_ne!(pwd, server_pwd(&[9; 32], &two));
        assert_ne!(pwd, server_pwd(&[8; 32], &one));
    }
}
