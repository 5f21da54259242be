//! How much one member may put on everybody's disk.
//!
//! Content of one author is taken up to [`BYTES_A_DAY`] for each day since it was let in, by its own
//! clock. One sum per author is kept, not one a day: history arrives newest first, and a day's part of it
//! can't be told from excess. The clock counts up to a day ahead of ours, so dating messages into the
//! future buys nothing. What goes beyond is let go unread; the author's own device says so before.

use std::{collections::BTreeMap, time::Duration};

use minicbor::{Decode, Encode};
use peddlenet_wire::{AuthorId, RoomTag, SignedEvent, Stream, Timestamp, codec, limits};

use super::Room;

/// Bytes of signed events, as they are stored (security.md: caps).
pub(crate) const BYTES_A_DAY: u64 = 16 * 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days that everybody has from the start: the one it came, and one that clocks may be ahead.
const FIRST_DAYS: u64 = 2;
/// More than padding, header and signature add to a text (bytes).
const OVERHEAD: u64 = 2048;
/// The sum is saved whenever it grew by that much; a kill forgets less (bytes).
const SAVE_EVERY: u64 = 256 * 1024;
/// Others take that much more than its own device says: it may have been killed, and forgot (bytes).
const SLACK: i64 = 1024 * 1024;

/// What one author has said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Said {
    #[n(0)]
    bytes: u64,
    /// Its latest clock, no more than a day ahead of ours (ms).
    #[n(1)]
    newest: u64,
}

/// What every author has said.
#[derive(Debug, Default)]
pub(crate) struct Quotas(BTreeMap<AuthorId, Said>);

/// Where the sums of a room stand in the store's `meta`.
pub(crate) fn said_of(room: RoomTag) -> Vec<u8> {
    [&b"said/"[..], &room.0].concat()
}

impl Quotas {
    fn grown(&self, author: AuthorId, size: u64, clock: Timestamp, now: Timestamp) -> Said {
        let said = self.0.get(&author).copied().unwrap_or_default();
        let clock = clock.0.min(now.after(DAY).0);
        Said {
            bytes: said.bytes.saturating_add(size),
            newest: said.newest.max(clock),
        }
    }
}

fn budget(began: Timestamp, newest: u64) -> u64 {
    let lasted = Timestamp(newest).since(began).as_secs();
    let days = lasted / DAY.as_secs();
    days.saturating_add(FIRST_DAYS).saturating_mul(BYTES_A_DAY)
}

/// Bytes of an event as they are counted: header and body.
pub(crate) fn size_of(event: &SignedEvent) -> u64 {
    let body = event.body().map_or(0, <[u8]>::len);
    let size = event.header_bytes().len().saturating_add(body);
    u64::try_from(size).unwrap_or(u64::MAX)
}

impl Room {
    /// Whether a content event is more than its author may say.
    pub(crate) fn is_over_quota(&self, event: &SignedEvent, now: Timestamp) -> bool {
        let header = event.header();
        let clock = header.clock.timestamp();
        let fits = || self.left(header.author, size_of(event), clock, now) >= -SLACK;
        header.stream == Stream::CONTENT && !fits()
    }

    /// Whether this device may say a text of so many bytes more.
    pub(crate) fn may_say(&self, bytes: usize, now: Timestamp) -> bool {
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        let size = size.saturating_add(OVERHEAD);
        self.left(self.me(), size, now, now) >= 0
    }

    /// What an author may still say after so many bytes more; below 0: it may not (bytes).
    fn left(&self, author: AuthorId, size: u64, clock: Timestamp, now: Timestamp) -> i64 {
        let began = self.roster.since(author);
        let began = began.map_or(now, |clock| clock.timestamp());
        let said = self.quotas.grown(author, size, clock, now);
        let [budget, said] = [budget(began, said.newest), said.bytes]
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        budget.saturating_sub(said)
    }

    /// Counts an accepted content event; gives what to save and where, now and then.
    pub(crate) fn count_said(
        &mut self,
        event: &SignedEvent,
        now: Timestamp,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let header = event.header();
        if header.stream != Stream::CONTENT {
            return None;
        }
        let author = header.author;
        let clock = header.clock.timestamp();
        let before = self.quotas.0.get(&author).map_or(0, |said| said.bytes);
        let said = self.quotas.grown(author, size_of(event), clock, now);
        self.quotas.0.insert(author, said);
        let step = |bytes: u64| bytes / SAVE_EVERY;
        (step(said.bytes) > step(before)).then(|| {
            let key = [&said_of(self.tag)[..], &author.0].concat();
            (key, codec::to_vec(&said))
        })
    }

    /// Takes a sum as it was saved.
    pub(crate) fn set_said(&mut self, key: &[u8], bytes: &[u8]) {
        let author = key.get(said_of(self.tag).len()..).unwrap_or_default();
        let said = codec::from_slice::<Said>("said", bytes, limits::RECORD_MAX);
        if let (Ok(author), Ok(said)) = (AuthorId::try_from(author), said) {
            self.quotas.0.insert(author, said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: AuthorId = AuthorId([1; 32]);

    fn at_day(day: u64) -> Timestamp {
        Timestamp(1_800_000_000_000 + day * 24 * 3_600_000)
    }

    #[test]
    fn a_days_worth_is_taken_a_day_whatever_the_order_of_arrival() {
        let (mut quotas, now) = (Quotas::default(), at_day(100));
        // A hundred days of a full quota each, the newest first.
        for day in (0..100).rev() {
            let said = quotas.grown(ADA, BYTES_A_DAY, at_day(day), now);
            assert!(said.bytes <= budget(at_day(0), said.newest), "day {day}");
            quotas.0.insert(ADA, said);
        }
        let more = quotas.grown(ADA, 2 * BYTES_A_DAY, at_day(99), now);
        assert!(more.bytes > budget(at_day(0), more.newest));
    }

    #[test]
    fn the_future_buys_nothing() {
        let (quotas, now) = (Quotas::default(), at_day(0));
        let said = quotas.grown(ADA, 4 * BYTES_A_DAY, at_day(1_000), now);
        assert_eq!(Timestamp(said.newest), at_day(1));
        assert!(said.bytes > budget(now, said.newest));
    }
}
