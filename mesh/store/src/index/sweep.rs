//! Work that takes many commits: migration, rebuilding indexes, removing a room.
//!
//! Each notes in `meta` that it has begun, goes on in steps that may be repeated, and removes the
//! note at the end. A process that dies in between leaves the note, and the next one finishes.

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq};

use super::{Indexed, draft::Draft};
use crate::{
    EventKey, Evicted, Held, StoreError,
    layout::{self, DROP_PREFIX, EventValue, LIVE_KEY, REBUILD_KEY, SCHEMA, SCHEMA_KEY},
    limits::{COMMIT_BYTES_MAX, SWEEP},
    tables::{Change, Order, Span, Table, Tables},
};

type Result<T> = std::result::Result<T, StoreError>;

impl<T: Tables> Indexed<T> {
    /// Refuses a newer layout; an older one is replayed from its log.
    pub(super) fn migrate(&mut self) -> Result<()> {
        let found = match self.tables.get(Table::Meta, SCHEMA_KEY)? {
            Some(bytes) => <[u8; 4]>::try_from(bytes.as_slice())
                .map(u32::from_be_bytes)
                .map_err(|_| StoreError::corrupt("a schema version that cannot be read"))?,
            None if self.is_blank()? => {
                return self.note(SCHEMA_KEY, Some(SCHEMA.to_be_bytes().to_vec()));
            }
            // The layout before the first one that was numbered.
            None => 0,
        };
        if found > SCHEMA {
            return Err(StoreError::NewerSchema {
                found,
                known: SCHEMA,
            });
        }
        if found < SCHEMA {
            tracing::info!(
                found,
                known = SCHEMA,
                "replaying the log into the new layout"
            );
            self.begin_rebuild()?;
            self.finish_rebuild()?;
            self.note(SCHEMA_KEY, Some(SCHEMA.to_be_bytes().to_vec()))?;
        }
        Ok(())
    }

    pub(super) fn finish_sweeps(&mut self) -> Result<()> {
        if self.tables.get(Table::Meta, REBUILD_KEY)?.is_some() {
            self.finish_rebuild()?;
        }
        let prefix = DROP_PREFIX.len();
        for key in self.keys(Table::Meta, &Span::prefix(DROP_PREFIX), usize::MAX)? {
            let room = key
                .get(prefix..)
                .and_then(|bytes| RoomTag::try_from(bytes).ok());
            self.finish_drop(
                room.ok_or_else(|| StoreError::corrupt("a room to remove that has no name"))?,
            )?;
        }
        Ok(())
    }

    pub(super) fn forget_oldest(
        &mut self,
        room: RoomTag,
        before: Hlc,
    ) -> Result<Vec<(AuthorId, Seq)>> {
        let span = Span {
            from: room.0.to_vec(),
            until: Some(layout::time_key(room, before, EventHash::ZERO)),
        };
        let mut gone = Vec::new();
        let mut draft = Draft::over(&self.tables);
        for time_key in self.keys(Table::ByTime, &span, SWEEP)? {
            let key = self.key_at(&time_key)?;
            draft.forget(&key, time_key)?;
            gone.push((key.author, key.seq));
        }
        if gone.len() < SWEEP {
            self.old_notes(room, before, &mut draft)?;
        }
        let changes = draft.into_changes();
        self.apply_forgetting(changes).map(|()| gone)
    }

    /// Notes on messages that never came go when they are as old as what is let go.
    fn old_notes(&self, room: RoomTag, before: Hlc, draft: &mut Draft<'_, T>) -> Result<()> {
        let mut old = Vec::new();
        let span = Span::prefix(&room.0);
        self.tables
            .scan(Table::Notes, &span, Order::Ascending, &mut |key, value| {
                if layout::read_note(key, value)?.clock < before {
                    old.push(key.to_vec());
                }
                Ok(old.len() < SWEEP)
            })?;
        for key in old {
            draft.set(Table::Notes, key, None);
        }
        Ok(())
    }

    pub(super) fn evict_oldest(
        &mut self,
        room: RoomTag,
        spare: AuthorId,
        bytes: u64,
        after: Option<(Hlc, EventHash)>,
    ) -> Result<Evicted> {
        let mut span = Span::prefix(&room.0);
        if let Some((clock, hash)) = after {
            span.from = [&*layout::time_key(room, clock, hash), &[0]].concat();
        }
        let mut draft = Draft::over(&self.tables);
        let keys = self.keys(Table::ByTime, &span, SWEEP)?;
        let mut evicted = Evicted {
            more: keys.len() == SWEEP,
            ..Evicted::default()
        };
        for time_key in keys {
            if evicted.freed >= bytes {
                evicted.more = true;
                break;
            }
            let (_, clock, hash) = layout::read_time_key(&time_key)?;
            let key = self.key_at(&time_key)?;
            evicted.upto = Some((clock, hash));
            if key.author != spare {
                let size = draft.forget(&key, time_key)?;
                evicted.freed = evicted.freed.saturating_add(size);
                evicted.places.push((key.author, key.seq));
            }
        }
        let changes = draft.into_changes();
        self.apply_forgetting(changes).map(|()| evicted)
    }

    /// The event that an entry of `by_time` names.
    fn key_at(&self, time_key: &[u8]) -> Result<EventKey> {
        let (room, _, hash) = layout::read_time_key(time_key)?;
        let id = self
            .tables
            .get(Table::Ids, &layout::hash_key(room, hash))?
            .ok_or_else(|| StoreError::corrupt("an index names an event that is not there"))?;
        layout::read_id_value(room, hash, &id)
    }

    fn apply_forgetting(&mut self, mut changes: Vec<Change>) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        // What the database holds must be counted again before it is compared with its size.
        changes.push(Change {
            table: Table::Meta,
            key: LIVE_KEY.to_vec(),
            value: None,
        });
        self.apply(|tables| tables.apply(&changes))
    }

    pub(crate) fn begin_drop(&mut self, room: RoomTag) -> Result<()> {
        self.note(&drop_key(room), Some(Vec::new()))
    }

    pub(super) fn finish_drop(&mut self, room: RoomTag) -> Result<()> {
        for table in Table::BY_ROOM {
            self.clear(table, &Span::prefix(&room.0))?;
        }
        // What the database holds must be counted again before it is compared with its size.
        self.note(LIVE_KEY, None)?;
        self.note(&drop_key(room), None)
    }

    pub(crate) fn begin_rebuild(&mut self) -> Result<()> {
        self.note(REBUILD_KEY, Some(Vec::new()))
    }

    /// Clears the indexes and replays the log; returns how many events it has.
    pub(super) fn finish_rebuild(&mut self) -> Result<u64> {
        for table in [Table::ByTime, Table::Ids] {
            self.clear(table, &Span::all())?;
        }
        self.empty_heads()?;
        let mut span = Span::all();
        let mut events = 0_u64;
        loop {
            let mut batch = Vec::new();
            let mut bytes = 0_usize;
            self.tables
                .scan(Table::Events, &span, Order::Ascending, &mut |key, value| {
                    bytes = bytes.saturating_add(value.len());
                    let value = EventValue::decode(value)?;
                    batch.push((key.to_vec(), value.clock, value.size()));
                    Ok(batch.len() < SWEEP && bytes < COMMIT_BYTES_MAX)
                })?;
            let Some((last, ..)) = batch.last() else {
                break;
            };
            span.from = [last.as_slice(), &[0]].concat();
            let mut draft = Draft::over(&self.tables);
            for (key, clock, size) in &batch {
                draft.index(&layout::read_event_key(key)?, *clock, *size)?;
            }
            let changes = draft.into_changes();
            self.apply(|tables| tables.apply(&changes))?;
            events = events.saturating_add(batch.len() as u64);
        }
        self.note(REBUILD_KEY, None)?;
        Ok(events)
    }

    /// Nothing is held any more, for all that the heads say; where logs end stays known, since of what was
    /// let go nothing else tells.
    fn empty_heads(&mut self) -> Result<()> {
        let mut span = Span::all();
        loop {
            let mut changes = Vec::new();
            self.tables
                .scan(Table::Heads, &span, Order::Ascending, &mut |key, value| {
                    // One that can't be read is made anew, like the other indexes.
                    let held = layout::read_head(key, value).ok();
                    changes.push(Change {
                        table: Table::Heads,
                        key: key.to_vec(),
                        value: held.map(|(_, held)| layout::head_value(&held.emptied())),
                    });
                    Ok(changes.len() < SWEEP)
                })?;
            let Some(last) = changes.last() else {
                return Ok(());
            };
            span.from = [&*last.key, &[0]].concat();
            self.apply(|tables| tables.apply(&changes))?;
        }
    }

    /// What a stream's entry of `heads` says of its events, from the events; where the log ends stays known.
    pub(super) fn count_anew(&mut self, stream_key: &[u8]) -> Result<Option<Held>> {
        let Some(bytes) = self.tables.get(Table::Heads, stream_key)? else {
            return Ok(None);
        };
        let mut held = layout::read_head(stream_key, &bytes)?.1.emptied();
        let span = Span::prefix(stream_key);
        self.tables
            .scan(Table::Events, &span, Order::Ascending, &mut |key, value| {
                held.count(
                    &layout::read_event_key(key)?,
                    EventValue::decode(value)?.size(),
                );
                Ok(true)
            })?;
        let change = Change {
            table: Table::Heads,
            key: stream_key.to_vec(),
            value: Some(layout::head_value(&held)),
        };
        self.apply(|tables| tables.apply(&[change]))?;
        Ok(Some(held))
    }

    fn is_blank(&self) -> Result<bool> {
        Ok(self.keys(Table::Events, &Span::all(), 1)?.is_empty()
            && self.keys(Table::Meta, &Span::all(), 1)?.is_empty())
    }

    fn note(&mut self, key: &[u8], value: Option<Vec<u8>>) -> Result<()> {
        self.apply(|tables| {
            tables.apply(&[Change {
                table: Table::Meta,
                key: key.to_vec(),
                value,
            }])
        })
    }

    fn clear(&mut self, table: Table, span: &Span) -> Result<()> {
        loop {
            let keys = self.keys(table, span, SWEEP)?;
            if keys.is_empty() {
                return Ok(());
            }
            let changes: Vec<Change> = keys
                .into_iter()
                .map(|key| Change {
                    table,
                    key,
                    value: None,
                })
                .collect();
            self.apply(|tables| tables.apply(&changes))?;
        }
    }

    fn keys(&self, table: Table, span: &Span, limit: usize) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::new();
        self.tables
            .scan(table, span, Order::Ascending, &mut |key, _| {
                keys.push(key.to_vec());
                Ok(keys.len() < limit)
            })?;
        Ok(keys)
    }
}

fn drop_key(room: RoomTag) -> Vec<u8> {
    [DROP_PREFIX, room.0.as_slice()].concat()
}
