//! Signed records of which only the latest of each (author, kind) counts.
//!
//! Receipts, whereabouts and signs of life are state, not history: a new one replaces the old.
//! They flood like events, are compared by clock, and never enter an author's chain.
//!
//! ```text
//!  header: CBOR map                                        signature 64     body: nonce . ciphertext . tag
//!  0 version  1 kind  2 room tag  3 author  4 clock  5 epoch  6 body_hash
//! ```
//!
//! Encoded as `[header: bytes, signature: bytes, body: bytes]`. The body's associated data is the
//! header with `body_hash` zeroed, as for events.

use std::{fmt, net::SocketAddr, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    codec::{self, Capped, WireError},
    envelope::{Envelope, Fields, bounded, sha256, three_parts},
    ids::{AuthorId, Digest, EpochId, Fingerprint, RoomTag, Seq, Signature, Stream},
    limits,
    time::{Hlc, Timestamp},
};

/// The record format this build writes.
pub const VERSION: u8 = 1;
const KEYS: u64 = 7;

/// What a record is about; part of what is signed. Unknown numbers are relayed and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct RecordKind(#[n(0)] pub u16);

impl RecordKind {
    /// What the author has read: [`Receipts`], sealed under k_content.
    pub const RECEIPTS: Self = Self(0);
    /// Where the author's device listens: [`Whereabouts`], sealed under k_member.
    pub const WHEREABOUTS: Self = Self(1);
    /// The author's device is running: an empty body, sealed under k_member.
    /// Older builds said so every half minute; a [`Beacon`](crate::tree::Beacon) does now.
    pub const PRESENCE: Self = Self(2);
    /// Where the author's device is, for one member who is to link up: [`Meet`](crate::meet::Meet),
    /// sealed under k_member. Goes to that member and nobody else.
    pub const MEET: Self = Self(3);
    /// How far the author has seen this device's direct messages: a
    /// [`DirectReceipt`](crate::direct::DirectReceipt). Kept under this number, never sent as a record.
    pub const DIRECT_SEEN: Self = Self(4);
    /// The last of the author's direct messages that this device has seen, by hash. Kept under this number,
    /// never sent.
    pub const DIRECT_READ: Self = Self(5);
    /// The author would go on under a new key: a [`Moving`](crate::power::Moving), sealed under k_member.
    pub const MOVING: Self = Self(6);
}

/// What the author of a record signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader {
    /// Format; see [`VERSION`].
    pub version: u8,
    /// What it is about.
    pub kind: RecordKind,
    /// The room.
    pub room: RoomTag,
    /// Who says so.
    pub author: AuthorId,
    /// The greater clock wins.
    pub clock: Hlc,
    /// Which keys seal the body.
    pub epoch: EpochId,
    /// SHA-256 of the sealed body.
    pub body_hash: Digest,
}

impl RecordHeader {
    /// The bytes to sign.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_vec(self)
    }
}

impl<C> Encode<C> for RecordHeader {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(KEYS)?
            .u8(0)?
            .u8(self.version)?
            .u8(1)?
            .encode_with(self.kind, ctx)?;
        e.u8(2)?
            .encode_with(self.room, ctx)?
            .u8(3)?
            .encode_with(self.author, ctx)?;
        e.u8(4)?
            .encode_with(self.clock, ctx)?
            .u8(5)?
            .encode_with(self.epoch, ctx)?;
        e.u8(6)?.encode_with(self.body_hash, ctx)?.ok()
    }
}

/// Parses a header and tells where in the bytes the 32 bytes of `body_hash` start.
fn parse_header(bytes: &[u8]) -> Result<(RecordHeader, usize), WireError> {
    let mut fields = Fields::open("record header", bytes, VERSION)?;
    let mut header = RecordHeader {
        version: VERSION,
        kind: fields.next(1)?,
        room: fields.next(2)?,
        author: fields.next(3)?,
        clock: fields.next(4)?,
        epoch: fields.next(5)?,
        body_hash: Digest::ZERO,
    };
    let (body_hash, at) = fields.body_hash(6)?;
    header.body_hash = body_hash;
    fields.finish()?;
    Ok((header, at))
}

/// A record as its author encoded it. Its body matches its header; its signature is unverified
/// until `peddlenet_crypto::verify_record` says otherwise. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRecord(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    header: RecordHeader,
    envelope: Envelope,
    body: Vec<u8>,
}

impl SignedRecord {
    /// Puts the parts together, checking sizes, the header's form, and the body against its hash.
    pub fn from_parts(
        header_bytes: Vec<u8>,
        signature: Signature,
        body: Vec<u8>,
    ) -> Result<Self, WireError> {
        let len = header_bytes.len().saturating_add(body.len());
        bounded("record", len, limits::RECORD_MAX)?;
        let (header, body_hash_at) = parse_header(&header_bytes)?;
        if sha256(&body) != header.body_hash {
            return Err(WireError::BodyMismatch);
        }
        Ok(Self(Arc::new(Inner {
            header,
            envelope: Envelope::new(header_bytes, body_hash_at, signature),
            body,
        })))
    }

    /// Decodes one record that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        codec::from_slice("record", bytes, limits::RECORD_MAX + 128)
    }

    /// The encoding, with the header's bytes as they came.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::to_vec(self)
    }

    /// What the author signed, parsed.
    pub fn header(&self) -> &RecordHeader {
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

    /// SHA-256 over header bytes and signature.
    pub fn hash(&self) -> Digest {
        self.0.envelope.hash
    }

    /// The sealed body.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// The associated data that the body is sealed with: the header with `body_hash` zeroed.
    pub fn associated_data(&self) -> Vec<u8> {
        self.0.envelope.associated_data()
    }
}

impl fmt::Debug for SignedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.header();
        write!(
            f,
            "Record({:?} kind {} by {:?})",
            self.hash(),
            h.kind.0,
            h.author
        )
    }
}

impl<C> Encode<C> for SignedRecord {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(3)?
            .bytes(self.header_bytes())?
            .encode_with(self.signature(), ctx)?;
        e.bytes(&self.0.body)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SignedRecord {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let bad = |e: WireError| decode::Error::message(e.to_string()).at(at);
        let (header, signature) = three_parts(d, limits::RECORD_MAX)?;
        let body = d.bytes()?;
        bounded("record body", body.len(), limits::RECORD_MAX).map_err(bad)?;
        Self::from_parts(header.to_vec(), signature, body.to_vec()).map_err(bad)
    }
}

/// What one member has displayed: cumulative, so a later vector says everything an earlier one did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Receipts {
    /// Up to which position of whose stream.
    #[n(0)]
    pub seen: Capped<SeenUpTo, { limits::RECEIPT_ENTRIES_MAX }>,
}

/// One entry of [`Receipts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SeenUpTo {
    /// Whose messages.
    #[n(0)]
    pub author: AuthorId,
    /// In which stream.
    #[n(1)]
    pub stream: Stream,
    /// Everything up to and including this one.
    #[n(2)]
    pub seq: Seq,
}

/// Where a member's device listens, so that others can dial it again without a scan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Whereabouts {
    /// Addresses as seen by the device itself.
    #[n(0)]
    pub addresses: Capped<Address, { limits::ADDRESSES_MAX }>,
    /// The listener's DTLS certificate.
    #[n(1)]
    pub fingerprint: Fingerprint,
    /// After that nobody need try.
    #[n(2)]
    pub expires: Timestamp,
}

/// A UDP address: 4 or 16 address bytes and the port, big-endian. Hidden in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address(pub SocketAddr);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

impl<C> Encode<C> for Address {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let port = self.0.port().to_be_bytes();
        match self.0.ip() {
            std::net::IpAddr::V4(ip) => e.bytes(&[&ip.octets()[..], &port].concat())?.ok(),
            std::net::IpAddr::V6(ip) => e.bytes(&[&ip.octets()[..], &port].concat())?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Address {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let bytes = d.bytes()?;
        let bad = || decode::Error::message("not an address").at(at);
        let (ip, port) = bytes.split_last_chunk::<2>().ok_or_else(bad)?;
        let port = u16::from_be_bytes(*port);
        if let Ok(ip) = <[u8; 4]>::try_from(ip) {
            Ok(Self(SocketAddr::from((ip, port))))
        } else if let Ok(ip) = <[u8; 16]>::try_from(ip) {
            Ok(Self(SocketAddr::from((ip, port))))
        } else {
            Err(bad())
        }
    }
}
