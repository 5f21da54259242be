//! The shapes that cross to the page, and how they come from the node's own values.
//!
//! Names are camelCase, ids are lower-case hex, times are milliseconds since 1970. The page has
//! the same shapes in ui/ipc/types.js; the tests below pin them.

use peddlenet_mesh as mesh;
use serde::Serialize;

/// The reply of a command that has nothing to say: `{}`.
#[derive(Debug, Serialize)]
pub(crate) struct Done {}

/// Everything the page starts from.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    /// The last batch whose events this snapshot holds.
    pub(crate) seq: u64,
    pub(crate) profile: Profile,
    pub(crate) rooms: Vec<Room>,
}

/// Whose window it is.
#[derive(Debug, Serialize)]
pub(crate) struct Profile {
    /// `null` until the person has said it.
    pub(crate) name: Option<String>,
    /// What keeps the key to this device's data: keychain, passphrase or file.
    pub(crate) key: &'static str,
}

/// A line of the room list.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    room: String,
    name: String,
    members: usize,
    near: usize,
    unread: u64,
    last: Option<LastMessage>,
    /// This device was removed: the room can be read, and nothing more.
    removed: bool,
}

/// What the room list shows of the newest message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastMessage {
    name: String,
    text: String,
    time_ms: u64,
}

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

/// Somebody in a room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    author: String,
    name: String,
    state: &'static str,
    hops: u8,
    role: &'static str,
    me: bool,
    direct_unread: u64,
    /// The name that was verified; `null` when none was.
    verified_as: Option<String>,
    muted: bool,
    blocked: bool,
    forked: bool,
    /// `no`, `alike` or `imitates`.
    lookalike: &'static str,
    /// Whom the name imitates.
    imitates: Option<String>,
    key_changed: bool,
}

/// What two people compare.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verify {
    author: String,
    name: String,
    digits: String,
    link: String,
    svg: String,
    verified: bool,
    key_changed: bool,
}

/// Whose code was scanned.
#[derive(Debug, Serialize)]
pub(crate) struct Scanned {
    pub(crate) author: String,
}

/// A code to show.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invite {
    invite: String,
    link: String,
    svg: String,
    bytes: usize,
    expires_ms: u64,
}

/// The end of a join.
#[derive(Debug, Serialize)]
pub(crate) struct Joined {
    room: String,
    via: &'static str,
    ms: u64,
}

/// The reply of `create_room`.
#[derive(Debug, Serialize)]
pub(crate) struct Created {
    pub(crate) room: String,
}

/// The reply of `history`: oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) messages: Vec<Message>,
}

/// The reply of `members`.
#[derive(Debug, Serialize)]
pub(crate) struct Members {
    pub(crate) members: Vec<Member>,
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
}

impl Verify {
    pub(crate) fn new(info: mesh::VerifyInfo, svg: String) -> Self {
        Self {
            author: info.author.to_string(),
            name: info.name,
            digits: info.digits,
            link: info.link,
            svg,
            verified: info.verified,
            key_changed: info.key_changed,
        }
    }
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

impl Invite {
    pub(crate) fn new(invite: mesh::InviteInfo, svg: String) -> Self {
        Self {
            invite: invite.id.to_string(),
            link: invite.link,
            svg,
            bytes: invite.bytes,
            expires_ms: invite.expires.0,
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

impl From<mesh::RoomSummary> for Room {
    fn from(r: mesh::RoomSummary) -> Self {
        let last = |m: mesh::Message| LastMessage {
            name: m.name,
            text: m.text,
            time_ms: m.time.0,
        };
        Self {
            room: r.room.to_string(),
            name: r.name,
            members: r.members,
            near: r.near,
            unread: r.unread,
            removed: r.removed,
            last: r.last.map(last),
        }
    }
}

impl From<mesh::Member> for Member {
    fn from(m: mesh::Member) -> Self {
        Self {
            author: m.author.to_string(),
            name: m.name,
            state: m.state.as_str(),
            hops: m.hops,
            role: role(m.role),
            me: m.me,
            direct_unread: m.direct_unread,
            verified_as: m.verified.map(|v| v.name),
            muted: m.muted,
            blocked: m.blocked,
            forked: m.forked,
            lookalike: match m.lookalike {
                mesh::Lookalike::No => "no",
                mesh::Lookalike::Alike => "alike",
                mesh::Lookalike::Imitates(_) => "imitates",
            },
            imitates: match m.lookalike {
                mesh::Lookalike::Imitates(who) => Some(who.to_string()),
                _ => None,
            },
            key_changed: m.key_changed,
        }
    }
}

impl From<mesh::Joined> for Joined {
    fn from(j: mesh::Joined) -> Self {
        Self {
            room: j.room.to_string(),
            via: j.via,
            ms: u64::try_from(j.elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl UiEvent {
    /// What the page is told of it; `None` when it is no business of the page's.
    pub(crate) fn of(event: mesh::Event) -> Option<Self> {
        Some(match event {
            mesh::Event::Message(message) => Self::Message {
                message: message.into(),
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
            mesh::Event::Fork { room, author, me } => Self::Fork {
                room: room.to_string(),
                author: author.to_string(),
                me,
            },
            _ => return None,
        })
    }
}

fn role(role: mesh::Role) -> &'static str {
    match role {
        mesh::Role::Member => "member",
        mesh::Role::Moderator => "moderator",
        mesh::Role::Owner => "owner",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use peddlenet_mesh::{AuthorId, InviteId, MessageId, Reach, Role, RoomId, Timestamp};
    use serde_json::{Value, json};

    use super::*;

    /// A hex id of one byte repeated, and the typed id.
    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(byte: &str, len: usize) -> (String, T) {
        let hex = byte.repeat(len);
        let id = hex.parse().unwrap();
        (hex, id)
    }

    fn shape(dto: impl Serialize) -> Value {
        serde_json::to_value(dto).unwrap()
    }

    fn message() -> (mesh::Message, Value) {
        let (message_hex, message) = id::<MessageId>("a1", MessageId::LEN);
        let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
        let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
        let (reader_hex, reader) = id::<AuthorId>("d4", AuthorId::LEN);
        let value = mesh::Message {
            id: message,
            room,
            author,
            name: "Ada".into(),
            text: "hello".into(),
            time: Timestamp(1_700_000_000_123),
            hops: 2,
            mine: false,
            seen_by: vec![reader],
            direct: None,
        };
        let json = json!({
            "message": message_hex, "room": room_hex, "author": author_hex, "name": "Ada",
            "text": "hello", "timeMs": 1_700_000_000_123_u64, "hops": 2, "mine": false,
            "clientId": null, "seenBy": [reader_hex], "direct": null,
        });
        (value, json)
    }

    #[test]
    fn a_message_crosses_in_this_shape() {
        let (message, mut json) = message();
        assert_eq!(shape(Message::from(message.clone())), json);
        json["clientId"] = "m-1".into();
        assert_eq!(shape(Message::sent(message.clone(), "m-1".into())), json);
        json["direct"] = json["author"].clone();
        let direct = mesh::Message {
            direct: Some(message.author),
            ..message
        };
        assert_eq!(shape(Message::sent(direct, "m-1".into())), json);
    }

    #[test]
    fn a_snapshot_crosses_in_this_shape() {
        let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
        let summary = mesh::RoomSummary {
            room,
            name: "Camp 7".into(),
            members: 3,
            near: 2,
            unread: 1,
            removed: false,
            last: Some(message().0),
        };
        let empty = mesh::RoomSummary {
            last: None,
            ..summary.clone()
        };
        let snapshot = Snapshot {
            seq: 7,
            profile: Profile {
                name: None,
                key: "keychain",
            },
            rooms: vec![summary.into(), empty.into()],
        };
        let last = json!({"name": "Ada", "text": "hello", "timeMs": 1_700_000_000_123_u64});
        let line = |last: Value| json!({"room": room_hex, "name": "Camp 7", "members": 3, "near": 2, "unread": 1, "last": last, "removed": false});
        assert_eq!(
            shape(snapshot),
            json!({"seq": 7, "profile": {"name": null, "key": "keychain"}, "rooms": [line(last), line(Value::Null)]})
        );
    }

    #[test]
    fn every_event_crosses_in_its_shape() {
        let (message, message_json) = message();
        let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
        let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
        let member = mesh::Member {
            author,
            name: "Ada".into(),
            state: Reach::Linked,
            hops: 1,
            role: Role::Owner,
            me: true,
            direct_unread: 2,
            verified: Some(mesh::VerifiedAs {
                since: Timestamp(9),
                name: "Ada L.".into(),
            }),
            muted: true,
            blocked: false,
            forked: false,
            lookalike: mesh::Lookalike::Imitates(author),
            key_changed: true,
        };
        let member_json = json!({
            "author": author_hex, "name": "Ada", "state": "linked", "hops": 1, "role": "owner", "me": true,
            "directUnread": 2,
            "verifiedAs": "Ada L.", "muted": true, "blocked": false, "forked": false, "lookalike": "imitates",
            "imitates": author_hex, "keyChanged": true
        });
        let receipt = mesh::Event::Receipt {
            room,
            message: message.id,
            seen_by: vec![author],
        };
        let pairs = [
            (
                mesh::Event::Message(message),
                json!({"kind": "message", "message": message_json}),
            ),
            (
                receipt,
                json!({
                    "kind": "receipt", "room": room_hex, "message": message_json["message"],
                    "seenBy": [author_hex]
                }),
            ),
            (
                mesh::Event::Member { room, member },
                json!({"kind": "member", "room": room_hex, "member": member_json}),
            ),
            (
                mesh::Event::LetGo {
                    room,
                    before: mesh::Timestamp(9),
                },
                json!({"kind": "letGo", "room": room_hex, "beforeMs": 9}),
            ),
            (
                mesh::Event::RoomGone(room),
                json!({"kind": "roomGone", "room": room_hex}),
            ),
            (
                mesh::Event::Fork {
                    room,
                    author,
                    me: false,
                },
                json!({"kind": "fork", "room": room_hex, "author": author_hex, "me": false}),
            ),
            (
                mesh::Event::Join(mesh::JoinStage::Fetching),
                json!({"kind": "join", "stage": "fetching"}),
            ),
        ];
        for (event, json) in pairs {
            assert_eq!(UiEvent::of(event).map(shape), Some(json));
        }
        assert!(UiEvent::of(mesh::Event::Lagged).is_none());
    }

    #[test]
    fn replies_cross_in_these_shapes() {
        let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
        let (invite_hex, invite) = id::<InviteId>("e5", InviteId::LEN);
        let info = mesh::InviteInfo {
            id: invite,
            link: "PEDDLENET:J/AA".into(),
            bytes: 80,
            expires: Timestamp(9),
        };
        assert_eq!(
            shape(Invite::new(info, "<svg/>".into())),
            json!({
                "invite": invite_hex, "link": "PEDDLENET:J/AA", "svg": "<svg/>", "bytes": 80, "expiresMs": 9
            })
        );
        let joined = mesh::Joined {
            room,
            via: "direct",
            elapsed: Duration::from_millis(41),
        };
        assert_eq!(
            shape(Joined::from(joined)),
            json!({"room": room_hex, "via": "direct", "ms": 41})
        );
        let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
        let verify = mesh::VerifyInfo {
            author,
            name: "Ada".into(),
            digits: "1".repeat(60),
            link: "PEDDLENET:V/AA".into(),
            verified: false,
            key_changed: true,
        };
        assert_eq!(
            shape(Verify::new(verify, "<svg/>".into())),
            json!({
                "author": author_hex, "name": "Ada", "digits": "1".repeat(60), "link": "PEDDLENET:V/AA",
                "svg": "<svg/>", "verified": false, "keyChanged": true
            })
        );
        assert_eq!(shape(Done {}), json!({}));
    }
}
