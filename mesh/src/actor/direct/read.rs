//! What two members said to each other, opened and in order.

use peddlenet_crypto::direct_stream;
use peddlenet_store::{Store, StoreError, StoredEvent};
use peddlenet_wire::{AuthorId, EventHash, Hlc, RoomId, RoomTag, SignedEvent, Stream};

use super::{
    super::{Reply, messages::PAGE_MAX},
    Actor,
};
use crate::{
    api::{Message, MessageId},
    convert,
    error::{Error, ErrorCode},
    room::Said,
};

impl Actor {
    pub(crate) fn direct_history(
        &mut self,
        id: RoomId,
        with: AuthorId,
        before: Option<MessageId>,
        limit: usize,
        reply: Reply<Vec<Message>>,
    ) {
        let (tag, me, known) = match self.room(id) {
            Ok(room) => (room.tag, room.me(), room.roster.is_member(with)),
            Err(e) => return drop(reply.send(Err(e))),
        };
        if with == me {
            return drop(reply.send(Err(ErrorCode::Yourself.into())));
        }
        let limit = limit.clamp(1, PAGE_MAX);
        self.place_of(tag, before, move |actor, place| match place {
            Ok(before) => {
                let page = Page { tag, with, limit };
                actor.fill_direct(page, before, Vec::new(), move |answer| {
                    // Of one who was removed, what was said is still here.
                    let unknown = !known && matches!(&answer, Ok(found) if found.is_empty());
                    let answer = match unknown {
                        true => Err(ErrorCode::MemberUnknown.into()),
                        false => answer,
                    };
                    let _ = reply.send(answer);
                });
            }
            Err(e) => drop(reply.send(Err(e))),
        });
    }

    /// Reads back until a page is full or nothing is left.
    fn fill_direct(
        &mut self,
        page: Page,
        before: Option<(Hlc, EventHash)>,
        mut found: Vec<Message>,
        then: impl FnOnce(Result<Vec<Message>, Error>) + Send + 'static,
    ) {
        let Page { tag, with, limit } = page;
        let Some(me) = self.rooms.get(&tag).map(crate::room::Room::me) else {
            return then(Err(ErrorCode::RoomUnknown.into()));
        };
        let read = move |store: &dyn Store| newest_of_both(store, tag, (me, with), before, limit);
        self.disk.read(read, move |actor, rows| {
            let rows = match rows {
                Ok(rows) => rows,
                Err(e) => return then(Err(e.into())),
            };
            let more = rows.len() == limit;
            let next = rows.last().map(|row| (row.clock, row.key.hash));
            let shown = |message: &Message| {
                message.direct == Some(with) && (message.mine || actor.shows_direct(tag, with))
            };
            let rows = convert::from_rows(rows);
            let messages = rows
                .iter()
                .filter_map(|(event, hops)| actor.direct_message(tag, event, *hops));
            found.extend(messages.filter(shown));
            if more && found.len() < limit {
                return actor.fill_direct(page, next, found, then);
            }
            found.truncate(limit);
            found.reverse();
            actor.dressed(tag, found, |_, found| then(Ok(found)));
        });
    }

    /// Opens a direct message into what people see; `None` when it is none of this device's, or is about
    /// another.
    pub(in crate::actor) fn direct_message(
        &self,
        tag: RoomTag,
        event: &SignedEvent,
        hops: u8,
    ) -> Option<Message> {
        match self.direct_said(tag, event, hops)? {
            Said::Message(message) => Some(message),
            Said::Note(_) => None,
        }
    }

    /// Opens what one of two said to the other.
    pub(super) fn direct_said(&self, tag: RoomTag, event: &SignedEvent, hops: u8) -> Option<Said> {
        let room = self.rooms.get(&tag)?;
        let (other, content) = room.open_direct(event)?;
        let mut said = room.said_as(event, hops, content, Some(other));
        if let Said::Message(message) = &mut said {
            let directs = self.directs.rooms.get(&tag)?;
            let (reader, up_to) = match message.mine {
                true => (other, directs.seen.get(&other)),
                false => (room.me(), directs.read.get(&other)),
            };
            let seen = up_to.is_some_and(|up_to| *up_to >= event.header().clock);
            message.seen_by = seen.then_some(reader).into_iter().collect();
        }
        Some(said)
    }
}

/// Which page is read.
#[derive(Clone, Copy)]
struct Page {
    tag: RoomTag,
    with: AuthorId,
    limit: usize,
}

/// The newest of both logs before a place, newest first.
fn newest_of_both(
    store: &dyn Store,
    tag: RoomTag,
    (me, with): (AuthorId, AuthorId),
    before: Option<(Hlc, EventHash)>,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut rows = Vec::new();
    for (author, to) in [(me, with), (with, me)] {
        let stream = direct_stream(tag, author, to);
        rows.extend(newest(store, tag, author, stream, before, limit)?);
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.clock, row.key.hash)));
    rows.truncate(limit);
    Ok(rows)
}

/// The newest of one log before a clock.
fn newest(
    store: &dyn Store,
    tag: RoomTag,
    author: AuthorId,
    stream: Stream,
    before: Option<(Hlc, EventHash)>,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let rows = store.tail(tag, author, stream, from, limit)?;
        let last = rows.len() < limit;
        from = rows.last().map(|row| row.key.seq);
        let earlier = |row: &StoredEvent| before.is_none_or(|b| (row.clock, row.key.hash) < b);
        found.extend(rows.into_iter().filter(earlier));
        if last || found.len() >= limit {
            return Ok(found);
        }
    }
}
