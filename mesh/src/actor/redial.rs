//! Finding each other again without a scan.
//!
//! Every member's device says where it listens (a whereabouts record, sealed for members, kept by
//! everyone). After a restart, and whenever a link is lost, the others are dialled there with a key
//! that only members hold. A member that can't be reached is never forgotten: it is tried again with
//! a growing, jittered pause, at most [`PAUSE_MAX`] long.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use peddlenet_crypto::member_gate;
use peddlenet_peer::{Dial, Gate, GateId, Kind, Link};
use peddlenet_wire::{
    AuthorId, Capped, Fingerprint, RoomTag, Timestamp, codec, limits,
    record::{Address, RecordKind, Whereabouts},
};

use super::{Actor, Net, links::Standing};
use crate::{clock, entropy};

/// The first pause after a dial that failed; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Dials under way at a time (count).
const DIALS_MAX: usize = 4;
/// A room with that many neighbours dials nobody else (count).
const NEIGHBOURS_WANTED: usize = 6;
/// A device with that many links dials nobody else (count).
const LINKS_WANTED: usize = 8;
/// How long a whereabouts record invites dials.
const WHEREABOUTS_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Whereabouts are said again that often, and whenever they change.
const WHEREABOUTS_EVERY: Duration = Duration::from_secs(600);
/// A sign of life is flooded that often in rooms of up to 44 members ..
const PRESENCE_EVERY: Duration = Duration::from_secs(30);
/// .. and in larger ones so that all of them together cost a node 200 B/s.
const PRESENCE_MS_A_MEMBER: u64 = 136 * 1000 / 200;

/// What is known of how to reach the members that are not linked.
#[derive(Default)]
pub(crate) struct Redial {
    lost: BTreeMap<(RoomTag, AuthorId), Attempts>,
    dialing: BTreeSet<Fingerprint>,
    said: BTreeMap<RoomTag, (Whereabouts, Timestamp)>,
    beaten: BTreeMap<RoomTag, Timestamp>,
}

#[derive(Default, Clone, Copy)]
struct Attempts {
    failed: u32,
    next: Timestamp,
}

/// How a dial ended.
pub(crate) struct Outcome {
    tag: RoomTag,
    author: Option<AuthorId>,
    fingerprint: Fingerprint,
    link: Option<Link>,
}

impl Redial {
    pub(super) fn linked(&mut self, tag: RoomTag, author: AuthorId) {
        self.lost.remove(&(tag, author));
    }

    /// A link broke: try at once, then with growing pauses.
    pub(super) fn lost(&mut self, tag: RoomTag, author: AuthorId, now: Timestamp) {
        self.lost.insert(
            (tag, author),
            Attempts {
                failed: 0,
                next: jitter(now, PAUSE / 4),
            },
        );
    }

    /// A member said where it is: that is worth a dial soon.
    pub(super) fn heard(&mut self, tag: RoomTag, author: AuthorId) {
        if let Some(attempts) = self.lost.get_mut(&(tag, author)) {
            *attempts = Attempts::default();
        }
    }

    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.lost.retain(|(room, _), _| *room != tag);
        self.said.remove(&tag);
        self.beaten.remove(&tag);
    }

    fn failed(&mut self, tag: RoomTag, author: AuthorId, now: Timestamp) {
        let attempts = self.lost.entry((tag, author)).or_default();
        let pause = PAUSE
            .saturating_mul(1 << attempts.failed.min(5))
            .min(PAUSE_MAX);
        attempts.failed = attempts.failed.saturating_add(1);
        attempts.next = jitter(now, pause);
    }

    fn due(&self, tag: RoomTag, author: AuthorId, now: Timestamp) -> bool {
        self.lost.get(&(tag, author)).is_none_or(|a| a.next <= now)
    }
}

/// `span` from `now`, give or take a fifth, so that a crowd doesn't dial in step.
fn jitter(now: Timestamp, span: Duration) -> Timestamp {
    let permille = u32::try_from(800 + entropy::number() % 400).unwrap_or(1000);
    now.after(span * permille / 1000)
}

impl Actor {
    pub(super) fn redial_due(&mut self) {
        let now = clock::now();
        let mut due = Vec::new();
        for room in self.rooms.values() {
            let wanted = NEIGHBOURS_WANTED.saturating_sub(self.neighbours(room.tag));
            let candidates = room.whereabouts.iter().filter(|(author, place)| {
                **author != room.me()
                    && place.expires > now
                    && !self.linked_to(room.tag, **author)
                    && !self.redial.dialing.contains(&place.fingerprint)
                    && self.redial.due(room.tag, **author, now)
            });
            for (author, place) in candidates.take(wanted) {
                let addrs = place.addresses.iter().map(|a| a.0).collect();
                due.push((room.tag, *author, place.fingerprint, addrs));
            }
        }
        for (tag, author, fingerprint, addrs) in due {
            if self.link_count() + self.redial.dialing.len() >= LINKS_WANTED {
                return;
            }
            self.dial_member(tag, Some(author), fingerprint, addrs);
        }
    }

    /// Dials a member's device with the room's member key; the outcome comes back as an input.
    pub(super) fn dial_member(
        &mut self,
        tag: RoomTag,
        author: Option<AuthorId>,
        fingerprint: Fingerprint,
        addrs: Vec<SocketAddr>,
    ) {
        let Some(epoch) = self
            .rooms
            .get(&tag)
            .and_then(|room| room.newest_epoch().ok())
        else {
            return;
        };
        if self.redial.dialing.len() >= DIALS_MAX
            || addrs.is_empty()
            || !self.redial.dialing.insert(fingerprint)
        {
            return;
        }
        let keys = member_gate(epoch);
        let gate = Gate {
            id: GateId(u64::MAX),
            kind: Kind::Member,
            ice_key: keys.ice_key,
            psk: keys.psk,
        };
        let (endpoint, net) = (self.endpoint.clone(), self.net.clone());
        self.stats.dials += 1;
        tokio::spawn(async move {
            let dial = Dial {
                addrs,
                fingerprint,
                gate,
                deadline: limits::JOIN_DEADLINE,
            };
            let link = endpoint
                .dial(dial)
                .await
                .inspect_err(|e| tracing::debug!(error = %e, "dial"))
                .ok();
            let _ = net
                .send(Net::Dialed(Outcome {
                    tag,
                    author,
                    fingerprint,
                    link,
                }))
                .await;
        });
    }

    pub(super) fn on_dialed(&mut self, outcome: Outcome) {
        self.redial.dialing.remove(&outcome.fingerprint);
        match (outcome.link, outcome.author) {
            (Some(link), author) => {
                // Until the room opens on it, the link's success is not proven.
                if let Some(author) = author {
                    self.redial.failed(outcome.tag, author, clock::now());
                }
                self.adopt(link.split(), Standing::Member);
            }
            (None, Some(author)) => self.redial.failed(outcome.tag, author, clock::now()),
            (None, None) => {}
        }
    }

    pub(super) fn announce_everywhere(&mut self) {
        for tag in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.announce(tag);
        }
    }

    /// Says in a room where this device listens, if that is news or was said long ago.
    pub(super) fn announce(&mut self, tag: RoomTag) {
        let now = clock::now();
        let mut addrs = self.endpoint.local_addrs().into_iter().map(Address);
        let place = Whereabouts {
            addresses: Capped::take_from(&mut addrs),
            fingerprint: self.endpoint.fingerprint(),
            expires: now.after(WHEREABOUTS_LIFE),
        };
        let same = |(said, at): &(Whereabouts, Timestamp)| {
            said.addresses == place.addresses
                && said.fingerprint == place.fingerprint
                && now.since(*at) < WHEREABOUTS_EVERY
        };
        if self.redial.said.get(&tag).is_some_and(same) {
            return;
        }
        self.publish_record(tag, RecordKind::WHEREABOUTS, &codec::to_vec(&place));
        self.redial.said.insert(tag, (place, now));
    }

    /// Signs of life, and whereabouts when they changed.
    pub(super) fn beat(&mut self) {
        let now = clock::now();
        for tag in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.announce(tag);
            let members = self.rooms.get(&tag).map_or(0, |room| room.roster.len()) as u64;
            let every = PRESENCE_EVERY.max(Duration::from_millis(
                PRESENCE_MS_A_MEMBER.saturating_mul(members),
            ));
            let due = self.redial.beaten.get(&tag).is_none_or(|at| *at <= now);
            if due && self.neighbours(tag) > 0 {
                self.publish_record(tag, RecordKind::PRESENCE, &[]);
                self.redial.beaten.insert(tag, jitter(now, every));
            }
        }
    }
}
