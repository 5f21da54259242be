//! One suite for every backend: what a [`Store`] promises, without a word about disks.

mod log;
mod notes;
mod values;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use peddlenet_crypto::vault::{MasterKey, ValueKey};
use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{Cipher, EventKey, KeyId, MemoryStore, Options, SledStore, Store, StoredEvent, Write};

/// Keeps a store's folder for as long as the store.
struct Opened(
    Box<dyn Store>,
    #[expect(dead_code, reason = "removed when it is dropped")] Option<tempfile::TempDir>,
);

fn memory() -> Opened {
    Opened(Box::new(MemoryStore::new().unwrap()), None)
}

fn sled() -> Opened {
    sled_with(Options::default())
}

fn sealed() -> Opened {
    sled_with(Options {
        cipher: Some(cipher(1)),
        ..Options::default()
    })
}

fn sled_with(options: Options) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SledStore::open_in(folder.path(), options).unwrap();
    Opened(Box::new(store), Some(folder))
}

/// The cipher that programs use, with a key that follows from a number.
pub(crate) fn cipher(key: u8) -> Arc<dyn Cipher> {
    let master = MasterKey::from_bytes([key; 32]);
    Arc::new(Vault {
        id: master.id().0,
        key: master.value_key(),
        nonces: AtomicU64::new(std::process::id().into()),
    })
}

struct Vault {
    id: KeyId,
    key: ValueKey,
    nonces: AtomicU64,
}

impl Cipher for Vault {
    fn key_id(&self) -> KeyId {
        self.id
    }

    fn seal(&self, table: &str, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&self.nonces.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        self.key.seal(table, key, &nonce, value).ok()
    }

    fn open(&self, table: &str, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.key.open(table, key, sealed).ok()
    }
}

macro_rules! suite {
    ($($part:ident: $($test:ident),*;)*) => {
        mod in_memory { $($(#[test] fn $test() { super::$part::$test(super::memory().0.as_mut()) })*)* }
        mod on_disk_sealed { $($(#[test] fn $test() { super::$part::$test(super::sealed().0.as_mut()) })*)* }
        mod on_disk { $($(#[test] fn $test() { super::$part::$test(super::sled().0.as_mut()) })*)* }
    };
}

suite! {
    log: an_event_is_found_by_name_position_and_time, an_event_that_is_there_stays_as_it_is, a_deleted_body_leaves_its_header_and_never_comes_back, a_body_fills_a_stub_that_never_had_one, a_commit_that_is_refused_writes_nothing, both_branches_of_a_fork_are_kept, holes_are_reported_and_closed, a_stream_of_holes_reports_its_newest_ranges, a_stream_that_had_too_many_holes_is_whole_again, pages_run_from_newest_to_oldest_and_skip_other_streams, ranges_respect_their_ends_and_limit, a_tail_runs_from_newest_to_oldest_within_its_stream, what_is_too_old_goes_and_the_end_of_its_log_stays_known, the_oldest_goes_to_make_space_and_one_author_is_spared, a_rebuild_knows_where_logs_ended;
    notes: the_latest_note_of_each_author_and_kind_counts, notes_go_with_their_message;
    values: the_latest_record_wins, other_values_are_set_and_removed, large_values_shrink_and_grow, a_room_is_removed_without_its_neighbours, a_position_is_signed_once, rebuilding_changes_nothing, one_commit_sees_its_own_writes;
}

#[test]
fn backends_agree_with_a_plain_model() {
    for open in [memory, sled, sealed] {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 24,
            ..ProptestConfig::default()
        });
        let commits = prop::collection::vec(prop::collection::vec(any_event(), 1..12), 1..8);
        runner
            .run(&commits, |commits| {
                agrees_with_model(open().0.as_mut(), &commits);
                Ok(())
            })
            .unwrap();
    }
}

pub(crate) const ROOM: RoomTag = RoomTag([7; 16]);

/// An event whose bytes follow from its position.
pub(crate) fn event(author: u8, stream: u32, seq: u64, branch: u8) -> StoredEvent {
    let mut hash = [branch; 32];
    hash[0] = author;
    hash[1] = u8::try_from(stream).unwrap();
    hash[2..10].copy_from_slice(&seq.to_be_bytes());
    StoredEvent {
        key: EventKey {
            room: ROOM,
            author: AuthorId([author; 32]),
            stream: Stream(stream),
            seq: Seq(seq),
            hash: EventHash(hash),
        },
        clock: Hlc(seq * 1000 + u64::from(author)),
        hops: author % 5,
        header: vec![author; 200],
        body: Some(seq.to_be_bytes().repeat(10)),
    }
}

fn commit(store: &mut dyn Store, events: impl IntoIterator<Item = StoredEvent>) {
    let writes: Vec<Write> = events.into_iter().map(Write::Event).collect();
    store.commit(&writes).unwrap();
}

fn all(store: &dyn Store, author: u8, stream: u32) -> Vec<StoredEvent> {
    store
        .range(
            ROOM,
            AuthorId([author; 32]),
            Stream(stream),
            Seq(0),
            Seq(u64::MAX),
            usize::MAX,
        )
        .unwrap()
}

fn any_event() -> impl Strategy<Value = StoredEvent> {
    (1u8..4, 0u32..3, 1u64..8, 0u8..2, any::<bool>()).prop_map(
        |(author, stream, seq, branch, stub)| {
            let event = event(author, stream, seq, branch);
            if stub {
                StoredEvent {
                    body: None,
                    ..event
                }
            } else {
                event
            }
        },
    )
}

/// The model: a map from key to event, and every answer worked out the long way.
fn agrees_with_model(store: &mut dyn Store, commits: &[Vec<StoredEvent>]) {
    let mut model: BTreeMap<EventKey, StoredEvent> = BTreeMap::new();
    for events in commits {
        commit(store, events.iter().cloned());
        for event in events {
            let kept = model.entry(event.key).or_insert_with(|| event.clone());
            if kept.body.is_none() {
                kept.body.clone_from(&event.body);
            }
        }
    }
    let mut content: Vec<_> = model
        .values()
        .filter(|event| event.key.stream == Stream::CONTENT)
        .cloned()
        .collect();
    content.sort_by_key(|event| std::cmp::Reverse((event.clock, event.key.hash)));
    assert_eq!(store.page(ROOM, None, usize::MAX).unwrap(), content);
    for held in store.held(ROOM).unwrap() {
        let of_stream = |event: &&StoredEvent| {
            event.key.author == held.author && event.key.stream == held.stream
        };
        let events: Vec<_> = model.values().filter(of_stream).cloned().collect();
        let seqs: std::collections::BTreeSet<_> =
            events.iter().map(|event| event.key.seq).collect();
        let listed = held
            .ranges
            .iter()
            .flat_map(|(from, to)| (from.0..=to.0).map(Seq))
            .collect();
        let size =
            |event: &StoredEvent| event.header.len() + event.body.as_ref().map_or(0, Vec::len);
        let bytes: usize = events.iter().map(size).sum();
        assert_eq!(held.bytes, bytes as u64);
        assert_eq!(
            (held.events, Some(&held.head), &seqs),
            (events.len() as u64, seqs.last(), &listed)
        );
        assert_eq!(
            store
                .range(ROOM, held.author, held.stream, Seq(0), Seq(99), 99)
                .unwrap(),
            events
        );
    }
    let counted: u64 = store
        .held(ROOM)
        .unwrap()
        .iter()
        .map(|held| held.events)
        .sum();
    assert_eq!(counted, model.len() as u64);
}
