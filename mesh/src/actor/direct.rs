//! Messages between two members: said, kept until they arrived, and sent again.
//!
//! ```text
//!  dm -> sealed, signed -> one commit: own event (guarded) + outbox row -> reply
//!                              |
//!        outbox --parcel--> engine (routes, custodians) --> recipient: verify, store, then
//!           ^   <-- signed receipt: stored, or seen ---------------------------------+
//!           +-- no receipt: again, later and later; at once when the recipient is near
//! ```
//!
//! A message leaves the outbox by its recipient's signed receipt only: what the engine calls delivered
//! was not yet on a disk. Rows of the outbox survive a restart. Whatever concerns direct messages stays
//! out of the room's digest, heads, sync and pages: the engine is never told of their logs.

mod arrive;
mod read;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use peddlenet_gossip::{Input, Outcome, UnicastId};
use peddlenet_store::{Held, Store, StoredEvent, StoredRecord, Write};
use peddlenet_wire::{
    AuthorId, EventHash, Hlc, RoomId, RoomTag, SignedEvent, Timestamp,
    content::Content,
    direct::{Arrived, Parcel},
    limits,
    record::RecordKind,
};

use super::{Actor, Reply, Timer, messages::text_of};
use crate::{
    api::{Message, Words},
    clock, convert, entropy,
    error::{Error, ErrorCode},
    room::Room,
};

/// Messages of one room that wait for their receipt (count).
const OUTBOX_MAX: usize = 256;
/// Of those, how many the engine has at a time: it takes 256, and offers and receipts need some (count).
const UNDER_WAY_MAX: usize = 192;
/// And for one recipient, so that one who is away for long does not hold up the others (count).
const UNDER_WAY_EACH: usize = 32;
/// How long a receipt may take before a message sets out again; doubled each time ..
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// .. up to this.
const AGAIN_SLOWEST: Duration = Duration::from_secs(600);
/// How far back the unread of one member are counted (count).
const UNREAD_MAX: usize = 100;
/// The first byte of a row of the outbox: a direct message. Its recipient follows.
const ROW_DIRECT: u8 = 1;

/// The direct messages of every room.
#[derive(Default)]
pub(crate) struct Directs {
    rooms: BTreeMap<RoomTag, RoomDirects>,
    /// What the engine has.
    sent: BTreeMap<UnicastId, (RoomTag, EventHash)>,
}

/// The direct messages of one room.
#[derive(Default)]
pub(crate) struct RoomDirects {
    outbox: BTreeMap<EventHash, Waiting>,
    /// Up to which clock each member has seen what this device said to it.
    seen: BTreeMap<AuthorId, Hlc>,
    /// Up to which clock this device has seen what each member said to it.
    read: BTreeMap<AuthorId, Hlc>,
    /// The last message of each member that this device has seen before the last start, to say so once more
    /// whenever that member comes near: that it was said before may have got lost.
    repeat: BTreeMap<AuthorId, EventHash>,
    unread: BTreeMap<AuthorId, u64>,
    /// On their way to the disk.
    taking: BTreeSet<EventHash>,
    taken: BTreeMap<AuthorId, arrive::Quota>,
}

/// One message in the outbox.
struct Waiting {
    to: AuthorId,
    event: SignedEvent,
    /// The attempt that the engine has.
    under_way: Option<UnicastId>,
    tries: u32,
    /// When it may set out again.
    next: Timestamp,
}

impl Waiting {
    fn new(to: AuthorId, event: SignedEvent) -> Self {
        Self {
            to,
            event,
            under_way: None,
            tries: 0,
            next: Timestamp(0),
        }
    }
}

impl Directs {
    pub(super) fn unread(&self, tag: RoomTag, author: AuthorId) -> u64 {
        let room = self.rooms.get(&tag);
        room.and_then(|r| r.unread.get(&author))
            .copied()
            .unwrap_or(0)
    }

    /// Of everybody in the room who is neither muted nor blocked, and still in it.
    pub(super) fn unread_in(&self, room: &Room) -> u64 {
        let Some(directs) = self.rooms.get(&room.tag) else {
            return 0;
        };
        let heard = |author: &AuthorId| {
            let trust = &room.trust;
            room.roster.member(*author).is_some()
                && !trust.is_muted(*author)
                && !trust.is_blocked(*author)
        };
        let unread = directs.unread.iter().filter(|(author, _)| heard(author));
        unread.fold(0, |sum, (_, unread)| sum.saturating_add(*unread))
    }

    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.rooms.remove(&tag);
        self.sent.retain(|_, (room, _)| *room != tag);
    }

    fn waiting(&mut self, tag: RoomTag, hash: EventHash) -> Option<&mut Waiting> {
        self.rooms.get_mut(&tag)?.outbox.get_mut(&hash)
    }
}

impl RoomDirects {
    /// Reads what waits, and who has seen how far. Blocks.
    pub(super) fn load(
        store: &dyn Store,
        room: &mut Room,
        held: &[Held],
        records: &[StoredRecord],
    ) -> Result<Self, Error> {
        let (tag, me) = (room.tag, room.me());
        let mut directs = Self::default();
        let up_to = |kind| {
            let of_kind = records.iter().filter(move |r| r.kind == kind);
            of_kind.map(|r| (r.author, r.clock)).collect()
        };
        directs.seen = up_to(RecordKind::DIRECT_SEEN);
        directs.read = up_to(RecordKind::DIRECT_READ);
        let read = records.iter().filter(|r| r.kind == RecordKind::DIRECT_READ);
        directs.repeat = read
            .filter_map(|r| Some((r.author, EventHash::try_from(&*r.bytes).ok()?)))
            .collect();
        for (hash, value) in store.outbox(tag)? {
            let to = match value.split_first() {
                Some((&ROW_DIRECT, to)) => AuthorId::try_from(to).ok(),
                _ => None,
            };
            let row = store.event(tag, hash)?.map(convert::from_row);
            // The rows of one who was removed stay on the disk: a removal may turn out to be undone.
            if let (Some(to), Some(Ok((event, _)))) = (to, row)
                && room.roster.is_member(to)
            {
                directs.outbox.insert(hash, Waiting::new(to, event));
            }
        }
        for log in held.iter().filter(|log| log.stream.is_direct()) {
            let rows = store.tail(tag, log.author, log.stream, None, UNREAD_MAX)?;
            if log.author != me {
                let read = directs.read.get(&log.author).copied().unwrap_or_default();
                let unread = count_unread(room, &rows, read);
                directs.unread.insert(log.author, unread);
            }
            let newest = rows.into_iter().take(1).collect();
            for (event, _) in convert::from_rows(newest) {
                room.observe(&event, clock::now());
            }
        }
        Ok(directs)
    }
}

impl Actor {
    /// Takes in what a room's outbox holds.
    pub(super) fn open_directs(&mut self, tag: RoomTag, directs: RoomDirects) {
        self.directs.rooms.insert(tag, directs);
        self.arm(Timer::Direct(tag), clock::now());
    }

    pub(crate) fn dm(&mut self, id: RoomId, to: AuthorId, words: &Words, reply: Reply<Message>) {
        let sealed = text_of(words).and_then(|text| {
            let tag = self.tag(id)?;
            Ok((tag, self.seal_direct(tag, to, Content::Text(text))?))
        });
        match sealed {
            Ok((tag, event)) => self.save_direct(tag, to, event, move |actor, event| {
                let message = actor.direct_message(tag, event, 0);
                let _ = reply.send(message.ok_or(ErrorCode::RoomUnknown.into()));
            }),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    /// Signs something for one member alone.
    pub(super) fn seal_direct(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        content: Content,
    ) -> Result<SignedEvent, Error> {
        let max = limits::DIRECT_TEXT_MAX;
        let text = match &content {
            Content::Text(text) => text.text.len(),
            Content::Edit(edit) => edit.text.len(),
            _ => 0,
        };
        if text > max {
            let why = format!("A private message holds at most {max} bytes. Send it in parts.");
            return Err(Error::new(ErrorCode::TextTooLong, why));
        }
        self.may_send_direct(tag, to)?;
        if self.failed {
            return Err(ErrorCode::StoreFailed.into());
        }
        let membership = self.membership_digest(tag);
        let room = self.rooms.get_mut(&tag).ok_or(ErrorCode::RoomUnknown)?;
        let sealed = room.seal_direct(to, content, membership, clock::now());
        sealed.map_err(|e| {
            tracing::error!(error = %e, "sealing failed");
            Error::from(ErrorCode::Internal)
        })
    }

    fn may_send_direct(&self, tag: RoomTag, to: AuthorId) -> Result<(), Error> {
        let room = self.rooms.get(&tag).ok_or(ErrorCode::RoomUnknown)?;
        if to == room.me() {
            return Err(ErrorCode::Yourself.into());
        }
        if !room.roster.is_member(to) {
            return Err(ErrorCode::MemberUnknown.into());
        }
        if !room.is_in() {
            return Err(ErrorCode::Removed.into());
        }
        room.trust.may_write_to(to)?;
        let waiting = self.directs.rooms.get(&tag).map_or(0, |r| r.outbox.len());
        if waiting >= OUTBOX_MAX {
            return Err(ErrorCode::OutboxFull.into());
        }
        Ok(())
    }

    /// Makes an own message, or what is said about one, durable; then goes on with `then`, and sends it.
    pub(super) fn save_direct(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        event: SignedEvent,
        then: impl FnOnce(&mut Self, &SignedEvent) + Send + 'static,
    ) {
        let hash = event.hash();
        let writes = vec![
            Write::OwnEvent(convert::to_row(&event, 0)),
            Write::Outbox {
                room: tag,
                hash,
                value: Some([&[ROW_DIRECT], &to.0[..]].concat()),
            },
        ];
        // A failed commit drops it, and with it whatever reply `then` holds.
        let landed = move |actor: &mut Self, event: &SignedEvent| {
            actor.show_direct(tag, event, 0);
            if let Some(directs) = actor.directs.rooms.get_mut(&tag) {
                directs.outbox.insert(hash, Waiting::new(to, event.clone()));
            }
            then(actor, event);
            actor.send_waiting(tag);
        };
        self.pending.insert(hash, Box::new(landed));
        self.disk.commit(writes, move |actor, outcome| {
            if let Err(e) = outcome {
                return actor.on_commit_failed(true, &e);
            }
            if let Some(landed) = actor.pending.remove(&hash) {
                landed(actor, &event);
            }
        });
    }

    /// Sends what is due, in the order in which it was said.
    pub(super) fn send_waiting(&mut self, tag: RoomTag) {
        let now = clock::now();
        let (Some(room), Some(directs)) = (self.rooms.get(&tag), self.directs.rooms.get(&tag))
        else {
            return;
        };
        let mut with_engine: BTreeMap<AuthorId, usize> = BTreeMap::new();
        for waiting in directs.outbox.values().filter(|w| w.under_way.is_some()) {
            *with_engine.entry(waiting.to).or_default() += 1;
        }
        let mut free = UNDER_WAY_MAX.saturating_sub(with_engine.values().sum());
        let mut idle: Vec<_> = directs
            .outbox
            .iter()
            .filter(|(_, w)| w.under_way.is_none() && room.roster.is_member(w.to))
            .map(|(hash, w)| (w.event.header().clock, *hash, w.to, w.next))
            .collect();
        idle.sort_unstable();
        let mut due = Vec::new();
        let mut later = None;
        for (_, hash, to, next) in idle {
            if next > now {
                later = Some(later.map_or(next, |at: Timestamp| at.min(next)));
                continue;
            }
            let of_member = with_engine.entry(to).or_default();
            if free > 0 && *of_member < UNDER_WAY_EACH {
                free -= 1;
                *of_member += 1;
                due.push(hash);
            }
        }
        for hash in due {
            self.launch_direct(tag, hash);
        }
        if let Some(at) = later {
            self.arm(Timer::Direct(tag), at);
        }
    }

    fn launch_direct(&mut self, tag: RoomTag, hash: EventHash) {
        let Some(waiting) = self.directs.waiting(tag, hash) else {
            return;
        };
        let id = UnicastId(entropy::bytes());
        waiting.under_way = Some(id);
        let (to, parcel) = (waiting.to, Parcel::Event(waiting.event.clone()));
        self.directs.sent.insert(id, (tag, hash));
        self.send_parcel(tag, to, id, &parcel);
    }

    fn send_parcel(&mut self, tag: RoomTag, to: AuthorId, id: UnicastId, parcel: &Parcel) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        match room.seal_parcel(to, parcel) {
            Ok(payload) => self.feed(Input::SendTo {
                room: tag,
                to,
                id,
                payload,
            }),
            Err(e) => {
                tracing::error!(error = %e, "a parcel could not be sealed");
                self.direct_done(id, Outcome::Failed);
            }
        }
    }

    /// How an attempt ended for the engine. Until the recipient's receipt is here, another is due.
    pub(super) fn direct_done(&mut self, id: UnicastId, outcome: Outcome) {
        if outcome == Outcome::Custody {
            self.stats.direct_kept += u64::from(self.directs.sent.contains_key(&id));
            return;
        }
        let Some((tag, hash)) = self.directs.sent.remove(&id) else {
            return;
        };
        let now = clock::now();
        if let Some(waiting) = self.directs.waiting(tag, hash) {
            let doubled = 1_u32.checked_shl(waiting.tries).unwrap_or(u32::MAX);
            waiting.under_way = None;
            waiting.tries = waiting.tries.saturating_add(1);
            waiting.next = now.after(AGAIN_AFTER.saturating_mul(doubled).min(AGAIN_SLOWEST));
        }
        // Not from here: the engine is in the middle of something.
        self.arm(Timer::Direct(tag), now);
    }

    /// A member gave a sign of life: what waits for it sets out at once.
    pub(super) fn direct_is_near(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(directs) = self.directs.rooms.get_mut(&tag) else {
            return;
        };
        let now = clock::now();
        let mut any = false;
        for waiting in directs.outbox.values_mut().filter(|w| w.to == author) {
            (waiting.tries, waiting.next) = (0, now);
            any |= waiting.under_way.is_none();
        }
        let seen = directs.repeat.get(&author).copied();
        if any {
            self.arm(Timer::Direct(tag), now);
        }
        if let Some(hash) = seen
            && self.confirms_seen(tag, author)
        {
            self.send_direct_receipt(tag, author, hash, Arrived::Seen);
        }
    }

    /// It no longer waits.
    fn forget_waiting(&mut self, tag: RoomTag, hash: EventHash) {
        let row = Write::Outbox {
            room: tag,
            hash,
            value: None,
        };
        self.disk.commit(vec![row], |actor, outcome| {
            if let Err(e) = outcome {
                actor.on_commit_failed(false, &e);
            }
        });
    }
}

/// Messages beyond what was read; what was said about others is none.
fn count_unread(room: &Room, rows: &[StoredEvent], read: Hlc) -> u64 {
    let newer = rows.iter().filter(|row| row.clock > read).cloned();
    let newer = convert::from_rows(newer.collect());
    let is_message = |(event, _): &&(SignedEvent, u8)| {
        let opened = room.open_direct(event);
        opened.is_some_and(|(_, content)| content.target().is_none())
    };
    newer.iter().filter(is_message).count() as u64
}
