//! Rooms as they lie on the disk: read, and handed to the engine.

use peddlenet_crypto::AuthorKey;
use peddlenet_gossip::Input;
use peddlenet_peer::ServerUrl;
use peddlenet_room::Judgement;
use peddlenet_store::{Held, Store, StoreError, StoredEvent};
use peddlenet_wire::{AuthorId, Seq, SignedEvent, SignedRecord, Stream, limits};
use zeroize::Zeroizing;

use super::{
    Actor,
    deliver::take_record,
    direct::RoomDirects,
    kept::{prefs_of, read_prefs},
    messages::unread,
    servers::server_of,
    space::{bytes_of, read_bases},
};
use crate::{
    api::Message,
    clock, convert,
    error::Error,
    room::{Room, SavedRoom, carried_of, epochs_of, next_key, read_notes, said_of},
};

/// The newest events that are read at start to count the unread (count).
pub(super) const NEWEST: usize = 500;
/// The newest events that are read where nothing is unread, for the last message (count). Each is a page of the
/// store's, and a start reads every room's.
const FEW: usize = 16;

/// A room as the store has it, ready for the engine.
pub(crate) struct LoadedRoom {
    pub(crate) room: Room,
    held: Vec<peddlenet_gossip::Held>,
    /// Logs of which nothing is left, and where they end.
    let_go: Vec<(AuthorId, Seq)>,
    /// Logs that begin later on this device, since what was before made space.
    bases: Vec<(AuthorId, Seq)>,
    records: Vec<SignedRecord>,
    last: Option<Message>,
    directs: RoomDirects,
}

/// A room as it was saved, with what the store keeps of it beside its log: later epochs' keys, what was
/// counted, the key to go on under. The inner error says why it can't be read. Blocks.
pub(crate) fn read_saved(
    store: &dyn Store,
    saved: &[u8],
) -> Result<Result<Room, String>, StoreError> {
    let saved = SavedRoom::from_bytes(saved).map_err(|e| e.to_string());
    let room = saved.and_then(|saved| Room::load(&saved).map_err(|e| e.to_string()));
    let mut room = match room {
        Ok(room) => room,
        Err(why) => return Ok(Err(why)),
    };
    for (_, bytes) in store.meta_under(&epochs_of(room.tag))? {
        room.add_saved(&bytes);
    }
    for (key, bytes) in store.meta_under(&said_of(room.tag))? {
        room.set_said(&key, &bytes);
    }
    if let Some(prefs) = store.meta(&prefs_of(room.tag))? {
        room.prefs = read_prefs(&prefs);
    }
    if let Some(server) = store.meta(&server_of(room.tag))? {
        let text = String::from_utf8(server).unwrap_or_default();
        room.server = ServerUrl::parse(&text).ok();
    }
    if let Some(count) = store.meta(&carried_of(room.tag))? {
        room.set_carried(&count);
    }
    let seed = store.meta(&next_key(room.tag))?.map(Zeroizing::new);
    if let Some(seed) = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok()) {
        room.set_next_key(AuthorKey::from_seed(seed));
    }
    Ok(Ok(room))
}

/// Reads a room from the store: replays its membership and looks up where its logs end; what the store has
/// forgotten of a log is counted anew. Blocks.
pub(crate) fn load_room(store: &mut dyn Store, mut room: Room) -> Result<LoadedRoom, Error> {
    let tag = room.tag;
    let mut held = store.held(tag)?;
    let mut membership = Vec::new();
    for log in held.iter().filter(|h| h.stream == Stream::MEMBERSHIP) {
        let mut from = Seq::FIRST;
        loop {
            let rows = store.range(
                tag,
                log.author,
                log.stream,
                from,
                log.head,
                limits::BATCH_EVENTS_MAX,
            )?;
            let Some(next) = rows.last().and_then(|row| row.key.seq.next()) else {
                break;
            };
            from = next;
            membership.extend(convert::from_rows(rows).into_iter().map(|(event, _)| event));
        }
    }
    replay(&mut room, membership);
    super::trust::load(store, &mut room, &mut held)?;
    let me = room.me();
    for log in held.iter().filter(|h| h.author == me) {
        room.resume_own(log.stream, log.head, log.head_hash);
    }
    for own in store
        .own_heads()?
        .into_iter()
        .filter(|own| own.room == tag && own.author == me)
    {
        if own.rolled_back() {
            tracing::warn!(
                ?tag,
                stream = own.stream.0,
                "the store is older than what this device has signed"
            );
        }
        room.resume_own(own.stream, own.guarded.0, own.guarded.1);
    }
    let rows = store.records(tag)?;
    let directs = RoomDirects::load(store, &mut room, &held, &rows)?;
    let records: Vec<_> = rows
        .iter()
        .filter_map(|row| SignedRecord::from_bytes(&row.bytes).ok())
        .collect();
    for record in &records {
        if record.header().author == me {
            room.observe_record(record);
        }
        take_record(&mut room, record);
    }
    let looked_at = if is_read(&room, &held) { FEW } else { NEWEST };
    let newest = store.page(tag, None, looked_at)?;
    room.unread = unread(&room, &newest);
    let mut last = last_message(&mut room, newest);
    if last.is_none() && looked_at < NEWEST {
        last = last_message(&mut room, store.page(tag, None, NEWEST)?);
    }
    if let Some(last) = &mut last {
        let notes = read_notes(store, tag, &[(last.id, last.author)])?;
        for notes in notes {
            room.dress(last, notes);
        }
    }
    room.bytes = bytes_of(&held);
    Ok(LoadedRoom {
        bases: read_bases(store, tag)?,
        room,
        held: held
            .iter()
            .filter(|log| !log.stream.is_direct())
            .map(to_engine)
            .collect(),
        records,
        let_go: held
            .iter()
            .filter(|log| log.stream == Stream::CONTENT && log.ranges.is_empty())
            .map(|log| (log.author, log.head))
            .collect(),
        last,
        directs,
    })
}

/// Applies stored membership events in the order in which they vouch for each other.
fn replay(room: &mut Room, mut events: Vec<SignedEvent>) {
    events.sort_unstable_by_key(|e| (e.header().clock, e.hash()));
    loop {
        let before = events.len();
        let mut taken = Vec::new();
        events.retain(|event| {
            room.observe(event, clock::now());
            // Its keys may stand in an event that comes later.
            let Some(opened) = room.open_membership(event) else {
                return true;
            };
            match room.roster.judge(event, &opened) {
                Judgement::Accept => {
                    room.meet(event, &opened);
                    taken.push((event.clone(), opened));
                }
                Judgement::Later => return true,
                Judgement::Reject | Judgement::Drop => {}
            }
            false
        });
        room.roster
            .apply_all(taken.iter().map(|(event, opened)| (event, opened)));
        if events.is_empty() || events.len() == before {
            return;
        }
    }
}

/// Whether this device has shown everything that it has of others.
fn is_read(room: &Room, held: &[Held]) -> bool {
    let me = room.me();
    let mut theirs = held
        .iter()
        .filter(|log| log.stream == Stream::CONTENT && log.author != me);
    theirs.all(|log| log.head <= room.seen_up_to(me, log.author))
}

pub(super) fn last_message(room: &mut Room, newest: Vec<StoredEvent>) -> Option<Message> {
    let events = convert::from_rows(newest);
    for (event, _) in &events {
        room.observe(event, clock::now());
    }
    events
        .iter()
        .find_map(|(event, hops)| room.message(event, *hops))
}

fn to_engine(held: &Held) -> peddlenet_gossip::Held {
    peddlenet_gossip::Held {
        author: held.author,
        stream: held.stream,
        ranges: held.ranges.iter().collect(),
        hash: held.head_hash,
    }
}

impl Actor {
    /// Takes a loaded room in and tells the engine what is held of it.
    pub(super) fn insert_room(&mut self, loaded: LoadedRoom) {
        let LoadedRoom {
            room,
            held,
            records,
            let_go,
            bases,
            last,
            directs,
        } = loaded;
        let tag = room.tag;
        self.by_id.insert(room.id, tag);
        self.rooms.insert(tag, room);
        self.last.insert(tag, last);
        self.feed(Input::OpenRoom {
            room: tag,
            held,
            records,
        });
        self.tell_let_go(tag, let_go);
        self.tell_let_go(tag, bases);
        self.tell_cuts(tag);
        self.trust_loaded(tag);
        self.go_on_as_moved(tag);
        self.tell_known(tag, None);
        self.open_directs(tag, directs);
    }
}
