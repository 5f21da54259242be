//! Events: sealing, signing, verifying, opening.
//!
//! ```text
//!  Draft + key + epoch + nonce + plaintext
//!     header, body_hash = 0  --associated data-->  body = seal(plaintext)
//!     header, body_hash = SHA-256(body)  --sign "pn/event/1"-->  SignedEvent
//!
//!  a relay:   from_bytes -> verify_event            no key needed, also for a body that is gone
//!  a reader:  from_bytes -> verify_event -> open_event
//! ```
//!
//! The key of a body is HKDF(k, author, stream), k being `k_member` for stream 0 and `k_content`
//! for stream 1. Streams from 2 on are direct messages, which go to a pair and not to the room: they
//! are sealed and opened by [`direct`](crate::direct), never here ([`CryptoError::UnknownSealing`]).
//!
//! Measured overhead (`an_event_costs_about_what_the_design_says` prints it): 268 bytes without
//! parents, 34 more for each, and a body of 40 bytes around the padded plaintext. A text of 17
//! bytes with one parent makes an event of 374: 231 header, 64 signature, 72 body, 7 envelope.

use peddlenet_wire::{
    AuthorId, Capped, EpochId, EventHash, Header, Hlc, RoomTag, Seq, SignedEvent, Stream,
    event::{SUITE, VERSION, sha256},
    ids::Digest,
    limits,
};
use zeroize::Zeroizing;

use crate::{
    CryptoError,
    author::{AuthorKey, Context, verify},
    derive::derive,
    epoch::EpochKeys,
    seal,
};

const KEY_LABEL: &[u8] = b"pn/key/event/1";

/// What an event says about itself beside its author, epoch and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The room.
    pub room: RoomTag,
    /// Which of the author's logs.
    pub stream: Stream,
    /// Where in that log; the first is 1.
    pub seq: Seq,
    /// The author's event before this one in the same stream; zero for the first.
    pub previous: EventHash,
    /// Greater than the clock of everything the author has seen.
    pub clock: Hlc,
    /// Latest events of other authors that the author has seen.
    pub parents: Capped<EventHash, { limits::PARENTS_MAX }>,
    /// Hash over the heads of stream 0 as the author knows them.
    pub membership: Digest,
}

/// Seals and signs an event. `nonce` must be 24 fresh random bytes.
pub fn seal_event(
    draft: &Draft,
    key: &AuthorKey,
    epoch: &EpochKeys,
    nonce: [u8; 24],
    plaintext: &[u8],
) -> Result<SignedEvent, CryptoError> {
    let header = header_of(draft, key.id(), epoch.id());
    let body_key = body_key(epoch, header.author, header.stream)?;
    let body = seal::seal(
        &body_key,
        &nonce,
        &header.to_bytes(),
        plaintext,
        limits::BODY_MAX,
    )?;
    sign_event(header, key, body)
}

/// The header of a draft, its body not known yet.
pub(crate) fn header_of(draft: &Draft, author: AuthorId, epoch: EpochId) -> Header {
    Header {
        version: VERSION,
        suite: SUITE,
        room: draft.room,
        author,
        stream: draft.stream,
        seq: draft.seq,
        previous: draft.previous,
        clock: draft.clock,
        parents: draft.parents.clone(),
        epoch,
        membership: draft.membership,
        body_hash: Digest::ZERO,
    }
}

/// Names the sealed body in the header and signs it.
pub(crate) fn sign_event(
    mut header: Header,
    key: &AuthorKey,
    body: Vec<u8>,
) -> Result<SignedEvent, CryptoError> {
    header.body_hash = sha256(&body);
    let header = header.to_bytes();
    let signature = key.sign(Context::Event, &header);
    Ok(SignedEvent::from_parts(header, signature, Some(body))?)
}

/// Whether the author in the header signed it, over the bytes as received.
///
/// Holds for a stub whose body was deleted too: the header names the body by its hash, which
/// `SignedEvent` has checked.
pub fn verify_event(event: &SignedEvent) -> Result<(), CryptoError> {
    let header = event.header();
    if header.suite != SUITE {
        return Err(CryptoError::UnknownSuite(header.suite));
    }
    verify(
        header.author,
        Context::Event,
        event.header_bytes(),
        &event.signature(),
    )
}

/// The plaintext of an event. Says nothing about who wrote it: [`verify_event`] comes first.
pub fn open_event(event: &SignedEvent, epoch: &EpochKeys) -> Result<Vec<u8>, CryptoError> {
    let header = event.header();
    if header.suite != SUITE {
        return Err(CryptoError::UnknownSuite(header.suite));
    }
    if header.epoch != epoch.id() {
        return Err(CryptoError::OtherEpoch {
            sealed: header.epoch,
            given: epoch.id(),
        });
    }
    let key = body_key(epoch, header.author, header.stream)?;
    let body = event.body().ok_or(CryptoError::NoBody)?;
    seal::open(&key, &event.associated_data(), body)
}

fn body_key(
    epoch: &EpochKeys,
    author: AuthorId,
    stream: Stream,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let secret = match stream {
        Stream::MEMBERSHIP => epoch.member(),
        Stream::CONTENT => epoch.content()?,
        _ => return Err(CryptoError::UnknownSealing),
    };
    Ok(derive(
        secret,
        &[KEY_LABEL, &author.0, &stream.0.to_be_bytes()],
    ))
}

#[cfg(test)]
mod tests;
