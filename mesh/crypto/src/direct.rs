//! Direct messages: events that two members of a room can open, and the parcels they travel in.
//!
//! ```text
//!  seed --HKDF--> content key, nonce, a seed for each box
//!
//!  body:    box for the recipient 80 | box for the author 80 | nonce 24 | ciphertext | tag 16
//!           \__ HPKE of the content key, see sealed_to __/    \__ XChaCha20-Poly1305 of the padded text __/
//!           associated data: the header, body_hash zeroed      the same, and both boxes
//!
//!  parcel:  0x01 | HPKE to the recipient of an event or a receipt; associated data: room, from, to
//! ```
//!
//! The event is signed like any other and stands in its author's log for that recipient, so the
//! recipient checks who wrote it and what is missing. The author's own box opens own history after a
//! restart. Nothing is sealed under keys of the room: no other member, past or future, opens it.
//!
//! A parcel hides the event's header too, so whoever carries one sees from whom, for whom and how
//! long, and can't tell two attempts to deliver one message from two messages of one length.
//!
//! The log for one recipient: 2^31 + the first 31 bits of SHA-256(label, room, author, recipient). Two
//! recipients of one author may share a log by chance; each then sees gaps, which are allowed.

use peddlenet_wire::{
    AuthorId, EpochId, EventHash, RoomTag, Signature, SignedEvent, Stream,
    direct::{Arrived, PARCEL_VERSION},
    event::{SUITE, sha256},
    limits,
};
use zeroize::Zeroizing;

use crate::{
    CryptoError, Draft,
    author::{AuthorKey, Context, verify},
    derive::derive,
    event::{header_of, sign_event},
    seal,
    sealed_to::{OVERHEAD, open_sealed, seal_to},
};

const STREAM_LABEL: &[u8] = b"pn/direct/stream/1";
const BOX_INFO: &[u8] = b"pn/direct/box/1";
const PARCEL_INFO: &[u8] = b"pn/direct/parcel/1";
const SEED_LABEL: &[u8] = b"pn/direct/seed/1";

/// One box: the sealed content key (bytes).
const BOX_LEN: usize = 32 + OVERHEAD;

/// The log in which an author's messages to one recipient stand.
pub fn direct_stream(room: RoomTag, author: AuthorId, to: AuthorId) -> Stream {
    let [a, b, c, d, ..] = sha256(&[STREAM_LABEL, &room.0, &author.0, &to.0].concat()).0;
    Stream(u32::from_be_bytes([a, b, c, d]) | 1 << 31)
}

/// Seals and signs a direct message. `seed` must be 32 fresh random bytes; `epoch` only says which
/// one the author was in.
pub fn seal_direct(
    draft: &Draft,
    key: &AuthorKey,
    to: AuthorId,
    epoch: EpochId,
    seed: [u8; 32],
    plaintext: &[u8],
) -> Result<SignedEvent, CryptoError> {
    if draft.stream != direct_stream(draft.room, key.id(), to) || to == key.id() {
        return Err(CryptoError::UnknownSealing);
    }
    let seed = Zeroizing::new(seed);
    let part = |n: u8| derive(&*seed, &[SEED_LABEL, &[n]]);
    let header = header_of(draft, key.id(), epoch);
    let associated = header.to_bytes();
    let content_key = part(0);
    let mut body = Vec::with_capacity(limits::UNICAST_MAX);
    for (n, to) in [(1, to), (2, key.id())] {
        let sealed = seal_to(to, BOX_INFO, &associated, *part(n), &*content_key)?;
        body.extend_from_slice(&sealed);
    }
    let associated = [&*associated, &body].concat();
    let mut nonce = [0; 24];
    nonce
        .iter_mut()
        .zip(part(3).iter())
        .for_each(|(to, from)| *to = *from);
    let max = limits::UNICAST_MAX.saturating_sub(body.len());
    let sealed = seal::seal(&content_key, &nonce, &associated, plaintext, max)?;
    body.extend_from_slice(&sealed);
    sign_event(header, key, body)
}

/// The plaintext of a direct message, for its recipient or its author. Says nothing about who wrote
/// it: [`verify_event`](crate::verify_event) comes first.
pub fn open_direct(
    event: &SignedEvent,
    key: &AuthorKey,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let header = event.header();
    if header.suite != SUITE {
        return Err(CryptoError::UnknownSuite(header.suite));
    }
    if !header.stream.is_direct() {
        return Err(CryptoError::UnknownSealing);
    }
    let body = event.body().ok_or(CryptoError::NoBody)?;
    let (boxes, sealed) = body
        .split_at_checked(2 * BOX_LEN)
        .ok_or(CryptoError::Sealed)?;
    let (theirs, own) = boxes.split_at(BOX_LEN);
    let mine = if header.author == key.id() {
        own
    } else {
        theirs
    };
    let associated = event.associated_data();
    let content_key = open_sealed(key, BOX_INFO, &associated, mine)?;
    let content_key = <&[u8; 32]>::try_from(&**content_key).map_err(|_| CryptoError::Sealed)?;
    seal::open(content_key, &[&*associated, boxes].concat(), sealed).map(Zeroizing::new)
}

/// Seals what goes to one member: opaque to whoever carries it. `seed` must be 32 fresh random bytes.
pub fn seal_parcel(
    room: RoomTag,
    from: AuthorId,
    to: AuthorId,
    seed: [u8; 32],
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let sealed = seal_to(to, PARCEL_INFO, &pair(room, from, to), seed, plaintext)?;
    Ok([&[PARCEL_VERSION], &*sealed].concat())
}

/// Opens a parcel for this member. Who sent it is what its carriers claim, so what is inside has to be
/// signed.
pub fn open_parcel(
    room: RoomTag,
    from: AuthorId,
    key: &AuthorKey,
    parcel: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    match parcel.split_first() {
        Some((&PARCEL_VERSION, sealed)) => {
            open_sealed(key, PARCEL_INFO, &pair(room, from, key.id()), sealed)
        }
        _ => Err(CryptoError::UnknownSealing),
    }
}

fn pair(room: RoomTag, from: AuthorId, to: AuthorId) -> Vec<u8> {
    [&room.0[..], &from.0, &to.0].concat()
}

/// The recipient's signature that a message arrived, or was seen.
pub fn direct_receipt(
    key: &AuthorKey,
    room: RoomTag,
    event: EventHash,
    state: Arrived,
) -> Signature {
    key.sign(Context::DirectReceipt, &receipt_bytes(room, event, state))
}

/// Whether `author` said that of the message.
pub fn verify_direct_receipt(
    author: AuthorId,
    room: RoomTag,
    event: EventHash,
    state: Arrived,
    signature: &Signature,
) -> Result<(), CryptoError> {
    verify(
        author,
        Context::DirectReceipt,
        &receipt_bytes(room, event, state),
        signature,
    )
}

fn receipt_bytes(room: RoomTag, event: EventHash, state: Arrived) -> Vec<u8> {
    let state = match state {
        Arrived::Stored => 0,
        Arrived::Seen => 1,
    };
    [&room.0[..], &event.0, &[state]].concat()
}

#[cfg(test)]
mod tests;
