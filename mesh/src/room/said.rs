//! Opening what was said, and what was said about it.
//!
//! ```text
//!  event --open--> a message            --> shown with its notes
//!             +--> a note on a message  --> kept in the store beside it, latest of each author and kind
//! ```
//!
//! A note may come before its message, which history does newest first. So it is kept under the
//! message's name and the author's, and counts once the message shows that the author may say it.

use std::collections::BTreeMap;

use peddlenet_room::Judgement;
use peddlenet_store::{Store, StoreError, StoredEvent, StoredNote};
use peddlenet_wire::{
    AuthorId, EventHash, Hlc, RoomTag, SignedEvent,
    content::{Content, Edit},
};

use super::Room;
use crate::{
    api::{Message, Reaction, Shown},
    clock, convert,
};

/// The kinds of notes in the store. Never used again for something else.
const EDITED: u8 = 1;
const DELETED: u8 = 2;
const REACTED: u8 = 3;

/// What an event says.
pub(crate) enum Said {
    /// Something new.
    Message(Message),
    /// Something about a message.
    Note(StoredNote),
}

/// What the store has about one message.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notes: Vec<StoredNote>,
    /// The event with its present text.
    edit: Option<StoredEvent>,
}

/// Reads what was said about messages, in their order. Blocks.
pub(crate) fn read_notes(
    store: &dyn Store,
    tag: RoomTag,
    messages: &[(EventHash, AuthorId)],
) -> Result<Vec<Notes>, StoreError> {
    let read = |(id, author): &(EventHash, AuthorId)| -> Result<Notes, StoreError> {
        let notes = store.notes(tag, *id)?;
        let edit = notes
            .iter()
            .find(|note| note.kind == EDITED && note.author == *author);
        let edit = edit.map(|note| store.event(tag, note.event)).transpose()?;
        Ok(Notes {
            edit: edit.flatten(),
            notes,
        })
    };
    messages.iter().map(read).collect()
}

impl Room {
    /// Opens an event of stream 1; `None` when it doesn't count, or this device has no key for it.
    pub(crate) fn said(&self, event: &SignedEvent, hops: u8) -> Option<Said> {
        let header = event.header();
        // What lies beyond where a removed member's log was cut was never said. What is too old goes from
        // the disk within moments.
        if self.is_too_old(event, clock::now())
            || self.roster.judge_content(header.author, header.seq) != Judgement::Accept
        {
            return None;
        }
        let content = Content::from_bytes(&self.open(event).ok()?).ok()?;
        Some(self.said_as(event, hops, content, None))
    }

    /// Whether people here see what an event says. It is kept and passed on either way.
    pub(crate) fn shows(&self, event: &SignedEvent) -> bool {
        let header = event.header();
        self.trust.shows(header) && self.shows_author(header.author)
    }

    /// A message that people here see; notes on messages are none.
    pub(crate) fn message(&self, event: &SignedEvent, hops: u8) -> Option<Message> {
        match self.said(event, hops)? {
            Said::Message(message) if self.shows(event) => Some(message),
            _ => None,
        }
    }

    /// The same where it is opened already; `direct`: the other of the two, for a direct message.
    pub(crate) fn said_as(
        &self,
        event: &SignedEvent,
        hops: u8,
        content: Content,
        direct: Option<AuthorId>,
    ) -> Said {
        let header = event.header();
        let note = |target, kind, value: &str| {
            Said::Note(StoredNote {
                room: self.tag,
                target,
                kind,
                author: header.author,
                clock: header.clock,
                event: event.hash(),
                value: value.as_bytes().to_vec(),
            })
        };
        let (shown, text, reply_to, mentions) = match content {
            Content::Edit(edit) => return note(edit.target, EDITED, ""),
            Content::Delete(delete) => return note(delete.target, DELETED, ""),
            Content::React(react) => return note(react.target, REACTED, &react.reaction),
            Content::Text(text) => {
                let mentions = text.mentioned().to_vec();
                (Shown::Text, text.text, text.reply_to, mentions)
            }
            _ => (Shown::Newer, String::new(), None, Vec::new()),
        };
        Said::Message(Message {
            id: event.hash(),
            room: self.id,
            author: header.author,
            name: self.name_of(header.author),
            text,
            shown,
            reply_to,
            mentions,
            reactions: Vec::new(),
            edited: None,
            time: header.clock.timestamp(),
            hops,
            mine: self.is_mine(header.author),
            sent_to: 0,
            seen_by: self.seen_by(header.author, header.seq),
            direct,
        })
    }

    /// Rows of the store as the messages among them, in the order they came.
    pub(crate) fn messages(&self, rows: Vec<StoredEvent>) -> Vec<Message> {
        let rows = convert::from_rows(rows);
        let messages = rows.iter();
        messages
            .filter_map(|(event, hops)| self.message(event, *hops))
            .collect()
    }

    /// Whether anything of an author is shown: not of one who was banned, or whom the person blocked.
    fn shows_author(&self, author: AuthorId) -> bool {
        let banned = self.roster.gone(author).is_some_and(|gone| gone.banned);
        !banned && !self.trust.is_blocked(author)
    }

    /// Adds what was said about a message.
    pub(crate) fn dress(&self, message: &mut Message, notes: Notes) {
        let by_author = |kind| {
            let mut of_kind = notes.notes.iter().filter(move |note| note.kind == kind);
            of_kind.find(|note| note.author == message.author)
        };
        if by_author(DELETED).is_some() {
            message.shown = Shown::Deleted;
            message.text.clear();
            message.mentions.clear();
            message.reply_to = None;
            return;
        }
        if let Some((edit, time)) = notes.edit.and_then(|row| self.edit_of(message, row)) {
            message.text = edit.text;
            message.edited = Some(time.timestamp());
        }
        message.reactions = self.reactions(&notes.notes);
    }

    /// The text that an event gives a message, and when.
    fn edit_of(&self, message: &Message, row: StoredEvent) -> Option<(Edit, Hlc)> {
        let clock = row.clock;
        let (event, _) = convert::from_row(row).ok()?;
        let content = match message.direct {
            Some(_) => self.open_direct(&event)?.1,
            None => Content::from_bytes(&self.open(&event).ok()?).ok()?,
        };
        match content {
            Content::Edit(edit) if edit.target == message.id => Some((edit, clock)),
            _ => None,
        }
    }

    fn reactions(&self, notes: &[StoredNote]) -> Vec<Reaction> {
        let counts = |note: &&StoredNote| {
            note.kind == REACTED && !note.value.is_empty() && self.shows_author(note.author)
        };
        let mut given: Vec<_> = notes.iter().filter(counts).collect();
        given.sort_unstable_by_key(|note| (note.clock, note.event));
        let mut by_sign: BTreeMap<&[u8], (usize, Vec<AuthorId>)> = BTreeMap::new();
        for (place, note) in given.iter().enumerate() {
            let sign = by_sign.entry(&note.value).or_insert((place, Vec::new()));
            sign.1.push(note.author);
        }
        let mut signs: Vec<_> = by_sign.into_iter().collect();
        signs.sort_by_key(|(_, (first, authors))| (std::cmp::Reverse(authors.len()), *first));
        let reaction = |(sign, (_, authors)): (&[u8], (usize, Vec<AuthorId>))| Reaction {
            reaction: String::from_utf8_lossy(sign).into_owned(),
            authors,
        };
        signs.into_iter().map(reaction).collect()
    }
}
