//! New epochs: made when nobody else does, given to who was not there, waited for.
//!
//! ```text
//!  who removed somebody        makes one at once
//!  who wants to say something  makes one first, where none is clean
//!  everyone else               waits 2 s for each member who comes before it by hash, then makes one
//!
//!  an event under unknown keys -> NeedEpochs to neighbours -> Epochs -> what waited is shown
//! ```

use std::{collections::BTreeMap, time::Duration};

use peddlenet_crypto::EpochKeys;
use peddlenet_gossip::{Input, Lane, PeerId};
use peddlenet_store::Write;
use peddlenet_wire::{
    AuthorId, Capped, EpochId, Frame, RoomTag, SignedEvent, Stream, codec,
    event::sha256,
    frame::{Epochs, NeedEpochs},
    limits,
};

use super::{Actor, Timer, opening::Opening};
use crate::{
    api::{Event, Reach},
    clock,
    room::{carried_of, epoch_key},
};

/// How long each member waits for the one before it to make an epoch (design).
const STAGGER: Duration = Duration::from_secs(2);
/// Missing keys are asked for that long after they were missed: they may be on their way.
const ASK_AFTER: Duration = Duration::from_millis(300);
/// And again that often while there are any.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// Messages that wait for keys, over all rooms (count); beyond it people ask for the page again.
const UNREADABLE_MAX: usize = 1_024;

/// What came under keys that this device lacks.
#[derive(Default)]
pub(crate) struct Unreadable {
    messages: BTreeMap<(RoomTag, EpochId), Vec<(SignedEvent, u8)>>,
    count: usize,
    /// Some were left out.
    overflow: bool,
    asking: std::collections::BTreeSet<RoomTag>,
}

impl Unreadable {
    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.messages.retain(|(room, _), _| *room != tag);
        self.count = self.messages.values().map(Vec::len).sum();
        self.asking.remove(&tag);
    }
}

impl Actor {
    /// Begins an epoch when there is none to speak under.
    pub(super) fn begin_epoch_if_needed(&mut self, tag: RoomTag) {
        if self
            .rooms
            .get(&tag)
            .is_some_and(crate::room::Room::needs_epoch)
        {
            self.begin_epoch(tag);
        }
    }

    /// How much the newest epoch has carried outlasts a restart.
    pub(super) fn save_carried(&mut self, tag: RoomTag, count: Vec<u8>) {
        let write = Write::Meta {
            key: carried_of(tag),
            value: Some(count),
        };
        self.save_quietly(write, "how much an epoch carried was not saved");
    }

    /// Begins an epoch: its keys are on disk before anything is said under them.
    pub(super) fn begin_epoch(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let (keys, said) = match room.mint() {
            Ok(minted) => minted,
            Err(e) => return tracing::error!(error = %e, "no new epoch"),
        };
        // Sealed before the new keys count, so that whoever held the old ones can read it.
        let sealed: Result<Vec<_>, _> = said
            .iter()
            .map(|what| self.seal(tag, Stream::MEMBERSHIP, &what.to_bytes()))
            .collect();
        let Ok(events) = sealed else { return };
        self.stats.epochs_begun += 1;
        self.take_keys(tag, keys);
        for (event, what) in events.into_iter().zip(&said) {
            // Read at once: the next thing may be said under it before the disk has answered.
            if let Some(room) = self.rooms.get_mut(&tag) {
                room.take_membership(&event, what);
            }
            self.publish(event, |_, _| {});
        }
        self.refresh_gates();
    }

    /// After somebody came or went: an epoch may be due, first from who is first.
    pub(super) fn epoch_may_be_due(&mut self, tag: RoomTag) {
        let now = clock::now();
        let Some(room) = self.rooms.get(&tag).filter(|room| room.epoch_is_due(now)) else {
            return;
        };
        let me = room.me();
        let near = |author: &AuthorId| *author == me || self.reach_of(room, *author) != Reach::Away;
        let newest = room
            .newest_epoch()
            .map(EpochKeys::id)
            .unwrap_or(EpochId::ZERO);
        let place = |author: AuthorId| sha256(&[&newest.0[..], &author.0].concat());
        let mine = place(me);
        let before = room
            .roster
            .members()
            .filter(near)
            .filter(|author| place(*author) < mine)
            .count();
        // The one who acted makes one at once, so even the first waits a little.
        let turns = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        self.arm(Timer::Epoch(tag), now.after(STAGGER.saturating_mul(turns)));
    }

    /// Whether the epoch that is spoken under has lasted long enough, or carried enough; asked now and
    /// then. Who comes first makes the next one, as after a removal.
    pub(super) fn epochs_grow_old(&mut self) {
        let now = clock::now();
        let due = self.rooms.values().filter(|room| room.epoch_is_due(now));
        let due: Vec<RoomTag> = due.map(|room| room.tag).collect();
        for tag in due {
            if !self.timers.has(Timer::Epoch(tag)) {
                self.epoch_may_be_due(tag);
            }
        }
    }

    /// Nobody who comes before this device made one.
    pub(super) fn epoch_is_late(&mut self, tag: RoomTag) {
        let now = clock::now();
        if self
            .rooms
            .get(&tag)
            .is_some_and(|room| room.epoch_is_due(now))
        {
            self.begin_epoch(tag);
        }
    }

    /// Takes keys in, in memory at once and on disk next; shows what waited for them.
    pub(super) fn take_keys(&mut self, tag: RoomTag, keys: EpochKeys) {
        let epoch = keys.id();
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room.ring.add(keys) {
            self.keys_came(tag, epoch);
        }
    }

    /// Keys came, from wherever.
    pub(super) fn keys_came(&mut self, tag: RoomTag, epoch: EpochId) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let Some(keys) = room.ring.keys(epoch) else {
            return;
        };
        let write = Write::Meta {
            key: epoch_key(tag, epoch),
            value: Some(codec::to_vec(&keys.to_grant())),
        };
        // They are in a box of stream 0, or a neighbour gives them again.
        self.save_quietly(write, "keys of an epoch were not saved");
        self.refresh_gates();
        // Events of stream 0 that could not be opened are parked in the engine.
        self.feed(Input::MembershipChanged { room: tag });
        let waited = self.unreadable.messages.remove(&(tag, epoch));
        for (event, hops) in waited.into_iter().flatten() {
            self.unreadable.count = self.unreadable.count.saturating_sub(1);
            self.deliver(event, hops, true);
        }
        if std::mem::take(&mut self.unreadable.overflow) {
            self.events.emit(Event::Lagged);
        }
    }

    /// A message can't be opened for lack of keys: it waits for them. False when they are there.
    pub(super) fn wait_for_keys(&mut self, tag: RoomTag, event: &SignedEvent, hops: u8) -> bool {
        let epoch = event.header().epoch;
        let Some(room) = self.rooms.get(&tag) else {
            return false;
        };
        // Keys without the content half are all that this device may have.
        if room.ring.keys(epoch).is_some() {
            return false;
        }
        if self.unreadable.count < UNREADABLE_MAX {
            self.unreadable.count += 1;
            let waiting = self.unreadable.messages.entry((tag, epoch)).or_default();
            waiting.push((event.clone(), hops));
        } else {
            self.unreadable.overflow = true;
        }
        self.ask_soon(tag);
        true
    }

    /// Keys are missing: neighbours are asked in a moment.
    pub(super) fn ask_soon(&mut self, tag: RoomTag) {
        if self.unreadable.asking.insert(tag) {
            self.arm(Timer::NeedEpochs(tag), clock::now().after(ASK_AFTER));
        }
    }

    /// Asks every neighbour for the keys that are still missing.
    pub(super) fn ask_for_epochs(&mut self, tag: RoomTag) {
        self.unreadable.asking.remove(&tag);
        let Some(room) = self.rooms.get(&tag).filter(|room| room.is_in()) else {
            return;
        };
        let waiting = self.unreadable.messages.keys();
        let waiting = waiting.filter(|(room, _)| *room == tag);
        let mut epochs: Vec<EpochId> = waiting.map(|(_, epoch)| *epoch).collect();
        epochs.extend(room.ring.missing());
        epochs.extend(room.unopened.iter().copied());
        epochs.retain(|epoch| room.ring.keys(*epoch).is_none());
        epochs.sort_unstable();
        epochs.dedup();
        if epochs.is_empty() {
            return;
        }
        let frame = Frame::NeedEpochs(NeedEpochs {
            room: tag,
            epochs: Capped::take_from(&mut epochs.into_iter()),
        });
        let open = |link: &super::links::LinkState| {
            link.rooms.get(&tag).and_then(Opening::author).is_some()
        };
        let neighbours: Vec<PeerId> = self
            .links
            .iter()
            .filter(|(_, link)| open(link))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in neighbours {
            self.send_frame(peer, &frame, Lane::Ordered);
        }
        self.unreadable.asking.insert(tag);
        self.arm(Timer::NeedEpochs(tag), clock::now().after(ASK_EVERY));
    }

    /// Somebody lacks keys: given to who has proven on this link to be a member.
    pub(super) fn on_need_epochs(&mut self, peer: PeerId, need: &NeedEpochs) {
        let (Some(link), Some(room)) = (self.links.get(&peer), self.rooms.get(&need.room)) else {
            return;
        };
        let Some(to) = link.rooms.get(&need.room).and_then(Opening::heard) else {
            return;
        };
        let grant = |epoch: &EpochId| room.ring.grant(*epoch, to, &room.roster);
        let mut grants = need.epochs.iter().filter_map(grant);
        let grants: Capped<_, { limits::EPOCHS_ASKED_MAX }> = Capped::take_from(&mut grants);
        if !grants.is_empty() {
            let frame = Frame::Epochs(Epochs {
                room: need.room,
                grants,
            });
            self.send_frame(peer, &frame, Lane::Ordered);
        }
    }

    /// Keys that a neighbour gives. They hash to their names, so no more is to be trusted; only those
    /// are taken that something here is sealed under.
    pub(super) fn on_epochs(&mut self, peer: PeerId, epochs: &Epochs) {
        let tag = epochs.room;
        for grant in epochs.grants.iter() {
            let Some(room) = self.rooms.get(&tag) else {
                return;
            };
            let named = room.ring.minted(grant.epoch).is_some()
                || room.unopened.contains(&grant.epoch)
                || self.unreadable.messages.contains_key(&(tag, grant.epoch))
                || self.awaits(peer, tag, grant.epoch);
            match EpochKeys::from_grant(grant) {
                Ok(keys) if named => self.take_keys(tag, keys),
                Ok(_) => {}
                Err(e) => tracing::warn!(?peer, error = %e, "keys that are none"),
            }
        }
        self.retry_open(peer, tag);
    }
}
