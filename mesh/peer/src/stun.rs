//! As much STUN (RFC 5389) as the front door needs, read in place without allocating.
//!
//! The ICE agent inside `webrtc` parses the packets that belong to a link; this module only
//! decides, before there is a link, whether a packet may make one, and writes the packets that the agent
//! does not: the refusal, the check of a dialer that nobody answers any more, what opens a firewall, and the cover of
//! an open link's keep-alives.

use crate::Fingerprint;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const HEADER_LEN: usize = 20;
const MAGIC: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_INDICATION: [u8; 2] = [0x00, 0x11];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const BINDING_ERROR: [u8; 2] = [0x01, 0x11];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
/// Ours, from the range that others ignore: the hash of the certificate to expect.
const CERTIFICATE: u16 = 0xC0CE;
/// Ours, from the same range: a keep-alive, sealed.
const KEEPALIVE: u16 = 0xC0CF;
/// Length of a keep-alive of [`crate::keepalive`].
pub(crate) const ATTESTED_LEN: usize = HEADER_LEN + 4 + 24;
/// Length of the answer that names another certificate; shorter than any request that gets it.
pub(crate) const MOVED_LEN: usize = HEADER_LEN + 8 + 36 + 24;
/// Length of the one error response we send.
pub(crate) const REFUSAL_LEN: usize = HEADER_LEN + 8;

/// Identifies a request and its response.
pub(crate) type TransactionId = [u8; 12];

/// What a packet claims to be, judged by its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    Success,
    Error,
    Indication,
    /// STUN, and of no use to us.
    Other,
}

/// STUN or not (RFC 7983: the first byte is 0..=3), and which class and transaction.
pub(crate) fn classify(packet: &[u8]) -> Option<(Class, TransactionId)> {
    let (typ, rest) = packet.split_first_chunk::<2>()?;
    if typ.first().is_none_or(|first| *first > 3) {
        return None;
    }
    let (_, rest) = rest.split_first_chunk::<2>()?;
    let (magic, rest) = rest.split_first_chunk::<4>()?;
    let (transaction, _) = rest.split_first_chunk::<12>()?;
    if *magic != MAGIC {
        return None;
    }
    let class = match *typ {
        BINDING_REQUEST => Class::Request,
        BINDING_SUCCESS => Class::Success,
        BINDING_ERROR => Class::Error,
        BINDING_INDICATION => Class::Indication,
        _ => Class::Other,
    };
    Some((class, *transaction))
}

/// A Binding Request with the two attributes we care about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BindingRequest<'p> {
    pub(crate) transaction: TransactionId,
    /// USERNAME as sent: `s_ufrag:c_ufrag`.
    pub(crate) username: &'p [u8],
    /// The message up to MESSAGE-INTEGRITY, whose length field the tag covers in adjusted form.
    covered: &'p [u8],
    tag: &'p [u8; 20],
}

impl<'p> BindingRequest<'p> {
    /// `None` for anything but a whole, well-formed request with USERNAME before
    /// MESSAGE-INTEGRITY. What follows the integrity attribute is ignored, as the RFC asks.
    pub(crate) fn read(packet: &'p [u8]) -> Option<Self> {
        let (Class::Request, transaction) = classify(packet)? else {
            return None;
        };
        let announced = u16::from_be_bytes(*packet.get(2..4)?.first_chunk::<2>()?);
        let body = packet.get(HEADER_LEN..)?;
        if usize::from(announced) != body.len() || body.len() % 4 != 0 {
            return None;
        }
        let mut username = None;
        let mut rest = body;
        while let Some((head, after)) = rest.split_first_chunk::<4>() {
            let [type_high, type_low, len_high, len_low] = *head;
            let len = usize::from(u16::from_be_bytes([len_high, len_low]));
            let value = after.get(..len)?;
            match u16::from_be_bytes([type_high, type_low]) {
                USERNAME if username.is_none() => username = Some(value),
                MESSAGE_INTEGRITY => {
                    let covered = packet.get(..packet.len().checked_sub(rest.len())?)?;
                    return Some(Self {
                        transaction,
                        username: username?,
                        covered,
                        tag: value.try_into().ok()?,
                    });
                }
                _ => {}
            }
            rest = after.get(len.checked_next_multiple_of(4)?..)?;
        }
        None
    }

    /// Whether MESSAGE-INTEGRITY holds under that short-term password (RFC 5389, 15.4).
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let Some((head, rest)) = self.covered.split_first_chunk::<4>() else {
            return false;
        };
        // The tag is computed as if the message ended with the integrity attribute itself.
        let up_to_tag = self.covered.len().saturating_sub(HEADER_LEN) + 24;
        let Ok(length) = u16::try_from(up_to_tag) else {
            return false;
        };
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(password) else {
            return false;
        };
        let [type_high, type_low, ..] = *head;
        let [len_high, len_low] = length.to_be_bytes();
        mac.update(&[type_high, type_low, len_high, len_low]);
        mac.update(rest);
        mac.verify_slice(self.tag).is_ok()
    }
}

/// A Binding Request with nothing but a user name and its integrity.
pub(crate) fn request(transaction: TransactionId, username: &[u8], password: &[u8]) -> Vec<u8> {
    let name_len = u16::try_from(username.len()).unwrap_or(u16::MAX);
    let padded = username.len().next_multiple_of(4);
    let body_len = u16::try_from(4 + padded + 24).unwrap_or(u16::MAX);
    let mut packet = Vec::with_capacity(HEADER_LEN + usize::from(body_len));
    packet.extend(BINDING_REQUEST);
    packet.extend(body_len.to_be_bytes());
    packet.extend(MAGIC);
    packet.extend(transaction);
    packet.extend(USERNAME.to_be_bytes());
    packet.extend(name_len.to_be_bytes());
    packet.extend(username);
    packet.resize(HEADER_LEN + 4 + padded, 0);
    // HMAC takes a key of any length, so this never fails.
    if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(password) {
        mac.update(&packet);
        packet.extend(MESSAGE_INTEGRITY.to_be_bytes());
        packet.extend([0, 20]);
        packet.extend(mac.finalize().into_bytes());
    }
    packet
}

/// The 401 that tells a dialer its key is not known here. Shorter than any request that gets it.
pub(crate) fn refusal(transaction: TransactionId) -> [u8; REFUSAL_LEN] {
    let mut out = [0; REFUSAL_LEN];
    let parts: [&[u8]; 6] = [
        &BINDING_ERROR,
        &[0, 8],
        &MAGIC,
        &transaction,
        // ERROR-CODE, 4 bytes of value.
        &[0x00, 0x09, 0x00, 0x04],
        // Class 4, number 01, no reason phrase.
        &[0, 0, 4, 1],
    ];
    for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    out
}

/// A Binding Indication: asks for no answer, and gets none.
pub(crate) fn indication(transaction: TransactionId) -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    let parts: [&[u8]; 4] = [&BINDING_INDICATION, &[0, 0], &MAGIC, &transaction];
    for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    out
}

/// A Binding Indication that carries something sealed under the number in its transaction id.
pub(crate) fn attested<const N: usize>(number: u64, sealed: &[u8; N]) -> [u8; ATTESTED_LEN] {
    let mut out = [0; ATTESTED_LEN];
    let attribute = u16::try_from(N).unwrap_or(u16::MAX);
    let body = attribute.saturating_add(4);
    let parts: [&[u8]; 8] = [
        &BINDING_INDICATION,
        &body.to_be_bytes(),
        &MAGIC,
        &[0; 4],
        &number.to_be_bytes(),
        &KEEPALIVE.to_be_bytes(),
        &attribute.to_be_bytes(),
        sealed,
    ];
    for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    out
}

/// Reads what [`attested`] wrote: the number, and what is sealed. There is one way to write it, and no other is read.
pub(crate) fn read_attested<const N: usize>(packet: &[u8]) -> Option<(u64, &[u8; N])> {
    let (head, sealed) = packet.split_last_chunk::<N>()?;
    let (before, _) = head.split_last_chunk::<4>()?;
    let (_, number) = before.split_last_chunk::<8>()?;
    let number = u64::from_be_bytes(*number);
    let again = attested(number, sealed);
    (packet == again.as_slice()).then_some((number, sealed))
}

/// "Try alternate" (300) with the certificate to expect, signed with the password of the request.
pub(crate) fn moved(
    transaction: TransactionId,
    certificate: &[u8; 32],
    password: &[u8],
) -> [u8; MOVED_LEN] {
    let body_len = u16::try_from(MOVED_LEN - HEADER_LEN).unwrap_or(u16::MAX);
    let mut out = [0; MOVED_LEN];
    let head: [&[u8]; 8] = [
        &BINDING_ERROR,
        &body_len.to_be_bytes(),
        &MAGIC,
        &transaction,
        // ERROR-CODE, 4 bytes of value: class 3, number 00.
        &[0x00, 0x09, 0x00, 0x04, 0, 0, 3, 0],
        &CERTIFICATE.to_be_bytes(),
        &[0, 32],
        certificate,
    ];
    for (to, from) in out.iter_mut().zip(head.into_iter().flatten()) {
        *to = *from;
    }
    if let Some((covered, integrity)) = out.split_last_chunk_mut::<24>()
        && let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(password)
    {
        mac.update(covered);
        let tag = mac.finalize().into_bytes();
        let attribute = MESSAGE_INTEGRITY.to_be_bytes().into_iter().chain([0, 20]);
        for (to, from) in integrity.iter_mut().zip(attribute.chain(tag)) {
            *to = from;
        }
    }
    out
}

/// Reads what [`moved`] wrote, if it was written under that password.
pub(crate) fn read_moved(packet: &[u8], password: &[u8]) -> Option<Fingerprint> {
    let packet: &[u8; MOVED_LEN] = packet.try_into().ok()?;
    let (Class::Error, transaction) = classify(packet)? else {
        return None;
    };
    let certificate = packet
        .get(HEADER_LEN + 12..HEADER_LEN + 44)?
        .first_chunk::<32>()?;
    // There is one way to write it, so the tag is checked by writing it again.
    let expected = moved(transaction, certificate, password);
    let (head, tag) = packet.split_last_chunk::<20>()?;
    let (expected_head, _) = expected.split_last_chunk::<20>()?;
    let mut mac = Hmac::<Sha1>::new_from_slice(password).ok()?;
    mac.update(expected.get(..MOVED_LEN.checked_sub(24)?)?);
    let signed = mac.verify_slice(tag).is_ok();
    (signed && head == expected_head).then_some(Fingerprint(*certificate))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A request as a dialer's ICE agent would write it.
    pub(crate) fn request(username: &[u8], password: &[u8]) -> Vec<u8> {
        super::request([5; 12], username, password)
    }

    #[test]
    fn integrity_holds_only_under_its_password() {
        let packet = request(b"server:client", b"secret");
        let read = BindingRequest::read(&packet).unwrap();
        assert_eq!(read.username, b"server:client");
        assert!(read.verify(b"secret"));
        assert!(!read.verify(b"Secret"));
        assert!(!read.verify(b""));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let good = request(b"server:client", b"secret");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let holds = BindingRequest::read(&bad).is_some_and(|read| read.verify(b"secret"));
            assert!(!holds, "bit {bit}");
        }
    }

    #[test]
    fn a_refusal_answers_its_request() {
        let packet = refusal([7; 12]);
        assert_eq!(classify(&packet), Some((Class::Error, [7; 12])));
        assert_eq!(packet[packet.len() - 2..], [4, 1]);
    }

    #[test]
    fn a_new_certificate_is_believed_under_the_password_of_the_request_alone() {
        let opener = indication([7; 12]);
        assert!(matches!(classify(&opener), Some((Class::Indication, _))));
        assert!(read_attested::<24>(&opener).is_none());
        let packet = moved([7; 12], &[9; 32], b"secret");
        assert_eq!(classify(&packet), Some((Class::Error, [7; 12])));
        assert_eq!(read_moved(&packet, b"secret"), Some(Fingerprint([9; 32])));
        assert_eq!(read_moved(&packet, b"Secret"), None);
        assert_eq!(read_moved(&refusal([7; 12]), b"secret"), None);
        for bit in 0..packet.len() * 8 {
            let mut bad = packet;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_moved(&bad, b"secret"), None, "bit {bit}");
        }
        assert!(packet.len() < request(&[b'x'; 80], b"secret").len());
    }

    proptest! {
        #[test]
        fn arbitrary_answers_never_panic(packet in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read_moved(&packet, b"secret").is_none());
        }

        #[test]
        fn arbitrary_bytes_never_panic(packet in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = classify(&packet);
            prop_assert!(read_attested::<24>(&packet).is_none());
            let _ = BindingRequest::read(&packet).map(|read| read.verify(b"x"));
        }

        #[test]
        fn damaged_requests_never_panic(
            at in 0usize..120, byte: u8, cut in 0usize..120,
        ) {
            let mut packet = request(b"server:client", b"secret");
            if let Some(slot) = packet.get_mut(at) { *slot = byte; }
            packet.truncate(packet.len().saturating_sub(cut));
            let _ = BindingRequest::read(&packet).map(|read| read.verify(b"secret"));
        }
    }
}
