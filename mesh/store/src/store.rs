//! The trait that the program is written against.

use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomTag, Seq, Stream};

use crate::{
    Evicted, Held, OwnHead, StoreError, StoreStats, StoredEvent, StoredNote, StoredRecord, Write,
};

type Result<T> = std::result::Result<T, StoreError>;

/// A store of events and of what goes with them. Every method blocks.
pub trait Store: Send {
    /// Applies every write or none, and returns once they would survive a power cut.
    ///
    /// At most [`COMMIT_WRITES_MAX`](crate::limits::COMMIT_WRITES_MAX) writes and
    /// [`COMMIT_BYTES_MAX`](crate::limits::COMMIT_BYTES_MAX) bytes. After an I/O error every later
    /// commit answers [`StoreError::Poisoned`]; other errors leave the store as it was.
    fn commit(&mut self, writes: &[Write]) -> Result<()>;

    /// Checks a commit against the limits and the guard without doing it.
    fn check(&self, writes: &[Write]) -> Result<()>;

    /// One event by name.
    fn event(&self, room: RoomTag, hash: EventHash) -> Result<Option<StoredEvent>>;

    /// The events of a stream from `from` up to and including `to`, ascending, at most `limit`.
    /// Both branches of a fork are there.
    fn range(
        &self,
        room: RoomTag,
        author: AuthorId,
        stream: Stream,
        from: Seq,
        to: Seq,
        limit: usize,
    ) -> Result<Vec<StoredEvent>>;

    /// The newest events of a stream before a position, or from its end: descending, at most `limit`.
    fn tail(
        &self,
        room: RoomTag,
        author: AuthorId,
        stream: Stream,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>>;

    /// Content of a room ordered by clock, newest first, at most `limit`, before a given event
    /// (its clock and hash; it need not be there) or from the end. Stubs are included.
    fn page(
        &self,
        room: RoomTag,
        before: Option<(Hlc, EventHash)>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>>;

    /// What is there of each stream of a room, by author and stream.
    fn held(&self, room: RoomTag) -> Result<Vec<Held>>;

    /// Counts a log anew, from its events: for one whose [`Held::ranges`] are fewer than its events, and that
    /// holds no fork. It has had more holes than are kept, and forgot what it has below them. Reads the whole log.
    /// Returns what [`held`](Self::held) tells of it now; `None` when there is no such log.
    fn recount(&mut self, room: RoomTag, author: AuthorId, stream: Stream) -> Result<Option<Held>>;

    /// The latest records of a room, by kind and author.
    fn records(&self, room: RoomTag) -> Result<Vec<StoredRecord>>;

    /// What was said about a message, by kind and author.
    fn notes(&self, room: RoomTag, target: EventHash) -> Result<Vec<StoredNote>>;

    /// What waits to be sent in a room, by event.
    fn outbox(&self, room: RoomTag) -> Result<Vec<(EventHash, Vec<u8>)>>;

    /// What was remembered about other devices, by key.
    fn peers(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;

    /// One remembered value.
    fn meta(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Remembered values whose key starts with `prefix`, by key.
    fn meta_under(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>>;

    /// The rooms that have events.
    fn rooms(&self) -> Result<Vec<RoomTag>>;

    /// Deletes content of a room whose clock is below `before`, the oldest first, at most
    /// [`SWEEP`](crate::limits::SWEEP) events, in one commit. The place of the last event of each log
    /// stays known ([`Held::head`]), so that its author goes on from there. Returns the places that were
    /// deleted, by author; fewer than `SWEEP` of them means that no more is there.
    fn forget(&mut self, room: RoomTag, before: Hlc) -> Result<Vec<(AuthorId, Seq)>>;

    /// Deletes content of a room to make space, the oldest first, but none of `spare`'s: until `bytes` were
    /// freed, or [`SWEEP`](crate::limits::SWEEP) events were looked at, in one commit. Otherwise like
    /// [`forget`](Self::forget). `after` is where the last call stopped.
    fn evict(
        &mut self,
        room: RoomTag,
        spare: AuthorId,
        bytes: u64,
        after: Option<(Hlc, EventHash)>,
    ) -> Result<Evicted>;

    /// Forgets a room's events, records and outbox; the guard stays. Not one commit, but once
    /// begun it is finished, if need be at the next opening.
    fn drop_room(&mut self, room: RoomTag) -> Result<()>;

    /// Own streams: what was signed and what is still there.
    fn own_heads(&self) -> Result<Vec<OwnHead>>;

    /// Makes every index again from the log of events. Returns how many events there are.
    fn rebuild(&mut self) -> Result<u64>;

    /// Figures.
    fn stats(&self) -> StoreStats;
}
