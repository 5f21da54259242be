//! Everything in memory: for tests, the simulator and a browser guest. Nothing survives.

use std::{collections::BTreeMap, ops::Bound};

use peddlenet_wire::{AuthorId, RoomTag, Stream};

use crate::{
    Indexed, OwnHead, StoreError,
    tables::{Change, Order, Span, Table, Tables, Visit},
};

type Result<T> = std::result::Result<T, StoreError>;

/// A [`Store`](crate::Store) that forgets.
pub type MemoryStore = Indexed<Memory>;

/// The tables of a [`MemoryStore`].
#[derive(Debug, Default, Clone)]
pub struct Memory {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>,
    guards: BTreeMap<(RoomTag, AuthorId, Stream), OwnHead>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Result<Self> {
        Self::open(Memory::default())
    }
}

impl Tables for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self
            .tables
            .get(&table)
            .and_then(|entries| entries.get(key))
            .cloned())
    }

    fn scan(&self, table: Table, span: &Span, order: Order, visit: &mut Visit<'_>) -> Result<()> {
        let Some(entries) = self.tables.get(&table).filter(|_| !span.is_empty()) else {
            return Ok(());
        };
        let until = span
            .until
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = entries.range::<[u8], _>((Bound::Included(span.from.as_slice()), until));
        while let Some((key, value)) = match order {
            Order::Ascending => range.next(),
            Order::Descending => range.next_back(),
        } {
            if !visit(key, value)? {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, changes: &[Change]) -> Result<()> {
        for Change { table, key, value } in changes {
            let entries = self.tables.entry(*table).or_default();
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        Ok(())
    }

    fn guards(&self) -> Vec<OwnHead> {
        self.guards.values().copied().collect()
    }

    fn guard(&mut self, heads: &[OwnHead]) -> Result<()> {
        for head in heads {
            let slot = self
                .guards
                .entry((head.room, head.author, head.stream))
                .or_insert(*head);
            if head.guarded.0 > slot.guarded.0 {
                *slot = *head;
            }
        }
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        let sizes = self
            .tables
            .values()
            .flatten()
            .map(|(key, value)| key.len().saturating_add(value.len()));
        sizes.fold(0, |sum, size| sum.saturating_add(size as u64))
    }
}
