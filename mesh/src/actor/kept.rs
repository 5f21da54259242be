//! What this device keeps for its person alone: drafts, settings, what they think of a room, and what it
//! all takes. Nothing of it is told to others. All of it is sealed like the rest, and goes with a wipe.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use minicbor::{Decode, Encode};
use peddlenet_gossip::PeerId;
use peddlenet_peer::ServerUrl;
use peddlenet_store::{Store, StoreError, Write};
use peddlenet_wire::{
    AuthorId, EventHash, Frame, RoomId, RoomTag, SignedEvent, Stream, codec, limits,
};

use super::{Actor, Reply, servers, space::bytes_of};
use crate::{
    api::{Draft, Event, RoomPrefs, RoomSize, Storage},
    error::{Error, ErrorCode},
    node::Receipts,
};

/// Settings of one person (count).
const SETTINGS_MAX: usize = 64;
/// The name of a setting, and what it says (bytes).
const SETTING_NAME_MAX: usize = 64;
const SETTING_MAX: usize = 1024;
/// Own messages of which it is known who was handed them (count); of older ones nobody asks.
const HANDED_MAX: usize = 512;

/// The setting that switches receipts off.
const RECEIPTS: &str = "receipts";
const OFF: &str = "off";

/// The setting that saves the battery.
const BATTERY: &str = "battery";
const ON: &str = "on";
/// The pause between two questions over a link then.
const SAVING: Duration = Duration::from_secs(10);
/// Where a person's settings stand in the store's `meta`.
const SETTING: &[u8] = b"setting/";

/// Where a room's drafts begin.
pub(crate) fn drafts_of(room: RoomTag) -> Vec<u8> {
    [&b"draft/"[..], &room.0].concat()
}

/// Where stands what the person thinks of a room.
pub(crate) fn prefs_of(room: RoomTag) -> Vec<u8> {
    [&b"prefs/"[..], &room.0].concat()
}

/// [`RoomPrefs`] as they are saved.
#[derive(Encode, Decode)]
#[cbor(map)]
struct SavedPrefs {
    #[n(0)]
    favourite: bool,
    #[n(1)]
    muted: bool,
}

/// Prefs as they were saved; those of nobody who decided anything where they can't be read.
pub(crate) fn read_prefs(bytes: &[u8]) -> RoomPrefs {
    let saved = codec::from_slice::<SavedPrefs>("prefs", bytes, limits::RECORD_MAX);
    saved.map_or_else(
        |_| RoomPrefs::default(),
        |SavedPrefs { favourite, muted }| RoomPrefs { favourite, muted },
    )
}

/// The person's settings. Blocks.
pub(crate) fn read_settings(store: &dyn Store) -> Result<BTreeMap<String, String>, StoreError> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let one =
        |(key, value): (Vec<u8>, Vec<u8>)| Some((text(key.get(SETTING.len()..)?)?, text(&value)?));
    let all = store.meta_under(SETTING)?;
    Ok(all.into_iter().filter_map(one).take(SETTINGS_MAX).collect())
}

/// Which neighbours were handed own messages of late.
#[derive(Debug, Default)]
pub(super) struct Handed {
    order: VecDeque<EventHash>,
    to: HashMap<EventHash, BTreeSet<AuthorId>>,
}

impl Handed {
    /// An own message exists from now on.
    fn begin(&mut self, message: EventHash) {
        if self.order.len() >= HANDED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.to.remove(&oldest);
        }
        self.order.push_back(message);
        self.to.insert(message, BTreeSet::new());
    }

    fn holds(&self, message: EventHash) -> bool {
        self.to.contains_key(&message)
    }

    /// Somebody was handed it: how many by now, if that is news.
    fn note(&mut self, message: EventHash, to: AuthorId) -> Option<usize> {
        let to_whom = self.to.get_mut(&message)?;
        to_whom.insert(to).then_some(to_whom.len())
    }

    pub(super) fn count(&self, message: EventHash) -> usize {
        self.to.get(&message).map_or(0, BTreeSet::len)
    }
}

impl Actor {
    // --- who was handed what ---

    /// An own message is about to go out.
    pub(super) fn begin_handing(&mut self, event: &SignedEvent) {
        if event.header().stream == Stream::CONTENT {
            self.handed.begin(event.hash());
        }
    }

    /// A frame went to a neighbour: perhaps it carries own messages.
    pub(super) fn note_handed(&mut self, peer: PeerId, frame: &Frame) {
        let events: &[_] = match frame {
            Frame::Event(one) => std::slice::from_ref(&one.event),
            Frame::Batch(batch) => &batch.events,
            _ => return,
        };
        // Nearly all that passes is others', so that is asked first.
        for event in events {
            if !self.handed.holds(event.hash()) {
                continue;
            }
            let tag = event.header().room;
            if let Some(to) = self.author_on(peer, tag)
                && let Some(count) = self.handed.note(event.hash(), to)
                && let Some(room) = self.rooms.get(&tag)
            {
                self.events.emit(Event::Sent {
                    room: room.id,
                    message: event.hash(),
                    to: count,
                });
            }
        }
    }

    // --- settings ---

    /// Saves a setting; an empty value forgets it.
    pub(crate) fn set_setting(&mut self, name: String, value: String, reply: Reply<()>) {
        let fits = !name.is_empty()
            && name.len() <= SETTING_NAME_MAX
            && value.len() <= SETTING_MAX
            && (self.settings.contains_key(&name) || self.settings.len() < SETTINGS_MAX);
        if !fits {
            return drop(reply.send(Err(ErrorCode::SettingTooLong.into())));
        }
        if name == servers::SETTING && !value.is_empty() && ServerUrl::parse(&value).is_err() {
            return drop(reply.send(Err(ErrorCode::ServerAddress.into())));
        }
        let value = Some(value).filter(|value| !value.is_empty());
        let write = Write::Meta {
            key: [SETTING, name.as_bytes()].concat(),
            value: value.clone().map(String::into_bytes),
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            if outcome.is_ok() {
                match &value {
                    Some(value) => drop(actor.settings.insert(name.clone(), value.clone())),
                    None => drop(actor.settings.remove(&name)),
                }
                actor.events.emit(Event::Setting { name, value });
                actor.servers.keys_changed();
                actor.pace_links();
            }
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// How often the ends of a link ask for each other: rarely where the person saves the battery.
    pub(super) fn pace(&self) -> Duration {
        match self.settings.get(BATTERY).map(String::as_str) {
            Some(ON) => SAVING,
            _ => Duration::ZERO,
        }
    }

    fn pace_links(&self) {
        for link in self.links.values() {
            link.sender.set_pace(self.pace());
        }
    }

    pub(crate) fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// When messages are confirmed: as this device was started, unless the person said never.
    pub(super) fn receipts(&self) -> Receipts {
        match self.settings.get(RECEIPTS).map(String::as_str) {
            Some(OFF) => Receipts::Never,
            _ => self.receipts,
        }
    }

    // --- rooms ---

    /// Saves what the person thinks of a room.
    pub(crate) fn set_prefs(&mut self, id: RoomId, prefs: RoomPrefs, reply: Reply<()>) {
        let tag = match self.tag(id) {
            Ok(tag) => tag,
            Err(e) => return drop(reply.send(Err(e))),
        };
        let RoomPrefs { favourite, muted } = prefs;
        let saved = codec::to_vec(&SavedPrefs { favourite, muted });
        let write = Write::Meta {
            key: prefs_of(tag),
            value: (prefs != RoomPrefs::default()).then_some(saved),
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            if let (Ok(()), Some(room)) = (&outcome, actor.rooms.get_mut(&tag)) {
                room.prefs = prefs;
                actor.room_changed(tag);
            }
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Keeps what the person began to write; empty forgets it.
    pub(crate) fn set_draft(&mut self, draft: Draft, reply: Reply<()>) {
        let tag = match self.tag(draft.room) {
            Ok(tag) => tag,
            Err(e) => return drop(reply.send(Err(e))),
        };
        if draft.text.len() > limits::TEXT_MAX {
            return drop(reply.send(Err(ErrorCode::TextTooLong.into())));
        }
        let known = |to: AuthorId| {
            let room = self.rooms.get(&tag);
            room.is_some_and(|room| room.roster.is_member(to))
        };
        if !draft.text.is_empty() && draft.to.is_some_and(|to| !known(to)) {
            return drop(reply.send(Err(ErrorCode::MemberUnknown.into())));
        }
        let whom = draft.to.map_or(Vec::new(), |to| to.0.to_vec());
        let write = Write::Meta {
            key: [drafts_of(tag), whom].concat(),
            value: Some(draft.text.into_bytes()).filter(|text| !text.is_empty()),
        };
        self.disk.commit(vec![write], move |_, outcome| {
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Everything that the person began to write.
    pub(crate) fn drafts(&mut self, reply: Reply<Vec<Draft>>) {
        let rooms: Vec<_> = self.rooms.values().map(|r| (r.tag, r.id)).collect();
        let read = move |store: &dyn Store| {
            let mut drafts = Vec::new();
            for (tag, room) in rooms {
                let prefix = drafts_of(tag);
                for (key, text) in store.meta_under(&prefix)? {
                    let to = key.get(prefix.len()..).unwrap_or_default();
                    let to = AuthorId::try_from(to).ok();
                    let text = String::from_utf8(text).unwrap_or_default();
                    drafts.push(Draft { room, to, text });
                }
            }
            Ok(drafts)
        };
        self.disk.read(read, move |_, drafts| {
            let _ = reply.send(drafts.map_err(Error::from));
        });
    }

    /// What it all takes on the disk.
    pub(crate) fn storage(&mut self, reply: Reply<Storage>) {
        let rooms: Vec<_> = self.rooms.values().map(|r| (r.tag, r.id)).collect();
        let read = move |store: &dyn Store| {
            let mut storage = Storage {
                disk_bytes: store.stats().disk_bytes,
                rooms: Vec::new(),
            };
            for (tag, room) in rooms {
                let held = store.held(tag)?;
                let events = held.iter().map(|log| log.events);
                storage.rooms.push(RoomSize {
                    room,
                    events: events.fold(0, u64::saturating_add),
                    bytes: bytes_of(&held),
                });
            }
            Ok(storage)
        };
        self.disk.read(read, move |_, storage| {
            let _ = reply.send(storage.map_err(Error::from));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_messages_are_remembered_as_handed() {
        let name = |n: usize| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(n as u64).to_be_bytes());
            EventHash(id)
        };
        let (ada, bea) = (AuthorId([1; 32]), AuthorId([2; 32]));
        let mut handed = Handed::default();
        assert_eq!(handed.note(name(0), ada), None, "it is none of ours");
        for n in 0..=HANDED_MAX {
            handed.begin(name(n));
        }
        assert_eq!(handed.note(name(0), ada), None);
        assert_eq!(handed.note(name(1), ada), Some(1));
        assert_eq!(handed.note(name(1), ada), None);
        assert_eq!(handed.note(name(1), bea), Some(2));
        assert_eq!(handed.count(name(1)), 2);
        assert_eq!(
            (handed.order.len(), handed.to.len()),
            (HANDED_MAX, HANDED_MAX)
        );
    }
}
