//! What this device keeps for its person alone.

use peddlenet_mesh as mesh;
use serde::Serialize;

/// What the person began to write.
#[derive(Debug, Serialize)]
pub(crate) struct Draft {
    room: String,
    /// To whom alone; `null`: to the room.
    to: Option<String>,
    text: String,
}

/// The reply of `storage`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Storage {
    disk_bytes: u64,
    rooms: Vec<RoomSize>,
}

#[derive(Debug, Serialize)]
struct RoomSize {
    room: String,
    events: u64,
    bytes: u64,
}

impl From<mesh::Draft> for Draft {
    fn from(draft: mesh::Draft) -> Self {
        Self {
            room: draft.room.to_string(),
            to: draft.to.map(|author| author.to_string()),
            text: draft.text,
        }
    }
}

impl From<mesh::Storage> for Storage {
    fn from(storage: mesh::Storage) -> Self {
        let room = |r: &mesh::RoomSize| RoomSize {
            room: r.room.to_string(),
            events: r.events,
            bytes: r.bytes,
        };
        Self {
            disk_bytes: storage.disk_bytes,
            rooms: storage.rooms.iter().map(room).collect(),
        }
    }
}
