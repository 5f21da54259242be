//! Who is in a room, and what two of them compare.

use peddlenet_mesh as mesh;
use serde::Serialize;

use super::Role;

/// Somebody in a room.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    author: String,
    name: String,
    state: &'static str,
    hops: u8,
    role: Role,
    /// When they were let in.
    since_ms: Option<u64>,
    me: bool,
    direct_unread: u64,
    /// The name that was verified; `null` when none was.
    verified_as: Option<String>,
    muted: bool,
    blocked: bool,
    forked: bool,
    moving: bool,
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

/// The reply of `members`.
#[derive(Debug, Serialize)]
pub(crate) struct Members {
    pub(crate) members: Vec<Member>,
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

impl From<mesh::Member> for Member {
    fn from(m: mesh::Member) -> Self {
        Self {
            author: m.author.to_string(),
            name: m.name,
            state: m.state.as_str(),
            hops: m.hops,
            role: m.role.into(),
            since_ms: m.since.map(|since| since.0),
            me: m.me,
            direct_unread: m.direct_unread,
            verified_as: m.verified.map(|v| v.name),
            muted: m.muted,
            blocked: m.blocked,
            forked: m.forked,
            moving: m.moving,
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
