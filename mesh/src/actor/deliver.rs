//! What the engine delivers: verified events and records, opened here and turned into news.

use peddlenet_gossip::Input;
use peddlenet_room::Judgement;
use peddlenet_wire::{
    AuthorId, Hlc, RoomTag, Seq, SignedEvent, SignedRecord, Stream, codec,
    content::Membership,
    limits,
    record::{self, RecordKind, Whereabouts},
};

use super::{Actor, Timer, messages::receipt_delay, presence::reachable_for};
use crate::{
    api::{Event, Message},
    clock,
    node::Receipts,
    room::{Room, Said},
};

/// Own messages for which one receipt record may change the answer at a time (count).
const RECEIPT_NEWS_MAX: usize = 50;

impl Actor {
    /// A verified event of another member. Membership counts at once, since the next event may
    /// depend on it; a message is shown, and confirmed, once it is on disk.
    pub(super) fn deliver(&mut self, event: SignedEvent, hops: u8, saved: bool) {
        if saved || event.header().stream == Stream::MEMBERSHIP {
            self.take_event(&event, hops);
        } else {
            self.landing.insert(event.hash(), (event, hops));
        }
    }

    /// An event is on disk.
    pub(super) fn landed(&mut self, event: &SignedEvent, hops: u8, own: bool) {
        if own {
            self.count_said(event);
            self.leave_copy(event);
        }
        self.took_space(event);
        if own || self.landing.remove(&event.hash()).is_some() {
            self.take_event(event, hops);
        }
        if let Some(then) = self.pending.remove(&event.hash()) {
            then(self, event);
        }
    }

    fn take_event(&mut self, event: &SignedEvent, hops: u8) {
        let tag = event.header().room;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.observe(event, clock::now());
        if event.header().stream == Stream::MEMBERSHIP {
            self.deliver_membership(tag, event);
        } else {
            if let Some(count) = room.carry(event.header().epoch) {
                self.save_carried(tag, count);
            }
            self.deliver_content(tag, event, hops);
        }
    }

    fn deliver_membership(&mut self, tag: RoomTag, event: &SignedEvent) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let Some(opened) = room.open_membership(event) else {
            return;
        };
        let (news, keys) = room.take_membership(event, &opened);
        self.standing_changed(tag, &news);
        if let Some(epoch) = keys {
            self.keys_came(tag, epoch);
        }
        if matches!(opened, Membership::Rekey(_)) {
            self.refresh_gates();
            self.ask_soon(tag);
        }
        self.feed(Input::MembershipChanged { room: tag });
        self.room_changed(tag);
    }

    fn deliver_content(&mut self, tag: RoomTag, event: &SignedEvent, hops: u8) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let header = event.header();
        if room.roster.judge_content(header.author, header.seq) != Judgement::Accept {
            return;
        }
        let message = match room.said(event, hops) {
            Some(Said::Message(message)) => message,
            Some(Said::Note(note)) => return self.take_note(note),
            None => {
                self.wait_for_keys(tag, event, hops);
                return;
            }
        };
        if !room.shows(event) {
            return;
        }
        let header = event.header();
        if !message.mine {
            let seen = room.seen_up_to(room.me(), header.author) >= header.seq;
            if !seen && header.clock > room.joined() && room.trust.notifies(header.author) {
                room.unread = room.unread.saturating_add(1);
            }
            if self.receipts() == Receipts::OnDelivery {
                self.see(tag, header.author, header.seq);
            }
        }
        self.note_path(tag, &message, hops);
        let newer = |last: &Option<Message>| {
            last.as_ref()
                .is_none_or(|l| (l.time, l.id) < (message.time, message.id))
        };
        let last = self.last.entry(tag).or_default();
        if newer(last) {
            *last = Some(message.clone());
        }
        self.dressed_one(tag, message, move |actor, message| {
            actor.shown_anew(tag, &message);
            actor.events.emit(Event::Message(message));
        });
        self.room_changed(tag);
    }

    /// Notes that this device has displayed an author's messages up to a position.
    pub(super) fn see(&mut self, tag: RoomTag, author: AuthorId, seq: Seq) {
        let receipts = self.receipts();
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if author != room.me()
            && !room.trust.is_blocked(author)
            && room.note_seen(room.me(), author, seq).is_some()
            && receipts != Receipts::Never
        {
            let due = clock::now().after(receipt_delay(room.roster.len()));
            if !self.timers.has(Timer::Receipts(tag)) {
                self.arm(Timer::Receipts(tag), due);
            }
        }
    }

    pub(super) fn deliver_record(&mut self, record: &SignedRecord, hops: u8) {
        let header = record.header();
        let (tag, author) = (header.room, header.author);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if author == room.me() {
            return;
        }
        let span = reachable_for(room.roster.len());
        room.hear(record, hops, clock::now(), span);
        let before = room.seen_up_to(author, room.me());
        take_record(room, record);
        let after = room.seen_up_to(author, room.me());
        match header.kind {
            RecordKind::RECEIPTS if after > before => self.tell_receipts(tag, before, after),
            RecordKind::WHEREABOUTS => self.known_changed(tag, author),
            RecordKind::MOVING => self.member_changed(tag, author),
            _ => {}
        }
        self.refresh_reach(tag, author);
    }

    /// Tells of every own message that one more member has now seen.
    fn tell_receipts(&mut self, tag: RoomTag, before: Seq, after: Seq) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let me = room.me();
        // A member that was away for long confirms many at once; the newest are on the screen.
        let newest = after.0.saturating_sub(RECEIPT_NEWS_MAX as u64);
        let from = Seq(before.0.max(newest).saturating_add(1));
        let read = move |store: &dyn peddlenet_store::Store| {
            store.range(tag, me, Stream::CONTENT, from, after, RECEIPT_NEWS_MAX)
        };
        self.disk.read(read, move |actor, rows| {
            let Some(room) = actor.rooms.get(&tag) else {
                return;
            };
            for row in rows.unwrap_or_default() {
                let seen_by = room.seen_by(me, row.key.seq);
                actor.record.seen(row.key.hash);
                actor.events.emit(Event::Receipt {
                    room: room.id,
                    message: row.key.hash,
                    seen_by,
                });
            }
        });
    }
}

/// Takes what a record says into the room's state. Also used for the records of the store at start.
pub(super) fn take_record(room: &mut Room, record: &SignedRecord) {
    let header = record.header();
    let Ok(body) = room.open_record(record) else {
        return;
    };
    match header.kind {
        RecordKind::RECEIPTS => {
            let Ok(receipts) =
                codec::from_slice::<record::Receipts>("receipts", &body, limits::RECORD_MAX)
            else {
                return;
            };
            for entry in receipts.seen.iter().filter(|e| e.stream == Stream::CONTENT) {
                room.note_seen(header.author, entry.author, entry.seq);
            }
        }
        RecordKind::WHEREABOUTS => {
            if let Ok(place) =
                codec::from_slice::<Whereabouts>("whereabouts", &body, limits::RECORD_MAX)
            {
                room.whereabouts.insert(header.author, place);
            }
        }
        RecordKind::MOVING => drop(room.note_moving(header.author, &body)),
        _ => {}
    }
}

impl Room {
    /// When this device came in: what was said before isn't unread. The creator was always there.
    pub(super) fn joined(&self) -> Hlc {
        self.roster.admitted(self.me()).unwrap_or_default()
    }
}
