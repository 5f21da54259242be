//! Keys and values as bytes. Numbers are big-endian, so that bytes sort as numbers do.
//!
//! ```text
//! events   room 16 | author 32 | stream 4 | seq 8 | hash 32
//!            -> version 1 | flags 1 | hops 1 | clock 8 | header length 4 | header | body
//! by_time  room 16 | clock 8 | hash 32                        -> nothing
//! ids      room 16 | hash 32                                  -> author 32 | stream 4 | seq 8
//! heads    room 16 | author 32 | stream 4
//!            -> version 1 | head 8 | head hash 32 | events 8 | bytes 8 | ranges, 16 each
//! outbox   room 16 | hash 32                                  -> the caller's
//! receipts room 16 | kind 1 | author 32                       -> clock 8 | record
//! notes    room 16 | target 32 | kind 1 | author 32             -> clock 8 | hash 32 | the caller's
//! peers    the caller's                                       -> the caller's
//! meta     "u" and the caller's, or "s" and ours              -> the caller's
//! ```

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};

use crate::{
    EventKey, Held, Ranges, RecordKind, StoreError, StoredEvent, StoredNote, StoredRecord,
};

/// The layout above. A store with a higher number is refused, one with a lower is replayed.
/// 1 knew no bytes in `heads`, and no `notes`.
pub(crate) const SCHEMA: u32 = 2;
/// Where `meta` keeps [`SCHEMA`].
pub(crate) const SCHEMA_KEY: &[u8] = b"sschema_version";
/// Set in `meta` while indexes are being made again.
pub(crate) const REBUILD_KEY: &[u8] = b"srebuild";
/// Set in `meta`, followed by the room, while a room is being removed.
pub(crate) const DROP_PREFIX: &[u8] = b"sdrop/";
/// What the database held when that was last counted, in `meta`.
pub(crate) const LIVE_KEY: &[u8] = b"slive_bytes";

/// Bytes of an event beside header and body: its entries in `events` and `ids`, of which `by_time` repeats some.
pub(crate) const EVENT_KEYS: u64 = (92 + 15) + (48 + 44);

const VALUE_VERSION: u8 = 1;
const HEAD_VERSION: u8 = 2;
const HAS_BODY: u8 = 1;
const BODY_DELETED: u8 = 2;

type Result<T> = std::result::Result<T, StoreError>;

/// What stands in `events` beside the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventValue {
    pub(crate) clock: Hlc,
    pub(crate) hops: u8,
    /// The body was there and was deleted, or must not come: it is never taken back.
    pub(crate) deleted: bool,
    pub(crate) header: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
}

impl EventValue {
    pub(crate) fn of(event: &StoredEvent) -> Self {
        Self {
            clock: event.clock,
            hops: event.hops,
            deleted: false,
            header: event.header.clone(),
            body: event.body.clone(),
        }
    }

    pub(crate) fn with(self, key: EventKey) -> StoredEvent {
        StoredEvent {
            key,
            clock: self.clock,
            hops: self.hops,
            header: self.header,
            body: self.body,
        }
    }

    /// Bytes of header, signature and body.
    pub(crate) fn size(&self) -> u64 {
        let body = self.body.as_ref().map_or(0, Vec::len);
        self.header.len().saturating_add(body) as u64
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let body = self.body.as_deref();
        let flags =
            if body.is_some() { HAS_BODY } else { 0 } | if self.deleted { BODY_DELETED } else { 0 };
        let mut out = vec![VALUE_VERSION, flags, self.hops];
        out.extend_from_slice(&self.clock.0.to_be_bytes());
        // The limits keep it far below four gigabytes.
        out.extend_from_slice(
            &u32::try_from(self.header.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        out.extend_from_slice(&self.header);
        out.extend_from_slice(body.unwrap_or_default());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader(bytes);
        let [version, flags, hops] = r.array()?;
        if version != VALUE_VERSION {
            return Err(StoreError::corrupt("an event of an unknown version"));
        }
        let clock = Hlc(u64::from_be_bytes(r.array()?));
        let header_len = u32::from_be_bytes(r.array()?) as usize;
        let header = r.take(header_len)?.to_vec();
        let body = (flags & HAS_BODY != 0).then(|| r.0.to_vec());
        Ok(Self {
            clock,
            hops,
            deleted: flags & BODY_DELETED != 0,
            header,
            body,
        })
    }
}

pub(crate) fn event_key(key: &EventKey) -> Vec<u8> {
    let mut out = stream_key(key.room, key.author, key.stream);
    out.extend_from_slice(&key.seq.0.to_be_bytes());
    out.extend_from_slice(&key.hash.0);
    out
}

pub(crate) fn read_event_key(bytes: &[u8]) -> Result<EventKey> {
    let mut r = Reader(bytes);
    let key = EventKey {
        room: RoomTag(r.array()?),
        author: AuthorId(r.array()?),
        stream: Stream(u32::from_be_bytes(r.array()?)),
        seq: Seq(u64::from_be_bytes(r.array()?)),
        hash: EventHash(r.array()?),
    };
    r.end().map(|()| key)
}

/// The key in `heads`, and the prefix of a stream in `events`.
pub(crate) fn stream_key(room: RoomTag, author: AuthorId, stream: Stream) -> Vec<u8> {
    let mut out = Vec::with_capacity(92);
    out.extend_from_slice(&room.0);
    out.extend_from_slice(&author.0);
    out.extend_from_slice(&stream.0.to_be_bytes());
    out
}

pub(crate) fn time_key(room: RoomTag, clock: Hlc, hash: EventHash) -> Vec<u8> {
    let mut out = room.0.to_vec();
    out.extend_from_slice(&clock.0.to_be_bytes());
    out.extend_from_slice(&hash.0);
    out
}

pub(crate) fn read_time_key(bytes: &[u8]) -> Result<(RoomTag, Hlc, EventHash)> {
    let mut r = Reader(bytes);
    let key = (
        RoomTag(r.array()?),
        Hlc(u64::from_be_bytes(r.array()?)),
        EventHash(r.array()?),
    );
    r.end().map(|()| key)
}

/// The key in `ids` and in `outbox`.
pub(crate) fn hash_key(room: RoomTag, hash: EventHash) -> Vec<u8> {
    [room.0.as_slice(), hash.0.as_slice()].concat()
}

pub(crate) fn read_hash_key(bytes: &[u8]) -> Result<(RoomTag, EventHash)> {
    let mut r = Reader(bytes);
    let key = (RoomTag(r.array()?), EventHash(r.array()?));
    r.end().map(|()| key)
}

pub(crate) fn id_value(key: &EventKey) -> Vec<u8> {
    let mut out = key.author.0.to_vec();
    out.extend_from_slice(&key.stream.0.to_be_bytes());
    out.extend_from_slice(&key.seq.0.to_be_bytes());
    out
}

pub(crate) fn read_id_value(room: RoomTag, hash: EventHash, bytes: &[u8]) -> Result<EventKey> {
    let mut r = Reader(bytes);
    let key = EventKey {
        room,
        author: AuthorId(r.array()?),
        stream: Stream(u32::from_be_bytes(r.array()?)),
        seq: Seq(u64::from_be_bytes(r.array()?)),
        hash,
    };
    r.end().map(|()| key)
}

pub(crate) fn head_value(held: &Held) -> Vec<u8> {
    let mut out = vec![HEAD_VERSION];
    out.extend_from_slice(&held.head.0.to_be_bytes());
    out.extend_from_slice(&held.head_hash.0);
    out.extend_from_slice(&held.events.to_be_bytes());
    out.extend_from_slice(&held.bytes.to_be_bytes());
    held.ranges.encode(&mut out);
    out
}

/// Reads an entry of `heads`: its room and what is held. One of the first schema knows no bytes; they are
/// counted as the log is replayed.
pub(crate) fn read_head(key: &[u8], value: &[u8]) -> Result<(RoomTag, Held)> {
    let mut k = Reader(key);
    let mut v = Reader(value);
    let room = RoomTag(k.array()?);
    let author = AuthorId(k.array()?);
    let stream = Stream(u32::from_be_bytes(k.array()?));
    k.end()?;
    let [version] = v.array()?;
    let head = Seq(u64::from_be_bytes(v.array()?));
    let head_hash = EventHash(v.array()?);
    let events = u64::from_be_bytes(v.array()?);
    let bytes = match version {
        HEAD_VERSION => u64::from_be_bytes(v.array()?),
        _ => 0,
    };
    let ranges = Ranges::decode(v.0)
        .filter(|_| (1..=HEAD_VERSION).contains(&version))
        .ok_or_else(|| StoreError::corrupt("a head that cannot be read"))?;
    Ok((
        room,
        Held {
            author,
            stream,
            ranges,
            head,
            head_hash,
            events,
            bytes,
        },
    ))
}

pub(crate) fn record_key(room: RoomTag, kind: RecordKind, author: AuthorId) -> Vec<u8> {
    [
        room.0.as_slice(),
        &kind.0.to_be_bytes(),
        author.0.as_slice(),
    ]
    .concat()
}

pub(crate) fn record_value(record: &StoredRecord) -> Vec<u8> {
    [record.clock.0.to_be_bytes().as_slice(), &record.bytes].concat()
}

pub(crate) fn read_record(key: &[u8], value: &[u8]) -> Result<StoredRecord> {
    let mut k = Reader(key);
    let mut v = Reader(value);
    let room = RoomTag(k.array()?);
    let kind = u16::from_be_bytes(k.array()?);
    let author = AuthorId(k.array()?);
    k.end()?;
    let clock = Hlc(u64::from_be_bytes(v.array()?));
    Ok(StoredRecord {
        room,
        kind: RecordKind(kind),
        author,
        clock,
        bytes: v.0.to_vec(),
    })
}

/// The start of all that is said about a message.
pub(crate) fn notes_of(room: RoomTag, target: EventHash) -> Vec<u8> {
    hash_key(room, target)
}

pub(crate) fn note_key(note: &StoredNote) -> Vec<u8> {
    let mut out = notes_of(note.room, note.target);
    out.push(note.kind);
    out.extend_from_slice(&note.author.0);
    out
}

pub(crate) fn note_value(note: &StoredNote) -> Vec<u8> {
    let mut out = note.clock.0.to_be_bytes().to_vec();
    out.extend_from_slice(&note.event.0);
    out.extend_from_slice(&note.value);
    out
}

pub(crate) fn read_note(key: &[u8], value: &[u8]) -> Result<StoredNote> {
    let mut k = Reader(key);
    let mut v = Reader(value);
    let room = RoomTag(k.array()?);
    let target = EventHash(k.array()?);
    let [kind] = k.array()?;
    let author = AuthorId(k.array()?);
    k.end()?;
    let clock = Hlc(u64::from_be_bytes(v.array()?));
    let event = EventHash(v.array()?);
    Ok(StoredNote {
        room,
        target,
        kind,
        author,
        clock,
        event,
        value: v.0.to_vec(),
    })
}

pub(crate) fn meta_key(key: &[u8]) -> Vec<u8> {
    [b"u", key].concat()
}

/// Reads an entry of every table. For tests/fuzz, which has no other way to the readers.
#[doc(hidden)]
pub fn read_any(key: &[u8], value: &[u8]) {
    let _ = read_event_key(key);
    let _ = read_time_key(key);
    let _ = read_hash_key(key);
    let _ = read_id_value(RoomTag([0; 16]), EventHash::ZERO, value);
    let _ = read_head(key, value);
    let _ = read_record(key, value);
    let _ = read_note(key, value);
    if let Ok(event) = EventValue::decode(value) {
        // What is read can be written again; unknown flags are dropped, so it need not be the same bytes.
        let _ = event.encode();
    }
}

/// Takes bytes off the front; too few are corruption, never a panic.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len).ok_or_else(short)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(StoreError::corrupt("a key that is too long"))
        }
    }
}

fn short() -> StoreError {
    StoreError::corrupt("an entry that is too short")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reading_arbitrary_bytes_never_panics(a in prop::collection::vec(any::<u8>(), 0..120),
                                                b in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = (EventValue::decode(&a), read_event_key(&a), read_time_key(&a), read_hash_key(&a));
            let _ = (read_head(&a, &b), read_record(&a, &b), read_note(&a, &b), read_id_value(RoomTag::ZERO, EventHash::ZERO, &a));
        }

        #[test]
        fn event_values_round_trip(clock in any::<u64>(), hops in any::<u8>(), deleted in any::<bool>(),
                                   header in prop::collection::vec(any::<u8>(), 0..50),
                                   body in prop::option::of(prop::collection::vec(any::<u8>(), 0..50))) {
            let value = EventValue { clock: Hlc(clock), hops, deleted, header, body };
            prop_assert_eq!(EventValue::decode(&value.encode()).unwrap(), value);
        }

        #[test]
        fn keys_sort_as_what_they_name(a in any::<(u8, u8, u32, u64, u8)>(), b in any::<(u8, u8, u32, u64, u8)>()) {
            let key = |(room, author, stream, seq, hash): (u8, u8, u32, u64, u8)| EventKey {
                room: RoomTag([room; 16]), author: AuthorId([author; 32]), stream: Stream(stream),
                seq: Seq(seq), hash: EventHash([hash; 32]),
            };
            let (a, b) = (key(a), key(b));
            prop_assert_eq!(event_key(&a).cmp(&event_key(&b)), a.cmp(&b));
            prop_assert_eq!(read_event_key(&event_key(&a)).unwrap(), a);
        }
    }
}
