//! The store's own bounds. Bytes unless the name says otherwise.

use std::time::Duration;

/// The largest value that a write may carry, with a header and a body counted together. Larger
/// things are files (design: rule 3 of the durable wrapper).
pub const VALUE_MAX: usize = 64 * 1024;
/// The largest key that a caller chooses (`meta`, `peers`).
pub const KEY_MAX: usize = 256;
/// Writes in one commit (count), twice a frame's batch of events. A group commit is filled up to it.
pub const COMMIT_WRITES_MAX: usize = 2 * peddlenet_wire::limits::BATCH_EVENTS_MAX;
/// Values in one commit, together. Half of one of sled's log segments: a commit that spans many
/// segments could have sled reuse one before the fsync at its end.
pub const COMMIT_BYTES_MAX: usize = 256 * 1024;
/// Requests that wait for the store thread (count). Beyond it a request is answered `Busy`. More than
/// the routing engine's commits under way (4,096) and a device's own (256), so that a joiner who
/// takes in a long history doesn't get there.
pub const QUEUE_MAX: usize = 5 * 1024;
/// Ranges kept for one stream of one author (count). A stream with more holes reports its newest
/// ranges; the rest is fetched again, or found by [`Store::recount`](crate::Store::recount).
pub const RANGES_MAX: usize = 256;
/// Entries that a rebuild or the removal of a room handles between two commits (count).
pub const SWEEP: usize = 128;
/// Damaged databases that are kept (count); the oldest goes first.
pub const QUARANTINES_MAX: usize = 3;
/// A database up to this size is read through after a stop that was not orderly.
pub const VERIFY_MAX: u64 = 64 * 1024 * 1024;
/// A database below this size is never compacted: sled allocates half a megabyte at a time.
pub const COMPACT_FLOOR: u64 = 32 * 1024 * 1024;
/// A database that is this many times larger than what it holds is written anew.
pub const COMPACT_FACTOR: u64 = 4;
/// sled's page cache (design: rule 4 says 8-16 MiB). Half of that is the largest part of the app's memory that can be
/// chosen. sled 0.34.7 looks at it once a shard's queue of accesses is full: 256 shards, 64 each. So some 16,000 pages
/// stay whatever this says, and whoever reads 100,000 events through keeps 45 MB of them: an opening must not.
pub const CACHE: u64 = 4 * 1024 * 1024;
/// How often sled flushes and cleans its file in the background (design: rule 4 says 500 ms). What is acknowledged was
/// flushed by its commit; this is about the cleaning. Once half of a file's segments are free, sled 0.34.7 moves its last
/// one with every segment that fills, which fills the next: a room that had grown fast was rewritten for ever, at
/// 1.2 MB/s and 3 % of a core with nobody talking. A segment a round now, and none is late: an interval's cleaning may
/// take half of it, and closing waits for that.
pub const FLUSH_EVERY: Duration = Duration::from_secs(10);
/// How long a second opening in the same process waits until sled's threads let go of the file.
pub const REOPEN_WAIT: Duration = Duration::from_secs(5);
/// How long an opening waits for a process that was just killed to let go of the profile.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
pub const LOCK_POLL: Duration = Duration::from_millis(20);
