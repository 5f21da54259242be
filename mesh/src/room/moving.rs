//! Going on under a new key: who asks for it, and when this device may.
//!
//! See [`actor::moving`](crate::actor) for the walk through.

use peddlenet_crypto::{AuthorKey, move_consent, verify_move};
use peddlenet_wire::{
    AuthorId, RoomTag, Seq, codec,
    content::Membership,
    limits,
    power::{Cut, Move, Moving},
};
use zeroize::Zeroizing;

use super::Room;

/// Keys of one device, one after the other, that are taken for its own (count).
const MOVES_FOLLOWED: usize = 8;

/// Where the key stands in the store's `meta` under which this device asks to go on in a room.
pub(crate) fn next_key(tag: RoomTag) -> Vec<u8> {
    [&b"next-key/"[..], &tag.0].concat()
}

impl Room {
    /// Takes the key that was saved by [`next_key`].
    pub(crate) fn set_next_key(&mut self, key: AuthorKey) {
        self.next_key = Some(key);
    }

    /// The key under which this device asked to go on.
    pub(crate) fn next_key(&self) -> Option<&AuthorKey> {
        self.next_key.as_ref()
    }

    /// What this device tells the others once it has a next key.
    pub(crate) fn own_moving(&self) -> Option<Moving> {
        let next = self.next_key.as_ref()?;
        Some(Moving {
            to: next.id(),
            consent: move_consent(&self.key, self.id, next.id()),
        })
    }

    /// The room as it is saved under the next key; `None` until the others were told that the old one
    /// ended and this one goes on.
    pub(crate) fn saved_moved(&self) -> Option<Zeroizing<Vec<u8>>> {
        let next = self.next_key.as_ref()?;
        let moved = self.roster.gone(self.me())?.moved;
        (moved == Some(next.id())).then(|| self.saved_with(next))
    }

    /// Notes that a member asks to go on under a new key. True when that is news.
    pub(crate) fn note_moving(&mut self, author: AuthorId, body: &[u8]) -> bool {
        let Ok(moving) = codec::from_slice::<Moving>("moving", body, limits::RECORD_MAX) else {
            return false;
        };
        let consents = verify_move(author, self.id, moving.to, &moving.consent).is_ok();
        consents && self.moving.insert(author, moving.clone()) != Some(moving)
    }

    /// Whether somebody is this device, now or under a key that it moved on from.
    pub(crate) fn is_mine(&self, author: AuthorId) -> bool {
        let mut at = author;
        for _ in 0..MOVES_FOLLOWED {
            if at == self.me() {
                return true;
            }
            match self.roster.gone(at).and_then(|gone| gone.moved) {
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }

    /// Whether a member asks to go on under a new key.
    pub(crate) fn is_moving(&self, author: AuthorId) -> bool {
        let asked = self.moving.contains_key(&author) && self.roster.is_member(author);
        asked || (author == self.me() && self.next_key.is_some())
    }

    /// The act that lets a member go on; `None` where it did not ask.
    pub(crate) fn confirmation(&self, author: AuthorId, mut cut: Cut) -> Option<Membership> {
        let own = (author == self.me()).then(|| self.own_moving()).flatten();
        let moving = own.or_else(|| self.moving.get(&author).cloned())?;
        if author == self.me() {
            // The act itself counts, too.
            cut.membership = cut.membership.next().unwrap_or(Seq(u64::MAX));
        }
        Some(Membership::Move(Move {
            from: author,
            to: moving.to,
            consent: moving.consent,
            cut,
        }))
    }
}
