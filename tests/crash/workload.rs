//! What the child writes and what a fresh process must find: both follow from a commit's number.
//!
//! A commit mixes everything that a store keeps: own events, events of others, sometimes a large
//! body or a deletion, an overwritten record, a counter. So one that is there in part gives itself away.

use anyhow::{Context, Result, ensure};
use peddlenet_store::{EventKey, RecordKind, Store, StoredEvent, StoredRecord, Write};
use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};

pub(crate) const ROOM: RoomTag = RoomTag([0x70; 16]);
const ME: AuthorId = AuthorId([1; 32]);
const LARGE: usize = 60 * 1024;

/// The writes of commit `n`, from 1 on.
pub(crate) fn commit(n: u64) -> Vec<Write> {
    let mut writes = vec![Write::OwnEvent(own_event(n))];
    writes.extend((0..n % 4).map(|which| Write::Event(other_event(n, which))));
    if let Some(gone) = deleted_by(n) {
        writes.push(Write::DeleteBody(own_event(gone).key));
    }
    writes.push(Write::Record(StoredRecord {
        room: ROOM,
        kind: RecordKind(1),
        author: ME,
        clock: Hlc(n),
        bytes: bytes(n, 300),
    }));
    writes.push(Write::Meta {
        key: b"last".to_vec(),
        value: Some(n.to_be_bytes().to_vec()),
    });
    writes
}

/// The last commit that is there.
pub(crate) fn last(store: &dyn Store) -> Result<u64> {
    let value = store.meta(b"last")?.unwrap_or_else(|| vec![0; 8]);
    Ok(u64::from_be_bytes(
        value
            .as_slice()
            .try_into()
            .context("the counter has another size")?,
    ))
}

/// Checks that every commit up to `acked` is there, and each later one whole or not at all.
pub(crate) fn check(store: &dyn Store, acked: u64) -> Result<()> {
    let last = last(store)?;
    ensure!(
        last >= acked,
        "commit {acked} was acknowledged, the store ends at {last}"
    );
    let page = store.page(ROOM, None, usize::MAX)?;
    let mut expected = 0;
    for n in 1..=last {
        for event in
            std::iter::once(own_event(n)).chain((0..n % 4).map(|which| other_event(n, which)))
        {
            expected += 1;
            let found = store.event(ROOM, event.key.hash)?;
            let found = found.with_context(|| format!("commit {n}: {:?} is missing", event.key))?;
            let deleted = event.key.author == ME && n + 5 <= last && deleted_by(n + 5) == Some(n);
            let body = if deleted { None } else { event.body.clone() };
            ensure!(
                found
                    == StoredEvent {
                        body,
                        ..event.clone()
                    },
                "commit {n}: {:?} differs",
                event.key
            );
            let EventKey {
                author,
                stream,
                seq,
                ..
            } = event.key;
            ensure!(
                store.range(ROOM, author, stream, seq, seq, 9)? == [found.clone()],
                "commit {n}: not in its stream"
            );
        }
    }
    ensure!(
        page.len() == expected,
        "{} events by time, {expected} by name",
        page.len()
    );
    ensure!(
        page.is_sorted_by_key(|event| std::cmp::Reverse(event.clock)),
        "the page is not in order"
    );
    let held: u64 = store
        .held(ROOM)?
        .iter()
        .map(|held| held.ranges.count())
        .sum();
    ensure!(
        held == expected as u64,
        "{held} events by head, {expected} by name"
    );
    if last > 0 {
        let records = store.records(ROOM)?;
        ensure!(
            records.len() == 1 && records[0].clock == Hlc(last),
            "the record is not that of commit {last}"
        );
        ensure!(
            records[0].bytes == bytes(last, 300),
            "the record of commit {last} differs"
        );
    }
    for own in store.own_heads()? {
        ensure!(
            !own.rolled_back(),
            "the guard is ahead of the store: {own:?}"
        );
        ensure!(
            own.guarded.0 >= Seq(acked),
            "commit {acked} was acknowledged, the guard says {own:?}"
        );
    }
    ensure!(
        acked == 0 || !store.own_heads()?.is_empty(),
        "the guard is empty"
    );
    Ok(())
}

/// A value for the stock database.
pub(crate) fn stock_value(n: u64) -> Vec<u8> {
    bytes(n, 100 + usize::try_from(n % 700).unwrap_or(0))
}

fn own_event(n: u64) -> StoredEvent {
    // Several large bodies in a row fall into one page of sled's.
    let size = if n % 23 < 3 {
        LARGE
    } else {
        40 + usize::try_from(n % 400).unwrap_or(0)
    };
    event(ME, n, 0, size)
}

fn other_event(n: u64, which: u64) -> StoredEvent {
    let author = AuthorId([2 + u8::try_from(which).unwrap_or(0); 32]);
    // Positions of this author: those commits that have such an event, counted.
    let seq = n / 4 * (3 - which) + (n % 4).saturating_sub(which);
    let event = event(author, n, which + 1, 200);
    StoredEvent {
        key: EventKey {
            seq: Seq(seq),
            ..event.key
        },
        ..event
    }
}

fn event(author: AuthorId, n: u64, which: u64, size: usize) -> StoredEvent {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&n.to_be_bytes());
    hash[8..16].copy_from_slice(&which.to_be_bytes());
    StoredEvent {
        key: EventKey {
            room: ROOM,
            author,
            stream: Stream::CONTENT,
            seq: Seq(n),
            hash: EventHash(hash),
        },
        clock: Hlc(n * 8 + which),
        hops: 1,
        header: bytes(n ^ which, 190),
        body: Some(bytes(n, size)),
    }
}

/// Every seventh commit deletes the body of the fifth before it.
fn deleted_by(n: u64) -> Option<u64> {
    (n > 5 && n.is_multiple_of(7)).then(|| n - 5)
}

fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random(seed);
    std::iter::repeat_with(|| random.next().to_be_bytes())
        .flatten()
        .take(len)
        .collect()
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough for tests, the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
