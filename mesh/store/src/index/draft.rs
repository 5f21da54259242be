//! A commit in the making: reads through to the tables, collects changes.

use std::collections::BTreeMap;

use peddlenet_wire::{Hlc, Stream};

use crate::{
    EventKey, Held, Ranges, StoreError, StoredEvent, Write,
    layout::{self, EventValue},
    tables::{Change, Order, Span, Table, Tables},
};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) struct Draft<'a, T> {
    tables: &'a T,
    changes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl<'a, T: Tables> Draft<'a, T> {
    pub(super) fn over(tables: &'a T) -> Self {
        Self {
            tables,
            changes: BTreeMap::new(),
        }
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
            .into_iter()
            .map(|((table, key), value)| Change { table, key, value })
            .collect()
    }

    pub(super) fn write(&mut self, write: &Write) -> Result<()> {
        match write {
            Write::Event(event) | Write::OwnEvent(event) => self.event(event)?,
            Write::DeleteBody(key) => self.delete_body(key)?,
            Write::Record(record) => {
                let key = layout::record_key(record.room, record.kind, record.author);
                self.keep_latest(Table::Records, key, layout::record_value(record))?;
            }
            Write::Note(note) => {
                self.keep_latest(
                    Table::Notes,
                    layout::note_key(note),
                    layout::note_value(note),
                )?;
            }
            Write::Outbox { room, hash, value } => {
                self.set(Table::Outbox, layout::hash_key(*room, *hash), value.clone());
            }
            Write::Peer { key, value } => self.set(Table::Peers, key.clone(), value.clone()),
            Write::Meta { key, value } => {
                self.set(Table::Meta, layout::meta_key(key), value.clone())
            }
        }
        Ok(())
    }

    /// Of two values the one with the later clock stays. It stands first in them, before what tells equal
    /// clocks apart, so comparing the values compares both.
    fn keep_latest(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        if self.get(table, &key)?.is_none_or(|old| old < value) {
            self.set(table, key, Some(value));
        }
        Ok(())
    }

    fn event(&mut self, event: &StoredEvent) -> Result<()> {
        let key = layout::event_key(&event.key);
        let Some(old) = self.get(Table::Events, &key)? else {
            let value = EventValue::of(event);
            self.set(Table::Events, key, Some(value.encode()));
            return self.index(&event.key, value.clock, value.size());
        };
        // A log with many holes may have forgotten a place that it has.
        self.change_held(&event.key, |held| held.hold(event.key.seq))?;
        let mut old = EventValue::decode(&old)?;
        if old.body.is_none() && !old.deleted && event.body.is_some() {
            old.body.clone_from(&event.body);
            self.set(Table::Events, key, Some(old.encode()));
            self.resize(&event.key, 0, event.body.as_ref().map_or(0, Vec::len))?;
        }
        Ok(())
    }

    fn delete_body(&mut self, event: &EventKey) -> Result<()> {
        let key = layout::event_key(event);
        if let Some(old) = self.get(Table::Events, &key)? {
            let mut value = EventValue::decode(&old)?;
            let gone = value.body.take().map_or(0, |body| body.len());
            value.deleted = true;
            self.set(Table::Events, key, Some(value.encode()));
            self.resize(event, gone, 0)?;
        }
        Ok(())
    }

    /// An event takes other space than before.
    fn resize(&mut self, key: &EventKey, less: usize, more: usize) -> Result<()> {
        self.change_held(key, |held| {
            held.bytes = held.bytes.saturating_sub(less as u64);
            held.bytes = held.bytes.saturating_add(more as u64);
            true
        })
    }

    /// Changes what is told of the log that an event is of, where anything is; `change` tells whether it did.
    fn change_held(
        &mut self,
        key: &EventKey,
        change: impl FnOnce(&mut Held) -> bool,
    ) -> Result<()> {
        let head_key = layout::stream_key(key.room, key.author, key.stream);
        if let Some(bytes) = self.get(Table::Heads, &head_key)? {
            let mut held = layout::read_head(&head_key, &bytes)?.1;
            if change(&mut held) {
                self.set(Table::Heads, head_key, Some(layout::head_value(&held)));
            }
        }
        Ok(())
    }

    /// Deletes an event, what was said about it, and its index entries. Where its log ends stays known.
    /// Returns how large it was (bytes).
    pub(super) fn forget(&mut self, key: &EventKey, time_key: Vec<u8>) -> Result<u64> {
        let event_key = layout::event_key(key);
        let size = match self.get(Table::Events, &event_key)? {
            Some(value) => EventValue::decode(&value)?.size(),
            None => 0,
        };
        self.set(Table::Events, event_key, None);
        let mut notes = Vec::new();
        let span = Span::prefix(&layout::notes_of(key.room, key.hash));
        self.tables
            .scan(Table::Notes, &span, Order::Ascending, &mut |key, _| {
                notes.push(key.to_vec());
                Ok(true)
            })?;
        for note in notes {
            self.set(Table::Notes, note, None);
        }
        self.set(Table::Ids, layout::hash_key(key.room, key.hash), None);
        self.set(Table::ByTime, time_key, None);
        self.change_held(key, |held| {
            // Of a fork there is another event at the same place, of the same age more or less: it goes, too.
            held.ranges.remove(key.seq);
            held.events = held.events.saturating_sub(1);
            held.bytes = held.bytes.saturating_sub(size);
            true
        })?;
        Ok(size)
    }

    /// The index entries of an event that is new, or that a rebuild replays.
    pub(super) fn index(&mut self, key: &EventKey, clock: Hlc, size: u64) -> Result<()> {
        self.set(
            Table::Ids,
            layout::hash_key(key.room, key.hash),
            Some(layout::id_value(key)),
        );
        if key.stream == Stream::CONTENT {
            self.set(
                Table::ByTime,
                layout::time_key(key.room, clock, key.hash),
                Some(Vec::new()),
            );
        }
        let head_key = layout::stream_key(key.room, key.author, key.stream);
        let mut held = match self.get(Table::Heads, &head_key)? {
            Some(bytes) => layout::read_head(&head_key, &bytes)?.1,
            None => Held {
                author: key.author,
                stream: key.stream,
                ranges: Ranges::default(),
                head: key.seq,
                head_hash: key.hash,
                events: 0,
                bytes: 0,
            },
        };
        held.count(key, size);
        self.set(Table::Heads, head_key, Some(layout::head_value(&held)));
        Ok(())
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.changes.get(&(table, key.to_vec())) {
            Some(value) => Ok(value.clone()),
            None => self.tables.get(table, key),
        }
    }

    pub(super) fn set(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert((table, key), value);
    }
}
