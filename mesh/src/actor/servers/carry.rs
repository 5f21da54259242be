//! Sealed copies with servers: own events are left there where the owner lets members do so, and fetched by who
//! comes back.
//!
//! ```text
//!  own event on disk --> queue of each of the room's servers --Put, one at a time--> Kept --> how far, at that one, is saved
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
/// Other servers of which it is remembered how far a room's own events were left there (count).
const REMEMBERED_MAX: usize = 8;
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

    /// The clock was set back: what was refused may be left now.
    pub(in crate::actor) fn servers_rest_no_more(&mut self) {
        for server in self.servers.all.values_mut() {
            server.carrier.rest_until = Timestamp(0);
            server.carrier.alone_at = Timestamp(0);
        }
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
        let who = server.name_at(url);
        for (tag, me) in look {
            self.leave_missed(url.clone(), who.clone(), tag, me);
        }
    }

    /// Own events that nobody knows to be left there: after a start, and when an owner has just decided. `who`: the server.
    fn leave_missed(
        &mut self,
        url: ServerUrl,
        who: Vec<u8>,
        tag: RoomTag,
        me: peddlenet_wire::AuthorId,
    ) {
        let read = move |store: &dyn peddlenet_store::Store| {
            let marks = store.meta_under(&left_of(tag))?;
            let held = store.held(tag)?;
            let (mut rows, mut old) = (Vec::new(), Vec::new());
            for stream in [Stream::MEMBERSHIP, Stream::CONTENT] {
                let marks = Marks::of(&marks, tag, stream, &who);
                old.extend(marks.too_many());
                let own = |log: &&peddlenet_store::Held| (log.author, log.stream) == (me, stream);
                let Some(head) = held.iter().find(own).map(|log| log.head) else {
                    continue;
                };
                let newest = head.0.saturating_sub(MISSED_MAX as u64);
                let from = Seq(marks.own.max(newest).saturating_add(1));
                rows.extend(store.range(tag, me, stream, from, head, MISSED_MAX)?);
            }
            Ok((rows, old))
        };
        self.disk.read(read, move |actor, read| {
            let (rows, old) = read.unwrap_or_default();
            for key in old {
                let write = Write::Meta { key, value: None };
                actor.save_quietly(write, "an old server is still remembered");
            }
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
                key: mark_of(header.room, header.stream, &server.name_at(url)),
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
        pass: pass.map(|pass| pass.show(&key.tag(), &data)),
        tag: key.tag(),
        key: key.public(),
        expires,
        signature: key.sign(expires, &data).0,
        data,
    })
}

impl super::Server {
    /// Which one it is, wherever it is found: a box by its key, others by their address.
    fn name_at(&self, url: &ServerUrl) -> Vec<u8> {
        let key = self.found.as_ref().and_then(|found| found.key);
        key.map_or_else(|| url.short().into_bytes(), |key| key.to_vec())
    }
}

/// How far a room's own events of one stream were left: with one server, and with others.
struct Marks<'m> {
    own: u64,
    /// Least first.
    others: Vec<(u64, &'m Vec<u8>)>,
}

impl<'m> Marks<'m> {
    fn of(all: &'m [(Vec<u8>, Vec<u8>)], room: RoomTag, stream: Stream, who: &[u8]) -> Self {
        let of_stream = mark_of(room, stream, b"");
        let (mut own, mut others) = (0, Vec::new());
        for (key, at) in all {
            let at = at.as_slice().try_into().map_or(0, u64::from_be_bytes);
            match key.strip_prefix(of_stream.as_slice()) {
                Some(name) if name == who => own = at,
                Some(_) => others.push((at, key)),
                None => {}
            }
        }
        others.sort_unstable();
        Self { own, others }
    }

    /// Those that are furthest behind, and so were not used for longest.
    fn too_many(&self) -> impl Iterator<Item = Vec<u8>> {
        let many = self.others.len().saturating_sub(REMEMBERED_MAX);
        let old = self.others.iter().take(many);
        old.map(|(_, key)| (*key).clone())
    }
}

/// Where it stands in the store's `meta` how far a room's own events were left.
pub(crate) fn left_of(room: RoomTag) -> Vec<u8> {
    [&b"left/"[..], &room.0].concat()
}

fn mark_of(room: RoomTag, stream: Stream, server: &[u8]) -> Vec<u8> {
    [&left_of(room)[..], &stream.0.to_be_bytes(), server].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(of: &[(&[u8], Stream, u64)]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mark = |(name, stream, at): &(&[u8], Stream, u64)| {
            let key = mark_of(RoomTag([1; 16]), *stream, name);
            (key, at.to_be_bytes().to_vec())
        };
        of.iter().map(mark).collect()
    }

    #[test]
    fn what_one_server_has_says_nothing_of_another() {
        let all = marks(&[
            (b"a", Stream::CONTENT, 7),
            (b"b", Stream::CONTENT, 3),
            (b"a", Stream::MEMBERSHIP, 2),
        ]);
        let own = |who: &[u8], stream| Marks::of(&all, RoomTag([1; 16]), stream, who).own;
        assert_eq!(own(b"a", Stream::CONTENT), 7);
        assert_eq!(own(b"b", Stream::CONTENT), 3);
        assert_eq!(own(b"a", Stream::MEMBERSHIP), 2);
        assert_eq!(own(b"b", Stream::MEMBERSHIP), 0);
    }

    #[test]
    fn the_servers_that_are_furthest_behind_are_forgotten_and_the_one_in_use_is_not() {
        // One in use, as many others as are remembered, and one more.
        let names: Vec<_> = (0..).map(|n| [n]).take(REMEMBERED_MAX + 2).collect();
        let of = names
            .iter()
            .map(|n| (&n[..], Stream::CONTENT, 9 + u64::from(n[0])));
        let all = marks(&of.collect::<Vec<_>>());
        let marks = Marks::of(&all, RoomTag([1; 16]), Stream::CONTENT, &[0]);
        let gone = mark_of(RoomTag([1; 16]), Stream::CONTENT, &[1]);
        assert_eq!(marks.too_many().collect::<Vec<_>>(), [gone]);
    }
}
