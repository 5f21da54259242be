//! Rooms of this device: made, loaded, listed, left.

use std::time::Duration;

use peddlenet_crypto::{AuthorKey, EpochKeys, rendezvous::DAY};
use peddlenet_gossip::Input;
use peddlenet_peer::ServerUrl;
use peddlenet_room::{Judgement, Policy};
use peddlenet_store::{Held, Store, StoreError, StoredEvent, Write};
use peddlenet_wire::{
    AuthorId, Pass, RoomId, RoomTag, Seq, SignedEvent, SignedRecord, Stream, Timestamp,
    codec::Name,
    content::{Create, Membership, Profile, Role},
    limits,
};
use zeroize::Zeroizing;

use super::{
    Actor, Reply, Timer,
    deliver::take_record,
    direct::RoomDirects,
    kept::{prefs_of, read_prefs},
    messages::unread,
    servers::server_of,
    space::{bytes_of, read_bases},
};
use crate::{
    api::{Event, Message, Reach, RoomOptions, RoomSummary},
    clock, convert, entropy,
    error::{Error, ErrorCode},
    room::{Room, SavedRoom, carried_of, epochs_of, next_key, read_notes, said_of},
};

/// Changes to a room's line in the list are gathered that long.
const ROOMS_DELAY: Duration = Duration::from_millis(40);
/// The newest events that are read at start to count the unread (count).
pub(super) const NEWEST: usize = 500;
/// The newest events that are read where nothing is unread, for the last message (count). Each is a page of the
/// store's, and a start reads every room's.
const FEW: usize = 16;

/// A room as the store has it, ready for the engine.
pub(crate) struct LoadedRoom {
    pub(crate) room: Room,
    held: Vec<peddlenet_gossip::Held>,
    /// Logs of which nothing is left, and where they end.
    let_go: Vec<(AuthorId, Seq)>,
    /// Logs that begin later on this device, since what was before made space.
    bases: Vec<(AuthorId, Seq)>,
    records: Vec<SignedRecord>,
    last: Option<Message>,
    directs: RoomDirects,
}

/// A room as it was saved, with what the store keeps of it beside its log: later epochs' keys, what was
/// counted, the key to go on under. The inner error says why it can't be read. Blocks.
pub(crate) fn read_saved(
    store: &dyn Store,
    saved: &[u8],
) -> Result<Result<Room, String>, StoreError> {
    let saved = SavedRoom::from_bytes(saved).map_err(|e| e.to_string());
    let room = saved.and_then(|saved| Room::load(&saved).map_err(|e| e.to_string()));
    let mut room = match room {
        Ok(room) => room,
        Err(why) => return Ok(Err(why)),
    };
    for (_, bytes) in store.meta_under(&epochs_of(room.tag))? {
        room.add_saved(&bytes);
    }
    for (key, bytes) in store.meta_under(&said_of(room.tag))? {
        room.set_said(&key, &bytes);
    }
    if let Some(prefs) = store.meta(&prefs_of(room.tag))? {
        room.prefs = read_prefs(&prefs);
    }
    if let Some(server) = store.meta(&server_of(room.tag))? {
        let text = String::from_utf8(server).unwrap_or_default();
        room.server = ServerUrl::parse(&text).ok();
    }
    if let Some(count) = store.meta(&carried_of(room.tag))? {
        room.set_carried(&count);
    }
    let seed = store.meta(&next_key(room.tag))?.map(Zeroizing::new);
    if let Some(seed) = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok()) {
        room.set_next_key(AuthorKey::from_seed(seed));
    }
    Ok(Ok(room))
}

/// Reads a room from the store: replays its membership and looks up where its logs end; what the store has
/// forgotten of a log is counted anew. Blocks.
pub(crate) fn load_room(store: &mut dyn Store, mut room: Room) -> Result<LoadedRoom, Error> {
    let tag = room.tag;
    let mut held = store.held(tag)?;
    let mut membership = Vec::new();
    for log in held.iter().filter(|h| h.stream == Stream::MEMBERSHIP) {
        let mut from = Seq::FIRST;
        loop {
            let rows = store.range(
                tag,
                log.author,
                log.stream,
                from,
                log.head,
                limits::BATCH_EVENTS_MAX,
            )?;
            let Some(next) = rows.last().and_then(|row| row.key.seq.next()) else {
                break;
            };
            from = next;
            membership.extend(convert::from_rows(rows).into_iter().map(|(event, _)| event));
        }
    }
    replay(&mut room, membership);
    super::trust::load(store, &mut room, &mut held)?;
    let me = room.me();
    for log in held.iter().filter(|h| h.author == me) {
        room.resume_own(log.stream, log.head, log.head_hash);
    }
    for own in store
        .own_heads()?
        .into_iter()
        .filter(|own| own.room == tag && own.author == me)
    {
        if own.rolled_back() {
            tracing::warn!(
                ?tag,
                stream = own.stream.0,
                "the store is older than what this device has signed"
            );
        }
        room.resume_own(own.stream, own.guarded.0, own.guarded.1);
    }
    let rows = store.records(tag)?;
    let directs = RoomDirects::load(store, &mut room, &held, &rows)?;
    let records: Vec<_> = rows
        .iter()
        .filter_map(|row| SignedRecord::from_bytes(&row.bytes).ok())
        .collect();
    for record in &records {
        if record.header().author == me {
            room.observe_record(record);
        }
        take_record(&mut room, record);
    }
    let looked_at = if is_read(&room, &held) { FEW } else { NEWEST };
    let newest = store.page(tag, None, looked_at)?;
    room.unread = unread(&room, &newest);
    let mut last = last_message(&mut room, newest);
    if last.is_none() && looked_at < NEWEST {
        last = last_message(&mut room, store.page(tag, None, NEWEST)?);
    }
    if let Some(last) = &mut last {
        let notes = read_notes(store, tag, &[(last.id, last.author)])?;
        for notes in notes {
            room.dress(last, notes);
        }
    }
    room.bytes = bytes_of(&held);
    Ok(LoadedRoom {
        bases: read_bases(store, tag)?,
        room,
        held: held
            .iter()
            .filter(|log| !log.stream.is_direct())
            .map(to_engine)
            .collect(),
        records,
        let_go: held
            .iter()
            .filter(|log| log.stream == Stream::CONTENT && log.ranges.is_empty())
            .map(|log| (log.author, log.head))
            .collect(),
        last,
        directs,
    })
}

/// Applies stored membership events in the order in which they vouch for each other.
fn replay(room: &mut Room, mut events: Vec<SignedEvent>) {
    events.sort_unstable_by_key(|e| (e.header().clock, e.hash()));
    loop {
        let before = events.len();
        let mut taken = Vec::new();
        events.retain(|event| {
            room.observe(event, clock::now());
            // Its keys may stand in an event that comes later.
            let Some(opened) = room.open_membership(event) else {
                return true;
            };
            match room.roster.judge(event, &opened) {
                Judgement::Accept => {
                    room.meet(event, &opened);
                    taken.push((event.clone(), opened));
                }
                Judgement::Later => return true,
                Judgement::Reject | Judgement::Drop => {}
            }
            false
        });
        room.roster
            .apply_all(taken.iter().map(|(event, opened)| (event, opened)));
        if events.is_empty() || events.len() == before {
            return;
        }
    }
}

/// Whether this device has shown everything that it has of others.
fn is_read(room: &Room, held: &[Held]) -> bool {
    let me = room.me();
    let mut theirs = held
        .iter()
        .filter(|log| log.stream == Stream::CONTENT && log.author != me);
    theirs.all(|log| log.head <= room.seen_up_to(me, log.author))
}

pub(super) fn last_message(room: &mut Room, newest: Vec<StoredEvent>) -> Option<Message> {
    let events = convert::from_rows(newest);
    for (event, _) in &events {
        room.observe(event, clock::now());
    }
    events
        .iter()
        .find_map(|(event, hops)| room.message(event, *hops))
}

fn to_engine(held: &Held) -> peddlenet_gossip::Held {
    peddlenet_gossip::Held {
        author: held.author,
        stream: held.stream,
        ranges: held.ranges.iter().collect(),
        hash: held.head_hash,
    }
}

impl Actor {
    /// Takes a loaded room in and tells the engine what is held of it.
    pub(super) fn insert_room(&mut self, loaded: LoadedRoom) {
        let LoadedRoom {
            room,
            held,
            records,
            let_go,
            bases,
            last,
            directs,
        } = loaded;
        let tag = room.tag;
        self.by_id.insert(room.id, tag);
        self.rooms.insert(tag, room);
        self.last.insert(tag, last);
        self.feed(Input::OpenRoom {
            room: tag,
            held,
            records,
        });
        self.tell_let_go(tag, let_go);
        self.tell_let_go(tag, bases);
        self.tell_cuts(tag);
        self.trust_loaded(tag);
        self.go_on_as_moved(tag);
        self.tell_known(tag, None);
        self.open_directs(tag, directs);
    }

    pub(crate) fn create_room(&mut self, name: &str, options: &RoomOptions, reply: Reply<RoomId>) {
        let name = Name::new(name);
        if name.is_empty() {
            return drop(reply.send(Err(ErrorCode::NameEmpty.into())));
        }
        if self.rooms.len() >= limits::ROOMS_MAX {
            return drop(reply.send(Err(ErrorCode::TooManyRooms.into())));
        }
        let tag = RoomTag(entropy::bytes());
        let epoch = EpochKeys::from_seeds(entropy::bytes(), entropy::bytes());
        let create = Membership::Create(Create {
            room_name: name,
            owner_name: self.name.clone(),
            history: options.history,
            inviters: (options.inviters > Role::Member).then_some(options.inviters),
            retention_s: options.retention_s.filter(|seconds| *seconds > 0),
        });
        // The id is the hash of `create`, so it is known only once that is sealed.
        let mut room = Room::new(
            RoomId::ZERO,
            tag,
            AuthorKey::from_seed(entropy::bytes()),
            vec![epoch],
        );
        let sealed = room.seal(
            Stream::MEMBERSHIP,
            &create.to_bytes(),
            peddlenet_wire::event::sha256(&[]),
            clock::now(),
        );
        let Ok(event) = sealed else {
            return drop(reply.send(Err(ErrorCode::Internal.into())));
        };
        let mut id = RoomId::ZERO;
        id.0.copy_from_slice(&event.hash().0[..RoomId::LEN]);
        room.name_it(id);
        room.take_membership(&event, &create);
        self.save_new_room(room, &[event], move |actor, outcome| {
            let _ = reply.send(outcome.map(|()| {
                actor.settle_in(tag);
                id
            }));
        });
    }

    /// Makes a room and its first events durable in one commit, then opens it.
    pub(super) fn save_new_room(
        &mut self,
        room: Room,
        events: &[SignedEvent],
        then: impl FnOnce(&mut Self, Result<(), Error>) + Send + 'static,
    ) {
        let me = room.me();
        let mut writes: Vec<_> = events
            .iter()
            .map(|event| {
                let row = convert::to_row(event, 0);
                if event.header().author == me {
                    Write::OwnEvent(row)
                } else {
                    Write::Event(row)
                }
            })
            .collect();
        writes.push(Write::Meta {
            key: SavedRoom::key(room.tag),
            value: Some(room.saved().to_vec()),
        });
        self.disk.commit(writes, move |actor, outcome| {
            if let Err(e) = outcome {
                return then(actor, Err(e.into()));
            }
            actor.disk.update(
                move |store| Ok(load_room(store, room)),
                move |actor, loaded| {
                    let outcome = loaded
                        .map_err(Error::from)
                        .and_then(|l| l)
                        .map(|l| actor.insert_room(l));
                    then(actor, outcome);
                },
            );
        });
    }

    /// What a room that was just made or joined does first.
    pub(super) fn settle_in(&mut self, tag: RoomTag) {
        self.refresh_gates();
        self.announce(tag);
        self.offer_rooms_everywhere();
        self.room_changed(tag);
    }

    /// Says this device's name in a room; `then` runs once that is on disk, or at once without a name.
    pub(super) fn say_name(&mut self, tag: RoomTag, then: impl FnOnce() + Send + 'static) {
        if self.name.is_empty() {
            return then();
        }
        let profile = Membership::Profile(Profile {
            name: self.name.clone(),
        });
        if self.must_be_in(tag).is_err() {
            return then();
        }
        match self.seal(tag, Stream::MEMBERSHIP, &profile.to_bytes()) {
            Ok(event) => self.publish(event, |_, _| then()),
            Err(e) => tracing::error!(error = %e, "the name was not said"),
        }
    }

    /// At start: where the rooms know another name, or none since a kill came between joining and
    /// saying it.
    pub(super) fn say_new_name(&mut self) {
        let outdated = |room: &&Room| {
            let entry = room.roster.member(room.me());
            !self.name.is_empty()
                && room.is_in()
                && entry.is_some_and(|entry| entry.name != self.name)
        };
        let rooms: Vec<_> = self
            .rooms
            .values()
            .filter(outdated)
            .map(|r| r.tag)
            .collect();
        for tag in rooms {
            self.say_name(tag, || {});
        }
    }

    pub(crate) fn set_name(&mut self, name: &str, reply: Reply<()>) {
        let name = Name::new(name);
        if name.is_empty() {
            return drop(reply.send(Err(ErrorCode::NameEmpty.into())));
        }
        self.name = name;
        let value = Some(self.name.as_str().as_bytes().to_vec());
        let write = Write::Meta {
            key: crate::node::META_NAME.to_vec(),
            value,
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            if outcome.is_ok() {
                for tag in actor.rooms.keys().copied().collect::<Vec<_>>() {
                    actor.say_name(tag, || {});
                }
            }
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Says goodbye to the room, so that members wait for nobody; then forgets it, unless what was said
    /// is to stay readable here.
    pub(crate) fn leave(&mut self, id: RoomId, keep: bool, reply: Reply<()>) {
        let Ok(tag) = self.tag(id) else {
            return drop(reply.send(Err(ErrorCode::RoomUnknown.into())));
        };
        match self.say_leave(tag) {
            // The engine hands it to the links as soon as it is on disk, before they are told to close.
            Some(event) => self.publish(event, move |actor, _| match keep {
                true => drop(reply.send(Ok(()))),
                false => actor.forget_room(tag, id, reply),
            }),
            None if keep => drop(reply.send(Ok(()))),
            None => self.forget_room(tag, id, reply),
        }
    }

    fn forget_room(&mut self, tag: RoomTag, id: RoomId, reply: Reply<()>) {
        self.close_room_on_links(tag);
        self.feed(Input::CloseRoom { room: tag });
        self.forget_state(tag);
        self.by_id.remove(&id);
        self.refresh_gates();
        self.disk.drop_room(tag, move |actor, outcome| {
            actor.events.emit(Event::RoomGone(id));
            let _ = reply.send(outcome.map_err(Error::from));
        });
    }

    /// Everything that is kept in memory of a room.
    pub(super) fn forget_state(&mut self, tag: RoomTag) {
        self.rooms.remove(&tag);
        self.last.remove(&tag);
        self.reach.retain(|(room, _), _| *room != tag);
        self.dials.forget_room(tag);
        self.meetings.forget_room(tag);
        self.near.forget_room(tag);
        self.paths.remove(&tag);
        self.directs.forget_room(tag);
        self.said.remove(&tag);
        self.unreadable.forget_room(tag);
    }

    pub(crate) fn room_list(&self) -> Vec<RoomSummary> {
        self.rooms.values().map(|room| self.summary(room)).collect()
    }

    fn summary(&self, room: &Room) -> RoomSummary {
        let near =
            |author: &AuthorId| *author != room.me() && self.reach_of(room, *author) != Reach::Away;
        RoomSummary {
            room: room.id,
            name: room.roster.room_name().as_str().to_owned(),
            members: room.roster.len(),
            near: room.roster.members().filter(near).count(),
            unread: room.unread,
            direct_unread: self.directs.unread_in(room),
            last: self.last.get(&room.tag).cloned().flatten(),
            removed: !room.is_in(),
            left: room
                .roster
                .gone(room.me())
                .is_some_and(|gone| gone.left(room.me())),
            role: room.role(),
            prefs: room.prefs,
            closed: room.roster.is_closed(),
            backup: room.roster.is_backed_up(),
            pass_until: room.roster.pass().map(|pass| end_of(&pass)),
            rules: rules_of(room),
        }
    }

    /// A room's line in the list changed. Told a moment later, once for whatever happens till then.
    pub(super) fn room_changed(&mut self, tag: RoomTag) {
        if self.changed.insert(tag) && self.changed.len() == 1 {
            self.arm(Timer::Rooms, clock::now().after(ROOMS_DELAY));
        }
    }

    pub(super) fn tell_rooms(&mut self) {
        for tag in std::mem::take(&mut self.changed) {
            if let Some(summary) = self.rooms.get(&tag).map(|room| self.summary(room)) {
                self.events.emit(Event::Room(summary));
            }
        }
    }
}

/// What a room was made with; what most are made with before its `create` is here.
fn rules_of(room: &Room) -> RoomOptions {
    let rules = |policy: Policy| RoomOptions {
        history: policy.history,
        inviters: policy.inviters,
        retention_s: policy.retention_s,
    };
    room.roster.policy().map(rules).unwrap_or_default()
}

/// When the last day of a pass ends.
fn end_of(pass: &Pass) -> Timestamp {
    let last = pass.days().last().unwrap_or(pass.first_day);
    let day = u64::try_from(DAY.as_millis()).unwrap_or(u64::MAX);
    Timestamp(u64::from(last).saturating_add(1).saturating_mul(day))
}
