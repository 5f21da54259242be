//! Rooms, and the ways into them.

use peddlenet_mesh as mesh;
use serde::Serialize;

use super::{Role, Rules};

/// A line of the room list.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    room: String,
    name: String,
    members: usize,
    near: usize,
    unread: u64,
    /// What was said to this device alone and was not looked at.
    #[serde(rename = "directUnread")]
    direct_unread: u64,
    last: Option<LastMessage>,
    /// This device no longer belongs: the room can be read, and nothing more.
    removed: bool,
    /// That was its own wish.
    left: bool,
    /// What this device may do in it.
    role: Option<Role>,
    favourite: bool,
    muted: bool,
    /// It takes nobody new.
    closed: bool,
    backup: bool,
    #[serde(rename = "passUntilMs")]
    pass_until_ms: Option<u64>,
    /// What it was made with.
    rules: Rules,
}

/// What the room list shows of the newest message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastMessage {
    name: String,
    text: String,
    time_ms: u64,
    deleted: bool,
    newer: bool,
}

/// The reply of `invites`.
#[derive(Debug, Serialize)]
pub(crate) struct Invites {
    pub(crate) invites: Vec<OpenInvite>,
}

/// A code that lets somebody in now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenInvite {
    invite: String,
    author: String,
    mine: bool,
    expires_ms: u64,
    /// `null`: any number.
    uses: Option<u32>,
    used: u32,
    poster: bool,
}

impl From<mesh::OpenInvite> for OpenInvite {
    fn from(invite: mesh::OpenInvite) -> Self {
        Self {
            invite: invite.id.to_string(),
            author: invite.by.to_string(),
            mine: invite.mine,
            expires_ms: invite.expires.0,
            uses: invite.uses,
            used: invite.used,
            poster: invite.poster,
        }
    }
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

impl From<mesh::RoomSummary> for Room {
    fn from(r: mesh::RoomSummary) -> Self {
        let last = |m: mesh::Message| LastMessage {
            name: m.name,
            text: m.text,
            time_ms: m.time.0,
            deleted: m.shown == mesh::Shown::Deleted,
            newer: m.shown == mesh::Shown::Newer,
        };
        Self {
            room: r.room.to_string(),
            name: r.name,
            members: r.members,
            near: r.near,
            unread: r.unread,
            direct_unread: r.direct_unread,
            removed: r.removed,
            left: r.left,
            role: r.role.map(Role::from),
            favourite: r.prefs.favourite,
            muted: r.prefs.muted,
            closed: r.closed,
            backup: r.backup,
            pass_until_ms: r.pass_until.map(|until| until.0),
            rules: r.rules.into(),
            last: r.last.map(last),
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
