//! What is said about messages: edits, deletions, reactions.
//!
//! ```text
//!  an event of stream 1, or a direct message --a note--> the store --> is its message here? --> Event::Changed
//!  rows of the store --> messages --dressed: their notes read--> what people see
//! ```
//!
//! Notes are read whenever a message is shown, since history brings an edit before what it edits.

use peddlenet_store::{Store, StoredEvent, StoredNote, Write};
use peddlenet_wire::{
    RoomId, RoomTag, SignedEvent,
    content::{Content, Delete, Edit, React},
};

use super::{Actor, Reply};
use crate::{
    api::{Event, Message, MessageId, Noted, Shown},
    convert,
    error::{Error, ErrorCode},
    room::read_notes,
};

/// What a person does to a message.
pub(crate) enum Change {
    /// It gets another text.
    Edit(String),
    /// It is shown no more.
    Delete,
    /// A sign about it; empty takes it back.
    React(String),
}

impl Change {
    fn content(&self, message: &Message) -> Result<Content, Error> {
        let long = |_| Error::from(ErrorCode::TextTooLong);
        let target = message.id;
        if message.shown == Shown::Deleted {
            return Err(Error::new(
                ErrorCode::MessageUnknown,
                "That message was deleted.",
            ));
        }
        if !message.mine && !matches!(self, Self::React(_)) {
            return Err(ErrorCode::NotYours.into());
        }
        Ok(match self {
            Self::Edit(text) if text.trim().is_empty() => return Err(ErrorCode::TextEmpty.into()),
            Self::Edit(text) => Content::Edit(Edit::new(target, text).map_err(long)?),
            Self::Delete => Content::Delete(Delete { target }),
            Self::React(sign) => {
                let sign = sign.trim();
                let react = React::new(target, sign).map_err(|_| {
                    Error::new(ErrorCode::TextTooLong, "A reaction is a single sign.")
                })?;
                Content::React(react)
            }
        })
    }
}

impl Actor {
    /// Adds to messages what was said about them, then goes on. What is of no room any more is left out.
    pub(super) fn dressed(
        &mut self,
        tag: RoomTag,
        mut messages: Vec<Message>,
        then: impl FnOnce(&mut Self, Vec<Message>) + Send + 'static,
    ) {
        let names: Vec<_> = messages.iter().map(|m| (m.id, m.author)).collect();
        let read = move |store: &dyn Store| read_notes(store, tag, &names);
        self.disk.read(read, move |actor, notes| {
            let notes = notes.unwrap_or_else(|e| {
                tracing::error!(error = %e, "what was said about messages can't be read");
                Vec::new()
            });
            let Some(room) = actor.rooms.get(&tag) else {
                return then(actor, Vec::new());
            };
            for (message, notes) in messages.iter_mut().zip(notes) {
                room.dress(message, notes);
                message.sent_to = actor.handed.count(message.id);
            }
            then(actor, messages);
        });
    }

    /// The same for one; nothing happens where its room is gone.
    pub(super) fn dressed_one(
        &mut self,
        tag: RoomTag,
        message: Message,
        then: impl FnOnce(&mut Self, Message) + Send + 'static,
    ) {
        self.dressed(tag, vec![message], |actor, messages| {
            if let Some(message) = messages.into_iter().next() {
                then(actor, message);
            }
        });
    }

    /// Keeps what was said about a message, and shows it if that message is here.
    pub(super) fn take_note(&mut self, note: StoredNote) {
        let (tag, target) = (note.room, note.target);
        self.disk.commit(
            vec![Write::Note(note)],
            move |actor, outcome| match outcome {
                Ok(()) => actor.at_present(tag, target, move |actor, message| {
                    if let Ok(message) = message {
                        actor.shown_anew(tag, &message);
                        actor.events.emit(Event::Changed(message));
                    }
                }),
                Err(e) => actor.on_commit_failed(false, &e),
            },
        );
    }

    /// Reads one message as it is shown now.
    fn at_present(
        &mut self,
        tag: RoomTag,
        message: MessageId,
        then: impl FnOnce(&mut Self, Result<Message, Error>) + Send + 'static,
    ) {
        let read = move |store: &dyn Store| store.event(tag, message);
        self.disk.read(read, move |actor, row| {
            let found = row.map_err(Error::from).and_then(|row| {
                let message = row.and_then(|row| actor.message_at(tag, row));
                message.ok_or(ErrorCode::MessageUnknown.into())
            });
            match found {
                Ok(message) => actor.dressed(tag, vec![message], |actor, messages| {
                    let message = messages.into_iter().next();
                    then(actor, message.ok_or(ErrorCode::RoomUnknown.into()));
                }),
                Err(e) => then(actor, Err(e)),
            }
        });
    }

    /// A row of the store as a message, to the room or to one alone.
    fn message_at(&self, tag: RoomTag, row: StoredEvent) -> Option<Message> {
        let (event, hops) = convert::from_row(row).ok()?;
        match event.header().stream.is_direct() {
            true => self.direct_message(tag, &event, hops),
            false => self.rooms.get(&tag)?.message(&event, hops),
        }
    }

    /// The list of rooms shows the newest message as it reads now.
    pub(super) fn shown_anew(&mut self, tag: RoomTag, message: &Message) {
        if let Some(Some(last)) = self.last.get_mut(&tag)
            && last.id == message.id
            && last != message
        {
            *last = message.clone();
            self.room_changed(tag);
        }
    }

    /// One message as it is shown now.
    pub(crate) fn message(&mut self, id: RoomId, message: MessageId, reply: Reply<Message>) {
        match self.tag(id) {
            Ok(tag) => self.at_present(tag, message, |_, message| drop(reply.send(message))),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    /// Edits or deletes an own message, or reacts to any. Answers once that is on disk.
    pub(crate) fn change(
        &mut self,
        id: RoomId,
        message: MessageId,
        change: Change,
        reply: Reply<Noted>,
    ) {
        let tag = match self.tag(id) {
            Ok(tag) => tag,
            Err(e) => return drop(reply.send(Err(e))),
        };
        self.at_present(tag, message, move |actor, message| {
            let said = message.and_then(|message| {
                let content = change.content(&message)?;
                Ok((message.id, message.direct, content))
            });
            let sealed = said.and_then(|(target, direct, content)| {
                let event = match direct {
                    Some(to) => actor.seal_direct(tag, to, content)?,
                    None => actor.seal_content(tag, &content)?,
                };
                Ok((target, direct, event))
            });
            let (target, direct, event) = match sealed {
                Ok(sealed) => sealed,
                Err(e) => return drop(reply.send(Err(e))),
            };
            let answer = move |actor: &mut Self, event: &SignedEvent| {
                actor.answer_noted(tag, target, event.hash(), reply);
            };
            match direct {
                Some(to) => actor.save_direct(tag, to, event, answer),
                None => actor.publish(event, answer),
            }
        });
    }

    fn answer_noted(
        &mut self,
        tag: RoomTag,
        target: MessageId,
        event: MessageId,
        reply: Reply<Noted>,
    ) {
        self.at_present(tag, target, move |_, message| {
            let _ = reply.send(message.map(|message| Noted { event, message }));
        });
    }
}
