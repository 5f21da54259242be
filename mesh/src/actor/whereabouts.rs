//! Where this device is, told to every room it is in; and of whom the engine may ask a link.
//!
//! Every member's device says where it listens (a whereabouts record, sealed for members, kept by
//! everyone), at the start and whenever that changes, so that it is found again without a scan.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use peddlenet_gossip::Input;
use peddlenet_wire::{
    AuthorId, Capped, RoomTag, Timestamp, codec, limits,
    record::{Address, RecordKind, Whereabouts},
};

use super::{Actor, Timer};
use crate::clock;

/// How long a whereabouts record invites dials.
const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Whereabouts are said again that often, and whenever they change.
const EVERY: Duration = Duration::from_secs(600);
/// Changes to who belongs to a room are gathered that long before the engine hears of them.
const KNOWN_DELAY: Duration = Duration::from_millis(40);

/// Addresses as they are told: the first that fit.
pub(super) fn told(
    addrs: impl IntoIterator<Item = SocketAddr>,
) -> Capped<Address, { limits::ADDRESSES_MAX }> {
    Capped::take_from(&mut addrs.into_iter().map(Address))
}

/// Addresses that somebody told.
pub(super) fn addrs_of(told: &[Address]) -> Vec<SocketAddr> {
    told.iter().map(|address| address.0).collect()
}

/// What was said last in each room.
pub(crate) type Said = BTreeMap<RoomTag, (Whereabouts, Timestamp)>;

impl Actor {
    pub(super) fn announce_everywhere(&mut self) {
        for tag in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.announce(tag);
        }
    }

    /// Says in a room where this device listens, if that is news or was said long ago.
    pub(super) fn announce(&mut self, tag: RoomTag) {
        let now = clock::now();
        let addrs = match self.announce.as_slice() {
            [] => self.endpoint.local_addrs_on(self.near.interfaces()),
            elsewhere => elsewhere.to_vec(),
        };
        let place = Whereabouts {
            addresses: told(addrs),
            fingerprint: self.endpoint.fingerprint(),
            expires: now.after(LIFE),
        };
        let same = |(said, at): &(Whereabouts, Timestamp)| {
            said.addresses == place.addresses
                && said.fingerprint == place.fingerprint
                && now.since(*at) < EVERY
        };
        if self.said.get(&tag).is_some_and(same) {
            return;
        }
        self.publish_record(tag, RecordKind::WHEREABOUTS, &codec::to_vec(&place));
        self.said.insert(tag, (place, now));
    }

    /// A new certificate when it is time for one: whereabouts told from now on name it, and links that
    /// exist live on.
    pub(super) fn turn_certificates(&mut self) {
        match self.certificates.turn(clock::now()) {
            Ok(false) => {}
            Ok(true) => {
                self.endpoint.set_certificates(self.certificates.all());
                self.save_certificates();
            }
            Err(e) => tracing::error!(error = %e, "no new certificate"),
        }
    }

    /// A code that names today's certificate is answered until then, expired or not.
    pub(super) fn need_certificate(&mut self, until: Timestamp) {
        self.certificates.need(until);
        self.save_certificates();
    }

    fn save_certificates(&self) {
        let value = match self.certificates.to_bytes() {
            Ok(bytes) => Some(bytes.to_vec()),
            Err(e) => return tracing::error!(error = %e, "a certificate can't be saved"),
        };
        let key = crate::node::META_CERTIFICATE.to_vec();
        let write = peddlenet_store::Write::Meta { key, value };
        self.disk.commit(vec![write], |actor, outcome| {
            if let Err(e) = outcome {
                actor.on_commit_failed(false, &e);
            }
        });
    }

    /// A member came in, or said where it is: that is worth a dial, perhaps.
    pub(super) fn known_changed(&mut self, tag: RoomTag, author: AuthorId) {
        if self.known_news.insert((tag, author)) && self.known_news.len() == 1 {
            self.arm(Timer::Known, clock::now().after(KNOWN_DELAY));
        }
    }

    pub(super) fn tell_known_news(&mut self) {
        let mut news: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (tag, author) in std::mem::take(&mut self.known_news) {
            news.entry(tag).or_default().push(author);
        }
        self.read_devices_anew();
        for (tag, authors) in news {
            self.tell_known(tag, Some(authors));
        }
    }

    /// Tells the engine who could be dialled: these, or every other member. Those between find the ones
    /// whose whereabouts are not known.
    pub(super) fn tell_known(&mut self, tag: RoomTag, these: Option<Vec<AuthorId>>) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let all = || room.roster.members().collect();
        let mut authors: Vec<_> = these.unwrap_or_else(all);
        authors.retain(|author| *author != room.me() && room.roster.is_member(*author));
        let members = room.roster.len();
        self.feed(Input::RoomSize { room: tag, members });
        self.feed(Input::Known { room: tag, authors });
    }
}
