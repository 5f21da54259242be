//! Records and other values, the removal of rooms, the guard, the rebuilding of indexes.

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq};

use super::{ROOM, all, commit, event};
use crate::{
    EventKey, RecordKind, Store, StoreError, StoredEvent, StoredRecord, Write, limits::VALUE_MAX,
};

pub(super) fn the_latest_record_wins(store: &mut dyn Store) {
    let record = |clock, bytes: &[u8]| StoredRecord {
        room: ROOM,
        kind: RecordKind(2),
        author: AuthorId([1; 32]),
        clock: Hlc(clock),
        bytes: bytes.to_vec(),
    };
    for (write, wins) in [
        ((5, b"b"), (5, b"b")),
        ((4, b"z"), (5, b"b")),
        ((5, b"a"), (5, b"b")),
        ((5, b"c"), (5, b"c")),
    ] {
        store
            .commit(&[Write::Record(record(write.0, write.1))])
            .unwrap();
        assert_eq!(store.records(ROOM).unwrap(), [record(wins.0, wins.1)]);
    }
    let other = StoredRecord {
        kind: RecordKind(1),
        ..record(1, b"")
    };
    store.commit(&[Write::Record(other.clone())]).unwrap();
    assert_eq!(store.records(ROOM).unwrap(), [other, record(5, b"c")]);
}

pub(super) fn other_values_are_set_and_removed(store: &mut dyn Store) {
    let hash = EventHash([3; 32]);
    let values = |value: Option<&[u8]>| {
        let value = value.map(<[u8]>::to_vec);
        [
            Write::Outbox {
                room: ROOM,
                hash,
                value: value.clone(),
            },
            Write::Peer {
                key: b"peer".to_vec(),
                value: value.clone(),
            },
            Write::Meta {
                key: b"name/a".to_vec(),
                value: value.clone(),
            },
            Write::Meta {
                key: b"schema_version".to_vec(),
                value,
            },
        ]
    };
    store.commit(&values(Some(b"value"))).unwrap();
    assert_eq!(store.outbox(ROOM).unwrap(), [(hash, b"value".to_vec())]);
    assert_eq!(
        store.peers().unwrap(),
        [(b"peer".to_vec(), b"value".to_vec())]
    );
    assert_eq!(store.meta(b"name/a").unwrap(), Some(b"value".to_vec()));
    assert_eq!(
        store.meta_under(b"name/").unwrap(),
        [(b"name/a".to_vec(), b"value".to_vec())]
    );
    assert_eq!(store.meta_under(b"").unwrap().len(), 2);
    store.commit(&values(None)).unwrap();
    assert!(store.outbox(ROOM).unwrap().is_empty() && store.peers().unwrap().is_empty());
    assert!(store.meta_under(b"").unwrap().is_empty());
}

pub(super) fn large_values_shrink_and_grow(store: &mut dyn Store) {
    for size in [0, 1, 5 * 1024, 5 * 1024 + 1, VALUE_MAX, 12_000, 0, 30_000] {
        let value: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
        store
            .commit(&[Write::Meta {
                key: b"large".to_vec(),
                value: Some(value.clone()),
            }])
            .unwrap();
        assert_eq!(store.meta(b"large").unwrap(), Some(value.clone()));
        assert_eq!(
            store.meta_under(b"large").unwrap(),
            [(b"large".to_vec(), value)]
        );
    }
}

pub(super) fn a_room_is_removed_without_its_neighbours(store: &mut dyn Store) {
    let in_room = |room: u8, seq| StoredEvent {
        key: EventKey {
            room: RoomTag([room; 16]),
            ..event(1, 1, seq, 0).key
        },
        ..event(1, 1, seq, 0)
    };
    for room in [6, 7, 255] {
        commit(store, (1..=200).map(|seq| in_room(room, seq)));
    }
    assert_eq!(
        store.rooms().unwrap(),
        [6, 7, 255].map(|room| RoomTag([room; 16]))
    );
    store
        .commit(&[Write::Outbox {
            room: ROOM,
            hash: EventHash::ZERO,
            value: Some(vec![]),
        }])
        .unwrap();
    store.drop_room(ROOM).unwrap();
    store.drop_room(RoomTag([255; 16])).unwrap();
    assert_eq!(store.rooms().unwrap(), [RoomTag([6; 16])]);
    assert!(
        store.page(ROOM, None, 9).unwrap().is_empty() && store.outbox(ROOM).unwrap().is_empty()
    );
    assert!(all(store, 1, 1).is_empty());
    assert_eq!(store.page(RoomTag([6; 16]), None, 999).unwrap().len(), 200);
}

pub(super) fn a_position_is_signed_once(store: &mut dyn Store) {
    let own = |seq, branch| Write::OwnEvent(event(1, 1, seq, branch));
    store.commit(&[own(1, 0), own(2, 0)]).unwrap();
    store.commit(&[own(2, 0)]).unwrap();
    assert!(matches!(
        store.commit(&[own(2, 5)]),
        Err(StoreError::SeqUsed { seq: Seq(2) })
    ));
    assert!(matches!(
        store.check(&[own(3, 0), own(3, 1)]),
        Err(StoreError::SeqUsed { seq: Seq(3) })
    ));
    assert!(matches!(
        store.commit(&[own(1, 5)]),
        Err(StoreError::SeqUsed { .. })
    ));
    assert_eq!(all(store, 1, 1).len(), 2);
    let head = store.own_heads().unwrap()[0];
    assert_eq!(head.guarded, (Seq(2), event(1, 1, 2, 0).key.hash));
    assert!(!head.rolled_back());
    store.drop_room(ROOM).unwrap();
    assert!(store.own_heads().unwrap()[0].rolled_back());
    // A copy that comes back from another member is as good.
    commit(store, [event(1, 1, 1, 0), event(1, 1, 2, 0)]);
    assert!(!store.own_heads().unwrap()[0].rolled_back());
}

pub(super) fn rebuilding_changes_nothing(store: &mut dyn Store) {
    for author in 1..=3 {
        commit(
            store,
            (1..=100)
                .filter(|seq| seq % 7 != 0)
                .map(|seq| event(author, u32::from(seq % 2 == 1), seq, 0)),
        );
    }
    store
        .commit(&[Write::DeleteBody(event(1, 1, 1, 0).key)])
        .unwrap();
    let before = (
        store.held(ROOM).unwrap(),
        store.page(ROOM, None, 999).unwrap(),
    );
    assert_eq!(store.rebuild().unwrap(), 3 * 86);
    assert_eq!(
        (
            store.held(ROOM).unwrap(),
            store.page(ROOM, None, 999).unwrap()
        ),
        before
    );
    assert!(
        store
            .event(ROOM, event(2, 1, 3, 0).key.hash)
            .unwrap()
            .is_some()
    );
}

pub(super) fn one_commit_sees_its_own_writes(store: &mut dyn Store) {
    let one = event(1, 1, 1, 0);
    store
        .commit(&[
            Write::Event(one.clone()),
            Write::DeleteBody(one.key),
            Write::Event(one.clone()),
        ])
        .unwrap();
    assert_eq!(store.event(ROOM, one.key.hash).unwrap().unwrap().body, None);
    assert_eq!(store.held(ROOM).unwrap()[0].events, 1);
}
