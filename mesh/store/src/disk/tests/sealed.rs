//! A store whose values are sealed: what lies on the disk, and what a wrong key or a hostile hand does.

use super::*;
use crate::{
    EventKey,
    conformance::cipher,
    layout::{hash_key, meta_key},
};

fn sealed(key: u8) -> Options {
    Options {
        cipher: Some(cipher(key)),
        ..Options::default()
    }
}

fn open_sealed(folder: &Path) -> (SledStore, Opened) {
    SledStore::open_in(folder, sealed(1)).unwrap()
}

const BODY: &[u8] = b"a body that must not be read";
const META: &[u8] = b"a remembered value that must not be read";

/// Events, a large value in pieces, one remembered.
fn fill(store: &mut SledStore) {
    for seq in 1..=60 {
        let body = Some(BODY.repeat(if seq % 9 == 0 { 900 } else { 1 }));
        let event = StoredEvent {
            body,
            ..event(1, 1, seq, 0)
        };
        store.commit(&[Write::OwnEvent(event)]).unwrap();
    }
    let value = Some(META.to_vec());
    store
        .commit(&[
            Write::Meta {
                key: b"name/a".to_vec(),
                value: value.clone(),
            },
            Write::Meta {
                key: b"name/b".to_vec(),
                value: Some(b"another".to_vec()),
            },
            Write::Peer {
                key: b"name/a".to_vec(),
                value,
            },
        ])
        .unwrap();
}

fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

fn assert_unreadable(folder: &Path) {
    for (path, bytes) in files(folder) {
        for known in [BODY, META] {
            let found = bytes.windows(known.len()).any(|window| window == known);
            assert!(!found, "{} holds a plain value", path.display());
        }
    }
}

/// A value as the database keeps it.
fn raw(store: &SledStore, table: Table, key: &[u8]) -> Vec<u8> {
    let entry = store.tables().db().unwrap().get(table, key).unwrap();
    entry.unwrap()
}

fn set_raw(store: &SledStore, table: Table, key: &[u8], value: Vec<u8>) {
    let change = Change {
        table,
        key: key.to_vec(),
        value: Some(value),
    };
    let db = store.tables().db().unwrap();
    db.apply(&[change], &Seal::default()).unwrap();
}

#[test]
fn nothing_readable_lies_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, opened) = open_sealed(folder.path());
    assert_eq!(opened, Opened::Fresh);
    fill(&mut store);
    let before = contents(&store);
    store.compact().unwrap();
    drop(store);
    assert_unreadable(folder.path());
    assert!(!folder.path().join("own-heads").exists());
    let (store, opened) = open_sealed(folder.path());
    assert_eq!((contents(&store), opened), (before, Opened::Whole));
    assert_eq!(store.meta(b"name/a").unwrap().as_deref(), Some(META));
    assert_eq!(store.own_heads().unwrap()[0].guarded.0, Seq(60));
}

#[test]
fn a_wrong_key_or_none_is_told_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open_sealed(folder.path()).0;
    fill(&mut store);
    let before = contents(&store);
    drop(store);
    forget_clean(folder.path());
    let on_disk = files(folder.path());
    for _ in 0..2 {
        let wrong = SledStore::open_in(folder.path(), sealed(2)).unwrap_err();
        assert!(matches!(wrong, StoreError::WrongKey), "{wrong}");
        assert!(wrong.to_string().contains("another key"));
        let none = SledStore::open_in(folder.path(), Options::default()).unwrap_err();
        assert!(matches!(none, StoreError::KeyNeeded), "{none}");
    }
    assert!(files(folder.path()) == on_disk);
    let (store, opened) = open_sealed(folder.path());
    assert_eq!((contents(&store), opened), (before, Opened::Whole));
}

#[test]
fn a_lost_seal_file_changes_nothing_about_which_key_opens() {
    let folder = tempfile::tempdir().unwrap();
    fill(&mut open_sealed(folder.path()).0);
    let seal = folder.path().join("seal");
    fs::remove_file(&seal).unwrap();
    let wrong = SledStore::open_in(folder.path(), sealed(2)).unwrap_err();
    assert!(matches!(wrong, StoreError::WrongKey), "{wrong}");
    let none = SledStore::open_in(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(none, StoreError::KeyNeeded), "{none}");
    assert_eq!(open_sealed(folder.path()).1, Opened::Whole);
    assert!(seal.exists());
    fs::write(&seal, "PNSEAL\x01 something else").unwrap();
    let odd = SledStore::open_in(folder.path(), sealed(1)).unwrap_err();
    assert!(matches!(odd, StoreError::Altered { .. }), "{odd}");
}

#[test]
fn a_changed_value_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open_sealed(folder.path()).0;
    fill(&mut store);
    let key = meta_key(b"name/a");
    let kept = raw(&store, Table::Meta, &key);
    let plain = META.to_vec();
    for bad in [
        Vec::new(),
        plain,
        kept[..39].to_vec(),
        kept[..kept.len() - 1].to_vec(),
        [&kept[..], &[0]].concat(),
    ] {
        set_raw(&store, Table::Meta, &key, bad);
        let found = store.meta(b"name/a").unwrap_err();
        assert!(
            matches!(found, StoreError::Altered { table: "meta" }),
            "{found}"
        );
        assert!(store.meta_under(b"name/").is_err());
    }
    for at in [0, 23, 24, kept.len() - 16, kept.len() - 1] {
        let mut flipped = kept.clone();
        flipped[at] ^= 0x10;
        set_raw(&store, Table::Meta, &key, flipped);
        assert!(store.meta(b"name/a").is_err(), "byte {at}");
    }
    set_raw(&store, Table::Meta, &key, kept);
    assert_eq!(store.meta(b"name/a").unwrap().as_deref(), Some(META));
    // One bad value spoils its own reading, not the store.
    let stream = crate::layout::event_key(&event(1, 1, 3, 0).key);
    set_raw(&store, Table::Events, &stream, vec![7; 90]);
    assert!(store.page(ROOM, None, 99).is_err());
    store.commit(&[Write::Event(event(2, 1, 1, 0))]).unwrap();
    drop(store);
    assert_eq!(open_sealed(folder.path()).1, Opened::Whole);
}

#[test]
fn values_that_change_places_do_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open_sealed(folder.path()).0;
    fill(&mut store);
    let (a, b) = (meta_key(b"name/a"), meta_key(b"name/b"));
    set_raw(&store, Table::Meta, &a, raw(&store, Table::Meta, &b));
    assert!(store.meta(b"name/a").is_err());
    assert!(store.meta(b"name/b").is_ok());
    // Another table, the same key.
    set_raw(&store, Table::Peers, &a, raw(&store, Table::Meta, &b));
    assert!(store.peers().is_err());
    // One event under the name of another.
    let id = |seq| hash_key(ROOM, event(1, 1, seq, 0).key.hash);
    set_raw(&store, Table::Ids, &id(1), raw(&store, Table::Ids, &id(2)));
    let EventKey { hash, .. } = event(1, 1, 1, 0).key;
    assert!(store.event(ROOM, hash).is_err());
    // A piece of one large value in another.
    let pieces = store.tables().db().unwrap().trees().last().unwrap().clone();
    let mut entries = pieces.iter().map(|entry| entry.unwrap());
    let ((one, _), (_, other)) = (entries.next().unwrap(), entries.last().unwrap());
    pieces.insert(one, other).unwrap();
    assert!(store.page(ROOM, None, 99).is_err());
}

#[test]
fn a_plain_store_is_sealed_when_a_key_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).0;
    fill(&mut store);
    let before = (contents(&store), store.own_heads().unwrap());
    drop(store);
    fs::create_dir(folder.path().join("quarantine-3")).unwrap();
    fs::write(folder.path().join("quarantine-3/db"), BODY).unwrap();

    let (store, opened) = open_sealed(folder.path());
    let after = (contents(&store), store.own_heads().unwrap());
    assert_eq!((after, opened), (before, Opened::Whole));
    assert_eq!(store.meta(b"name/a").unwrap().as_deref(), Some(META));
    drop(store);
    assert_unreadable(folder.path());
    assert!(!folder.path().join("own-heads").exists());
    let plain = SledStore::open_in(folder.path(), Options::default());
    assert!(matches!(plain, Err(StoreError::KeyNeeded)));
    assert_eq!(open_sealed(folder.path()).1, Opened::Whole);
}

#[test]
fn sealing_that_was_interrupted_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path()).0;
    fill(&mut store);
    let before = contents(&store);
    drop(store);
    // The key was noted, and a part of the copy written.
    let held = Folder::take(folder.path()).unwrap();
    held.note_seal(cipher(1).key_id()).unwrap();
    drop(held);
    let half = folder.path().join("sled.new");
    let db = Durable::open(&half).unwrap();
    let change = Change {
        table: Table::Meta,
        key: meta_key(b"half"),
        value: Some(b"half".to_vec()),
    };
    db.apply(&[change], &Seal::new(Some(cipher(1)))).unwrap();
    drop(db);
    let store = open_sealed(folder.path()).0;
    assert_eq!(contents(&store), before);
    assert_eq!(store.meta(b"half").unwrap(), None);
    drop(store);
    assert_unreadable(folder.path());
}

#[test]
fn a_damaged_sealed_database_is_set_aside_and_the_guard_remembers() {
    let folder = tempfile::tempdir().unwrap();
    fill(&mut open_sealed(folder.path()).0);
    forget_clean(folder.path());
    let log = folder.path().join("sled/db");
    let mut bytes = fs::read(&log).unwrap();
    bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55);
    fs::write(&log, bytes).unwrap();
    // With a wrong key nothing is judged, let alone moved.
    let wrong = SledStore::open_in(folder.path(), sealed(2));
    assert!(matches!(wrong, Err(StoreError::WrongKey)));
    let (store, opened) = open_sealed(folder.path());
    assert!(matches!(opened, Opened::Quarantined { .. }), "{opened:?}");
    let own = store.own_heads().unwrap()[0];
    assert_eq!((own.guarded.0, own.rolled_back()), (Seq(60), true));
}

#[test]
fn an_erased_folder_is_empty_and_starts_fresh_with_any_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    fill(&mut open_sealed(&store).0);
    assert!(Folder::is_free(&store));
    let in_use = open_sealed(&store);
    assert!(!Folder::is_free(&store));
    assert!(matches!(Folder::take(&store), Err(StoreError::InUse)));
    drop(in_use);
    assert!(Folder::is_free(&store) && Folder::is_free(&folder.path().join("none")));
    let held = Folder::take(&store).unwrap();
    assert_eq!(held.sealed_by().unwrap(), Some(cipher(1).key_id()));
    held.erase().unwrap();
    assert!(files(&store).is_empty());
    let held = Folder::take(&store).unwrap();
    assert_eq!(held.sealed_by().unwrap(), None);
    let (store, opened) = SledStore::open_held(held, sealed(2)).unwrap();
    assert_eq!(opened, Opened::Fresh);
    assert!(store.own_heads().unwrap().is_empty());
}
