//! Looking for words in what this device has of a room.
//!
//! Texts are sealed on the disk and no index of words is kept beside them, so a search opens what was
//! said, the newest first, in steps between which everything else goes on. Each call looks at so many
//! rows and tells where to go on: a person sees the newest finds at once, and can stop.

use peddlenet_store::Store;
use peddlenet_wire::{EventHash, Hlc, RoomId, RoomTag};

use super::{Actor, Reply};
use crate::{
    api::{Found, Message, MessageId, Shown},
    error::ErrorCode,
};

/// Rows read in one step (count): some milliseconds.
const STEP: usize = 250;
/// Rows that one call looks at (count).
const ROWS_A_CALL: usize = 4_000;
/// Finds after which a call answers (count).
const FINDS_A_CALL: usize = 50;
/// Words to look for (bytes).
const QUERY_MAX: usize = 256;

/// A call that is under way.
struct Search {
    tag: RoomTag,
    words: Vec<String>,
    rows: usize,
    found: Found,
    reply: Reply<Found>,
}

impl Actor {
    /// Messages that hold every word of `query`, whatever their case, before one of them or from the end.
    pub(crate) fn search(
        &mut self,
        id: RoomId,
        query: &str,
        before: Option<MessageId>,
        reply: Reply<Found>,
    ) {
        let tag = match self.tag(id) {
            Ok(tag) => tag,
            Err(e) => return drop(reply.send(Err(e))),
        };
        if query.len() > QUERY_MAX {
            return drop(reply.send(Err(ErrorCode::TextTooLong.into())));
        }
        let words: Vec<_> = query.split_whitespace().map(fold).collect();
        if words.is_empty() {
            return drop(reply.send(Ok(Found::default())));
        }
        let search = Search {
            tag,
            words,
            rows: 0,
            found: Found::default(),
            reply,
        };
        self.place_of(tag, before, move |actor, place| match place {
            Ok(before) => actor.search_step(search, before),
            Err(e) => drop(search.reply.send(Err(e))),
        });
    }

    fn search_step(&mut self, mut search: Search, before: Option<(Hlc, EventHash)>) {
        let tag = search.tag;
        let read = move |store: &dyn Store| store.page(tag, before, STEP);
        self.disk.read(read, move |actor, rows| {
            let rows = match rows {
                Ok(rows) => rows,
                Err(e) => return drop(search.reply.send(Err(e.into()))),
            };
            let Some(room) = actor.rooms.get(&tag) else {
                return drop(search.reply.send(Err(ErrorCode::RoomUnknown.into())));
            };
            let next = rows.last().map(|row| (row.clock, row.key.hash));
            let next = next.filter(|_| rows.len() == STEP);
            search.rows = search.rows.saturating_add(rows.len());
            let messages = room.messages(rows);
            // Edits are read first: the words may stand in one.
            actor.dressed(tag, messages, move |actor, messages| {
                let holds = |message: &Message| holds(message, &search.words);
                search
                    .found
                    .messages
                    .extend(messages.into_iter().filter(holds));
                let enough =
                    search.rows >= ROWS_A_CALL || search.found.messages.len() >= FINDS_A_CALL;
                match next {
                    Some(next) if !enough => actor.search_step(search, Some(next)),
                    next => {
                        search.found.before = next.map(|(_, hash)| hash);
                        let _ = search.reply.send(Ok(search.found));
                    }
                }
            });
        });
    }
}

fn holds(message: &Message, words: &[String]) -> bool {
    if message.shown != Shown::Text {
        return false;
    }
    let text = fold(&message.text);
    words.iter().all(|word| text.contains(word))
}

/// The same for upper and lower case.
fn fold(text: &str) -> String {
    text.to_lowercase()
}
