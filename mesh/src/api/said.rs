//! Messages as a shell sees them.

use super::{AuthorId, MessageId, RoomId, Timestamp};

/// One message, opened, with what was said about it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id: the hash of the signed event.
    pub id: MessageId,
    /// The room.
    pub room: RoomId,
    /// Who wrote it.
    pub author: AuthorId,
    /// The author's name as this device knows it; may be empty while it is still on its way.
    pub name: String,
    /// The text as it reads now; empty where there is none to show.
    pub text: String,
    /// Whether there is one.
    pub shown: Shown,
    /// The message that this one answers. It need not be here.
    pub reply_to: Option<MessageId>,
    /// Whom the text names.
    pub mentions: Vec<AuthorId>,
    /// What others feel about it, the most frequent first.
    pub reactions: Vec<Reaction>,
    /// When it got its present text, if that is not the first.
    pub edited: Option<Timestamp>,
    /// When it was written, by the author's signed clock.
    pub time: Timestamp,
    /// Links it crossed to get here. A hint.
    pub hops: u8,
    /// Whether this device wrote it.
    pub mine: bool,
    /// Neighbours that were handed it since this device started (count); of own messages only.
    pub sent_to: usize,
    /// Who has displayed it, the author left out.
    pub seen_by: Vec<AuthorId>,
    /// For a direct message, the other of the two; `None` for one to the room.
    pub direct: Option<AuthorId>,
}

/// Whether a message has a text to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It has.
    Text,
    /// Its author deleted it for everyone.
    Deleted,
    /// It is of a kind that this version does not know.
    Newer,
}

/// One sign, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The sign.
    pub reaction: String,
    /// Who, the earliest first.
    pub authors: Vec<AuthorId>,
}

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// The text.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// Whom it names.
    pub mentions: Vec<AuthorId>,
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }
}

impl From<&String> for Words {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

/// Something was said about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// What was said: its own id.
    pub event: MessageId,
    /// The message as it is shown now.
    pub message: Message,
}

/// A part of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Messages that hold the words, the newest first.
    pub messages: Vec<Message>,
    /// Where to go on; `None` when everything was looked at.
    pub before: Option<MessageId>,
}

/// What the person has begun to write and not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// In which room.
    pub room: RoomId,
    /// To whom alone; `None`: to the room.
    pub to: Option<AuthorId>,
    /// What.
    pub text: String,
}
