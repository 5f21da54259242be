//! sled behind rules 1, 2 and 4: what it acknowledged is on the disk.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sled::{Transactional, Tree, transaction::TransactionError};

use super::{
    Result, StoreError, at,
    parts::{join, piece_key, pieces, split},
    sync_dir,
};
use crate::{
    cipher::Seal,
    limits::{CACHE, FLUSH_EVERY, REOPEN_WAIT},
    tables::{Change, Order, Span, Table},
};

/// Sees a key and its value as it is kept, sealed or not; `false` ends the scan.
pub(super) type VisitKept<'a> = dyn FnMut(&[u8], Vec<u8>) -> Result<bool> + 'a;

/// An open database.
#[derive(Debug)]
pub(super) struct Durable {
    /// In the order of [`Table::ALL`], then the tree of pieces.
    trees: Vec<Tree>,
    /// Our own handle on sled's log.
    log: File,
    path: PathBuf,
    db: sled::Db,
}

impl Durable {
    /// Opens or creates the database in a folder. Damage is `Corrupt`, or a panic of sled's.
    pub(super) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(at(path))?;
        let db = open_sled(path)?;
        let mut trees = Vec::new();
        for name in Table::ALL.map(Table::name).into_iter().chain(["parts"]) {
            trees.push(db.open_tree(name).map_err(failed)?);
        }
        let log_path = path.join("db");
        let log = OpenOptions::new()
            .write(true)
            .open(&log_path)
            .map_err(at(&log_path))?;
        let durable = Self {
            trees,
            log,
            path: path.to_path_buf(),
            db,
        };
        durable.sync_names()?;
        Ok(durable)
    }

    /// Rule 1: the files themselves and their names, up to our own folder's.
    fn sync_names(&self) -> Result<()> {
        self.sync()?;
        let conf = self.path.join("conf");
        // Windows flushes only through a handle that may write.
        OpenOptions::new()
            .write(true)
            .open(&conf)
            .and_then(|file| file.sync_all())
            .map_err(at(&conf))?;
        self.log.sync_all().map_err(at(&self.path))?;
        sync_dir(&self.path.join("blobs")).map_err(at(&self.path))?;
        sync_dir(&self.path).map_err(at(&self.path))?;
        self.path
            .parent()
            .map_or(Ok(()), |parent| sync_dir(parent).map_err(at(parent)))
    }

    /// Rule 2: everything applied so far survives a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        self.db.flush().map_err(failed)?;
        self.log.sync_data().map_err(at(&self.path))
    }

    /// The trees as they are, pieces apart.
    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    pub(super) fn is_empty(&self) -> bool {
        self.trees.iter().all(Tree::is_empty)
    }

    fn tree(&self, table: Table) -> Result<&Tree> {
        self.trees.get(table as usize).ok_or(StoreError::Closed)
    }

    fn parts(&self) -> Result<&Tree> {
        self.trees.last().ok_or(StoreError::Closed)
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let entry = self.tree(table)?.get(key).map_err(failed)?;
        entry
            .map(|entry| join(&entry, table, key, self.parts()?))
            .transpose()
    }

    pub(super) fn scan(
        &self,
        table: Table,
        span: &Span,
        order: Order,
        visit: &mut VisitKept<'_>,
    ) -> Result<()> {
        if span.is_empty() {
            return Ok(());
        }
        let tree = self.tree(table)?;
        let mut entries = match &span.until {
            Some(until) => tree.range(span.from.as_slice()..until.as_slice()),
            None => tree.range(span.from.as_slice()..),
        };
        while let Some(entry) = match order {
            Order::Ascending => entries.next(),
            Order::Descending => entries.next_back(),
        } {
            let (key, entry) = entry.map_err(failed)?;
            if !visit(&key, join(&entry, table, &key, self.parts()?)?)? {
                break;
            }
        }
        Ok(())
    }

    /// All changes or none, their values sealed; durable only after [`Self::sync`].
    pub(super) fn apply(&self, changes: &[Change], seal: &Seal) -> Result<()> {
        let mut batches: Vec<Option<sled::Batch>> = self.trees.iter().map(|_| None).collect();
        let mut put = |tree: usize, key: Vec<u8>, value: Option<Vec<u8>>| {
            if let Some(batch) = batches.get_mut(tree) {
                let batch = batch.get_or_insert_default();
                match value {
                    Some(value) => batch.insert(key, value),
                    None => batch.remove(key),
                }
            }
        };
        let parts = Table::ALL.len();
        for Change { table, key, value } in changes {
            let old = self.tree(*table)?.get(key).map_err(failed)?;
            let old_pieces = old.map_or(0, |entry| pieces(&entry));
            let mut new_pieces = 0;
            let value = value.as_deref();
            let value = value.map(|value| seal.seal(table.name(), key, value));
            let entry = value.transpose()?.map(|value| {
                let (entry, rest) = split(&value);
                for (index, piece) in rest {
                    put(parts, piece_key(*table, key, index), Some(piece.to_vec()));
                    new_pieces = index;
                }
                entry
            });
            put(*table as usize, key.clone(), entry);
            for index in new_pieces.saturating_add(1)..=old_pieces {
                put(parts, piece_key(*table, key, index), None);
            }
        }
        let (trees, batches): (Vec<&Tree>, Vec<sled::Batch>) = self
            .trees
            .iter()
            .zip(batches)
            .filter_map(|(tree, batch)| Some((tree, batch?)))
            .unzip();
        trees
            .as_slice()
            .transaction(|views| {
                views
                    .iter()
                    .zip(&batches)
                    .try_for_each(|(view, batch)| Ok(view.apply_batch(batch)?))
            })
            .map_err(|error| match error {
                TransactionError::Storage(error) => failed(error),
                TransactionError::Abort(()) => StoreError::corrupt("a commit that was aborted"),
            })
    }

    /// Reads everything once.
    pub(super) fn verify(&self) -> Result<()> {
        Table::ALL.into_iter().try_for_each(|table| {
            self.scan(table, &Span::all(), Order::Ascending, &mut |_, _| Ok(true))
        })
    }

    pub(super) fn disk_bytes(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }
}

/// sled's threads may hold a database's file for a moment after its last handle is gone; our own
/// lock already keeps other processes out, so waiting is right.
fn open_sled(path: &Path) -> Result<sled::Db> {
    let until = Instant::now() + REOPEN_WAIT;
    loop {
        let millis = u64::try_from(FLUSH_EVERY.as_millis()).unwrap_or(u64::MAX);
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            .flush_every_ms(Some(millis));
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                if Instant::now() >= until {
                    return Err(StoreError::InUse);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.map_err(failed),
        }
    }
}

pub(super) fn failed(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(source) => match source.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                StoreError::corrupt(source.to_string())
            }
            _ => StoreError::io("the database", source),
        },
        other => StoreError::corrupt(other.to_string()),
    }
}
