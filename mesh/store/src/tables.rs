//! What a backend has to offer: ordered tables of bytes, and atomic, durable changes to them.

use crate::{OwnHead, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// The tables. `layout` says what their keys and values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// room | author | stream | seq | hash -> header and body: the truth.
    Events,
    /// room | clock | hash -> (): content in the order it is shown.
    ByTime,
    /// room | hash -> author | stream | seq.
    Ids,
    /// room | author | stream -> what is there of it.
    Heads,
    /// room | hash -> what waits to be sent.
    Outbox,
    /// room | kind | author -> clock and record. Receipts are one kind.
    Records,
    /// room | target | kind | author -> the latest that an author said about a message.
    Notes,
    /// What is known about other devices.
    Peers,
    /// Everything else, and the schema version.
    Meta,
}

impl Table {
    pub(crate) const ALL: [Self; 9] = [
        Self::Events,
        Self::ByTime,
        Self::Ids,
        Self::Heads,
        Self::Outbox,
        Self::Records,
        Self::Notes,
        Self::Peers,
        Self::Meta,
    ];
    /// The tables whose keys start with a room.
    pub(crate) const BY_ROOM: [Self; 7] = [
        Self::ByTime,
        Self::Ids,
        Self::Heads,
        Self::Outbox,
        Self::Records,
        Self::Notes,
        Self::Events,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::ByTime => "by_time",
            Self::Ids => "ids",
            Self::Heads => "heads",
            Self::Outbox => "outbox",
            Self::Records => "receipts",
            Self::Notes => "notes",
            Self::Peers => "peers",
            Self::Meta => "meta",
        }
    }
}

/// Set a key, or remove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

/// Keys from `from` (included) up to `until` (excluded; `None` is the end).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub(crate) from: Vec<u8>,
    pub(crate) until: Option<Vec<u8>>,
}

impl Span {
    pub(crate) fn all() -> Self {
        Self {
            from: Vec::new(),
            until: None,
        }
    }

    pub(crate) fn prefix(prefix: &[u8]) -> Self {
        Self {
            from: prefix.to_vec(),
            until: after_prefix(prefix),
        }
    }

    /// Whether nothing can lie inside.
    pub(crate) fn is_empty(&self) -> bool {
        self.until.as_ref().is_some_and(|until| *until <= self.from)
    }
}

/// The first key behind all that start with `prefix`; `None` when there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if let Some(next) = last.checked_add(1) {
            key.push(next);
            return Some(key);
        }
    }
    None
}

/// The direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Sees a key and its value; `false` ends the scan.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool> + 'a;

/// A backend. [`Indexed`](crate::Indexed) makes a [`Store`](crate::Store) of it.
pub trait Tables: Send {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>>;

    fn scan(&self, table: Table, span: &Span, order: Order, visit: &mut Visit<'_>) -> Result<()>;

    /// All or none, in order, and durable on return.
    fn apply(&mut self, changes: &[Change]) -> Result<()>;

    /// The last signed position per own stream. `stored` in the answers means nothing here.
    fn guards(&self) -> Vec<OwnHead>;

    /// Notes signed positions, durable on return. A lower position than the noted one is ignored.
    fn guard(&mut self, heads: &[OwnHead]) -> Result<()>;

    fn disk_bytes(&self) -> u64;
}
