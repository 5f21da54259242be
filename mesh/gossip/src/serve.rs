//! Answering the wants of neighbours, from the store, within bounds.
//!
//! A want of 60 bytes can ask for megabytes, so each is clamped in events and bytes, few are read
//! at a time, and the rest waits in a short queue. The neighbour asks again for what was cut off.

use std::collections::VecDeque;

use peddlenet_wire::{
    Capped, Frame, RoomTag, SignedEvent, Timestamp,
    frame::{Batch, Place, Want, Wanted},
    limits::{BATCH_EVENTS_MAX, BATCH_FILL},
};

use crate::{
    api::{Lane, PeerId, Query, Why},
    engine::{Asked, Engine, count},
    limits,
};

/// Encoding around an event's header, signature and body.
const EVENT_OVERHEAD: usize = 80;

/// A want that is being answered.
#[derive(Debug)]
pub(crate) struct Serve {
    peer: PeerId,
    room: RoomTag,
    id: u32,
    /// What is left of it.
    what: Wanted,
    /// And after that.
    then: VecDeque<Wanted>,
    /// Read and not sent yet.
    filled: Vec<SignedEvent>,
    events_left: usize,
    bytes_left: usize,
}

impl Engine {
    pub(crate) fn on_want(&mut self, from: PeerId, want: Want, now: Timestamp) {
        if !self.links.get_mut(&from).is_some_and(|l| l.wants.take(now)) {
            return self.blame(from, Why::OverQuota, now);
        }
        if let Wanted::Range {
            from: first, to, ..
        } = want.what
            && first > to
        {
            return self.blame(from, Why::Nonsense, now);
        }
        let tag = want.room;
        let Some(side) = self.side(from, tag) else {
            return;
        };
        if side.serves.len() >= limits::SERVES_QUEUED {
            return self.blame(from, Why::TooManyWants, now);
        }
        side.serves.push_back(want);
        self.serve_next(from, tag);
    }

    fn serve_next(&mut self, peer: PeerId, tag: RoomTag) {
        while let Some(side) = self.side(peer, tag)
            && side.serving < limits::SERVES_ACTIVE
            && let Some(want) = side.serves.pop_front()
        {
            side.serving = side.serving.saturating_add(1);
            let asked = match want.what {
                Wanted::Range { from, to, .. } => {
                    usize::try_from(to.0.saturating_sub(from.0).saturating_add(1))
                        .unwrap_or(usize::MAX)
                        // Room for both branches of a fork.
                        .saturating_add(limits::FORKS_MAX)
                }
                Wanted::Page { limit, .. } => usize::from(limit),
            };
            self.read(Serve {
                peer,
                room: tag,
                id: want.id,
                what: want.what,
                then: VecDeque::new(),
                filled: Vec::new(),
                events_left: asked.min(BATCH_EVENTS_MAX),
                bytes_left: limits::SERVE_BYTES,
            });
        }
    }

    /// Answers several wants as one; the caller has seen that a place for it is free.
    pub(crate) fn serve_all(
        &mut self,
        peer: PeerId,
        room: RoomTag,
        id: u32,
        mut wants: VecDeque<Wanted>,
    ) {
        let (Some(what), Some(side)) = (wants.pop_front(), self.side(peer, room)) else {
            return;
        };
        side.serving = side.serving.saturating_add(1);
        self.read(Serve {
            peer,
            room,
            id,
            what,
            then: wants,
            filled: Vec::new(),
            events_left: BATCH_EVENTS_MAX,
            bytes_left: limits::SERVE_BYTES,
        });
    }

    fn read(&mut self, serve: Serve) {
        let (room, limit) = (serve.room, serve.events_left);
        let what = match serve.what {
            Wanted::Range {
                author,
                stream,
                from,
                to,
            } => Query::Range {
                room,
                author,
                stream,
                from,
                to,
                limit,
            },
            Wanted::Page { before, .. } => Query::Page {
                room,
                before,
                limit,
            },
        };
        self.load(Asked::Serve(Box::new(serve)), what);
    }

    pub(crate) fn on_serve_loaded(
        &mut self,
        mut serve: Serve,
        events: Vec<(SignedEvent, u8)>,
        more: bool,
    ) {
        let (peer, room, id) = (serve.peer, serve.room, serve.id);
        if self.side(peer, room).is_none() {
            return;
        }
        let loaded = events.len();
        let mut batches: VecDeque<Vec<SignedEvent>> = VecDeque::new();
        let mut batch = std::mem::take(&mut serve.filled);
        let mut filled = batch.iter().map(size).fold(0, usize::saturating_add);
        let mut rest = None;
        for (event, _) in events.into_iter().take(serve.events_left) {
            let size = size(&event);
            rest = after(&serve.what, &event);
            if size > serve.bytes_left && loaded > 0 && (filled > 0 || !batches.is_empty()) {
                serve.bytes_left = 0;
                break;
            }
            serve.bytes_left = serve.bytes_left.saturating_sub(size);
            serve.events_left = serve.events_left.saturating_sub(1);
            if filled > 0 && filled.saturating_add(size) > BATCH_FILL {
                batches.push_back(std::mem::take(&mut batch));
                filled = 0;
            }
            filled = filled.saturating_add(size);
            batch.push(event);
        }
        let has_space = serve.events_left > 0 && serve.bytes_left > 0;
        let mut rest = rest.filter(|_| more && has_space);
        let next = match rest {
            None if has_space => serve.then.pop_front(),
            _ => None,
        };
        // Many short stretches fill one frame together.
        match next.is_some() {
            true => serve.filled = batch,
            false => batches.push_back(batch),
        }
        rest = rest.or(next);
        while let Some(events) = batches.pop_front() {
            let done = batches.is_empty() && rest.is_none();
            let events = Capped::take_from(&mut events.into_iter());
            let frame = Frame::Batch(Batch {
                room,
                id,
                events,
                done,
            });
            self.send(peer, frame, Lane::Bulk);
        }
        if let Some(what) = rest {
            serve.what = what;
            return self.read(serve);
        }
        count(&mut self.stats.served);
        if let Some(side) = self.side(peer, room) {
            side.serving = side.serving.saturating_sub(1);
        }
        self.serve_next(peer, room);
    }
}

/// What remains of a want once this event was sent.
fn after(what: &Wanted, last: &SignedEvent) -> Option<Wanted> {
    let header = last.header();
    match *what {
        Wanted::Range {
            author, stream, to, ..
        } => {
            let from = header.seq.next().filter(|&next| next <= to)?;
            Some(Wanted::Range {
                author,
                stream,
                from,
                to,
            })
        }
        Wanted::Page { limit, .. } => {
            let before = Some(Place {
                clock: header.clock,
                hash: last.hash(),
            });
            Some(Wanted::Page { before, limit })
        }
    }
}

fn size(event: &SignedEvent) -> usize {
    event
        .header_bytes()
        .len()
        .saturating_add(event.body().map_or(0, <[u8]>::len))
        .saturating_add(EVENT_OVERHEAD)
}
