//! What the page starts from, and what it is told from then on.

use std::collections::BTreeMap;

use peddlenet_mesh as mesh;
use serde::Serialize;

use super::{Draft, Member, Message, Room};

/// Everything the page starts from.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    /// The last batch whose events this snapshot holds.
    pub(crate) seq: u64,
    pub(crate) profile: Profile,
    pub(crate) rooms: Vec<Room>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) settings: BTreeMap<String, String>,
}

/// Whose window it is.
#[derive(Debug, Serialize)]
pub(crate) struct Profile {
    /// `null` until the person has said it.
    pub(crate) name: Option<String>,
    /// What keeps the key to this device's data: keychain, passphrase or file.
    pub(crate) key: &'static str,
}

/// What happened since the batch before.
#[derive(Debug, Serialize)]
pub(crate) struct Batch {
    /// One more than the batch before; after a gap the page asks for a snapshot.
    pub(crate) seq: u64,
    pub(crate) events: Vec<UiEvent>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum UiEvent {
    Message {
        message: Message,
    },
    Changed {
        message: Message,
    },
    Sent {
        room: String,
        message: String,
        sent_to: usize,
    },
    Setting {
        name: String,
        value: String,
    },
    Receipt {
        room: String,
        message: String,
        seen_by: Vec<String>,
    },
    Member {
        room: String,
        member: Member,
    },
    Room {
        room: Room,
    },
    LetGo {
        room: String,
        #[serde(rename = "beforeMs")]
        before: u64,
    },
    RoomGone {
        room: String,
    },
    Join {
        stage: &'static str,
    },
    Fork {
        room: String,
        author: String,
        me: bool,
    },
    /// Codes that are shown are to be made anew.
    Network {},
    /// A link was opened outside: the page offers to join.
    Link {
        link: String,
    },
    /// A notification was chosen: the page goes to its room.
    Show {
        room: String,
    },
}

impl UiEvent {
    /// What the page is told of it; `None` when it is no business of the page's.
    pub(crate) fn of(event: mesh::Event) -> Option<Self> {
        Some(match event {
            mesh::Event::Message(message) => Self::Message {
                message: message.into(),
            },
            mesh::Event::Changed(message) => Self::Changed {
                message: message.into(),
            },
            mesh::Event::Sent { room, message, to } => Self::Sent {
                room: room.to_string(),
                message: message.to_string(),
                sent_to: to,
            },
            mesh::Event::Setting { name, value } => Self::Setting {
                name,
                value: value.unwrap_or_default(),
            },
            mesh::Event::Receipt {
                room,
                message,
                seen_by,
            } => Self::Receipt {
                room: room.to_string(),
                message: message.to_string(),
                seen_by: seen_by.iter().map(ToString::to_string).collect(),
            },
            mesh::Event::Member { room, member } => Self::Member {
                room: room.to_string(),
                member: member.into(),
            },
            mesh::Event::Room(room) => Self::Room { room: room.into() },
            mesh::Event::LetGo { room, before } => Self::LetGo {
                room: room.to_string(),
                before: before.0,
            },
            mesh::Event::RoomGone(room) => Self::RoomGone {
                room: room.to_string(),
            },
            mesh::Event::Join(stage) => Self::Join {
                stage: stage.as_str(),
            },
            mesh::Event::Network { .. } => Self::Network {},
            mesh::Event::Fork { room, author, me } => Self::Fork {
                room: room.to_string(),
                author: author.to_string(),
                me,
            },
            _ => return None,
        })
    }
}
