//! Who may do what, and the rules that a room is made with.

use peddlenet_mesh as mesh;
use serde::{Deserialize, Serialize};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Role {
    Member,
    Moderator,
    Owner,
}

/// Whether a joiner is given the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Past {
    Shared,
    FromJoin,
}

/// The rules that a room is made with; they stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rules {
    pub(crate) history: Past,
    /// Who may make codes: that role and those above.
    pub(crate) inviters: Role,
    /// After how many seconds messages are let go of; `null`: never.
    pub(crate) retention_s: Option<u32>,
}

impl From<mesh::Role> for Role {
    fn from(role: mesh::Role) -> Self {
        match role {
            mesh::Role::Member => Self::Member,
            mesh::Role::Moderator => Self::Moderator,
            mesh::Role::Owner => Self::Owner,
        }
    }
}

impl From<Role> for mesh::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Moderator => Self::Moderator,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<Rules> for mesh::RoomOptions {
    fn from(new: Rules) -> Self {
        Self {
            history: match new.history {
                Past::Shared => mesh::History::Shared,
                Past::FromJoin => mesh::History::FromJoin,
            },
            inviters: new.inviters.into(),
            retention_s: new.retention_s,
        }
    }
}

impl From<mesh::RoomOptions> for Rules {
    fn from(made: mesh::RoomOptions) -> Self {
        Self {
            history: match made.history {
                mesh::History::Shared => Past::Shared,
                mesh::History::FromJoin => Past::FromJoin,
            },
            inviters: made.inviters.into(),
            retention_s: made.retention_s,
        }
    }
}
