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
    /// The page's own name for it, only in the reply to `send_message`.
    client_id: Option<String>,
    seen_by: Vec<String>,
    /// The other of the two, for a direct message.
    direct: Option<String>,
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
            client_id: None,
            seen_by: m.seen_by.iter().map(ToString::to_string).collect(),
            direct: m.direct.map(|other| other.to_string()),
        }
    }
}
