//! How fast one author's events are taken when nobody asked for them.
//!
//! A relay may push [`CHECKS_A_SECOND`](limits::CHECKS_A_SECOND) events over a link. If one member floods
//! the room with valid events and everybody passes all of them on, that is used up on every link, and
//! what others say is let go with it. So each device takes an author's events at a bounded pace only:
//!
//! ```text
//!  the author is over its pace                 let go
//!  what comes before was let go, and the       let go: a hole in what is passed on sends others to
//!  author has used much of its pace            ask for what is not here
//!  the link has few checks left, and the       let go: those are for authors who say little
//!  author has used much of its pace
//!  the link has none left                      let go
//! ```
//!
//! What is let go is asked for afterwards, and does not count against an honest relay. The pace
//! is charged for what was checked and accepted: forged events don't use up anybody's.

use std::collections::BTreeMap;

use peddlenet_wire::{AuthorId, RoomTag, Timestamp};

use crate::{
    api::{PeerId, Why},
    engine::Engine,
    limits,
    links::Bucket,
};

/// The authors of a room who said something of late.
#[derive(Debug, Default)]
pub(crate) struct Paces(BTreeMap<AuthorId, Bucket>);

impl Paces {
    /// Whether an author may say so many more now.
    fn has(&mut self, author: AuthorId, many: u32, now: Timestamp) -> bool {
        self.0.get_mut(&author).is_none_or(|b| b.has(many, now))
    }

    fn take(&mut self, author: AuthorId, now: Timestamp) {
        if !self.0.contains_key(&author) && self.0.len() >= limits::PACES_MAX {
            // Whoever has all its pace again is as good as unknown.
            self.0.retain(|_, b| !b.has(limits::AUTHOR_AT_ONCE, now));
            while self.0.len() >= limits::PACES_MAX {
                self.0.pop_first();
            }
        }
        let (a_second, at_once) = (limits::AUTHOR_A_SECOND, limits::AUTHOR_AT_ONCE);
        let new = || Bucket::with_burst(a_second, at_once, now);
        self.0.entry(author).or_insert_with(new).take(now);
    }
}

impl Engine {
    /// Whether one more unasked event of an author is taken over a link; `follows` says whether
    /// the one before it in its log is here.
    pub(crate) fn in_pace(
        &mut self,
        from: PeerId,
        tag: RoomTag,
        (author, follows): (AuthorId, bool),
        now: Timestamp,
    ) -> bool {
        let (Some(room), Some(link)) = (self.rooms.get_mut(&tag), self.links.get_mut(&from)) else {
            return false;
        };
        let itself = link.rooms.get(&tag).is_some_and(|s| s.author == author);
        let half = limits::AUTHOR_AT_ONCE / 2;
        let is_calm = room.paces.has(author, half, now);
        let keep = if is_calm { 0 } else { limits::CHECKS_KEPT };
        let in_pace = is_calm || (follows && room.paces.has(author, 1, now));
        let has_checks = link.checks.has(keep.saturating_add(1), now);
        if in_pace && has_checks {
            return link.checks.take(now);
        }
        // A relay that passes on what it took in good faith is not to blame for its author.
        if itself || !link.checks.has(1, now) {
            self.blame(from, Why::OverQuota, now);
        }
        false
    }

    /// Whether this device pushes one more of its own events: no faster than others take them, since what
    /// they let go was sent for nothing and holds up what comes after it on the link.
    pub(crate) fn may_push(&mut self, tag: RoomTag, own: AuthorId, now: Timestamp) -> bool {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return false;
        };
        let may = room.paces.has(own, 1, now);
        if may {
            room.paces.take(own, now);
        }
        may
    }

    /// An author's event that nobody asked for was accepted.
    pub(crate) fn count_pace(&mut self, tag: RoomTag, author: AuthorId, now: Timestamp) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.paces.take(author, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_a_pace_and_the_paces_of_many_are_bounded() {
        let (mut paces, now) = (Paces::default(), Timestamp(1_000_000));
        let author = |n: u32| {
            let mut id = AuthorId([7; 32]);
            id.0[..4].copy_from_slice(&n.to_be_bytes());
            id
        };
        for _ in 0..limits::AUTHOR_AT_ONCE {
            assert!(paces.has(author(0), 1, now));
            paces.take(author(0), now);
        }
        assert!(!paces.has(author(0), 1, now) && paces.has(author(1), 1, now));
        assert!(paces.has(
            author(0),
            limits::AUTHOR_A_SECOND,
            now.after(std::time::Duration::from_secs(1))
        ));
        for n in 1..5_000 {
            paces.take(author(n), now);
        }
        assert!(paces.0.len() <= limits::PACES_MAX);
    }
}
