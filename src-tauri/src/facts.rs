//! What the node says, as far as notifications go by it.

use std::collections::BTreeMap;

use peddlenet_mesh::{Error, Event, Member, Node, RoomId, RoomSummary};

use crate::notices::{Talk, Told};

/// What is kept for this device. The node's own calls of these names win over these as soon as it has
/// them; then this trait goes.
pub(crate) trait Settings {
    async fn settings(&self) -> Result<BTreeMap<String, String>, Error>;
    async fn set_setting(&self, name: &str, value: &str) -> Result<(), Error>;
}

impl Settings for Node {
    async fn settings(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(BTreeMap::new())
    }

    async fn set_setting(&self, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }
}

/// What of an event matters here.
pub(crate) fn told(event: &Event) -> Option<Told> {
    Some(match event {
        Event::Room(summary) => room(summary),
        Event::RoomGone(room) => Told::Gone(*room),
        Event::Member { room, member: it } => member(*room, it)?,
        Event::Message(message) if !message.mine => Told::Message {
            talk: Talk {
                room: message.room,
                with: message.direct,
            },
            author: message.author,
            name: message.name.clone(),
            text: message.text.clone(),
            time: message.time,
        },
        _ => return None,
    })
}

pub(crate) fn room(summary: &RoomSummary) -> Told {
    Told::Room {
        room: summary.room,
        name: summary.name.clone(),
        unread: summary.unread,
        muted: false,
    }
}

pub(crate) fn member(room: RoomId, member: &Member) -> Option<Told> {
    (!member.me).then_some(Told::Member {
        room,
        author: member.author,
        unread: member.direct_unread,
        quiet: member.muted || member.blocked,
    })
}
