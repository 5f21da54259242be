//! What the node says, as far as notifications go by it.

use peddlenet_mesh::{Event, Member, RoomId, RoomSummary};

use crate::notices::{Talk, Told};

/// What of an event matters here.
pub(crate) fn told(event: &Event) -> Option<Told> {
    Some(match event {
        Event::Room(summary) => room(summary),
        Event::RoomGone(room) => Told::Gone(*room),
        Event::Setting { name, value } => Told::Setting {
            name: name.clone(),
            value: value.clone().unwrap_or_default(),
        },
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
        muted: summary.prefs.muted,
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
