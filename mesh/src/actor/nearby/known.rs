//! Whose a tag is, and whose a mark beside it.
//!
//! Tags are looked up in a table. Marks take a hash for each member of the room, so each tag's are
//! computed once and kept; somebody who repeats old tags makes this device compute no more than
//! [`TABLES_A_SECOND`].

use std::collections::BTreeMap;

use peddlenet_crypto::{DiscoveryKey, DiscoveryTag, DiscoveryTags, Mark};
use peddlenet_wire::{AuthorId, EpochId, InviteKey, RoomTag, Timestamp, near::Entry};
use tokio::sync::mpsc;

use crate::{
    actor::{Found, rate::Rate},
    clock,
    room::Room,
};

/// Tags whose marks are kept (count).
const TABLES_MAX: usize = 64;
/// Tables that are computed a second (count), each a hash for every member.
const TABLES_A_SECOND: usize = 20;

/// What a tag stands for.
#[derive(Debug, Clone, Copy)]
enum Name {
    Members(RoomTag, EpochId),
    Join(InviteKey),
}

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A member of a room, and the newest epoch of which it has the keys.
    Member {
        room: RoomTag,
        epoch: EpochId,
        author: AuthorId,
    },
    /// Somebody with a room's newest keys whom this device doesn't know.
    Newcomer { room: RoomTag, epoch: EpochId },
    /// A device that answers a code that was scanned here.
    Join(InviteKey),
}

/// The keys by which entries are read, and what was read with them.
pub(super) struct Keys {
    tags: Option<DiscoveryTags<Name>>,
    marks: BTreeMap<DiscoveryTag, BTreeMap<Mark, AuthorId>>,
    computed: Rate,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            tags: None,
            marks: BTreeMap::new(),
            computed: Rate::new(TABLES_A_SECOND),
        }
    }
}

impl Keys {
    /// Rooms, members or codes changed: all is made anew when it is needed next.
    pub(super) fn forget(&mut self) {
        self.tags = None;
        self.marks.clear();
    }

    pub(super) fn refresh(
        &mut self,
        rooms: &BTreeMap<RoomTag, Room>,
        joins: &[(InviteKey, mpsc::Sender<Found>)],
        now: Timestamp,
    ) {
        if let Some(tags) = &mut self.tags {
            return tags.advance(now);
        }
        let joins = joins
            .iter()
            .map(|(key, _)| (Name::Join(*key), DiscoveryKey::of_invite(key)));
        // The newest of every room, then the second newest of every room, and so on.
        let mut members: Vec<_> = rooms
            .values()
            .flat_map(|room| {
                let keys = room.ring.newest_first().into_iter().enumerate();
                keys.map(|(age, keys)| {
                    let name = Name::Members(room.tag, keys.id());
                    (age, name, DiscoveryKey::of_members(keys))
                })
            })
            .collect();
        members.sort_by_key(|(age, ..)| *age);
        let members = members.into_iter().map(|(_, name, key)| (name, key));
        self.tags = Some(DiscoveryTags::new(joins.chain(members), now));
    }

    pub(super) fn whose(
        &mut self,
        entry: &Entry,
        rooms: &BTreeMap<RoomTag, Room>,
    ) -> Option<Whose> {
        let (name, key, slot) = self.tags.as_ref()?.recognise(entry.tag)?;
        let (tag, epoch) = match name {
            Name::Join(invite) => return Some(Whose::Join(invite)),
            Name::Members(tag, epoch) => (tag, epoch),
        };
        let room = rooms.get(&tag)?;
        if !self.marks.contains_key(&entry.tag) {
            if !self.computed.allows(clock::now()) {
                return None;
            }
            if self.marks.len() >= TABLES_MAX {
                self.marks.clear();
            }
            let everyone = room.roster.members().chain([room.me()]);
            let marks = everyone.map(|author| (key.mark(slot, author), author));
            self.marks.insert(entry.tag, marks.collect());
        }
        match self.marks.get(&entry.tag)?.get(&entry.mark) {
            Some(author) if *author == room.me() => None,
            Some(author) => Some(Whose::Member {
                room: tag,
                epoch,
                author: *author,
            }),
            // Under older keys it may be somebody who was removed.
            None => {
                let newest = room.newest_epoch().is_ok_and(|keys| keys.id() == epoch);
                newest.then_some(Whose::Newcomer { room: tag, epoch })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use peddlenet_crypto::{EpochKeys, Slot};

    use super::*;
    use crate::room::made::{TAG, ada_and_bea, epoch};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// Bea's view of a room that Ada made.
    fn rooms() -> (BTreeMap<RoomTag, Room>, AuthorId) {
        let (ada, bea) = ada_and_bea();
        (BTreeMap::from([(TAG, bea)]), ada.me())
    }

    fn entry(epoch: &EpochKeys, author: AuthorId) -> Entry {
        let key = DiscoveryKey::of_members(epoch);
        Entry {
            tag: key.tag(NOW),
            mark: key.mark(Slot::at(NOW), author),
        }
    }

    #[test]
    fn a_member_is_known_by_tag_and_mark_and_a_stranger_by_nothing() {
        let (rooms, ada) = rooms();
        let mut keys = Keys::default();
        keys.refresh(&rooms, &[], NOW);
        let member = keys.whose(&entry(&epoch(), ada), &rooms);
        let epoch_id = epoch().id();
        let expected = Whose::Member {
            room: TAG,
            epoch: epoch_id,
            author: ada,
        };
        assert_eq!(member, Some(expected));
        let newcomer = keys.whose(&entry(&epoch(), AuthorId([5; 32])), &rooms);
        assert_eq!(
            newcomer,
            Some(Whose::Newcomer {
                room: TAG,
                epoch: epoch_id
            })
        );
        assert_eq!(
            keys.whose(
                &entry(&EpochKeys::from_seeds([7; 32], [7; 32]), ada),
                &rooms
            ),
            None
        );
        let me = rooms[&TAG].me();
        assert_eq!(keys.whose(&entry(&epoch(), me), &rooms), None);
    }

    #[test]
    fn a_code_that_was_scanned_is_known_while_somebody_waits() {
        let invite = InviteKey([4; 32]);
        let (to, _devices) = mpsc::channel(1);
        let key = DiscoveryKey::of_invite(&invite);
        let said = Entry {
            tag: key.tag(NOW),
            mark: Mark([0; 4]),
        };
        let mut keys = Keys::default();
        keys.refresh(&BTreeMap::new(), &[], NOW);
        assert_eq!(keys.whose(&said, &BTreeMap::new()), None);
        keys.forget();
        keys.refresh(&BTreeMap::new(), &[(invite, to)], NOW);
        assert_eq!(
            keys.whose(&said, &BTreeMap::new()),
            Some(Whose::Join(invite))
        );
    }

    #[test]
    fn old_tags_that_are_repeated_cost_a_bounded_number_of_hashes() {
        let mut keys = Keys::default();
        let granted = (0..1000).filter(|_| keys.computed.allows(NOW)).count();
        assert_eq!(granted, TABLES_A_SECOND);
        assert!(keys.computed.allows(Timestamp(NOW.0 + 1_000)));
    }
}
