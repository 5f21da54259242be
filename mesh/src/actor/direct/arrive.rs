//! Parcels that arrive: direct messages and receipts for own ones.
//!
//! A message counts once its author, its recipient, its log and its place there are proven. It is on
//! disk before anything is confirmed, and is confirmed each time that it comes, since the receipt before
//! may have got lost. Delivery is always confirmed, to the author alone; "seen" only where receipts are
//! on and the author is not blocked.

use peddlenet_crypto::{direct_stream, verify_direct_receipt, verify_event};
use peddlenet_gossip::UnicastId;
use peddlenet_store::{EventKey, Store, StoreError, StoredEvent, StoredRecord, Write};
use peddlenet_wire::{
    AuthorId, EventHash, Hlc, RoomTag, Seq, SignedEvent, Timestamp, codec,
    direct::{Arrived, DirectReceipt, Parcel},
    record::RecordKind,
};

use super::{Actor, UNREAD_MAX, count_unread};
use crate::{api::Event, clock, convert, entropy, node::Receipts, room::Said};

/// Messages on their way to the disk, per room (count). What comes beyond it comes again.
const TAKING_MAX: usize = 64;
/// What one member may say to this device in a day (bytes). Counted anew after a restart.
const BYTES_A_DAY: u64 = 4 * 1024 * 1024;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Own messages for which one receipt may change the answer at a time (count).
const RECEIPT_NEWS_MAX: usize = 50;

/// What one member has said of late.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quota {
    since: Timestamp,
    bytes: u64,
}

impl Quota {
    fn has_space(self, now: Timestamp) -> bool {
        self.bytes < BYTES_A_DAY || self.is_over(now)
    }

    fn add(&mut self, bytes: u64, now: Timestamp) {
        if self.is_over(now) {
            *self = Self {
                since: now,
                bytes: 0,
            };
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// A clock that jumped back begins a new day, too.
    fn is_over(self, now: Timestamp) -> bool {
        now.0.abs_diff(self.since.0) >= DAY_MS
    }
}

/// What the store says to a message.
enum Placed {
    /// It is kept now.
    New {
        /// Whether the one before it is missing.
        gap: bool,
    },
    /// It was there.
    Known,
    /// Its author signed something else for that place.
    Fork,
}

impl Actor {
    /// [`PARCEL_VERSION`](peddlenet_wire::direct::PARCEL_VERSION) begins it.
    pub(in crate::actor) fn on_parcel(&mut self, tag: RoomTag, from: AuthorId, payload: &[u8]) {
        let member = |room: &&crate::room::Room| room.roster.is_member(from);
        let Some(room) = self.rooms.get(&tag).filter(member) else {
            return tracing::debug!(?from, "a parcel by no member");
        };
        match room.open_parcel(from, payload) {
            Some(Parcel::Event(event)) => self.take_direct(tag, from, event),
            Some(Parcel::Receipt(receipt)) => self.take_direct_receipt(tag, from, receipt),
            Some(_) => tracing::debug!(?from, "a parcel of a newer app"),
            None => self.refuse_direct(from, "it does not open"),
        }
    }

    fn refuse_direct(&mut self, from: AuthorId, why: &'static str) {
        self.stats.direct_refused += 1;
        tracing::debug!(?from, why, "a parcel is refused");
    }

    fn take_direct(&mut self, tag: RoomTag, from: AuthorId, event: SignedEvent) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let by_sender = event.header().author == from;
        if !by_sender || room.open_direct(&event).is_none() || verify_event(&event).is_err() {
            return self.refuse_direct(from, "it is forged, or not meant for this device");
        }
        let hops = match room.heard.get(&from) {
            _ if self.linked_to(tag, from) => 1,
            heard => heard.map_or(2, |heard| heard.hops.max(2)),
        };
        let Some(directs) = self.directs.rooms.get_mut(&tag) else {
            return;
        };
        let quota = directs.taken.get(&from).copied().unwrap_or_default();
        let space = directs.taking.len() < TAKING_MAX && quota.has_space(clock::now());
        if !space || !directs.taking.insert(event.hash()) {
            return tracing::debug!(?from, "a direct message is put off");
        }
        let row = convert::to_row(&event, hops);
        let previous = event.header().previous;
        let place = move |store: &mut dyn Store| place(store, row, previous);
        self.disk.update(place, move |actor, outcome| {
            if let Some(directs) = actor.directs.rooms.get_mut(&tag) {
                directs.taking.remove(&event.hash());
            }
            match outcome {
                Ok(Placed::New { gap }) => {
                    actor.stats.direct_gaps += u64::from(gap);
                    actor.took_direct(tag, &event, hops);
                    actor.confirm(tag, &event);
                }
                Ok(Placed::Known) => {
                    // This device may have ended between the message's commit and that of its being seen.
                    actor.read_on_delivery(tag, &event);
                    actor.confirm(tag, &event);
                }
                Ok(Placed::Fork) => {
                    actor.refuse_direct(from, "its author signed another for its place");
                }
                Err(e) => actor.on_commit_failed(false, &e),
            }
        });
    }

    /// A message is on disk.
    fn took_direct(&mut self, tag: RoomTag, event: &SignedEvent, hops: u8) {
        self.stats.direct_taken += 1;
        let header = event.header();
        let (author, now) = (header.author, clock::now());
        let bytes = event.body().map_or(0, <[u8]>::len) + event.header_bytes().len();
        let (Some(room), Some(directs)) =
            (self.rooms.get_mut(&tag), self.directs.rooms.get_mut(&tag))
        else {
            return;
        };
        room.observe(event, clock::now());
        let quota = directs.taken.entry(author).or_default();
        quota.add(bytes as u64, now);
        if !self.shows_direct(tag, author) {
            return;
        }
        if !self.show_direct(tag, event, hops) {
            return;
        }
        if self.receipts() == Receipts::OnDelivery {
            self.read_on_delivery(tag, event);
        } else if let Some(directs) = self.directs.rooms.get_mut(&tag) {
            let unread = directs.unread.entry(author).or_default();
            *unread = unread.saturating_add(1).min(UNREAD_MAX as u64);
            self.room_changed(tag);
        }
        self.member_changed(tag, author);
    }

    /// Where there is no screen, delivered is seen.
    fn read_on_delivery(&mut self, tag: RoomTag, event: &SignedEvent) {
        let header = event.header();
        if self.receipts() == Receipts::OnDelivery && self.shows_direct(tag, header.author) {
            self.note_direct_read(tag, header.author, header.clock, event.hash());
        }
    }

    /// Shows what is on disk. True for a message, false for what is said about one.
    pub(super) fn show_direct(&mut self, tag: RoomTag, event: &SignedEvent, hops: u8) -> bool {
        match self.direct_said(tag, event, hops) {
            Some(Said::Message(message)) => {
                self.dressed_one(tag, message, |actor, message| {
                    actor.events.emit(Event::Message(message));
                });
                true
            }
            Some(Said::Note(note)) => {
                self.take_note(note);
                false
            }
            None => false,
        }
    }

    /// Whether a member's direct messages are shown and confirmed as seen. What is blocked is kept all
    /// the same.
    pub(in crate::actor) fn shows_direct(&self, tag: RoomTag, author: AuthorId) -> bool {
        let room = self.rooms.get(&tag);
        room.is_none_or(|room| !room.trust.is_blocked(author))
    }

    /// Tells the author, and nobody else, what became of a message.
    fn confirm(&mut self, tag: RoomTag, event: &SignedEvent) {
        let header = event.header();
        let read = self.directs.rooms.get(&tag).map(|r| &r.read);
        let read = read.and_then(|r| r.get(&header.author)).copied();
        let state = if read >= Some(header.clock) && self.confirms_seen(tag, header.author) {
            Arrived::Seen
        } else {
            Arrived::Stored
        };
        self.send_direct_receipt(tag, header.author, event.hash(), state);
    }

    pub(super) fn confirms_seen(&self, tag: RoomTag, author: AuthorId) -> bool {
        self.receipts() != Receipts::Never && self.shows_direct(tag, author)
    }

    pub(super) fn send_direct_receipt(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        hash: EventHash,
        state: Arrived,
    ) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let parcel = room.direct_receipt(hash, state);
        self.send_parcel(tag, to, UnicastId(entropy::bytes()), &parcel);
    }

    /// The person has this message, and what its author said before it, on the screen.
    pub(in crate::actor) fn see_direct(&mut self, tag: RoomTag, key: EventKey, clock: Hlc) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        if key.author == room.me() || !self.note_direct_read(tag, key.author, clock, key.hash) {
            return;
        }
        if self.confirms_seen(tag, key.author) {
            self.send_direct_receipt(tag, key.author, key.hash, Arrived::Seen);
        }
        let read =
            move |store: &dyn Store| store.tail(tag, key.author, key.stream, None, UNREAD_MAX);
        self.disk.read(read, move |actor, rows| {
            let (Some(room), Some(directs)) =
                (actor.rooms.get(&tag), actor.directs.rooms.get_mut(&tag))
            else {
                return;
            };
            let read = directs.read.get(&key.author).copied().unwrap_or_default();
            let unread = count_unread(room, &rows.unwrap_or_default(), read);
            directs.unread.insert(key.author, unread);
            actor.member_changed(tag, key.author);
            actor.room_changed(tag);
        });
    }

    /// Remembers how far this device has seen a member's messages. Whether that is news.
    fn note_direct_read(
        &mut self,
        tag: RoomTag,
        author: AuthorId,
        clock: Hlc,
        hash: EventHash,
    ) -> bool {
        let Some(directs) = self.directs.rooms.get_mut(&tag) else {
            return false;
        };
        let read = directs.read.entry(author).or_default();
        if clock <= *read {
            return false;
        }
        *read = clock;
        directs.repeat.remove(&author);
        let bytes = hash.0.to_vec();
        self.keep_mark(tag, RecordKind::DIRECT_READ, author, clock, bytes);
        true
    }

    fn keep_mark(
        &mut self,
        room: RoomTag,
        kind: RecordKind,
        author: AuthorId,
        clock: Hlc,
        bytes: Vec<u8>,
    ) {
        let mark = Write::Record(StoredRecord {
            room,
            kind,
            author,
            clock,
            bytes,
        });
        self.disk.commit(vec![mark], |actor, outcome| {
            if let Err(e) = outcome {
                actor.on_commit_failed(false, &e);
            }
        });
    }

    /// A member's word on a message of this device.
    fn take_direct_receipt(&mut self, tag: RoomTag, from: AuthorId, receipt: DirectReceipt) {
        let DirectReceipt {
            event,
            state,
            signature,
        } = receipt;
        if verify_direct_receipt(from, tag, event, state, &signature).is_err() {
            return self.refuse_direct(from, "a forged receipt");
        }
        let Some(directs) = self.directs.rooms.get_mut(&tag) else {
            return;
        };
        if directs.outbox.get(&event).is_some_and(|w| w.to == from) {
            directs.outbox.remove(&event);
            self.forget_waiting(tag, event);
            // There is room for another.
            self.send_waiting(tag);
        }
        let Some(me) = self.rooms.get(&tag).map(crate::room::Room::me) else {
            return;
        };
        if state != Arrived::Seen {
            return;
        }
        let read = move |store: &dyn Store| store.event(tag, event);
        self.disk.read(read, move |actor, row| {
            let own = |row: &StoredEvent| {
                (row.key.author, row.key.stream) == (me, direct_stream(tag, me, from))
            };
            if let Some(row) = row.ok().flatten().filter(own) {
                actor.note_direct_seen(tag, from, (row.key, row.clock), &receipt);
            }
        });
    }

    /// A member has seen a message of this device, and those before it.
    fn note_direct_seen(
        &mut self,
        tag: RoomTag,
        from: AuthorId,
        (key, clock): (EventKey, Hlc),
        receipt: &DirectReceipt,
    ) {
        let Some(directs) = self.directs.rooms.get_mut(&tag) else {
            return;
        };
        let seen = directs.seen.entry(from).or_default();
        if clock <= *seen {
            return;
        }
        let before = std::mem::replace(seen, clock);
        let bytes = codec::to_vec(receipt);
        self.keep_mark(tag, RecordKind::DIRECT_SEEN, from, clock, bytes);
        let read = move |store: &dyn Store| {
            store.tail(
                tag,
                key.author,
                key.stream,
                key.seq.next(),
                RECEIPT_NEWS_MAX,
            )
        };
        self.disk.read(read, move |actor, rows| {
            let rows = convert::from_rows(rows.unwrap_or_default());
            for (event, _) in rows.iter().filter(|(e, _)| e.header().clock > before) {
                // Another recipient may share the log.
                let message = actor.direct_message(tag, event, 0);
                if let Some(message) = message.filter(|m| m.direct == Some(from)) {
                    actor.events.emit(Event::Receipt {
                        room: message.room,
                        message: message.id,
                        seen_by: message.seen_by,
                    });
                }
            }
        });
    }
}

/// Keeps a message unless its author's log says otherwise: what stands before it and after it, as far as
/// that is here, must follow on.
fn place(
    store: &mut dyn Store,
    row: StoredEvent,
    previous: EventHash,
) -> Result<Placed, StoreError> {
    let key = row.key;
    if store.event(key.room, key.hash)?.is_some() {
        return Ok(Placed::Known);
    }
    let (from, to) = (key.seq.0.saturating_sub(1), key.seq.0.saturating_add(1));
    let near = store.range(key.room, key.author, key.stream, Seq(from), Seq(to), 3)?;
    let mut gap = key.seq != Seq::FIRST;
    for other in near {
        let (seq, hash) = (other.key.seq, other.key.hash);
        let follows = match seq.cmp(&key.seq) {
            std::cmp::Ordering::Less => {
                gap = false;
                hash == previous && other.clock < row.clock
            }
            std::cmp::Ordering::Equal => false,
            std::cmp::Ordering::Greater => {
                let after = other.clock > row.clock;
                let next = convert::from_row(other).ok();
                after && next.is_some_and(|(next, _)| next.header().previous == key.hash)
            }
        };
        if !follows {
            return Ok(Placed::Fork);
        }
    }
    store.commit(&[Write::Event(row)])?;
    Ok(Placed::New { gap })
}
