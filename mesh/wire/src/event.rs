//! An event: a signed header over a body that can be deleted.
//!
//! ```text
//!  header  CBOR map, keys ascending          signature 64          body
//!  +-----------------------------------+     over the header       +-------+------------+-----+
//!  | 0 version  1 suite   2 room tag   |     as received, with     | nonce | ciphertext | tag |
//!  | 3 author   4 stream  5 seq        |     its context string    |  24   |            | 16  |
//!  | 6 previous 7 clock   8 parents    |                           +-------+------------+-----+
//!  | 9 epoch   10 membership heads     |
//!  |11 body_hash = SHA-256(body) ------+----------------------------------^
//!  +-----------------------------------+
//! ```
//!
//! The hash over header and signature names the event, so a relay that holds no key still checks
//! who wrote it and where it stands in its author's chain, and a body that is gone leaves a
//! verifiable stub. The body is sealed with the header as associated data, its `body_hash` zeroed
//! (the hash is not known before sealing); see [`SignedEvent::associated_data`].
//!
//! Encoded as `[header: bytes, signature: bytes, body: bytes | null]`. Unknown header keys above
//! 11 are carried, covered by the signature, and ignored.

use std::{fmt, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

pub use crate::envelope::sha256;
use crate::{
    codec::{Capped, WireError},
    envelope::{Envelope, Fields, bounded, three_parts},
    ids::{AuthorId, Digest, EpochId, EventHash, RoomTag, Seq, Signature, Stream},
    limits,
    time::Hlc,
};

/// The header format this build writes.
pub const VERSION: u8 = 1;
/// Ed25519, XChaCha20-Poly1305, HKDF-SHA256. Other suites slot in beside it.
pub const SUITE: u8 = 1;

const KEYS: u64 = 12;

/// What an author signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format of the header; see [`VERSION`].
    pub version: u8,
    /// Cipher suite of body and signature; see [`SUITE`].
    pub suite: u8,
    /// The room.
    pub room: RoomTag,
    /// Who wrote it.
    pub author: AuthorId,
    /// Which of the author's logs.
    pub stream: Stream,
    /// Where in that log; the first is 1.
    pub seq: Seq,
    /// The author's event before this one in the same stream; zero for the first.
    pub previous: EventHash,
    /// Greater than the clock of everything the author had seen.
    pub clock: Hlc,
    /// Latest events of other authors that the author had seen.
    pub parents: Capped<EventHash, { limits::PARENTS_MAX }>,
    /// Which keys seal the body.
    pub epoch: EpochId,
    /// Hash over the heads of stream 0 as the author knew them.
    pub membership: Digest,
    /// SHA-256 of the sealed body.
    pub body_hash: Digest,
}

impl Header {
    /// The bytes to sign.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::codec::to_vec(self)
    }
}

impl<C> Encode<C> for Header {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(KEYS)?
            .u8(0)?
            .u8(self.version)?
            .u8(1)?
            .u8(self.suite)?;
        e.u8(2)?
            .encode_with(self.room, ctx)?
            .u8(3)?
            .encode_with(self.author, ctx)?;
        e.u8(4)?
            .encode_with(self.stream, ctx)?
            .u8(5)?
            .encode_with(self.seq, ctx)?;
        e.u8(6)?
            .encode_with(self.previous, ctx)?
            .u8(7)?
            .encode_with(self.clock, ctx)?;
        e.u8(8)?
            .encode_with(&self.parents, ctx)?
            .u8(9)?
            .encode_with(self.epoch, ctx)?;
        e.u8(10)?.encode_with(self.membership, ctx)?;
        e.u8(11)?.encode_with(self.body_hash, ctx)?.ok()
    }
}

/// Parses a header and tells where in the bytes the 32 bytes of `body_hash` start.
fn parse_header(bytes: &[u8]) -> Result<(Header, usize), WireError> {
    let mut fields = Fields::open("event header", bytes, VERSION)?;
    let mut header = Header {
        version: VERSION,
        suite: fields.next(1)?,
        room: fields.next(2)?,
        author: fields.next(3)?,
        stream: fields.next(4)?,
        seq: fields.next(5)?,
        previous: fields.next(6)?,
        clock: fields.next(7)?,
        parents: fields.next(8)?,
        epoch: fields.next(9)?,
        membership: fields.next(10)?,
        body_hash: Digest::ZERO,
    };
    let (body_hash, at) = fields.body_hash(11)?;
    header.body_hash = body_hash;
    let first = header.seq == Seq::FIRST;
    if header.seq < Seq::FIRST || first != (header.previous == EventHash::ZERO) {
        return Err(fields.bad("first event and previous hash disagree"));
    }
    fields.finish()?;
    Ok((header, at))
}

/// A header as its author encoded it, the signature over it, and the body unless it was deleted.
///
/// Holding one says that the header parses and that the body matches it. It does *not* say that
/// the signature is good: that is `peddlenet_crypto::verify_event`. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedEvent(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    header: Header,
    envelope: Envelope,
    body: Option<Vec<u8>>,
}

impl SignedEvent {
    /// Puts the parts together, checking sizes, the header's form, and the body against its hash.
    pub fn from_parts(
        header_bytes: Vec<u8>,
        signature: Signature,
        body: Option<Vec<u8>>,
    ) -> Result<Self, WireError> {
        bounded("event header", header_bytes.len(), limits::HEADER_MAX)?;
        let (header, body_hash_at) = parse_header(&header_bytes)?;
        if let Some(body) = &body {
            bounded("event body", body.len(), limits::BODY_MAX)?;
            if sha256(body) != header.body_hash {
                return Err(WireError::BodyMismatch);
            }
        }
        Ok(Self(Arc::new(Inner {
            header,
            envelope: Envelope::new(header_bytes, body_hash_at, signature),
            body,
        })))
    }

    /// Decodes one event that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        crate::codec::from_slice("event", bytes, limits::EVENT_MAX)
    }

    /// The encoding, with the header's bytes as they came.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::codec::to_vec(self)
    }

    /// What the author signed, parsed.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// What the author signed, as received.
    pub fn header_bytes(&self) -> &[u8] {
        &self.0.envelope.header
    }

    /// The author's signature, not yet verified.
    pub fn signature(&self) -> Signature {
        self.0.envelope.signature
    }

    /// The event's name: SHA-256 over header bytes and signature.
    pub fn hash(&self) -> EventHash {
        EventHash(self.0.envelope.hash.0)
    }

    /// The sealed body, `None` once deleted.
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// The associated data that the body is sealed with: the header with `body_hash` zeroed.
    pub fn associated_data(&self) -> Vec<u8> {
        self.0.envelope.associated_data()
    }
}

impl fmt::Debug for SignedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.header();
        write!(
            f,
            "Event({:?} by {:?} {}/{})",
            self.hash(),
            h.author,
            h.stream.0,
            h.seq.0
        )
    }
}

impl<C> Encode<C> for SignedEvent {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(3)?
            .bytes(self.header_bytes())?
            .encode_with(self.signature(), ctx)?;
        match &self.0.body {
            Some(body) => e.bytes(body)?.ok(),
            None => e.null()?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for SignedEvent {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let bad = |e: WireError| decode::Error::message(e.to_string()).at(at);
        let (header, signature) = three_parts(d, limits::HEADER_MAX)?;
        let body = if d.datatype()? == minicbor::data::Type::Null {
            d.null()?;
            None
        } else {
            let body = d.bytes()?;
            bounded("event body", body.len(), limits::BODY_MAX).map_err(bad)?;
            Some(body.to_vec())
        };
        Self::from_parts(header.to_vec(), signature, body).map_err(bad)
    }
}
