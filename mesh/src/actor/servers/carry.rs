//! Sealed copies with servers: own events are left there where the owner lets members do so, and fetched by who
//! comes back.
//!
//! ```text
//!  own event on disk --> queue of each of the room's servers --Put, one at a time--> Kept --> how far is saved
//!  connected, a new epoch, a minute alone --> tags of four days, newest epochs first --Fetch--> Parcels --> engine: Import
//! ```
//!
//! A parcel lies under a tag of the epoch that its event was sealed under: whoever missed a change of keys finds the
//! event that brings them the new ones where it can still look. What was imported is checked like any other event;
//! a server can lose parcels and hold them back, no more. Direct messages are not left. A carrier box that proved to be
//! the one whose pass the owner gave keeps parcels under that pass, on the days that it is for; else in its open pool.

use std::{collections::BTreeMap, time::Duration};

use peddlenet_crypto::{CarryKey, Day, DayPass, MeetingTag};
use peddlenet_gossip::Input;
use peddlenet_peer::{Parcel, ServerUrl};
use peddlenet_store::Write;
use peddlenet_wire::{RoomTag, Seq, SignedEvent, Stream, Timestamp};

use super::{Actor, carrier::Fetch};
use crate::{clock, convert};

/// How long a copy is to be kept: as long as servers do at most.
const KEEP_FOR: Duration = Duration::from_secs(72 * 3600);
/// Days whose parcels may still be there, today included (count).
const DAYS: u64 = 4;
/// Epochs of one room whose parcels are asked for (count): whoever missed more takes one step at a time.
const EPOCHS: usize = 4;
/// Own events that a start leaves once more if it is not known that they were left (count).
const MISSED_MAX: usize = 256;
/// An answer that did not come by then will not.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Who has no link asks that often whether somebody left something.
const ALONE_EVERY: Duration = Duration::from_secs(60);

impl Actor {
    /// An own event is on disk.
    pub(in crate::actor) fn leave_copy(&mut self, event: &SignedEvent) {
        let header = event.header();
        let room = self.rooms.get(&header.room);
        if header.stream.is_direct() || room.is_none_or(|room| !room.roster.is_backed_up()) {
            return;
        }
        for url in self.meets_at(header.room) {
            if let Some(server) = self.servers.all.get_mut(&url) {
                server.carrier.push(event.clone());
            }
        }
        self.look_at_carriers(clock::now());
    }

    /// An owner decided.
    pub(in crate::actor) fn backup_changed(&mut self, tag: RoomTag) {
        for server in self.servers.all.values_mut() {
            server.carrier.looked.remove(&tag);
            server.carrier.plan_anew();
        }
        // Perhaps there is another pass now, and so another box.
        self.servers.keys_changed();
        self.room_changed(tag);
        self.look_at_carriers(clock::now());
    }

    /// Leaves and fetches what is due, at all servers that take parcels.
    pub(super) fn look_at_carriers(&mut self, now: Timestamp) {
        let offering = |(url, server): (&ServerUrl, &super::Server)| {
            server.carrier.offered.then(|| url.clone())
        };
        let urls: Vec<_> = self.servers.all.iter().filter_map(offering).collect();
        for url in urls {
            self.plan_if_due(&url, now);
            self.put_next(&url, now);
            self.fetch_next(&url, now);
        }
    }

    fn plan_if_due(&mut self, url: &ServerUrl, now: Timestamp) {
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        let carrier = &mut server.carrier;
        let alone = now >= carrier.alone_at;
        if alone {
            carrier.alone_at = now.after(ALONE_EVERY);
        }
        if std::mem::take(&mut carrier.stale) || alone {
            self.plan(url, alone, now);
        }
    }

    /// What is to be asked for there, and which own events of the past may not have been left. `alone`: rooms without
    /// a link are asked after once more.
    fn plan(&mut self, url: &ServerUrl, alone: bool, now: Timestamp) {
        let backed = |room: &&crate::room::Room| {
            room.roster.is_backed_up() && self.meets_at(room.tag).contains(url)
        };
        let rooms: Vec<_> = self
            .rooms
            .values()
            .filter(backed)
            .map(|room| room.tag)
            .collect();
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        let mut look = Vec::new();
        for tag in rooms {
            let Some(room) = self.rooms.get(&tag) else {
                continue;
            };
            let linked = self.links.values().any(|link| {
                let opening = link.rooms.get(&tag);
                opening.is_some_and(|opening| opening.author().is_some())
            });
            let epochs = room.ring.newest_first().into_iter().take(EPOCHS);
            for (age, keys) in epochs.enumerate() {
                let (id, today) = (keys.id(), Day::at(now));
                if server.carrier.asked.insert(id) {
                    for back in 0..DAYS {
                        server.carrier.want((tag, id, today.before(back)));
                    }
                } else if alone && !linked && age == 0 {
                    server.carrier.want((tag, id, today));
                }
            }
            if server.carrier.looked.insert(tag) {
                look.push((tag, room.me()));
            }
        }
        for (tag, me) in look {
            self.leave_missed(url.clone(), tag, me);
        }
    }

    /// Own events that nobody knows to be left there: after a start, and when an owner has just decided.
    fn leave_missed(&mut self, url: ServerUrl, tag: RoomTag, me: peddlenet_wire::AuthorId) {
        let read = move |store: &dyn peddlenet_store::Store| {
            let marks = store.meta_under(&left_of(tag))?;
            let held = store.held(tag)?;
            let mut rows = Vec::new();
            for stream in [Stream::MEMBERSHIP, Stream::CONTENT] {
                let own = |log: &&peddlenet_store::Held| (log.author, log.stream) == (me, stream);
                let Some(head) = held.iter().find(own).map(|log| log.head) else {
                    continue;
                };
                let mark = marks.iter().find(|(key, _)| *key == mark_of(tag, stream));
                let left = mark.and_then(|(_, at)| at.as_slice().try_into().ok());
                let left = left.map_or(0, u64::from_be_bytes);
                let newest = head.0.saturating_sub(MISSED_MAX as u64);
                let from = Seq(left.max(newest).saturating_add(1));
                rows.extend(store.range(tag, me, stream, from, head, MISSED_MAX)?);
            }
            Ok(rows)
        };
        self.disk.read(read, move |actor, rows| {
            let rows = rows.unwrap_or_default();
            let Some(server) = actor.servers.all.get_mut(&url) else {
                return;
            };
            for (event, _) in convert::from_rows(rows) {
                if !server.carrier.holds(&event) {
                    server.carrier.push(event);
                }
            }
            actor.look_at_carriers(clock::now());
        });
    }

    fn put_next(&mut self, url: &ServerUrl, now: Timestamp) {
        loop {
            let Some(server) = self.servers.all.get_mut(url) else {
                return;
            };
            let key = server.found.as_ref().and_then(|found| found.key);
            let carrier = &mut server.carrier;
            let waits = |(_, since): &(_, Timestamp)| now.since(*since) < ANSWER_WITHIN;
            if carrier.putting.as_ref().is_some_and(waits) || now < carrier.rest_until {
                return;
            }
            carrier.put_back();
            let Some(event) = carrier.queue.pop_front() else {
                return;
            };
            let key = key.filter(|_| !carrier.without_pass);
            if let Some(parcel) = parcel(&self.rooms, &event, key, now) {
                carrier.putting = Some((event, now));
                return server.rendezvous.put(parcel);
            }
        }
    }

    pub(super) fn on_kept(&mut self, url: &ServerUrl) {
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        if let Some((event, _)) = server.carrier.putting.take() {
            self.stats.copies_left += 1;
            let header = event.header();
            let write = Write::Meta {
                key: mark_of(header.room, header.stream),
                value: Some(header.seq.0.to_be_bytes().to_vec()),
            };
            self.save_quietly(write, "how far copies were left is not saved");
        }
        self.put_next(url, clock::now());
    }

    fn fetch_next(&mut self, url: &ServerUrl, now: Timestamp) {
        loop {
            let Some(server) = self.servers.all.get_mut(url) else {
                return;
            };
            let carrier = &mut server.carrier;
            let waits = |fetch: &Fetch| now.since(fetch.since) < ANSWER_WITHIN;
            if carrier.fetching.as_ref().is_some_and(waits) || now < carrier.rest_until {
                return;
            }
            carrier.ask_again();
            let Some(place) = carrier.fetches.pop_front() else {
                return;
            };
            let (room, epoch, day) = place;
            let keys = self.rooms.get(&room).and_then(|room| room.ring.keys(epoch));
            let Some(key) = keys.map(|keys| CarryKey::of_members(keys, day)) else {
                continue;
            };
            let tag = key.tag();
            let since = now;
            carrier.fetching = Some(Fetch { place, key, since });
            let after = carrier.seen.get(&tag).copied().unwrap_or_default();
            return server.rendezvous.fetch(tag, after);
        }
    }

    pub(super) fn on_parcels(
        &mut self,
        url: &ServerUrl,
        tag: MeetingTag,
        parcels: &[(u64, Vec<u8>)],
        more: bool,
    ) {
        let Some(server) = self.servers.all.get_mut(url) else {
            return;
        };
        let Some(Fetch { place, key, .. }) = server.carrier.fetching.take() else {
            return;
        };
        if key.tag() != tag {
            return;
        }
        let last = server.carrier.seen.entry(tag).or_default();
        let before = *last;
        let mut events = Vec::new();
        for (number, data) in parcels {
            *last = (*last).max(*number);
            let opened = key.open(data).ok();
            let event = opened.and_then(|bytes| SignedEvent::from_bytes(&bytes).ok());
            events.extend(event.filter(|event| event.header().room == place.0));
        }
        // A server that says "more" and gives nothing new is not asked for ever.
        if more && *last > before {
            server.carrier.fetches.push_front(place);
        }
        self.stats.copies_fetched += events.len() as u64;
        for event in events {
            if !event.header().stream.is_direct() {
                self.feed(Input::Import { event });
            }
        }
        self.fetch_next(url, clock::now());
    }
}

/// The sealed copy of an event; `None` when its keys are gone, or it is too long to be left. `at`: the box that it is for, where
/// that has proven itself.
fn parcel(
    rooms: &BTreeMap<RoomTag, crate::room::Room>,
    event: &SignedEvent,
    at: Option<[u8; 32]>,
    now: Timestamp,
) -> Option<Parcel> {
    let header = event.header();
    let room = rooms
        .get(&header.room)
        .filter(|r| r.roster.is_backed_up())?;
    let key = CarryKey::of_members(room.ring.keys(header.epoch)?, Day::at(now));
    let data = key.seal(&event.to_bytes()).ok()?;
    let expires = u64::from(now.after(KEEP_FOR).unix_seconds());
    let pass = room.roster.pass().filter(|pass| Some(pass.box_key) == at);
    let pass = pass.and_then(|pass| DayPass::of(&pass, Day::at(now)));
    Some(Parcel {
        pass: pass.map(|pass| Box::new(pass.show(&key.tag(), &data))),
        tag: key.tag(),
        key: key.public(),
        expires,
        signature: key.sign(expires, &data).0,
        data,
    })
}

/// Where it stands in the store's `meta` how far a room's own events were left.
pub(crate) fn left_of(room: RoomTag) -> Vec<u8> {
    [&b"left/"[..], &room.0].concat()
}

fn mark_of(room: RoomTag, stream: Stream) -> Vec<u8> {
    [&left_of(room)[..], &stream.0.to_be_bytes()].concat()
}
