//! Linking up with a member, because the engine's overlay wants to.
//!
//! ```text
//!  Action::Dial --+--> at once: its whereabouts, all addresses ------------------+--> link --> PeerUp
//!                 +--> at once: where it is seen on this network (see `nearby`) -+
//!                 +--> 250 ms later: an offer over the mesh (see `meet`) --------+    if it lives
//!                 +--> 300 ms later: an offer at a server (see `servers`) -------+    if others are there
//!                 +--> 1 s after that: one for an address at its relay ----------+
//!                 +--> every way failed, or 5 s without an open room ---------------> DialFailed
//! ```
//!
//! Whom to link up with, how often, and when to give up on somebody is the engine's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use peddlenet_crypto::member_gate;
use peddlenet_gossip::Input;
use peddlenet_peer::{Dial, DialError, Gate, GateId, Kind, Link};
use peddlenet_wire::{AuthorId, EpochId, Fingerprint, RoomTag, Timestamp, limits};

use super::{
    Actor, Net, Timer,
    links::Standing,
    record::Ended,
    servers::{RELAY_AFTER, SERVER_AFTER},
    whereabouts::addrs_of,
};
use crate::{api::Reach, clock};

/// Members that are being linked up with at a time (count): twice what the engine asks for.
const WANTED_MAX: usize = 2 * peddlenet_gossip::limits::DIALS_MAX;
/// Dials under way at a time (count), those that answer an offer included.
const DIALS_MAX: usize = 16;
/// From the start to an open room.
const DEADLINE: Duration = limits::JOIN_DEADLINE;
/// The way over the mesh starts that much later than the direct one (design: the ladder).
const MEET_AFTER: Duration = Duration::from_millis(250);

/// Which way a link came up, for people.
pub(crate) const DIRECT: &str = "direct";
/// The device was found on this network.
pub(crate) const LAN: &str = "lan";
/// The two scanned each other.
pub(crate) const TWO_SCAN: &str = "two-scan";
/// Members between told the two where they are.
pub(super) const RELAY: &str = "relay";
/// A rendezvous server told the two where they are.
pub(crate) const SERVER: &str = "server";
/// What they say goes over a server's relay.
pub(crate) const TURN: &str = "turn";

/// What is under way.
#[derive(Default)]
pub(crate) struct Dials {
    wanted: BTreeMap<(RoomTag, AuthorId), Wanted>,
    /// Addresses that are dialled, by the device that is to answer there.
    under_way: BTreeMap<Fingerprint, BTreeSet<SocketAddr>>,
}

struct Wanted {
    until: Timestamp,
    /// Ways that may still lead there.
    ways: u32,
    /// An offer is still to be made over the mesh ..
    may_meet: bool,
    /// .. at a server ..
    may_serve: bool,
    /// .. and for an address at a relay.
    may_relay: bool,
    /// One was made at a server.
    served: bool,
}

/// Whom to dial, and as whom.
#[derive(Clone, Copy)]
pub(super) struct To {
    /// The member, where it is known.
    pub(super) author: Option<AuthorId>,
    /// The certificate to expect; whatever the device says that it has, where it is not known.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Under whose keys; the newest ones unless the device has older ones only.
    pub(super) epoch: Option<EpochId>,
}

impl To {
    /// A member whose device has that certificate.
    pub(super) fn member(author: AuthorId, fingerprint: Fingerprint) -> Self {
        Self {
            author: Some(author),
            fingerprint: Some(fingerprint),
            epoch: None,
        }
    }
}

/// How a dial ended.
pub(crate) struct Outcome {
    wanted: Option<(RoomTag, AuthorId)>,
    fingerprint: Fingerprint,
    addrs: Vec<SocketAddr>,
    via: &'static str,
    took: Duration,
    link: Result<Link, DialError>,
}

impl Dials {
    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.wanted.retain(|(room, _), _| *room != tag);
    }
}

impl Actor {
    /// [`Action::Dial`](peddlenet_gossip::Action::Dial).
    pub(super) fn dial(&mut self, tag: RoomTag, author: AuthorId) {
        let now = clock::now();
        if self.dials.wanted.contains_key(&(tag, author)) {
            return;
        }
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let stranger = !room.roster.is_member(author);
        if stranger || self.dials.wanted.len() >= WANTED_MAX || self.linked_to(tag, author) {
            return self.arm(Timer::DialFailed(tag, author), now);
        }
        let place = room.whereabouts.get(&author).filter(|p| p.expires > now);
        let place = place.map(|p| (p.fingerprint, addrs_of(&p.addresses)));
        // Who gave no sign of life of late is not there to meet; the offer would be kept for it.
        let may_meet = self.reach_of(room, author) == Reach::Reachable;
        let may_serve = self.is_met_at_servers(tag);
        self.stats.dials += 1;
        self.dials.wanted.insert(
            (tag, author),
            Wanted {
                until: now.after(DEADLINE),
                ways: 0,
                may_meet,
                may_serve,
                may_relay: may_serve,
                served: false,
            },
        );
        let fingerprint = place.as_ref().map(|(fingerprint, _)| *fingerprint);
        let to = To {
            author: Some(author),
            fingerprint,
            epoch: None,
        };
        let told: Vec<SocketAddr> = place.map(|(_, addrs)| addrs).unwrap_or_default();
        let (seen, near) = self.dial_where_seen(tag, author, fingerprint);
        let elsewhere = told.into_iter().filter(|addr| !seen.contains(addr));
        let elsewhere: Vec<_> = elsewhere.collect();
        let told = self.direct && fingerprint.is_some();
        let direct = told && self.dial_device(tag, to, elsewhere, DIRECT) || near;
        if may_meet {
            let pause = if direct { MEET_AFTER } else { Duration::ZERO };
            self.arm(Timer::Meet(tag, author), now.after(pause));
        }
        if may_serve {
            let pause = match direct || may_meet {
                true => SERVER_AFTER,
                false => Duration::ZERO,
            };
            self.arm(Timer::Serve(tag, author), now.after(pause));
        }
        if !direct && !may_meet && !may_serve {
            self.arm(Timer::DialFailed(tag, author), now);
        }
    }

    /// A member came into sight while it is being dialled elsewhere.
    pub(super) fn dial_there_too(&mut self, tag: RoomTag, author: AuthorId) {
        if !self.dials.wanted.contains_key(&(tag, author)) || self.linked_to(tag, author) {
            return;
        }
        let told = self
            .rooms
            .get(&tag)
            .and_then(|r| r.whereabouts.get(&author));
        let fingerprint = told.map(|place| place.fingerprint);
        self.dial_where_seen(tag, author, fingerprint);
    }

    /// Dials a member where it is seen on this network, and as seen: under the keys that its device has.
    /// Gives those addresses, and whether any of them is dialled.
    fn dial_where_seen(
        &mut self,
        tag: RoomTag,
        author: AuthorId,
        fingerprint: Option<Fingerprint>,
    ) -> (Vec<SocketAddr>, bool) {
        let Some((addrs, epoch)) = self.near.places_of(tag, author) else {
            return (Vec::new(), false);
        };
        let to = To {
            author: Some(author),
            fingerprint,
            epoch: Some(epoch),
        };
        let dials = self.dial_device(tag, to, addrs.clone(), LAN);
        (addrs, dials)
    }

    /// The direct way did not lead there so far: tries the one over the mesh.
    pub(super) fn meet_due(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(wanted) = self.dials.wanted.get_mut(&(tag, author)) else {
            return;
        };
        if std::mem::take(&mut wanted.may_meet) {
            wanted.ways += 1;
            self.offer_meeting(tag, author);
        }
    }

    /// Nothing has led there so far: tries the one over a server.
    pub(super) fn serve_due(&mut self, tag: RoomTag, author: AuthorId) {
        let now = clock::now();
        if let Some(wanted) = self.dials.wanted.get_mut(&(tag, author))
            && std::mem::take(&mut wanted.may_serve)
        {
            wanted.ways += 1;
            wanted.served = true;
            self.arm(Timer::Relay(tag, author), now.after(RELAY_AFTER));
            if !self.offer_at_servers(tag, author, false) {
                self.way_ended(tag, author);
            }
        }
    }

    /// Members who are being dialled can be met at a server now: that way is tried, too.
    pub(super) fn serve_too(&mut self, tag: RoomTag, author: Option<AuthorId>) {
        let now = clock::now();
        let mut there = Vec::new();
        for (member, wanted) in &mut self.dials.wanted {
            let meant = member.0 == tag && author.is_none_or(|author| author == member.1);
            if meant && !wanted.served && !wanted.may_serve {
                (wanted.may_serve, wanted.may_relay) = (true, true);
                there.push(*member);
            }
        }
        for (tag, author) in there {
            self.arm(Timer::Serve(tag, author), now.after(SERVER_AFTER));
        }
    }

    /// Nor has that: tries the one over a server's relay.
    pub(super) fn relay_due(&mut self, tag: RoomTag, author: AuthorId) {
        if let Some(wanted) = self.dials.wanted.get_mut(&(tag, author))
            && std::mem::take(&mut wanted.may_relay)
        {
            wanted.ways += 1;
            if !self.offer_at_servers(tag, author, true) {
                self.way_ended(tag, author);
            }
        }
    }

    /// One way ended, with another in its place or not at all.
    pub(super) fn way_ended(&mut self, tag: RoomTag, author: AuthorId) {
        self.arm(Timer::WayFailed(tag, author), clock::now());
    }

    /// One way did not lead there.
    pub(super) fn way_failed(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(wanted) = self.dials.wanted.get_mut(&(tag, author)) else {
            return;
        };
        wanted.ways = wanted.ways.saturating_sub(1);
        if wanted.ways > 0 {
            return;
        }
        if wanted.may_meet {
            self.meet_due(tag, author);
        } else if wanted.may_serve {
            self.serve_due(tag, author);
        } else if !wanted.may_relay {
            self.arm(Timer::DialFailed(tag, author), clock::now());
        }
    }

    /// Tells the engine that somebody can't be reached. Never called while an action is carried out:
    /// its answer may be the next dial, and the one after that.
    pub(super) fn dial_failed(&mut self, tag: RoomTag, author: AuthorId) {
        self.dials.wanted.remove(&(tag, author));
        self.feed(Input::DialFailed { room: tag, author });
    }

    /// A room opened on a link to that member.
    pub(super) fn dial_answered(&mut self, tag: RoomTag, author: AuthorId) {
        self.dials.wanted.remove(&(tag, author));
    }

    /// Links that came up and on which the room never opened, offers that nobody answered.
    pub(super) fn expire_dials(&mut self) {
        self.tidy_meetings();
        let now = clock::now();
        let late =
            |(member, w): (&(RoomTag, AuthorId), &Wanted)| (w.until <= now).then_some(*member);
        let late: Vec<_> = self.dials.wanted.iter().filter_map(late).collect();
        for (tag, author) in late {
            self.dial_failed(tag, author);
        }
    }

    /// Dials under way have the time they had, by the clock as it stands now; refusals are forgotten.
    pub(super) fn clock_was_set_back(&mut self) {
        let until = clock::now().after(DEADLINE);
        for wanted in self.dials.wanted.values_mut() {
            wanted.until = wanted.until.min(until);
        }
        self.servers_rest_no_more();
    }

    /// Dials a device with the room's member key; says whether it did. The outcome comes back as
    /// [`Net::Dialed`].
    pub(super) fn dial_device(
        &mut self,
        tag: RoomTag,
        to: To,
        mut addrs: Vec<SocketAddr>,
        via: &'static str,
    ) -> bool {
        let Some(room) = self.rooms.get(&tag) else {
            return false;
        };
        let epoch = to.epoch.and_then(|epoch| room.ring.keys(epoch));
        let Some(epoch) = epoch.or(room.newest_epoch().ok()) else {
            return false;
        };
        let keys = member_gate(epoch);
        let To { author, .. } = to;
        let fingerprint = to.fingerprint.unwrap_or(Fingerprint::ZERO);
        let under_way = self.dials.under_way.get(&fingerprint);
        addrs.retain(|addr| under_way.is_none_or(|there| !there.contains(addr)));
        if addrs.is_empty() || self.dials.under_way.len() >= DIALS_MAX {
            return false;
        }
        let there = self.dials.under_way.entry(fingerprint).or_default();
        there.extend(addrs.iter().copied());
        let wanted = author.map(|author| (tag, author));
        if let Some(wanted) = wanted.and_then(|w| self.dials.wanted.get_mut(&w)) {
            wanted.ways += 1;
        }
        let dial = Dial {
            addrs: addrs.clone(),
            fingerprint: to.fingerprint,
            gate: Gate {
                id: GateId(u64::MAX),
                kind: Kind::Member,
                ice_key: keys.ice_key,
                psk: keys.psk,
            },
            deadline: DEADLINE,
        };
        let (endpoint, net) = (self.endpoint.clone(), self.net.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let link = endpoint.dial(dial).await;
            let _ = net
                .send(Net::Dialed(Box::new(Outcome {
                    wanted,
                    fingerprint,
                    addrs,
                    via,
                    took: began.elapsed(),
                    link,
                })))
                .await;
        });
        true
    }

    pub(super) fn on_dialed(&mut self, outcome: Outcome) {
        if let Some(there) = self.dials.under_way.get_mut(&outcome.fingerprint) {
            there.retain(|addr| !outcome.addrs.contains(addr));
            if there.is_empty() {
                self.dials.under_way.remove(&outcome.fingerprint);
            }
        }
        match &outcome.link {
            Err(DialError::Itself) => {}
            ended => {
                let ended = match ended {
                    Ok(_) => Ended::Opened,
                    // The two of them have a link.
                    Err(DialError::Superseded | DialError::AlreadyLinked) => Ended::Beaten,
                    Err(e) => Ended::Failed(crate::error::code_of(e)),
                };
                self.record.attempt(outcome.via, outcome.took, ended);
            }
        }
        match outcome.link {
            // Until the room opens on it, the link's success is not proven.
            Ok(link) => drop(self.adopt(link.split(), Standing::Member, outcome.via)),
            // The other side's dial has won: its link is about to come in.
            Err(DialError::Superseded) => {}
            Err(e) => {
                tracing::debug!(error = %e, "dial");
                if let Some((tag, author)) = outcome.wanted {
                    self.way_failed(tag, author);
                }
            }
        }
    }
}
