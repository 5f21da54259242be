mod sealed;

use std::{fs, path::Path, sync::Arc};

use peddlenet_wire::Seq;

use super::{compact, *};
use crate::{
    Held, MemoryStore, Store, StoredEvent, Write,
    conformance::{ROOM, event},
    layout::{SCHEMA, SCHEMA_KEY},
};

fn open(folder: &Path) -> (SledStore, Opened) {
    SledStore::open_in(folder, Options::default()).unwrap()
}

fn filled(folder: &Path) -> SledStore {
    let mut store = open(folder).0;
    for seq in 1..=60 {
        store
            .commit(&[Write::OwnEvent(event(1, 1, seq, 0))])
            .unwrap();
    }
    store
}

/// Events of nearly the largest size that there is.
fn say_large(store: &mut dyn Store, count: u64) {
    for seq in 1..=count {
        let body = Some(vec![u8::try_from(seq).unwrap(); 60 * 1024]);
        let event = StoredEvent {
            body,
            ..event(1, 1, seq, 0)
        };
        store.commit(&[Write::Event(event)]).unwrap();
    }
}

fn contents(store: &dyn Store) -> (Vec<Held>, Vec<StoredEvent>) {
    (
        store.held(ROOM).unwrap(),
        store.page(ROOM, None, usize::MAX).unwrap(),
    )
}

/// Leaves the folder as a kill would: no `clean` file.
fn forget_clean(folder: &Path) {
    fs::remove_file(folder.join("clean")).unwrap();
}

#[test]
fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a/b");
    let (store, opened) = open(&folder);
    assert_eq!(opened, Opened::Fresh);
    drop(store);
    let store = filled(&folder);
    let before = (contents(&store), store.own_heads().unwrap());
    drop(store);
    let (store, opened) = open(&folder);
    assert_eq!(opened, Opened::Whole);
    assert_eq!((contents(&store), store.own_heads().unwrap()), before);
}

#[test]
fn a_second_opening_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path()).0;
    let error = SledStore::open_in(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::InUse));
    assert!(error.to_string().contains("already open"));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path());
    let change = |version: u32| {
        [Change {
            table: Table::Meta,
            key: SCHEMA_KEY.to_vec(),
            value: Some(version.to_be_bytes().to_vec()),
        }]
    };
    store.tables_mut().apply(&change(SCHEMA + 1)).unwrap();
    drop(store);
    for _ in 0..2 {
        let error = SledStore::open_in(folder.path(), Options::default()).unwrap_err();
        assert!(
            matches!(error, StoreError::NewerSchema { found, known } if found == SCHEMA + 1 && known == SCHEMA)
        );
        assert!(error.to_string().contains("update the app"));
    }
}

#[test]
fn an_older_schema_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path());
    let before = contents(&store);
    let mut changes = vec![Change {
        table: Table::Meta,
        key: SCHEMA_KEY.to_vec(),
        value: Some(vec![0; 4]),
    }];
    for table in [Table::ByTime, Table::Ids, Table::Heads] {
        let mut put = |key: &[u8], value| {
            changes.push(Change {
                table,
                key: key.to_vec(),
                value,
            })
        };
        store
            .tables()
            .scan(table, &Span::all(), Order::Ascending, &mut |key, _| {
                put(key, None);
                Ok(true)
            })
            .unwrap();
        // An older layout may have had other entries.
        put(b"old", Some(b"old".to_vec()));
    }
    store.tables_mut().apply(&changes).unwrap();
    drop(store);
    let (store, opened) = open(folder.path());
    assert_eq!((contents(&store), opened), (before, Opened::Whole));
}

#[test]
fn sweeps_that_were_interrupted_are_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path());
    let before = contents(&store);
    store.begin_rebuild().unwrap();
    let ids: Vec<_> = before
        .1
        .iter()
        .take(9)
        .map(|event| crate::layout::hash_key(ROOM, event.key.hash))
        .collect();
    let gone: Vec<_> = ids
        .into_iter()
        .map(|key| Change {
            table: Table::Ids,
            key,
            value: None,
        })
        .collect();
    store.tables_mut().apply(&gone).unwrap();
    drop(store);
    let mut store = open(folder.path()).0;
    assert_eq!(contents(&store), before);
    store.begin_drop(ROOM).unwrap();
    drop(store);
    assert!(open(folder.path()).0.rooms().unwrap().is_empty());
}

#[test]
fn damaged_snapshots_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = contents(&filled(folder.path()));
    drop(open(folder.path()));
    let mut snapshots = 0;
    for entry in fs::read_dir(folder.path().join("sled")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("snap.")
        {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0xff;
            fs::write(&path, bytes).unwrap();
            snapshots += 1;
        }
    }
    assert!(snapshots > 0);
    let (store, opened) = open(folder.path());
    assert!(
        matches!(opened, Opened::Whole | Opened::WithoutSnapshots),
        "{opened:?}"
    );
    assert_eq!(contents(&store), before);
}

#[test]
fn a_damaged_database_is_set_aside_and_the_guard_remembers() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    forget_clean(folder.path());
    let log = folder.path().join("sled/db");
    let mut bytes = fs::read(&log).unwrap();
    bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55);
    fs::write(&log, bytes).unwrap();
    let (mut store, opened) = open(folder.path());
    let Opened::Quarantined { to } = opened else {
        panic!("{opened:?}")
    };
    assert!(to.join("db").exists());
    assert!(store.rooms().unwrap().is_empty());
    let own = store.own_heads().unwrap()[0];
    assert!(own.rolled_back());
    assert_eq!(own.guarded.0, Seq(60));
    assert!(matches!(
        store.commit(&[Write::OwnEvent(event(1, 1, 1, 5))]),
        Err(StoreError::SeqUsed { .. })
    ));
    store.commit(&[Write::Event(event(1, 1, 60, 0))]).unwrap();
    assert!(!store.own_heads().unwrap()[0].rolled_back());
}

#[test]
fn a_store_put_back_from_a_backup_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, backup) = (folder.path().join("store"), folder.path().join("backup"));
    drop(filled(&store));
    fs::rename(store.join("sled"), &backup).unwrap();
    fs::create_dir_all(store.join("sled/blobs")).unwrap();
    for name in ["conf", "db"] {
        fs::copy(backup.join(name), store.join("sled").join(name)).unwrap();
    }
    open(&store)
        .0
        .commit(&[Write::OwnEvent(event(1, 1, 61, 0))])
        .unwrap();
    fs::remove_dir_all(store.join("sled")).unwrap();
    fs::rename(&backup, store.join("sled")).unwrap();
    let own = open(&store).0.own_heads().unwrap()[0];
    assert_eq!(
        (own.guarded.0, own.stored.unwrap().0, own.rolled_back()),
        (Seq(61), Seq(60), true)
    );
}

#[test]
fn a_guard_that_was_not_reached_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let guard = folder.path().join("own-heads");
    let mut bytes = fs::read(&guard).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 100;
    bytes[last * 100..].fill(0);
    fs::write(&guard, &bytes).unwrap();
    let own = open(folder.path()).0.own_heads().unwrap()[0];
    assert_eq!((own.guarded.0, own.rolled_back()), (Seq(60), false));
}

#[test]
fn large_values_make_no_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).0;
    say_large(&mut store, 40);
    assert_eq!(
        fs::read_dir(folder.path().join("sled/blobs"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(store.page(ROOM, None, 99).unwrap().len(), 40);
}

#[test]
fn a_database_written_anew_holds_the_same_and_takes_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path());
    let before = contents(&store);
    store.compact().unwrap();
    assert_eq!(contents(&store), before);
    store.commit(&[Write::Event(event(2, 1, 1, 0))]).unwrap();
    drop(store);
    let (store, opened) = open(folder.path());
    assert_eq!(
        (
            opened,
            store.rooms().unwrap().len(),
            contents(&store).1.len()
        ),
        (Opened::Whole, 1, 61)
    );
    assert!(!folder.path().join("sled.old").exists() && !folder.path().join("sled.new").exists());
}

#[test]
fn a_large_store_that_was_read_through_is_opened_once_more_and_holds_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).0;
    say_large(&mut store, 100);
    let before = contents(&store);
    drop(store);
    // As after a stop that was not orderly.
    fs::remove_file(folder.path().join("clean")).unwrap();
    let (mut store, opened) = open(folder.path());
    assert!(store.stats().disk_bytes > crate::limits::CACHE);
    assert_eq!((opened, contents(&store)), (Opened::Whole, before));
    store.commit(&[Write::Event(event(1, 1, 101, 0))]).unwrap();
}

#[test]
fn what_the_heads_tell_of_the_size_is_less_than_what_is_there_and_not_by_much() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = filled(folder.path());
    let least = store.least_live_bytes().unwrap();
    let live = store.count_live_bytes().unwrap();
    assert!(least < live && live < least * 2, "{least} of {live}");
}

#[test]
fn a_swap_that_was_interrupted_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let before = contents(&filled(folder.path()));
    let path = folder.path().join("sled");
    let copy = |to: &Path| {
        fs::create_dir_all(to.join("blobs")).unwrap();
        for name in ["conf", "db"] {
            fs::copy(path.join(name), to.join(name)).unwrap();
        }
    };
    // In the middle of the copy: the new one is incomplete and goes.
    fs::create_dir_all(path.with_extension("new")).unwrap();
    assert_eq!(contents(&open(folder.path()).0), before);
    assert!(!path.with_extension("new").exists());
    // Between the renames: the new one is complete.
    copy(&path.with_extension("new"));
    fs::rename(&path, path.with_extension("old")).unwrap();
    assert_eq!(contents(&open(folder.path()).0), before);
    // After them: the old one goes.
    fs::create_dir_all(path.with_extension("old")).unwrap();
    assert_eq!(contents(&open(folder.path()).0), before);
    assert!(!path.with_extension("old").exists());
    compact::finish_swap(folder.path(), &path).unwrap();
    assert!(path.exists());
}

#[test]
fn after_a_failed_write_the_store_takes_no_more() {
    struct Failing(crate::Memory, bool);
    impl Tables for Failing {
        fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
            self.0.get(table, key)
        }
        fn scan(
            &self,
            table: Table,
            span: &Span,
            order: Order,
            visit: &mut Visit<'_>,
        ) -> Result<()> {
            self.0.scan(table, span, order, visit)
        }
        fn apply(&mut self, changes: &[Change]) -> Result<()> {
            let full = || StoreError::Io {
                path: "db".into(),
                source: Arc::new(io::ErrorKind::StorageFull.into()),
            };
            if self.1 {
                Err(full())
            } else {
                self.0.apply(changes)
            }
        }
        fn guards(&self) -> Vec<OwnHead> {
            self.0.guards()
        }
        fn guard(&mut self, heads: &[OwnHead]) -> Result<()> {
            self.0.guard(heads)
        }
        fn disk_bytes(&self) -> u64 {
            0
        }
    }
    let mut store = Indexed::open(Failing(crate::Memory::default(), false)).unwrap();
    store.commit(&[Write::Event(event(1, 1, 1, 0))]).unwrap();
    store.tables_mut().1 = true;
    assert!(matches!(
        store.commit(&[Write::Event(event(1, 1, 2, 0))]),
        Err(StoreError::Io { .. })
    ));
    store.tables_mut().1 = false;
    assert!(matches!(
        store.commit(&[Write::Event(event(1, 1, 2, 0))]),
        Err(StoreError::Poisoned)
    ));
    assert_eq!(store.page(ROOM, None, 9).unwrap().len(), 1);
    let _: MemoryStore = MemoryStore::new().unwrap();
}
