//! First packets, written as a dialer's ICE agent writes them (join.md): the other side's code, so that a fault in
//! ours is not repeated here.

use data_encoding::BASE64_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

/// The listener's ICE password for a fragment under the key of a gate.
pub(crate) fn server_pwd(key: &[u8; 32], ufrag: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(b"pn/ice/1");
    mac.update(ufrag);
    BASE64_NOPAD
        .encode(&mac.finalize().into_bytes()[..24])
        .into_bytes()
}

/// A Binding Request with these attributes between its user name and its integrity.
pub(crate) fn request(username: &[u8], attributes: &[u8], password: &[u8]) -> Vec<u8> {
    let length = |n: usize| u16::try_from(n).expect("a short packet").to_be_bytes();
    let padded = username.len().next_multiple_of(4);
    let mut packet = vec![0, 1];
    packet.extend(length(4 + padded + attributes.len() + 24));
    packet.extend([0x21, 0x12, 0xa4, 0x42]);
    packet.extend([5; 12]);
    packet.extend([0, 6]);
    packet.extend(length(username.len()));
    packet.extend(username);
    packet.resize(20 + 4 + padded, 0);
    packet.extend(attributes);
    let mut mac = Hmac::<Sha1>::new_from_slice(password).expect("a key of any length");
    mac.update(&packet);
    packet.extend([0, 8, 0, 20]);
    packet.extend(mac.finalize().into_bytes());
    packet
}
