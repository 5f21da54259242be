//! Saying, reading, and having read.

use std::time::Duration;

use peddlenet_gossip::Input;
use peddlenet_store::{Store, StoreError, StoredEvent};
use peddlenet_wire::{
    AuthorId, Hlc, RoomId, RoomTag, SignedEvent, Stream, codec,
    content::{Content, Text},
    event::sha256,
    ids::Digest,
    record::RecordKind,
};

use super::{Actor, Reply};
use crate::{
    api::{Heads, Message, MessageId, Words},
    clock,
    error::{Error, ErrorCode},
    room::Room,
};

/// Receipts wait that long for more of them before they travel as one record, in rooms of up to
/// [`RECEIPTS_AT_ONCE`] members.
const RECEIPT_DELAY: Duration = Duration::from_millis(150);
/// In larger rooms they travel as rarely as beacons: everybody's reach everybody (count).
const RECEIPTS_AT_ONCE: usize = 50;

/// How long receipts are collected in a room of that size.
pub(super) fn receipt_delay(members: usize) -> Duration {
    if members <= RECEIPTS_AT_ONCE {
        RECEIPT_DELAY
    } else {
        peddlenet_gossip::beacon_period(members)
    }
}
/// Messages in one page of history (count).
pub(super) const PAGE_MAX: usize = 500;
/// How far back marking a message as seen, and counting the unread, looks (count).
const LOOK_BACK: usize = 500;

impl Actor {
    pub(crate) fn send(&mut self, id: RoomId, words: &Words, reply: Reply<Message>) {
        match self.seal_text(id, words) {
            Ok(event) => self.publish(event, move |actor, event| {
                actor.record.sent(event.hash());
                let message = actor
                    .room(id)
                    .and_then(|room| room.message(event, 0).ok_or(ErrorCode::Internal.into()));
                let _ = reply.send(message);
            }),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    fn seal_text(&mut self, id: RoomId, words: &Words) -> Result<SignedEvent, Error> {
        let text = text_of(words)?;
        let tag = self.tag(id)?;
        self.seal_content(tag, &Content::Text(text))
    }

    /// Signs something for stream 1, where this device may say so much.
    pub(super) fn seal_content(
        &mut self,
        tag: RoomTag,
        content: &Content,
    ) -> Result<SignedEvent, Error> {
        self.must_be_in(tag)?;
        let plaintext = content.to_bytes();
        let room = self.rooms.get(&tag).ok_or(ErrorCode::RoomUnknown)?;
        if !room.may_say(plaintext.len(), clock::now()) {
            return Err(ErrorCode::SaidTooMuch.into());
        }
        self.begin_epoch_if_needed(tag);
        self.seal(tag, Stream::CONTENT, &plaintext)
    }

    /// Signs this device's next event in a room.
    pub(super) fn seal(
        &mut self,
        tag: RoomTag,
        stream: Stream,
        plaintext: &[u8],
    ) -> Result<SignedEvent, Error> {
        if self.failed {
            return Err(ErrorCode::StoreFailed.into());
        }
        self.may_speak(tag, stream)?;
        let membership = self.membership_digest(tag);
        let room = self.rooms.get_mut(&tag).ok_or(ErrorCode::RoomUnknown)?;
        room.seal(stream, plaintext, membership, clock::now())
            .map_err(|e| {
                tracing::error!(error = %e, "sealing failed");
                ErrorCode::Internal.into()
            })
    }

    /// Hash over the heads of stream 0: what this device knows of the membership as it signs.
    pub(super) fn membership_digest(&self, tag: RoomTag) -> Digest {
        let heads = self
            .engine
            .heads(tag)
            .into_iter()
            .filter(|h| h.stream == Stream::MEMBERSHIP);
        sha256(&codec::to_vec(&heads.collect::<Vec<_>>()))
    }

    /// Gives an own event to the engine; `then` runs once it is on disk. If that fails, `then` is
    /// dropped, and with it the reply inside, which its receiver takes for a failure to save.
    pub(super) fn publish(
        &mut self,
        event: SignedEvent,
        then: impl FnOnce(&mut Self, &SignedEvent) + Send + 'static,
    ) {
        self.pending.insert(event.hash(), Box::new(then));
        self.begin_handing(&event);
        self.feed(Input::Publish { event });
    }

    pub(crate) fn history(
        &mut self,
        id: RoomId,
        before: Option<MessageId>,
        limit: usize,
        reply: Reply<Vec<Message>>,
    ) {
        let Ok(tag) = self.tag(id) else {
            return drop(reply.send(Err(ErrorCode::RoomUnknown.into())));
        };
        let limit = limit.clamp(1, PAGE_MAX);
        self.place_of(tag, before, move |actor, place| match place {
            Ok(before) => actor.fill_page(tag, before, limit, Vec::new(), reply),
            Err(e) => drop(reply.send(Err(e))),
        });
    }

    /// Where the pages before a message begin; at the end of the room without one.
    pub(super) fn place_of(
        &mut self,
        tag: RoomTag,
        before: Option<MessageId>,
        then: impl FnOnce(&mut Self, Result<Option<(Hlc, MessageId)>, Error>) + Send + 'static,
    ) {
        let Some(hash) = before else {
            return then(self, Ok(None));
        };
        let read = move |store: &dyn Store| store.event(tag, hash);
        self.disk.read(read, move |actor, row| {
            let row = row.map_err(Error::from);
            let place = row.and_then(|row| row.ok_or(ErrorCode::MessageUnknown.into()));
            then(actor, place.map(|row| Some((row.clock, hash))));
        });
    }

    /// Reads back until a page is full or nothing is left: what is not shown takes no place in it.
    fn fill_page(
        &mut self,
        tag: RoomTag,
        before: Option<(Hlc, MessageId)>,
        limit: usize,
        mut found: Vec<Message>,
        reply: Reply<Vec<Message>>,
    ) {
        let read = move |store: &dyn Store| store.page(tag, before, limit);
        self.disk.read(read, move |actor, rows| {
            let rows = match rows {
                Ok(rows) => rows,
                Err(e) => return drop(reply.send(Err(e.into()))),
            };
            let Some(room) = actor.rooms.get(&tag) else {
                return drop(reply.send(Err(ErrorCode::RoomUnknown.into())));
            };
            let more = rows.len() == limit;
            let next = rows.last().map(|row| (row.clock, row.key.hash));
            found.extend(room.messages(rows));
            if more && found.len() < limit {
                return actor.fill_page(tag, next, limit, found, reply);
            }
            found.truncate(limit);
            found.reverse();
            actor.dressed(tag, found, |_, found| drop(reply.send(Ok(found))));
        });
    }

    /// The person has this message, and all before it, on the screen.
    pub(crate) fn mark_seen(&mut self, id: RoomId, message: MessageId, reply: Reply<()>) {
        let Ok(tag) = self.tag(id) else {
            return drop(reply.send(Err(ErrorCode::RoomUnknown.into())));
        };
        let read = move |store: &dyn Store| -> Result<_, StoreError> {
            let Some(row) = store.event(tag, message)? else {
                return Ok(None);
            };
            if row.key.stream.is_direct() {
                return Ok(Some((vec![row], Vec::new())));
            }
            let mut rows = store.page(tag, Some((row.clock, message)), LOOK_BACK)?;
            rows.push(row);
            Ok(Some((rows, store.page(tag, None, LOOK_BACK)?)))
        };
        self.disk.read(read, move |actor, rows| {
            let answer = match rows {
                Ok(Some((seen, _))) if seen.iter().any(|row| row.key.stream.is_direct()) => {
                    for row in seen {
                        actor.see_direct(tag, row.key, row.clock);
                    }
                    Ok(())
                }
                Ok(Some((seen, newest))) => {
                    for row in seen {
                        actor.see(tag, row.key.author, row.key.seq);
                    }
                    if let Some(room) = actor.rooms.get_mut(&tag) {
                        room.unread = unread(room, &newest);
                    }
                    actor.room_changed(tag);
                    Ok(())
                }
                Ok(None) => Err(ErrorCode::MessageUnknown.into()),
                Err(e) => Err(e.into()),
            };
            let _ = reply.send(answer);
        });
    }

    pub(super) fn flush_receipts(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let body = codec::to_vec(&room.receipts());
        self.publish_record(tag, RecordKind::RECEIPTS, &body);
    }

    /// Seals a record and passes it on. A record that can't be sealed is left out: the next one says more.
    pub(super) fn publish_record(&mut self, tag: RoomTag, kind: RecordKind, body: &[u8]) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        match room.seal_record(kind, body, clock::now()) {
            Ok(record) => self.feed(Input::PublishRecord { record }),
            Err(e) => tracing::error!(error = %e, "sealing a record failed"),
        }
    }

    pub(crate) fn heads(&self, id: RoomId) -> Result<Heads, Error> {
        let room = self.room(id)?;
        let counts = self.engine.counts(room.tag);
        let epoch = room
            .newest_epoch()
            .map_err(|_| Error::from(ErrorCode::Internal))?
            .id();
        Ok(Heads {
            digest: self.engine.digest(room.tag).unwrap_or(Digest::ZERO),
            events: counts.events,
            // The engine takes no event without its body, and nothing deletes one yet.
            bodies: counts.events,
            epoch,
        })
    }
}

/// Messages of others that came in since this device joined and that it has not marked as seen,
/// among the given newest ones.
pub(super) fn unread(room: &Room, newest: &[StoredEvent]) -> u64 {
    let me: AuthorId = room.me();
    let joined: Hlc = room.joined();
    let is_unread = |row: &&StoredEvent| {
        row.key.author != me
            && row.clock > joined
            && row.body.is_some()
            && room.trust.notifies(row.key.author)
            && row.key.seq > room.seen_up_to(me, row.key.author)
    };
    let unread = newest.iter().filter(is_unread).cloned().collect();
    // What was said about a message is none.
    room.messages(unread).len() as u64
}

/// What a person wrote, if it can be said.
pub(super) fn text_of(words: &Words) -> Result<Text, Error> {
    if words.text.trim().is_empty() {
        return Err(ErrorCode::TextEmpty.into());
    }
    let text = Text::new(&words.text).map_err(|_| Error::from(ErrorCode::TextTooLong))?;
    Ok(text.about(words.reply_to, &words.mentions))
}
