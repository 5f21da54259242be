//! Letting go of what a room no longer keeps.
//!
//! ```text
//!  every 2 s: has the moment moved on?  --Store::forget, in steps--> gone from the disk
//!                                                |
//!                  engine: neither held nor asked for <--+--> Event::LetGo, unread, the list of rooms
//! ```
//!
//! What comes in from a neighbour that has not let go yet is dropped by its clock before it costs a
//! check. Own messages that nobody got are gone, too: the room says how long they count.

use std::collections::BTreeMap;

use peddlenet_gossip::Input;
use peddlenet_store::{Store, limits::SWEEP};
use peddlenet_wire::{AuthorId, Hlc, RoomTag, Seq, Stream, Timestamp};

use super::Actor;
use crate::{api::Event, clock};

/// The last place that was let go, of each author.
pub(super) type Gone = BTreeMap<AuthorId, Seq>;

/// More places were let go.
pub(super) fn went(gone: &mut Gone, places: &[(AuthorId, Seq)]) {
    for &(author, seq) in places {
        let last = gone.entry(author).or_insert(seq);
        *last = seq.max(*last);
    }
}

impl Actor {
    pub(super) fn messages_grow_old(&mut self) {
        let now = clock::now();
        let mut due = Vec::new();
        for (tag, room) in &mut self.rooms {
            if let Some(before) = room.cutoff(now).filter(|before| *before > room.let_go) {
                room.let_go = before;
                due.push((*tag, before));
            }
        }
        for (tag, before) in due {
            self.forget_step(tag, before, Gone::new());
        }
    }

    /// Deletes some, and goes on until nothing is left.
    fn forget_step(&mut self, tag: RoomTag, before: Timestamp, mut gone: Gone) {
        let forget = move |store: &mut dyn Store| store.forget(tag, Hlc::at(before));
        self.disk.update(forget, move |actor, outcome| {
            let places = match outcome {
                Ok(places) => places,
                Err(e) => {
                    tracing::error!(error = %e, "old messages were not deleted; they are next time");
                    Vec::new()
                }
            };
            went(&mut gone, &places);
            if places.len() >= SWEEP {
                actor.forget_step(tag, before, gone);
            } else {
                actor.forgotten(tag, before, gone);
            }
        });
    }

    fn forgotten(&mut self, tag: RoomTag, before: Timestamp, gone: Gone) {
        if gone.is_empty() {
            return;
        }
        self.tell_let_go(tag, gone);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.forget_tips(before);
        let id = room.id;
        self.events.emit(Event::LetGo { room: id, before });
        self.refresh_shown(tag, || {});
    }

    /// Logs of a room up to these places are neither held nor asked for any more.
    pub(super) fn tell_let_go(
        &mut self,
        tag: RoomTag,
        gone: impl IntoIterator<Item = (AuthorId, Seq)>,
    ) {
        for (author, last) in gone {
            self.feed(Input::LetGo {
                room: tag,
                author,
                stream: Stream::CONTENT,
                last,
            });
        }
    }
}
