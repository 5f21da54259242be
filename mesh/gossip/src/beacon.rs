//! Signs of life: who is there, and the trees kept warm by saying so.
//!
//! Each member signs a beacon now and then: every 30 s in rooms of up to 44 members, in larger ones so
//! rarely that all of them together cost a node about 200 B/s. A beacon takes its author's tree like an
//! event, and makes it: whoever is silent can be reached, too (see `route`). It names the end of
//! its author's log, so that a lost last message is missed.
//!
//! The tree of somebody away leads to where it was, and nothing shows where it breaks meanwhile. The
//! first beacon after a return goes over every link therefore, as far as [`limits::RETURNS_A_SECOND`]
//! goes, and makes the tree anew: of a thousand members, 324 did not hear of a return without it.

use std::{collections::BTreeMap, time::Duration};

use peddlenet_wire::{
    AuthorId, Frame, Hlc, RoomTag, Seq, Stream, Timestamp,
    tree::{Beacon, SignedBeacon},
};

use crate::{
    api::{Action, Item, Lane, PeerId, Ticket, Verdict, Why},
    cast::Copy,
    engine::{Due, Engine, Flight, count},
    graft::Grafts,
    limits,
    links::Bucket,
    recent::elapsed,
    room::spread,
};

/// A beacon between its arrival and the answer to its check.
#[derive(Debug)]
pub(crate) struct ArrivingBeacon {
    signed: SignedBeacon,
    hops: u8,
    copies: Vec<Copy>,
    /// One of the copies said so.
    returned: bool,
}

/// The beacons of one room.
#[derive(Debug, Default)]
pub(crate) struct Beacons {
    /// The newest of each author, by its clock, and when it came.
    newest: BTreeMap<AuthorId, (Hlc, Timestamp)>,
    checking: BTreeMap<AuthorId, (Hlc, Ticket)>,
    /// The timer that counts; older ones are void.
    round: u64,
    /// When the own one was asked for.
    asked: Option<Timestamp>,
    /// Since when no link serves the room, if it did before or there is something on disk.
    pub(crate) away_since: Option<Timestamp>,
    /// The next own one is the first after a return.
    returning: bool,
    /// Others' that may still go over every link.
    returns: Option<Bucket>,
}

/// A beacon on its way through this device.
#[derive(Clone, Copy)]
struct Passing<'a> {
    signed: &'a SignedBeacon,
    hops: u8,
    /// Who gave it; nobody: it is this device's own.
    copies: &'a [Copy],
    /// Over every link, not the tree alone.
    everywhere: bool,
}

/// How often each member of a room of that size gives a sign of life.
pub fn beacon_period(members: usize) -> Duration {
    let share = u64::try_from(members)
        .unwrap_or(u64::MAX)
        .saturating_mul(limits::BEACON_MS_A_MEMBER);
    limits::BEACON_EVERY.max(Duration::from_millis(share))
}

impl Beacons {
    /// Whether a beacon whose author says to be back goes over every link; counts it. Nobody returns
    /// more often than members say that they are there.
    fn may_go_everywhere(&mut self, before: Option<(Hlc, Timestamp)>, now: Timestamp) -> bool {
        let rare = before.is_none_or(|(_, at)| elapsed(at, now, limits::BEACON_EVERY));
        let bucket = self.returns.get_or_insert_with(|| {
            Bucket::with_burst(limits::RETURNS_A_SECOND, limits::RETURNS_AT_ONCE, now)
        });
        rare && bucket.take(now)
    }
}

impl Engine {
    /// A room begins to run over its first link: a device that was away, or is in a small room, says
    /// so soon, others in their turn.
    pub(crate) fn begin_beacons(&mut self, tag: RoomTag, now: Timestamp) {
        let members = self.members(tag);
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let away = room.beacons.away_since.take();
        let returned = away.is_some_and(|at| elapsed(at, now, limits::AWAY_AFTER));
        room.beacons.returning |= returned;
        let recent = room
            .beacons
            .asked
            .is_some_and(|at| !elapsed(at, now, limits::BEACON_EVERY));
        let soon = (returned || members <= limits::BEACON_SMALL_ROOM) && !recent;
        let within = match soon {
            true => limits::BEACON_SOON_A_MEMBER
                .saturating_mul(u32::try_from(members).unwrap_or(u32::MAX)),
            false => beacon_period(members),
        };
        self.arm_beacon(tag, Duration::ZERO, within, now);
    }

    fn arm_beacon(&mut self, tag: RoomTag, least: Duration, jitter: Duration, now: Timestamp) {
        let salt = self.config.salt;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.beacons.round = room.beacons.round.wrapping_add(1);
        let round = room.beacons.round;
        let most = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
        let more = spread(salt, tag, !round).checked_rem(most).unwrap_or(0);
        let at = now.after(least).after(Duration::from_millis(more));
        self.arm(Due::Beacon(tag, round), at);
    }

    pub(crate) fn on_beacon_due(&mut self, tag: RoomTag, round: u64, now: Timestamp) {
        let period = beacon_period(self.members(tag));
        let linked = !self.neighbours(tag).is_empty();
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        // Without a link nobody hears it; the next link begins anew.
        if room.beacons.round != round || !linked {
            return;
        }
        room.beacons.asked = Some(now);
        self.out.push(Action::Beacon { room: tag });
        // A tenth earlier or later, so that a crowd doesn't speak in step.
        let tenth = period.checked_div(10).unwrap_or_default();
        self.arm_beacon(
            tag,
            period.saturating_sub(tenth),
            tenth.saturating_mul(2),
            now,
        );
        self.mend_silent(tag, round, period, now);
    }

    /// Beacons are not announced beside the tree. Of whom nothing came for more than two periods, the
    /// tree may be broken where no event ever shows it: another neighbour is asked, a few authors at a
    /// time, each in its turn; half of the turns are for those who fell silent of late.
    fn mend_silent(&mut self, tag: RoomTag, round: u64, period: Duration, now: Timestamp) {
        let neighbours = self.neighbours(tag);
        let Some(room) = self.rooms.get(&tag).filter(|_| self.config.controls.lazy) else {
            return;
        };
        let silent_for = |from: u32, to: u32| -> Vec<AuthorId> {
            let span = period.saturating_mul(from)..period.saturating_mul(to);
            let all = room.beacons.newest.iter();
            let silent = all.filter(|(_, (_, at))| span.contains(&now.since(*at)));
            let authors: Vec<AuthorId> = silent.map(|(&author, _)| author).collect();
            let half = limits::MENDED / 2;
            let turn = usize::try_from(round).unwrap_or(0).wrapping_mul(half);
            let first = turn.checked_rem(authors.len()).unwrap_or(0);
            let some = half.min(authors.len());
            authors.into_iter().cycle().skip(first).take(some).collect()
        };
        let some = [silent_for(2, 10), silent_for(10, u32::MAX)].concat();
        let mut grafts = Grafts::new();
        for (at, author) in some.into_iter().enumerate() {
            let parent = self.rooms.get(&tag).and_then(|r| r.trees.parent(author));
            let others: Vec<PeerId> = neighbours
                .iter()
                .filter(|&&p| Some(p) != parent)
                .copied()
                .collect();
            let choice = usize::try_from(round)
                .unwrap_or(0)
                .wrapping_add(at)
                .checked_rem(others.len());
            let Some(&peer) = choice.and_then(|choice| others.get(choice)) else {
                continue;
            };
            self.graft_from(tag, author, peer, &mut grafts);
        }
        self.send_grafts(tag, grafts);
    }

    pub(crate) fn on_room_size(&mut self, tag: RoomTag, members: usize) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.size = members;
        }
    }

    /// The room's members, as far as this device has heard of them.
    pub(crate) fn members(&self, tag: RoomTag) -> usize {
        self.rooms.get(&tag).map_or(0, |room| {
            room.size
                .max(room.trees.len())
                .max(room.beacons.newest.len())
        })
    }

    pub(crate) fn publish_beacon(&mut self, tag: RoomTag, beacon: &SignedBeacon) {
        let author = beacon.author;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.own = Some(author);
        room.trees.begin(author);
        let everywhere = std::mem::take(&mut room.beacons.returning);
        self.pass_beacon(
            tag,
            Passing {
                signed: beacon,
                hops: 0,
                copies: &[],
                everywhere,
            },
        );
    }

    pub(crate) fn on_beacon(&mut self, from: PeerId, tag: RoomTag, frame: Beacon, now: Timestamp) {
        let (signed, copy) = (frame.signed, (from, frame.cost));
        let author = signed.author;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        if room.own == Some(author) {
            return self.one_too_many(tag, author, copy);
        }
        match room.beacons.newest.get(&author) {
            Some((newest, _)) if *newest == signed.clock => {
                count(&mut self.stats.duplicates);
                return self.one_too_many(tag, author, copy);
            }
            Some((newest, _)) if *newest > signed.clock => {
                return count(&mut self.stats.duplicates);
            }
            Some(_) => {}
            None if room.beacons.newest.len() >= limits::ORIGINS_MAX => {
                return count(&mut self.stats.overflow);
            }
            None => {}
        }
        if let Some((clock, ticket)) = room.beacons.checking.get(&author)
            && *clock >= signed.clock
        {
            count(&mut self.stats.duplicates);
            if let Some(Flight::CheckBeacon(_, first)) = self.flights.get_mut(ticket)
                && first.signed == signed
            {
                first.returned |= frame.returned;
                if !first.copies.iter().any(|&(peer, _)| peer == from) {
                    first.copies.push(copy);
                }
            }
            return;
        }
        if !self.may_check(from, now) {
            return;
        }
        let arriving = ArrivingBeacon {
            signed: signed.clone(),
            hops: frame.hops.saturating_add(1),
            copies: vec![copy],
            returned: frame.returned,
        };
        let clock = signed.clock;
        let ticket = self.ticket(Flight::CheckBeacon(tag, Box::new(arriving)));
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.beacons.checking.insert(author, (clock, ticket));
        }
        count(&mut self.stats.checks);
        self.out.push(Action::Verify {
            ticket,
            item: Item::Beacon(tag, signed),
            from: Some(from),
        });
    }

    pub(crate) fn on_beacon_verified(
        &mut self,
        tag: RoomTag,
        arriving: ArrivingBeacon,
        verdict: Verdict,
        ticket: Ticket,
        now: Timestamp,
    ) {
        let ArrivingBeacon {
            signed,
            hops,
            copies,
            returned,
        } = arriving;
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        let author = signed.author;
        // A newer one may be on its way through its check.
        let newest = room.beacons.checking.get(&author);
        if newest.is_some_and(|&(_, newest)| newest == ticket) {
            room.beacons.checking.remove(&author);
        }
        match verdict {
            Verdict::Accept => {
                let before = room.beacons.newest.get(&author).copied();
                if before.is_none_or(|(newest, _)| newest < signed.clock) {
                    room.beacons.newest.insert(author, (signed.clock, now));
                    let everywhere = returned && room.beacons.may_go_everywhere(before, now);
                    self.miss_the_end(tag, &signed, &copies, now);
                    self.pass_beacon(
                        tag,
                        Passing {
                            signed: &signed,
                            hops,
                            copies: &copies,
                            everywhere,
                        },
                    );
                    self.heard_of(tag, author, now);
                    self.out.push(Action::Heard {
                        room: tag,
                        author,
                        hops,
                    });
                }
            }
            Verdict::Reject => {
                count(&mut self.stats.refused);
                for (peer, _) in copies {
                    self.blame(peer, Why::BadSignature, now);
                }
            }
            // Its author gives another one, or is gone.
            Verdict::Later | Verdict::Drop => {}
        }
    }

    /// The author's log goes on beyond what is here: its senders are taken to have the rest.
    fn miss_the_end(
        &mut self,
        tag: RoomTag,
        signed: &SignedBeacon,
        copies: &[Copy],
        now: Timestamp,
    ) {
        let log = (signed.author, Stream::CONTENT);
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let top = room.logs.get(&log).and_then(|l| l.got.last());
        let next = top.map_or(Some(room.bases.first(log)), Seq::next);
        let Some(next) = next.filter(|&next| next <= signed.seq && self.config.controls.sync)
        else {
            return;
        };
        for &(peer, _) in copies {
            self.guess(peer, tag, log, (next, signed.seq));
        }
        self.pump_soon(tag, now);
    }

    fn pass_beacon(&mut self, tag: RoomTag, passing: Passing<'_>) {
        let Passing {
            signed,
            hops,
            copies,
            everywhere,
        } = passing;
        let author = signed.author;
        let cold = self
            .rooms
            .get(&tag)
            .is_some_and(|room| !room.trees.knows(author));
        let own = copies.is_empty();
        if cold
            && !own
            && let Some(room) = self.rooms.get_mut(&tag)
            && room.trees.latecomer
        {
            room.trees.begin_as_leaf(author);
        }
        self.grow_tree(tag, author, copies);
        if cold && !own {
            self.narrow_flood(tag, author);
        }
        if self.overload.on && cold && !own {
            return;
        }
        let from: Vec<PeerId> = copies.iter().map(|&(peer, _)| peer).collect();
        let cost = self.rooms.get(&tag).map_or(0, |room| room.cost_of(author));
        let to = if everywhere {
            let mut all = self.neighbours(tag);
            all.retain(|peer| !from.contains(peer));
            all
        } else {
            self.eager(tag, author, &from)
        };
        for peer in to {
            let frame = Frame::Beacon(Beacon {
                room: tag.short(),
                signed: signed.clone(),
                hops,
                cost,
                returned: everywhere,
            });
            self.send(peer, frame, Lane::Ordered);
        }
    }
}
