//! What two members said to each other, opened and in order.

use peddlenet_crypto::direct_stream;
use peddlenet_store::{Store, StoreError, StoredEvent};
use peddlenet_wire::{
    AuthorId, EventHash, Hlc, RoomId, RoomTag, SignedEvent, Stream, content::Content,
};

use super::{
    super::{Reply, messages::PAGE_MAX},
    Actor,
};
use crate::{
    api::{Message, MessageId},
    convert,
    error::{Error, ErrorCode},
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
        let read = move |store: &dyn Store| page(store, tag, (me, with), before, limit);
        self.disk.read(read, move |actor, rows| {
            let answer = match rows {
                // Of one who was removed, what was said is still here.
                Ok(Some(rows)) if rows.is_empty() && !known => Err(ErrorCode::MemberUnknown.into()),
                Ok(Some(rows)) => Ok(convert::from_rows(rows)
                    .iter()
                    .filter_map(|(event, hops)| actor.direct_message(tag, event, *hops))
                    .filter(|message| message.direct == Some(with))
                    .filter(|message| message.mine || actor.shows_direct(tag, with))
                    .collect()),
                Ok(None) => Err(ErrorCode::MessageUnknown.into()),
                Err(e) => Err(Error::from(e)),
            };
            let _ = reply.send(answer);
        });
    }

    /// Opens a direct message into what people see; `None` when it is none of this device's.
    pub(super) fn direct_message(
        &self,
        tag: RoomTag,
        event: &SignedEvent,
        hops: u8,
    ) -> Option<Message> {
        let room = self.rooms.get(&tag)?;
        let (other, content) = room.open_direct(event)?;
        let header = event.header();
        let mine = header.author == room.me();
        let directs = self.directs.rooms.get(&tag)?;
        let (reader, up_to) = if mine {
            (other, directs.seen.get(&other))
        } else {
            (room.me(), directs.read.get(&other))
        };
        Some(Message {
            id: event.hash(),
            room: room.id,
            author: header.author,
            name: room.name_of(header.author),
            text: match content {
                Content::Text(text) => text.text,
                _ => "(made by a newer app)".to_owned(),
            },
            time: header.clock.timestamp(),
            hops,
            mine,
            seen_by: up_to
                .filter(|up_to| **up_to >= header.clock)
                .map(|_| reader)
                .into_iter()
                .collect(),
            direct: Some(other),
        })
    }
}

/// The newest of both logs before one of their messages, oldest first; `None` where that is not here.
fn page(
    store: &dyn Store,
    tag: RoomTag,
    (me, with): (AuthorId, AuthorId),
    before: Option<MessageId>,
    limit: usize,
) -> Result<Option<Vec<StoredEvent>>, StoreError> {
    let before = match before {
        Some(hash) => match store.event(tag, hash)? {
            Some(row) => Some((row.clock, hash)),
            None => return Ok(None),
        },
        None => None,
    };
    let mut rows = Vec::new();
    for (author, to) in [(me, with), (with, me)] {
        let stream = direct_stream(tag, author, to);
        rows.extend(newest(store, tag, author, stream, before, limit)?);
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.clock, row.key.hash)));
    rows.truncate(limit);
    rows.reverse();
    Ok(Some(rows))
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
