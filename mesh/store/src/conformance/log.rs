//! Events: by name, by position, by time.

use peddlenet_wire::{AuthorId, Hlc, RoomTag, Seq, Stream};

use super::{ROOM, all, commit, event};
use crate::{
    EventKey, Store, StoreError, StoredEvent, Write,
    limits::{COMMIT_WRITES_MAX, RANGES_MAX, SWEEP, VALUE_MAX},
};

pub(super) fn an_event_is_found_by_name_position_and_time(store: &mut dyn Store) {
    let one = event(1, 1, 1, 0);
    assert_eq!(store.event(ROOM, one.key.hash).unwrap(), None);
    commit(store, [one.clone()]);
    assert_eq!(store.event(ROOM, one.key.hash).unwrap(), Some(one.clone()));
    assert_eq!(all(store, 1, 1), std::slice::from_ref(&one));
    assert_eq!(
        store.page(ROOM, None, 10).unwrap(),
        std::slice::from_ref(&one)
    );
    assert_eq!(store.event(RoomTag([8; 16]), one.key.hash).unwrap(), None);
    assert_eq!(store.rooms().unwrap(), [ROOM]);
    assert_eq!(store.stats().commits, 1);
}

pub(super) fn an_event_that_is_there_stays_as_it_is(store: &mut dyn Store) {
    let one = event(1, 1, 1, 0);
    commit(store, [one.clone()]);
    let held = store.held(ROOM).unwrap();
    commit(
        store,
        [StoredEvent {
            hops: 4,
            body: Some(b"other".to_vec()),
            ..one.clone()
        }],
    );
    assert_eq!(store.event(ROOM, one.key.hash).unwrap(), Some(one));
    assert_eq!(store.held(ROOM).unwrap(), held);
}

pub(super) fn a_deleted_body_leaves_its_header_and_never_comes_back(store: &mut dyn Store) {
    let one = event(1, 1, 1, 0);
    commit(store, [one.clone()]);
    store.commit(&[Write::DeleteBody(one.key)]).unwrap();
    let stub = StoredEvent {
        body: None,
        ..one.clone()
    };
    assert_eq!(
        store.page(ROOM, None, 1).unwrap(),
        std::slice::from_ref(&stub)
    );
    commit(store, [one.clone()]);
    assert_eq!(store.event(ROOM, one.key.hash).unwrap(), Some(stub));
    store
        .commit(&[Write::DeleteBody(event(1, 1, 2, 0).key)])
        .unwrap();
    assert_eq!(all(store, 1, 1).len(), 1);
}

pub(super) fn a_body_fills_a_stub_that_never_had_one(store: &mut dyn Store) {
    let one = event(1, 1, 1, 0);
    commit(
        store,
        [StoredEvent {
            body: None,
            ..one.clone()
        }],
    );
    commit(store, [one.clone()]);
    assert_eq!(store.event(ROOM, one.key.hash).unwrap(), Some(one));
    assert_eq!(store.held(ROOM).unwrap()[0].events, 1);
}

pub(super) fn a_commit_that_is_refused_writes_nothing(store: &mut dyn Store) {
    let good = event(1, 1, 1, 0);
    let large = StoredEvent {
        body: Some(vec![0; VALUE_MAX]),
        ..event(1, 1, 2, 0)
    };
    let refused = store.commit(&[Write::Event(good.clone()), Write::Event(large)]);
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })));
    assert!(
        store
            .commit(&vec![Write::Event(good.clone()); COMMIT_WRITES_MAX + 1])
            .is_err()
    );
    let long_key = Write::Meta {
        key: vec![0; 300],
        value: None,
    };
    assert!(store.commit(&[Write::Event(good), long_key]).is_err());
    assert!(store.rooms().unwrap().is_empty());
    commit(store, [event(1, 1, 1, 0)]);
}

pub(super) fn both_branches_of_a_fork_are_kept(store: &mut dyn Store) {
    let (a, b) = (event(1, 1, 5, 0), event(1, 1, 5, 9));
    commit(store, [b.clone(), a.clone()]);
    assert_eq!(all(store, 1, 1), [a.clone(), b.clone()]);
    assert_eq!(store.event(ROOM, a.key.hash).unwrap(), Some(a));
    let held = &store.held(ROOM).unwrap()[0];
    assert_eq!(
        (held.events, held.ranges.count(), held.head_hash),
        (2, 1, b.key.hash)
    );
}

pub(super) fn holes_are_reported_and_closed(store: &mut dyn Store) {
    commit(store, [1, 2, 5, 9, 8].map(|seq| event(1, 1, seq, 0)));
    commit(store, [event(2, 0, 1, 0)]);
    let ranges = |store: &dyn Store| {
        let held = store.held(ROOM).unwrap();
        assert_eq!(
            (held.len(), held[1].author, held[1].stream),
            (2, AuthorId([2; 32]), Stream(0))
        );
        (
            held[0].head.0,
            held[0]
                .ranges
                .iter()
                .map(|(a, b)| (a.0, b.0))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(ranges(store), (9, vec![(1, 2), (5, 5), (8, 9)]));
    commit(store, [3, 4, 6, 7].map(|seq| event(1, 1, seq, 0)));
    assert_eq!(ranges(store), (9, vec![(1, 9)]));
}

pub(super) fn a_stream_of_holes_reports_its_newest_ranges(store: &mut dyn Store) {
    let count = RANGES_MAX as u64 + 20;
    for chunk in (1..=count).collect::<Vec<_>>().chunks(COMMIT_WRITES_MAX) {
        commit(store, chunk.iter().map(|n| event(1, 1, n * 2, 0)));
    }
    let held = &store.held(ROOM).unwrap()[0];
    assert_eq!((held.ranges.len(), held.events), (RANGES_MAX, count));
    assert!(held.ranges.contains(Seq(count * 2)) && !held.ranges.contains(Seq(2)));
}

pub(super) fn a_stream_that_had_too_many_holes_is_whole_again(store: &mut dyn Store) {
    let count = RANGES_MAX as u64 + 20;
    let commit_all = |store: &mut dyn Store, seqs: Vec<u64>| {
        for chunk in seqs.chunks(COMMIT_WRITES_MAX) {
            commit(store, chunk.iter().map(|seq| event(1, 1, *seq, 0)));
        }
    };
    commit_all(store, (1..=count).map(|n| n * 2).collect());
    commit_all(store, (1..=count).map(|n| n * 2 - 1).collect());
    let held = |store: &mut dyn Store| store.held(ROOM).unwrap().remove(0);
    let (before, all) = (held(store), count * 2);
    assert_eq!(before.events, all);
    assert!(before.ranges.count() < all, "it forgot none");
    // What is fetched again is known again.
    let forgotten = (1..=all).find(|seq| !before.ranges.contains(Seq(*seq)));
    commit(store, [event(1, 1, forgotten.unwrap(), 0)]);
    let mut after = held(store);
    assert_eq!(after.ranges.count(), before.ranges.count() + 1);
    // Counted anew, all of it is.
    let recounted = store.recount(ROOM, AuthorId([1; 32]), Stream::CONTENT);
    assert_eq!(recounted.unwrap(), Some(held(store)));
    let nobody = store.recount(ROOM, AuthorId([9; 32]), Stream::CONTENT);
    assert_eq!(nobody.unwrap(), None);
    assert_eq!(
        held(store).ranges.iter().collect::<Vec<_>>(),
        [(Seq(1), Seq(all))]
    );
    after.ranges = held(store).ranges;
    assert_eq!(held(store), after);
}

pub(super) fn pages_run_from_newest_to_oldest_and_skip_other_streams(store: &mut dyn Store) {
    commit(
        store,
        (1..=5).flat_map(|seq| {
            [
                event(1, 1, seq, 0),
                event(2, 1, seq, 0),
                event(1, 0, seq, 0),
            ]
        }),
    );
    let other = StoredEvent {
        key: EventKey {
            room: RoomTag([8; 16]),
            ..event(1, 1, 9, 0).key
        },
        ..event(1, 1, 9, 0)
    };
    commit(store, [other]);
    let mut before = None;
    let mut clocks = Vec::new();
    loop {
        let page = store.page(ROOM, before, 3).unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.clock, last.key.hash));
        clocks.extend(page.iter().map(|event| event.clock.0));
    }
    assert_eq!(
        clocks,
        [5002, 5001, 4002, 4001, 3002, 3001, 2002, 2001, 1002, 1001]
    );
    assert!(store.page(ROOM, None, 0).unwrap().is_empty());
}

pub(super) fn ranges_respect_their_ends_and_limit(store: &mut dyn Store) {
    commit(store, (1..=9).map(|seq| event(1, 1, seq, 0)));
    commit(store, [event(1, 1, u64::MAX / 2000, 0), event(1, 2, 1, 0)]);
    let seqs = |from, to, limit| -> Vec<u64> {
        let events = store
            .range(
                ROOM,
                AuthorId([1; 32]),
                Stream(1),
                Seq(from),
                Seq(to),
                limit,
            )
            .unwrap();
        events.iter().map(|event| event.key.seq.0).collect()
    };
    assert_eq!(seqs(3, 5, 10), [3, 4, 5]);
    assert_eq!(seqs(0, u64::MAX, 2), [1, 2]);
    assert_eq!(seqs(8, u64::MAX, 10), [8, 9, u64::MAX / 2000]);
    assert!(seqs(5, 3, 10).is_empty() && seqs(1, 9, 0).is_empty());
}

pub(super) fn a_tail_runs_from_newest_to_oldest_within_its_stream(store: &mut dyn Store) {
    let of = |stream, seq| event(1, stream, seq, 0);
    commit(store, (1..=5).flat_map(|seq| [of(2, seq), of(3, seq)]));
    commit(store, [event(2, 2, 9, 0)]);
    let tail = |stream, before: Option<u64>, limit| {
        let rows = store.tail(
            ROOM,
            AuthorId([1; 32]),
            Stream(stream),
            before.map(Seq),
            limit,
        );
        rows.unwrap()
    };
    assert_eq!(tail(2, None, 2), [of(2, 5), of(2, 4)]);
    assert_eq!(tail(2, Some(3), 9), [of(2, 2), of(2, 1)]);
    assert_eq!(tail(3, Some(u64::MAX), 1), [of(3, 5)]);
    for empty in [tail(2, Some(1), 9), tail(2, Some(0), 9), tail(4, None, 9)] {
        assert_eq!(empty, []);
    }
    assert_eq!(tail(2, None, 0), []);
}

pub(super) fn what_is_too_old_goes_and_the_end_of_its_log_stays_known(store: &mut dyn Store) {
    let old: Vec<_> = (1..=2 * SWEEP as u64)
        .map(|seq| event(1, 1, seq, 0))
        .collect();
    let membership = event(1, 0, 1, 0);
    commit(store, old.iter().take(SWEEP).cloned());
    commit(store, old.iter().skip(SWEEP).cloned());
    commit(store, [membership.clone()]);
    let cutoff = old[SWEEP + 10].clock;
    let first = store.forget(ROOM, cutoff).unwrap();
    assert_eq!(first.len(), SWEEP);
    let second = store.forget(ROOM, cutoff).unwrap();
    assert_eq!(second.len(), 10, "fewer than asked for: nothing is left");
    assert_eq!(
        second.last(),
        Some(&(AuthorId([1; 32]), Seq(SWEEP as u64 + 10)))
    );
    assert_eq!(store.forget(ROOM, cutoff).unwrap(), []);
    assert_eq!(all(store, 1, 1), old[SWEEP + 10..]);
    assert_eq!(store.event(ROOM, old[0].key.hash).unwrap(), None);
    assert_eq!(store.page(ROOM, None, 1_000).unwrap().len(), SWEEP - 10);
    assert_eq!(all(store, 1, 0), [membership], "stream 0 is never let go");

    let last = old.last().unwrap();
    while !store.forget(ROOM, Hlc(u64::MAX)).unwrap().is_empty() {}
    let held = store.held(ROOM).unwrap();
    let log = held.iter().find(|h| h.stream == Stream(1)).unwrap();
    assert!(log.ranges.is_empty() && log.events == 0);
    assert_eq!((log.head, log.head_hash), (last.key.seq, last.key.hash));
    let next = event(1, 1, last.key.seq.0 + 1, 0);
    commit(store, [next.clone()]);
    assert_eq!(all(store, 1, 1), [next]);
}

pub(super) fn the_oldest_goes_to_make_space_and_one_author_is_spared(store: &mut dyn Store) {
    let mine = |seq| event(1, 1, seq, 0);
    let theirs = |seq| event(2, 1, seq, 0);
    commit(store, (1..=20).flat_map(|seq| [mine(seq), theirs(seq)]));
    let size = 280;
    let bytes = |store: &dyn Store| -> u64 {
        store
            .held(ROOM)
            .unwrap()
            .iter()
            .map(|held| held.bytes)
            .sum()
    };
    assert_eq!(bytes(store), 40 * size);
    let first = store
        .evict(ROOM, AuthorId([1; 32]), 3 * size - 1, None)
        .unwrap();
    assert_eq!(first.freed, 3 * size);
    let places: Vec<_> = (1..=3).map(|seq| (AuthorId([2; 32]), Seq(seq))).collect();
    assert_eq!((first.places, first.more), (places, true));
    assert_eq!(bytes(store), 37 * size);
    assert_eq!(store.event(ROOM, theirs(3).key.hash).unwrap(), None);
    assert_eq!(
        store.event(ROOM, theirs(4).key.hash).unwrap(),
        Some(theirs(4))
    );

    // More than one step: what is spared doesn't keep it from going on.
    commit(store, (21..=110).map(mine));
    commit(store, (111..=200).map(mine));
    commit(store, [event(3, 1, 300, 0)]);
    let (mut after, mut gone, mut steps) = (None, Vec::new(), 0);
    loop {
        let step = store
            .evict(ROOM, AuthorId([1; 32]), u64::MAX, after)
            .unwrap();
        gone.extend(step.places);
        steps += 1;
        after = step.upto;
        if !step.more {
            break;
        }
    }
    assert_eq!((gone.len(), steps), (18, 2));
    assert_eq!(all(store, 1, 1).len(), 200);
    assert_eq!(bytes(store), 200 * size);
}

pub(super) fn a_rebuild_knows_where_logs_ended(store: &mut dyn Store) {
    commit(
        store,
        [event(1, 1, 1, 0), event(1, 1, 2, 0), event(2, 1, 9, 0)],
    );
    store.forget(ROOM, event(1, 1, 3, 0).clock).unwrap();
    let before = store.held(ROOM).unwrap();
    assert!(
        before
            .iter()
            .any(|held| held.events == 0 && held.head == Seq(2))
    );
    store.rebuild().unwrap();
    assert_eq!(store.held(ROOM).unwrap(), before);
}
