//! `bench store`: what a durable commit costs, and what reading and opening cost afterwards.
//!
//! Ours stands beside a plain loop that appends the same bytes to a file and calls fsync after
//! each: the floor for one writer. Ours is measured sealed, as devices keep it, and once more with its
//! values as they are (rows that end in "not sealed"). Every run takes all of them in turn, on the same
//! disk (the system's folder for temporary files), each in a new folder; medians over [`RUNS`] runs count.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use peddlenet_crypto::vault::MasterKey;
use peddlenet_store::{EventKey, Options, SledStore, Store, StoredEvent, Write, spawn};
use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};
use serde_json::{Value, json};

use crate::sealed;

const RUNS: usize = 5;
/// Writers that wait for their commits at the same time.
const WRITERS: usize = 64;
/// Commits that one writer does one by one in a run, at most: each waits for the disk.
const ONE_BY_ONE_MAX: usize = 400;
/// Messages on a page, as a room shows them.
const PAGE: usize = 50;
/// A message of everyday length, as security.md estimates it: header and signature, sealed body.
const HEADER: usize = 230;
const BODY: usize = 90;

const ROOM: RoomTag = RoomTag([9; 16]);
const ME: AuthorId = AuthorId([1; 32]);

/// Measures with `messages` messages in the store.
///
/// # Errors
/// A file operation failed, or the store does not hold what was committed.
pub fn run(messages: usize) -> Result<Vec<Value>> {
    let few = messages.clamp(1, ONE_BY_ONE_MAX);
    let mut append = Figures::default();
    let mut kinds = [Kind::default(), Kind::default()];
    let options = [
        sealed::options(&MasterKey::from_bytes([7; 32])),
        Options::default(),
    ];
    for _ in 0..RUNS {
        append.add(append_and_fsync(few)?, few);
        for (kind, options) in kinds.iter_mut().zip(&options) {
            kind.measure(few, messages, options)?;
        }
    }
    let mut rows = vec![append.row("plain append + fsync, 1 writer", few)];
    for (kind, suffix) in kinds.into_iter().zip(["", ", not sealed"]) {
        rows.extend(kind.rows(few, messages, suffix));
    }
    Ok(rows)
}

/// Figures of one way to keep values.
#[derive(Default)]
struct Kind {
    own: Figures,
    relayed: Figures,
    group: Figures,
    pages: Vec<Duration>,
    opens: Vec<Duration>,
    unclean_opens: Vec<Duration>,
}

impl Kind {
    fn measure(&mut self, few: usize, messages: usize, options: &Options) -> Result<()> {
        self.own
            .add(one_by_one(few, Write::OwnEvent, options)?, few);
        self.relayed
            .add(one_by_one(few, Write::Event, options)?, few);
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        self.group
            .add(at_the_same_time(path, messages, options)?, messages);
        self.opens.push(opening(path, messages, options)?);
        fs::remove_file(path.join("clean")).context("the store was closed in order")?;
        self.unclean_opens.push(opening(path, messages, options)?);
        self.pages.push(page(path, options)?);
        Ok(())
    }

    fn rows(mut self, few: usize, messages: usize, suffix: &str) -> [Value; 4] {
        [
            self.own
                .row(&format!("store, own messages, 1 writer{suffix}"), few),
            self.relayed
                .row(&format!("store, relayed messages, 1 writer{suffix}"), few),
            self.group.row(
                &format!("store, {WRITERS} writers, group commit{suffix}"),
                messages,
            ),
            json!({
                "name": format!("store, {messages} messages{suffix}"),
                "messages": messages,
                "page_ms": millis(&mut self.pages),
                "open_ms": millis(&mut self.opens),
                "open_after_kill_ms": millis(&mut self.unclean_opens),
            }),
        ]
    }
}

/// What a kind of writing took and left, a value a run.
#[derive(Default)]
struct Figures {
    times: Vec<Duration>,
    disk: Vec<u64>,
}

impl Figures {
    fn add(&mut self, (time, disk): (Duration, u64), commits: usize) {
        self.times.push(time);
        self.disk.push(disk / commits as u64);
    }

    fn row(mut self, name: &str, commits: usize) -> Value {
        self.disk.sort_unstable();
        let commit_ms = millis(&mut self.times) / commits as f64;
        json!({
            "name": name,
            "commits": commits,
            "commits_per_s": (1000.0 / commit_ms).round(),
            "commit_ms": commit_ms,
            "disk_per_message_bytes": self.disk[self.disk.len() / 2],
        })
    }
}

fn append_and_fsync(commits: usize) -> Result<(Duration, u64)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    let mut file = File::create(&path)?;
    let bytes = vec![7; HEADER + BODY];
    let started = Instant::now();
    for _ in 0..commits {
        file.write_all(&bytes)?;
        file.sync_data()?;
    }
    Ok((started.elapsed(), disk_bytes(folder.path())?))
}

fn one_by_one(
    commits: usize,
    write: fn(StoredEvent) -> Write,
    options: &Options,
) -> Result<(Duration, u64)> {
    let folder = tempfile::tempdir()?;
    let (mut store, _) = SledStore::open_in(folder.path(), options.clone())?;
    let started = Instant::now();
    for n in 1..=commits {
        store.commit(&[write(message(ME, n))])?;
    }
    let time = started.elapsed();
    drop(store);
    Ok((time, disk_bytes(folder.path())?))
}

fn at_the_same_time(folder: &Path, messages: usize, options: &Options) -> Result<(Duration, u64)> {
    let (store, _) = SledStore::open_in(folder, options.clone())?;
    let (handle, closed) = spawn(Box::new(store))?;
    let started = Instant::now();
    let handle = Arc::new(handle);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let handle = Arc::clone(&handle);
            thread::spawn(move || {
                let author = AuthorId([u8::try_from(writer).unwrap_or(u8::MAX); 32]);
                let mine = messages / WRITERS + usize::from(writer < messages % WRITERS);
                (1..=mine)
                    .try_for_each(|n| handle.commit(vec![Write::Event(message(author, n))]).wait())
            })
        })
        .collect();
    for writer in writers {
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("a writer panicked"))??;
    }
    let time = started.elapsed();
    drop(handle);
    closed
        .join()
        .map_err(|_| anyhow::anyhow!("the store thread panicked"))?;
    Ok((time, disk_bytes(folder)?))
}

fn opening(folder: &Path, messages: usize, options: &Options) -> Result<Duration> {
    let started = Instant::now();
    let (store, _) = SledStore::open_in(folder, options.clone())?;
    let time = started.elapsed();
    let held: u64 = store.held(ROOM)?.iter().map(|held| held.events).sum();
    ensure!(
        held == messages as u64,
        "{held} of {messages} messages are there"
    );
    Ok(time)
}

/// The median of pages from the newest backwards, on a store that was just opened.
fn page(folder: &Path, options: &Options) -> Result<Duration> {
    let (store, _) = SledStore::open_in(folder, options.clone())?;
    let (mut before, mut times) = (None, Vec::new());
    for _ in 0..20 {
        let started = Instant::now();
        let page = store.page(ROOM, before, PAGE)?;
        times.push(started.elapsed());
        let Some(last) = page.last() else { break };
        before = Some((last.clock, last.key.hash));
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn message(author: AuthorId, n: usize) -> StoredEvent {
    let n = n as u64;
    let mut hash = author.0;
    hash[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    StoredEvent {
        key: EventKey {
            room: ROOM,
            author,
            stream: Stream::CONTENT,
            seq: Seq(n),
            hash: EventHash(hash),
        },
        clock: Hlc(n << 16),
        hops: 1,
        header: vec![7; HEADER],
        body: Some(vec![7; BODY]),
    }
}

/// The bytes of every file under a folder.
fn disk_bytes(folder: &Path) -> Result<u64> {
    fs::read_dir(folder)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let meta = entry.metadata()?;
        Ok(sum
            + if meta.is_dir() {
                disk_bytes(&entry.path())?
            } else {
                meta.len()
            })
    })
}

fn millis(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
