//! What was said.

use peddlenet_mesh as mesh;
use serde::Serialize;

/// One message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    message: String,
    room: String,
    author: String,
    name: String,
    text: String,
    time_ms: u64,
    hops: u8,
    mine: bool,
    reply_to: Option<String>,
    mentions: Vec<String>,
    reactions: Vec<Reaction>,
    /// When it got its present text, if that is not the first.
    edited_ms: Option<u64>,
    /// By its author, for everyone; there is no text then.
    deleted: bool,
    /// Of a kind that this version does not know; there is no text then.
    newer: bool,
    /// Neighbours that were handed it, for own messages.
    sent_to: usize,
    /// The page's own name for it, only in the reply to `send_message`.
    client_id: Option<String>,
    seen_by: Vec<String>,
    /// The other of the two, for a direct message.
    direct: Option<String>,
}

/// One sign, and who gave it.
#[derive(Debug, Serialize)]
struct Reaction {
    reaction: String,
    authors: Vec<String>,
}

/// The reply of `search`: newest first.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    messages: Vec<Message>,
    /// Where to go on; `null` when everything was looked at.
    before: Option<String>,
}

impl From<mesh::Found> for Found {
    fn from(found: mesh::Found) -> Self {
        Self {
            messages: found.messages.into_iter().map(Message::from).collect(),
            before: found.before.map(|id| id.to_string()),
        }
    }
}

/// The reply of `history`: oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) messages: Vec<Message>,
}

impl Message {
    /// The reply to the page that sent it.
    pub(crate) fn sent(message: mesh::Message, client_id: String) -> Self {
        Self {
            client_id: Some(client_id),
            ..message.into()
        }
    }
}

impl From<mesh::Message> for Message {
    fn from(m: mesh::Message) -> Self {
        Self {
            message: m.id.to_string(),
            room: m.room.to_string(),
            author: m.author.to_string(),
            name: m.name,
            text: m.text,
            time_ms: m.time.0,
            hops: m.hops,
            mine: m.mine,
            reply_to: m.reply_to.map(|id| id.to_string()),
            mentions: ids(&m.mentions),
            reactions: m.reactions.into_iter().map(Reaction::from).collect(),
            edited_ms: m.edited.map(|at| at.0),
            deleted: m.shown == mesh::Shown::Deleted,
            newer: m.shown == mesh::Shown::Newer,
            sent_to: m.sent_to,
            client_id: None,
            seen_by: ids(&m.seen_by),
            direct: m.direct.map(|other| other.to_string()),
        }
    }
}

impl From<mesh::Reaction> for Reaction {
    fn from(r: mesh::Reaction) -> Self {
        Self {
            authors: ids(&r.authors),
            reaction: r.reaction,
        }
    }
}

fn ids(authors: &[mesh::AuthorId]) -> Vec<String> {
    authors.iter().map(ToString::to_string).collect()
}
