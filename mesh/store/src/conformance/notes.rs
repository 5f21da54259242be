//! What is said about messages.

use peddlenet_wire::{AuthorId, EventHash, Hlc};

use super::{ROOM, commit, event};
use crate::{Store, StoredNote, Write};

fn note(target: EventHash, kind: u8, author: u8, clock: u64) -> StoredNote {
    StoredNote {
        room: ROOM,
        target,
        kind,
        author: AuthorId([author; 32]),
        clock: Hlc(clock),
        event: EventHash([u8::try_from(clock).unwrap(); 32]),
        value: vec![kind; 5],
    }
}

pub(super) fn the_latest_note_of_each_author_and_kind_counts(store: &mut dyn Store) {
    let target = event(1, 1, 1, 0).key.hash;
    let said = [
        note(target, 1, 1, 20),
        note(target, 1, 1, 10),
        note(target, 2, 1, 30),
        note(target, 1, 2, 15),
        note(event(1, 1, 2, 0).key.hash, 1, 1, 40),
    ];
    for note in &said {
        store.commit(&[Write::Note(note.clone())]).unwrap();
    }
    let expected = [said[0].clone(), said[3].clone(), said[2].clone()];
    assert_eq!(store.notes(ROOM, target).unwrap(), expected);
    let newer = note(target, 1, 1, 21);
    store.commit(&[Write::Note(newer.clone())]).unwrap();
    assert_eq!(store.notes(ROOM, target).unwrap()[0], newer);
    store.drop_room(ROOM).unwrap();
    assert_eq!(store.notes(ROOM, target).unwrap(), []);
}

pub(super) fn notes_go_with_their_message(store: &mut dyn Store) {
    let (old, new) = (event(1, 1, 1, 0), event(1, 1, 9, 0));
    let never = EventHash([77; 32]);
    commit(store, [old.clone(), new.clone()]);
    for (target, clock) in [(old.key.hash, 90), (new.key.hash, 91), (never, 92)] {
        store
            .commit(&[Write::Note(note(target, 1, 2, clock))])
            .unwrap();
    }
    let count = |store: &dyn Store| {
        [old.key.hash, new.key.hash, never].map(|t| store.notes(ROOM, t).unwrap().len())
    };
    assert_eq!(count(store), [1, 1, 1]);
    store.forget(ROOM, new.clock).unwrap();
    // The one whose message never came is as old as what went.
    assert_eq!(count(store), [0, 0, 0]);
    store
        .commit(&[Write::Note(note(new.key.hash, 1, 2, 200))])
        .unwrap();
    let evicted = store.evict(ROOM, AuthorId([9; 32]), 1, None).unwrap();
    assert_eq!(evicted.places, [(new.key.author, new.key.seq)]);
    assert_eq!(count(store), [0, 0, 0]);
}
