//! A [`Store`] made of ordered tables: keys, indexes, schema, guard.
//!
//! One writer owns the store, so a commit reads what is there, works out every change to events
//! and indexes, and hands them to the backend as one atomic batch:
//!
//! ```text
//!  writes -> check limits, guard -> Draft: reads through to the tables, collects changes
//!         -> Tables::apply (atomic, durable) -> Tables::guard (durable) -> Ok
//! ```
//!
//! The guard is noted after the batch and before the answer. The other way round, a power cut
//! between the two would leave a position that is signed, never sent and gone, and its author
//! could not go on.

mod draft;
mod sweep;

use std::collections::BTreeMap;

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};

use self::draft::Draft;
use crate::{
    EventKey, Evicted, Held, OwnHead, Store, StoreError, StoreStats, StoredEvent, StoredNote,
    StoredRecord, Write,
    layout::{self, EventValue},
    limits::{COMMIT_BYTES_MAX, COMMIT_WRITES_MAX, KEY_MAX, VALUE_MAX},
    tables::{Order, Span, Table, Tables},
};

type Result<T> = std::result::Result<T, StoreError>;

/// A [`Store`] over a backend.
#[derive(Debug)]
pub struct Indexed<T> {
    tables: T,
    stats: StoreStats,
    poisoned: bool,
}

impl<T: Tables> Indexed<T> {
    /// Checks the schema and finishes what an earlier process began.
    pub(crate) fn open(tables: T) -> Result<Self> {
        let mut store = Self {
            tables,
            stats: StoreStats::default(),
            poisoned: false,
        };
        store.migrate()?;
        store.finish_sweeps()?;
        store.raise_guards()?;
        Ok(store)
    }

    pub(crate) fn tables(&self) -> &T {
        &self.tables
    }

    pub(crate) fn tables_mut(&mut self) -> &mut T {
        &mut self.tables
    }

    fn stored_event(&self, key: &EventKey) -> Result<Option<StoredEvent>> {
        let value = self.tables.get(Table::Events, &layout::event_key(key))?;
        value
            .map(|bytes| Ok(EventValue::decode(&bytes)?.with(*key)))
            .transpose()
    }

    fn stored_head(&self, head: &OwnHead) -> Result<Option<(Seq, EventHash)>> {
        let key = layout::stream_key(head.room, head.author, head.stream);
        let value = self.tables.get(Table::Heads, &key)?;
        value
            .map(|bytes| {
                layout::read_head(&key, &bytes).map(|(_, held)| (held.head, held.head_hash))
            })
            .transpose()
    }

    /// A stop between the batch and the guard leaves the guard one behind: catch up.
    fn raise_guards(&mut self) -> Result<()> {
        let mut behind = Vec::new();
        for mut head in self.tables.guards() {
            if let Some(stored) = self.stored_head(&head)?
                && stored.0 > head.guarded.0
            {
                head.guarded = stored;
                behind.push(head);
            }
        }
        if behind.is_empty() {
            Ok(())
        } else {
            self.tables.guard(&behind)
        }
    }

    fn check_guard<'a>(
        &self,
        events: impl Iterator<Item = &'a StoredEvent>,
    ) -> Result<Vec<OwnHead>> {
        let mut guards: BTreeMap<_, OwnHead> = self
            .tables
            .guards()
            .into_iter()
            .map(|head| ((head.room, head.author, head.stream), head))
            .collect();
        let mut raised = BTreeMap::new();
        for event in events {
            let EventKey {
                room,
                author,
                stream,
                seq,
                hash,
            } = event.key;
            let slot = (room, author, stream);
            match guards.get(&slot) {
                Some(head) if (seq, hash) == head.guarded => {}
                Some(head) if seq <= head.guarded.0 => return Err(StoreError::SeqUsed { seq }),
                _ => {}
            }
            let head = OwnHead {
                room,
                author,
                stream,
                guarded: (seq, hash),
                stored: None,
            };
            guards.insert(slot, head);
            raised.insert(slot, head);
        }
        Ok(raised.into_values().collect())
    }

    fn checked(&self, writes: &[Write]) -> Result<Vec<OwnHead>> {
        fits("a commit's writes", writes.len(), COMMIT_WRITES_MAX)?;
        let bytes = writes
            .iter()
            .fold(0, |sum: usize, write| sum.saturating_add(write.size()));
        fits("a commit's values", bytes, COMMIT_BYTES_MAX)?;
        for write in writes {
            fits("a value", write.size(), VALUE_MAX)?;
            if let Write::Peer { key, .. } | Write::Meta { key, .. } = write {
                fits("a key", key.len(), KEY_MAX)?;
            }
        }
        self.check_guard(writes.iter().filter_map(|write| match write {
            Write::OwnEvent(event) => Some(event),
            _ => None,
        }))
    }

    fn commit_checked(&mut self, writes: &[Write], own: &[OwnHead]) -> Result<()> {
        let mut draft = Draft::over(&self.tables);
        for write in writes {
            draft.write(write)?;
        }
        let changes = draft.into_changes();
        self.apply(|tables| {
            if !changes.is_empty() {
                tables.apply(&changes)?;
            }
            if !own.is_empty() {
                tables.guard(own)?;
            }
            Ok(())
        })?;
        self.stats.commits = self.stats.commits.saturating_add(1);
        self.stats.writes = self.stats.writes.saturating_add(writes.len() as u64);
        Ok(())
    }

    /// Runs a change; after one that failed nobody knows what is on disk.
    fn apply(&mut self, change: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        change(&mut self.tables).inspect_err(|error| {
            tracing::error!(%error, "a commit failed, the store takes no more");
            self.poisoned = true;
        })
    }

    fn collect<O>(
        &self,
        table: Table,
        span: &Span,
        mut read: impl FnMut(&[u8], &[u8]) -> Result<O>,
    ) -> Result<Vec<O>> {
        let mut out = Vec::new();
        self.tables
            .scan(table, span, Order::Ascending, &mut |key, value| {
                out.push(read(key, value)?);
                Ok(true)
            })?;
        Ok(out)
    }
}

impl<T: Tables> Store for Indexed<T> {
    fn commit(&mut self, writes: &[Write]) -> Result<()> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let own = self.checked(writes)?;
        self.commit_checked(writes, &own)
    }

    fn check(&self, writes: &[Write]) -> Result<()> {
        self.checked(writes).map(drop)
    }

    fn event(&self, room: RoomTag, hash: EventHash) -> Result<Option<StoredEvent>> {
        match self.tables.get(Table::Ids, &layout::hash_key(room, hash))? {
            Some(id) => self.stored_event(&layout::read_id_value(room, hash, &id)?),
            None => Ok(None),
        }
    }

    fn range(
        &self,
        room: RoomTag,
        author: AuthorId,
        stream: Stream,
        from: Seq,
        to: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let prefix = layout::stream_key(room, author, stream);
        let at = |seq: u64| [prefix.as_slice(), &seq.to_be_bytes()].concat();
        let until = match to.0.checked_add(1) {
            Some(next) => Some(at(next)),
            None => crate::tables::after_prefix(&prefix),
        };
        let span = Span {
            from: at(from.0),
            until,
        };
        let mut out = Vec::new();
        if limit == 0 || span.is_empty() {
            return Ok(out);
        }
        self.tables
            .scan(Table::Events, &span, Order::Ascending, &mut |key, value| {
                out.push(EventValue::decode(value)?.with(layout::read_event_key(key)?));
                Ok(out.len() < limit)
            })?;
        Ok(out)
    }

    fn tail(
        &self,
        room: RoomTag,
        author: AuthorId,
        stream: Stream,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let mut span = Span::prefix(&layout::stream_key(room, author, stream));
        if let Some(before) = before {
            span.until = Some([&*span.from, &before.0.to_be_bytes()].concat());
        }
        let mut out = Vec::new();
        if limit == 0 || span.is_empty() {
            return Ok(out);
        }
        self.tables.scan(
            Table::Events,
            &span,
            Order::Descending,
            &mut |key, value| {
                out.push(EventValue::decode(value)?.with(layout::read_event_key(key)?));
                Ok(out.len() < limit)
            },
        )?;
        Ok(out)
    }

    fn page(
        &self,
        room: RoomTag,
        before: Option<(Hlc, EventHash)>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let until = match before {
            Some((clock, hash)) => Some(layout::time_key(room, clock, hash)),
            None => crate::tables::after_prefix(&room.0),
        };
        let span = Span {
            from: room.0.to_vec(),
            until,
        };
        let mut hashes = Vec::new();
        if limit == 0 || span.is_empty() {
            return Ok(Vec::new());
        }
        self.tables
            .scan(Table::ByTime, &span, Order::Descending, &mut |key, _| {
                hashes.push(layout::read_time_key(key)?.2);
                Ok(hashes.len() < limit)
            })?;
        let missing = || StoreError::corrupt("an index names an event that is not there");
        hashes
            .into_iter()
            .map(|hash| self.event(room, hash)?.ok_or_else(missing))
            .collect()
    }

    fn held(&self, room: RoomTag) -> Result<Vec<Held>> {
        self.collect(Table::Heads, &Span::prefix(&room.0), |key, value| {
            Ok(layout::read_head(key, value)?.1)
        })
    }

    fn recount(&mut self, room: RoomTag, author: AuthorId, stream: Stream) -> Result<Option<Held>> {
        self.count_anew(&layout::stream_key(room, author, stream))
    }

    fn records(&self, room: RoomTag) -> Result<Vec<StoredRecord>> {
        self.collect(Table::Records, &Span::prefix(&room.0), layout::read_record)
    }

    fn notes(&self, room: RoomTag, target: EventHash) -> Result<Vec<StoredNote>> {
        let span = Span::prefix(&layout::notes_of(room, target));
        self.collect(Table::Notes, &span, layout::read_note)
    }

    fn outbox(&self, room: RoomTag) -> Result<Vec<(EventHash, Vec<u8>)>> {
        self.collect(Table::Outbox, &Span::prefix(&room.0), |key, value| {
            Ok((layout::read_hash_key(key)?.1, value.to_vec()))
        })
    }

    fn peers(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        self.collect(Table::Peers, &Span::all(), |key, value| {
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    fn meta(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.tables.get(Table::Meta, &layout::meta_key(key))
    }

    fn meta_under(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let span = Span::prefix(&layout::meta_key(prefix));
        self.collect(Table::Meta, &span, |key, value| {
            Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
        })
    }

    fn rooms(&self) -> Result<Vec<RoomTag>> {
        // One step a room: from its first stream to the first key behind the room.
        let mut rooms = Vec::new();
        let mut span = Span::all();
        loop {
            let mut found = None;
            self.tables
                .scan(Table::Heads, &span, Order::Ascending, &mut |key, value| {
                    found = Some(layout::read_head(key, value)?.0);
                    Ok(false)
                })?;
            let Some(room) = found else { break };
            rooms.push(room);
            let Some(next) = crate::tables::after_prefix(&room.0) else {
                break;
            };
            span.from = next;
        }
        Ok(rooms)
    }

    fn forget(&mut self, room: RoomTag, before: Hlc) -> Result<Vec<(AuthorId, Seq)>> {
        self.forget_oldest(room, before)
    }

    fn evict(
        &mut self,
        room: RoomTag,
        spare: AuthorId,
        bytes: u64,
        after: Option<(Hlc, EventHash)>,
    ) -> Result<Evicted> {
        self.evict_oldest(room, spare, bytes, after)
    }

    fn drop_room(&mut self, room: RoomTag) -> Result<()> {
        self.begin_drop(room)?;
        self.finish_drop(room)
    }

    fn own_heads(&self) -> Result<Vec<OwnHead>> {
        let mut heads = self.tables.guards();
        for head in &mut heads {
            head.stored = self.stored_head(head)?;
        }
        Ok(heads)
    }

    fn rebuild(&mut self) -> Result<u64> {
        self.begin_rebuild()?;
        self.finish_rebuild()
    }

    fn stats(&self) -> StoreStats {
        StoreStats {
            disk_bytes: self.tables.disk_bytes(),
            ..self.stats
        }
    }
}

fn fits(what: &'static str, size: usize, limit: usize) -> Result<()> {
    if size <= limit {
        Ok(())
    } else {
        Err(StoreError::TooLarge { what, size, limit })
    }
}
