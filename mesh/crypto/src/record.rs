//! Records: sealing, signing, verifying, opening. As for [events](crate::event), with a context
//! and a key for each kind.
//!
//! | kind | sealed under |
//! |---|---|
//! | receipts | `k_content`: who may not read may not know who has read |
//! | whereabouts, presence, meet | `k_member` |
//! | any other | unknown to this build: verified and carried, not opened |

use peddlenet_wire::{
    AuthorId, Hlc, RoomTag, SignedRecord,
    event::sha256,
    ids::Digest,
    limits,
    record::{RecordHeader, RecordKind, VERSION},
};
use zeroize::Zeroizing;

use crate::{
    CryptoError,
    author::{AuthorKey, Context, verify},
    derive::derive,
    epoch::EpochKeys,
    seal,
};

const KEY_LABEL: &[u8] = b"pn/key/record/1";

/// Seals and signs a record. `nonce` must be 24 fresh random bytes.
pub fn seal_record(
    kind: RecordKind,
    room: RoomTag,
    clock: Hlc,
    key: &AuthorKey,
    epoch: &EpochKeys,
    nonce: [u8; 24],
    plaintext: &[u8],
) -> Result<SignedRecord, CryptoError> {
    let mut header = RecordHeader {
        version: VERSION,
        kind,
        room,
        author: key.id(),
        clock,
        epoch: epoch.id(),
        body_hash: Digest::ZERO,
    };
    let associated = header.to_bytes();
    let body_key = body_key(epoch, header.author, kind)?;
    let max = limits::RECORD_MAX.saturating_sub(associated.len());
    let body = seal::seal(&body_key, &nonce, &associated, plaintext, max)?;
    header.body_hash = sha256(&body);
    let header = header.to_bytes();
    let signature = key.sign(Context::Record(kind), &header);
    Ok(SignedRecord::from_parts(header, signature, body)?)
}

/// Whether the author in the header signed it, over the bytes as received.
pub fn verify_record(record: &SignedRecord) -> Result<(), CryptoError> {
    let header = record.header();
    verify(
        header.author,
        Context::Record(header.kind),
        record.header_bytes(),
        &record.signature(),
    )
}

/// The plaintext of a record. Says nothing about who wrote it: [`verify_record`] comes first.
pub fn open_record(record: &SignedRecord, epoch: &EpochKeys) -> Result<Vec<u8>, CryptoError> {
    let header = record.header();
    if header.epoch != epoch.id() {
        return Err(CryptoError::OtherEpoch {
            sealed: header.epoch,
            given: epoch.id(),
        });
    }
    let key = body_key(epoch, header.author, header.kind)?;
    seal::open(&key, &record.associated_data(), record.body())
}

fn body_key(
    epoch: &EpochKeys,
    author: AuthorId,
    kind: RecordKind,
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let secret = match kind {
        RecordKind::RECEIPTS => epoch.content()?,
        RecordKind::WHEREABOUTS | RecordKind::PRESENCE | RecordKind::MEET | RecordKind::MOVING => {
            epoch.member()
        }
        _ => return Err(CryptoError::UnknownSealing),
    };
    Ok(derive(
        secret,
        &[KEY_LABEL, &author.0, &kind.0.to_be_bytes()],
    ))
}

#[cfg(test)]
mod tests;
