//! A room's share of this disk.
//!
//! ```text
//!  an event of stream 1 is on disk --> the room's bytes > its share? --Store::evict, in steps-->
//!      the oldest of others goes, own messages stay --> bases saved --> engine: neither held nor asked for
//! ```
//!
//! Unlike what grows too old (`retention`), what goes here goes from this device alone: another with more
//! space keeps it. So where a log begins is saved, or it would be fetched again after the next start. Two
//! devices that made space differently tell each other different heads from then on, and compare them
//! every few seconds; they ask for nothing of it.

use peddlenet_store::{Evicted, Store, StoreError, Write};
use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Signature, SignedEvent};

use super::{
    Actor,
    retention::{Gone, went},
};
use crate::room::size_of;

/// So many parts of its share a room gives back at a time (one in so many), so that it is not done for
/// every message.
const GIVEN_BACK: u64 = 16;

/// Where begin the logs of which older events made space.
pub(crate) fn bases_of(room: RoomTag) -> Vec<u8> {
    [&b"base/"[..], &room.0].concat()
}

/// The last place that made space, of each author. Blocks.
pub(super) fn read_bases(
    store: &dyn Store,
    room: RoomTag,
) -> Result<Vec<(AuthorId, Seq)>, StoreError> {
    let prefix = bases_of(room);
    let one = |(key, value): (Vec<u8>, Vec<u8>)| {
        let author = AuthorId::try_from(key.get(prefix.len()..)?).ok()?;
        let last = <[u8; 8]>::try_from(value.as_slice()).ok()?;
        Some((author, Seq(u64::from_be_bytes(last))))
    };
    let bases = store.meta_under(&prefix)?;
    Ok(bases.into_iter().filter_map(one).collect())
}

/// Space that is being made.
struct Making {
    tag: RoomTag,
    spare: AuthorId,
    /// Bytes still to be freed.
    need: u64,
    gone: Gone,
}

impl Actor {
    /// An event of the room is on disk.
    pub(super) fn took_space(&mut self, event: &SignedEvent) {
        let header = event.header();
        let Some(room) = self.rooms.get_mut(&header.room) else {
            return;
        };
        // The store counts the signature, too.
        let size = size_of(event).saturating_add(Signature::LEN as u64);
        room.bytes = room.bytes.saturating_add(size);
        self.space_may_be_due(header.room);
    }

    fn space_may_be_due(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room.bytes <= self.room_bytes || room.making_space {
            return;
        }
        room.making_space = true;
        let keep = self.room_bytes - self.room_bytes / GIVEN_BACK;
        let making = Making {
            tag,
            spare: room.me(),
            need: room.bytes.saturating_sub(keep),
            gone: Gone::new(),
        };
        tracing::info!(
            bytes = room.bytes,
            "a room has used up its share of the disk"
        );
        self.make_space(making, None);
    }

    fn make_space(&mut self, mut making: Making, after: Option<(Hlc, EventHash)>) {
        let Making {
            tag, spare, need, ..
        } = making;
        let evict = move |store: &mut dyn Store| evict(store, tag, spare, need, after);
        self.disk.update(evict, move |actor, outcome| {
            let Evicted {
                places,
                freed,
                upto,
                more,
            } = outcome.unwrap_or_else(|e| {
                tracing::error!(error = %e, "space was not made; it is tried again");
                Evicted::default()
            });
            went(&mut making.gone, &places);
            making.need = making.need.saturating_sub(freed);
            if more && making.need > 0 {
                return actor.make_space(making, upto);
            }
            actor.made_space(making, upto);
        });
    }

    fn made_space(&mut self, making: Making, upto: Option<(Hlc, EventHash)>) {
        let Making { tag, gone, .. } = making;
        let in_vain = gone.is_empty();
        self.stats.evicted += gone.len() as u64;
        self.tell_let_go(tag, gone);
        if let (Some(room), Some((upto, _))) = (self.rooms.get_mut(&tag), upto) {
            room.forget_tips(upto.timestamp());
        }
        let read = move |store: &dyn Store| store.held(tag);
        self.disk.read(read, move |actor, held| {
            let Some(room) = actor.rooms.get_mut(&tag) else {
                return;
            };
            room.making_space = false;
            if let Ok(held) = held {
                room.bytes = bytes_of(&held);
            }
            actor.refresh_shown(tag, || {});
            if !in_vain {
                // More may have come meanwhile.
                actor.space_may_be_due(tag);
            }
        });
    }
}

/// One step, and where the logs begin after it, so that a restart between two steps fetches nothing again.
/// Blocks.
fn evict(
    store: &mut dyn Store,
    room: RoomTag,
    spare: AuthorId,
    need: u64,
    after: Option<(Hlc, EventHash)>,
) -> Result<Evicted, StoreError> {
    let evicted = store.evict(room, spare, need, after)?;
    let mut bases = Gone::new();
    went(&mut bases, &evicted.places);
    // What came late may lie before what went earlier.
    let before = read_bases(store, room)?.into_iter();
    let before: Vec<_> = before.filter(|(a, _)| bases.contains_key(a)).collect();
    went(&mut bases, &before);
    let base = |(author, last): (&AuthorId, &Seq)| Write::Meta {
        key: [&bases_of(room)[..], &author.0].concat(),
        value: Some(last.0.to_be_bytes().to_vec()),
    };
    let writes: Vec<_> = bases.iter().map(base).collect();
    for part in writes.chunks(peddlenet_store::limits::COMMIT_WRITES_MAX) {
        if let Err(e) = store.commit(part) {
            tracing::error!(error = %e, "where logs begin was not saved; it is fetched again");
        }
    }
    Ok(evicted)
}

/// Bytes of all that is held of a room.
pub(super) fn bytes_of(held: &[peddlenet_store::Held]) -> u64 {
    let bytes = held.iter().map(|log| log.bytes);
    bytes.fold(0, u64::saturating_add)
}
