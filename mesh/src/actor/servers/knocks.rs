//! Joining over a server: a knock by who scanned a code, and the answers of those who may let it in.
//!
//! ```text
//!  joiner    knock: my addresses --sealed--> tag of the code --> whoever may answer: sends first, says where it is
//!            dials where it says, as it dials the code's own addresses
//!            1 s after an answer, if nothing opened: a knock for a relay --> the answer names an address there
//! ```

use std::{net::SocketAddr, time::Duration};

use peddlenet_crypto::{InviteKeys, MeetingTag};
use peddlenet_peer::ServerUrl;
use peddlenet_wire::{
    Fingerprint, Invite, InviteKey, Timestamp, limits,
    rendezvous::{Knock, Place, Signal},
};
use tokio::sync::mpsc;

use super::{Actor, RELAY_AFTER, SERVER_AFTER};
use crate::{
    actor::{
        Timer,
        dial::{SERVER, TURN},
        meet::EXPECTED_FOR,
        whereabouts::{addrs_of, told},
    },
    clock, entropy,
};

/// Devices that one join is told of before it takes them (count).
const TOLD_MAX: usize = 16;
/// Joins under way (count).
const JOINS_MAX: usize = 8;
/// A knock is said again that often: a server may lose what it passes on, and who answers may be about to come.
const KNOCK_EVERY: Duration = Duration::from_millis(500);
/// Knocks that are answered in a second (count), over all codes: each makes this device send a few packets.
pub(super) const KNOCKS_A_SECOND: usize = 16;

/// A device that answers a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) addrs: Vec<SocketAddr>,
    /// Its certificate, where that is known.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// How it was found.
    pub(crate) via: &'static str,
}

/// A join under way that asks at servers.
pub(super) struct Join {
    invite: InviteKey,
    at: Vec<ServerUrl>,
    id: [u8; 8],
    began: Timestamp,
    knocked: Option<Timestamp>,
    answered: Option<Timestamp>,
    to: mpsc::Sender<Found>,
}

impl Join {
    pub(super) fn is_over(&self) -> bool {
        self.to.is_closed()
    }

    pub(super) fn at(&self) -> &[ServerUrl] {
        &self.at
    }

    pub(super) fn invite(&self) -> InviteKey {
        self.invite
    }

    /// Whether the relay's turn has come: somebody is there, and the way that costs the server nothing did not do.
    fn wants_relay(&self, now: Timestamp) -> bool {
        self.answered.is_some_and(|at| at.after(RELAY_AFTER) <= now)
    }

    /// When to knock next.
    fn next_knock(&self) -> Timestamp {
        match (self.knocked, self.answered) {
            (None, _) => self.began.after(SERVER_AFTER),
            (Some(last), None) => last.after(KNOCK_EVERY),
            (Some(last), Some(at)) => at.after(RELAY_AFTER).max(last.after(KNOCK_EVERY)),
        }
    }
}

impl Actor {
    /// Devices that answer a code over a server or a carrier box near, until the receiver is dropped. `None` where no server
    /// is known to ask at, and no box is looked for.
    pub(crate) fn ask_servers(&mut self, invite: &Invite) -> Option<mpsc::Receiver<Found>> {
        let named = invite.server.as_deref();
        let named = named.and_then(|text| ServerUrl::parse(text).ok());
        let mut at: Vec<_> = named.into_iter().chain(self.own_servers()).collect();
        at.dedup();
        if at.is_empty() && !self.near.is_on() {
            return None;
        }
        if self.servers.joins.len() >= JOINS_MAX {
            self.servers.joins.remove(0);
        }
        let (to, found) = mpsc::channel(TOLD_MAX);
        self.servers.joins.push(Join {
            invite: InviteKeys::from_secret(&invite.secret).public(),
            at,
            id: entropy::bytes(),
            began: clock::now(),
            knocked: None,
            answered: None,
            to,
        });
        self.servers.keys_changed();
        self.look_at_servers();
        Some(found)
    }

    /// Knocks for the joins whose time it is.
    pub(super) fn knock_again(&mut self, now: Timestamp) {
        let mut due = Vec::new();
        let mut next = None;
        for join in &mut self.servers.joins {
            let places = self.servers.all.iter().flat_map(|(url, server)| {
                let is_it = |(_, (place, _)): &(&MeetingTag, &(super::Place, _))| {
                    *place == super::Place::Join(join.invite)
                };
                let held = server.places.iter().filter(is_it);
                let there = held.filter(|(tag, _)| server.others.contains_key(*tag));
                there.map(|(tag, _)| (url.clone(), *tag))
            });
            let places: Vec<_> = places.collect();
            if places.is_empty() {
                continue;
            }
            let at = join.next_knock();
            if at > now {
                next = Some(next.map_or(at, |other: Timestamp| other.min(at)));
                continue;
            }
            join.knocked = Some(now);
            let relay = join.wants_relay(now);
            due.extend(
                places
                    .into_iter()
                    .map(|(url, tag)| (url, tag, join.id, relay)),
            );
        }
        if let Some(at) = next {
            self.arm(Timer::Servers, at);
        }
        for (url, tag, id, relay) in due {
            let to = url.clone();
            self.once_seen(&url, move |actor| {
                let knock = Knock {
                    id,
                    addresses: told(actor.addrs_inside_and_out()),
                    relay,
                };
                actor.say_there(&to, tag, &Signal::Knock(knock));
            });
            self.arm(Timer::Servers, now.after(KNOCK_EVERY));
        }
    }

    /// Somebody scanned a code that this device may answer.
    pub(super) fn on_knock(
        &mut self,
        url: &ServerUrl,
        invite: InviteKey,
        tag: MeetingTag,
        knock: &Knock,
    ) {
        let now = clock::now();
        let mine = self.codes_to_answer(now).contains(&invite);
        if !mine || !self.servers.knocks.allows(now) {
            return;
        }
        let addrs = addrs_of(&knock.addresses);
        self.expect(&addrs, SERVER, EXPECTED_FOR);
        self.endpoint.expect(addrs.clone(), limits::JOIN_DEADLINE);
        let (id, to) = (knock.id, url.clone());
        let answer = move |actor: &mut Self, addrs: Vec<SocketAddr>, relay| {
            let place = Place {
                id,
                addresses: told(addrs),
                fingerprint: actor.endpoint.fingerprint(),
                relay,
            };
            actor.say_there(&to, tag, &Signal::Place(place));
        };
        if knock.relay {
            self.with_relay(url, &addrs, move |actor, at| answer(actor, vec![at], true));
        } else {
            self.once_seen(url, move |actor| {
                let addrs = actor.addrs_inside_and_out();
                answer(actor, addrs, false);
            });
        }
    }

    /// Somebody answers a code that was scanned here.
    pub(super) fn on_place(&mut self, invite: InviteKey, place: &Place) {
        let now = clock::now();
        let asked = |join: &&mut Join| join.invite == invite && join.id == place.id;
        let found = Found {
            addrs: addrs_of(&place.addresses),
            fingerprint: Some(place.fingerprint),
            via: if place.relay { TURN } else { SERVER },
        };
        for join in self.servers.joins.iter_mut().filter(asked) {
            join.answered.get_or_insert(now);
            let _ = join.to.try_send(found.clone());
        }
        // The relay's turn comes after this.
        self.knock_again(now);
    }
}
