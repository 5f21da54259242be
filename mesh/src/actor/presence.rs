//! Signs of life, given and heard, and how each link does.

use std::time::{Duration, Instant};

use peddlenet_crypto::sign_beacon;
use peddlenet_gossip::{Input, PeerId, beacon_period};
use peddlenet_wire::{AuthorId, RoomTag};

use super::Actor;
use crate::clock;

/// Added to two periods, before a member that was heard through others counts as away.
const GRACE: Duration = Duration::from_secs(15);

/// How long a sign of life stands for its author being near, in a room of that size.
pub(super) fn reachable_for(members: usize) -> Duration {
    beacon_period(members)
        .saturating_mul(2)
        .saturating_add(GRACE)
}

/// Within this a member whose link broke gives a sign of life that others pass on, if it is still there.
pub(super) fn soon_heard(members: usize) -> Duration {
    beacon_period(members).saturating_add(GRACE / 3)
}

/// What may wait for its acknowledgement on a link that has room for more (bytes): a few signs of life and
/// records that were said in one breath.
const SMALL_TALK: u64 = 4 << 10;

/// What a link did up to the last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    at: Instant,
    delivered: u64,
    waiting: bool,
    /// Bytes a second while there was more to send than went out; 0 while that never happened.
    rate: u64,
}

impl Actor {
    /// [`Action::Beacon`](peddlenet_gossip::Action::Beacon).
    pub(super) fn give_beacon(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let (clock, seq) = room.next_beacon(clock::now());
        let beacon = sign_beacon(tag, clock, seq, room.key());
        self.feed(Input::Beacon { room: tag, beacon });
    }

    /// A link to that member is gone.
    pub(super) fn lost_touch(&mut self, tag: RoomTag, author: AuthorId) {
        if self.linked_to(tag, author) {
            return;
        }
        if let Some(room) = self.rooms.get_mut(&tag) {
            let members = room.roster.len();
            room.lost_touch(
                author,
                clock::now(),
                reachable_for(members),
                soon_heard(members),
            );
        }
    }

    /// [`Action::Heard`](peddlenet_gossip::Action::Heard).
    pub(super) fn on_heard(&mut self, tag: RoomTag, author: AuthorId, hops: u8) {
        if let Some(room) = self.rooms.get_mut(&tag)
            && author != room.me()
        {
            room.hear_beacon(author, hops, clock::now());
            self.refresh_reach(tag, author);
        }
    }

    /// Tells the engine of every link that is in use, about once a second.
    pub(super) fn tell_loads(&mut self) {
        let links = self
            .links
            .iter_mut()
            .filter(|(_, l)| l.rooms.values().any(|o| o.author().is_some()));
        let loads: Vec<(PeerId, u32, u64, u64)> = links
            .map(|(peer, link)| {
                let load = link.sender.load();
                let rtt = link.sender.srtt().unwrap_or_default();
                let rate = pace(&mut link.pace, &load);
                let in_flight = rate
                    .saturating_mul(u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX))
                    / 1_000_000;
                let rtt_ms = u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX);
                // What is on its way anyhow is no queue.
                (
                    *peer,
                    rtt_ms,
                    load.live_bytes.saturating_sub(in_flight),
                    rate,
                )
            })
            .collect();
        for (peer, rtt_ms, queued_bytes, bytes_per_s) in loads {
            self.feed(Input::Load {
                peer,
                rtt_ms,
                queued_bytes,
                bytes_per_s,
            });
        }
    }
}

/// Bytes a second that a link carries when it is made to. Learned only while many bytes wait all the time:
/// at other times what goes out says how little there was to say.
fn pace(pace: &mut Option<Pace>, load: &peddlenet_peer::LinkLoad) -> u64 {
    let at = Instant::now();
    let waiting = load.waiting_bytes > SMALL_TALK;
    let mut rate = 0;
    if let Some(before) = pace {
        rate = before.rate;
        let ms = at.duration_since(before.at).as_millis();
        if before.waiting && waiting && ms > 0 {
            let bytes = u128::from(load.delivered_bytes.saturating_sub(before.delivered));
            rate = u64::try_from(bytes * 1000 / ms).unwrap_or(u64::MAX);
        }
    }
    *pace = Some(Pace {
        at,
        delivered: load.delivered_bytes,
        waiting,
        rate,
    });
    rate
}
