//! Events, records and dice for tests.

use peddlenet_wire::{
    AuthorId, EpochId, EventHash, Header, Hlc, RoomTag, Seq, Signature, SignedEvent, SignedRecord,
    Stream, Timestamp,
    event::sha256,
    ids::Digest,
    record::{RecordHeader, RecordKind},
};

pub(crate) fn author(n: usize) -> AuthorId {
    let mut bytes = [0x11; 32];
    bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
    AuthorId(bytes)
}

/// An event with a made-up signature. A body that starts with "bad" fails every check.
pub(crate) fn event(
    room: RoomTag,
    author: AuthorId,
    stream: Stream,
    at: (u64, EventHash),
    clock: u64,
    body: &str,
) -> SignedEvent {
    let body = body.as_bytes().to_vec();
    let header = Header {
        version: peddlenet_wire::event::VERSION,
        suite: peddlenet_wire::event::SUITE,
        room,
        author,
        stream,
        seq: Seq(at.0),
        previous: at.1,
        clock: Hlc::at(Timestamp(clock)),
        parents: Default::default(),
        epoch: EpochId::ZERO,
        membership: Digest::ZERO,
        body_hash: sha256(&body),
    };
    SignedEvent::from_parts(header.to_bytes(), Signature([3; 64]), Some(body)).unwrap()
}

pub(crate) fn record(
    room: RoomTag,
    author: AuthorId,
    kind: RecordKind,
    clock: u64,
    body: &str,
) -> SignedRecord {
    let body = body.as_bytes().to_vec();
    let header = RecordHeader {
        version: peddlenet_wire::record::VERSION,
        kind,
        room,
        author,
        clock: Hlc::at(Timestamp(clock)),
        epoch: EpochId::ZERO,
        body_hash: sha256(&body),
    };
    SignedRecord::from_parts(header.to_bytes(), Signature([3; 64]), body).unwrap()
}

/// xorshift64*: small, seeded, good enough to shuffle packets.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides.max(1)
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }
}
