//! Two members who can't find each other meet through those between them.
//!
//! ```text
//!  A: offer (my addresses now) --route--> B: is it A, is it fresh, is it for me?
//!                                         B: dials A at once, and answers (my addresses now)
//!  A: dials B  <--------------route------
//! ```
//!
//! Both send to each other at the same time, so that a stateful firewall on either side sees its own
//! device begin. Which of the two dials becomes the link is settled by the endpoints. What a member
//! may do with an offer is make us dial: a few at a time, for 5 s each.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use peddlenet_crypto::verify_record;
use peddlenet_gossip::{Input, Outcome, PeerId, UnicastId};
use peddlenet_wire::{
    AuthorId, Hlc, RoomTag, SignedRecord, Timestamp, codec, direct::PARCEL_VERSION, limits,
    meet::Meet, record::RecordKind,
};

use super::{
    Actor,
    dial::{RELAY, SERVER, TWO_SCAN, To},
    links::{LINKS_OPEN, LinkState, Net},
    opening::Opening,
    record::Ended,
    whereabouts::{addrs_of, told},
};
use crate::{clock, entropy, error::ErrorCode, room::Room};

/// An offer or answer that was signed longer ago, or later, is not followed: clocks may differ.
const FRESH: Duration = Duration::from_secs(300);
/// How long an answer is expected, and the other end's dial known for one.
pub(super) const EXPECTED_FOR: Duration = limits::JOIN_DEADLINE;
/// An offer may have crossed with the dial that made a link; one that comes so much later has not.
const CROSSED: Duration = Duration::from_secs(2);
/// A link whose other end is there answers by then.
const ANSWERS_WITHIN: Duration = Duration::from_millis(400);
/// Meetings under way (count).
const MEETINGS_MAX: usize = 64;

/// What an offer or an answer says.
pub(super) struct Offer {
    pub(super) to: AuthorId,
    pub(super) id: [u8; 8],
    pub(super) answer: bool,
    pub(super) addrs: Vec<SocketAddr>,
    pub(super) relay: bool,
}

/// An offer that waits for its answer.
struct Asked {
    room: RoomTag,
    to: AuthorId,
    /// When an answer comes too late.
    until: Timestamp,
    via: &'static str,
    /// What came of it is in the record.
    noted: bool,
}

impl Asked {
    fn took(&self, now: Timestamp) -> Duration {
        now.since(self.until.before(EXPECTED_FOR))
    }

    fn is_to(&self, tag: RoomTag, author: AuthorId) -> bool {
        (self.room, self.to) == (tag, author)
    }
}

/// Meetings under way.
#[derive(Default)]
pub(crate) struct Meetings {
    offered: BTreeMap<[u8; 8], Asked>,
    /// Messages on their way, to know which one failed.
    sent: BTreeMap<UnicastId, (RoomTag, AuthorId, Timestamp)>,
    /// The newest that each member said, so that nobody can say it again.
    heard: BTreeMap<(RoomTag, AuthorId), Hlc>,
    /// From where the other end dials, and how the two met, to name the way of such a link.
    expected: Vec<(SocketAddr, Timestamp, &'static str)>,
    /// Members who made an offer over a link that may be gone at their end: whether it is there is being asked.
    asked: BTreeSet<(RoomTag, AuthorId)>,
}

impl Meetings {
    pub(super) fn forget_room(&mut self, tag: RoomTag) {
        self.offered.retain(|_, asked| asked.room != tag);
        self.sent.retain(|_, (room, ..)| *room != tag);
        self.heard.retain(|(room, _), _| *room != tag);
        self.asked.retain(|(room, _)| *room != tag);
    }

    /// How the two met, if the other end of a meeting was to dial from there. A NAT may have made up another port.
    /// What was scanned lets joiners in, and names the way of no other link.
    pub(super) fn expects(&self, from: SocketAddr, joins: bool) -> Option<&'static str> {
        let now = clock::now();
        let counts = |via: &'static str| joins || via != TWO_SCAN;
        let expected = || {
            let all = self.expected.iter();
            all.filter(|(_, until, via)| *until > now && counts(via))
        };
        let there = expected().find(|(addr, ..)| *addr == from);
        let near = || expected().find(|(addr, ..)| addr.ip() == from.ip());
        there.or_else(near).map(|(.., via)| *via)
    }

    /// By which way that member was asked to meet, and has not answered: over those between, if it was so by several.
    /// Who is asked to meet at a relay does not dial.
    pub(super) fn asked_by(&self, tag: RoomTag, author: AuthorId) -> Option<&'static str> {
        let offers = self.offered.values();
        let theirs = offers.filter(|asked| asked.is_to(tag, author));
        let ways: Vec<_> = theirs.map(|asked| asked.via).collect();
        [RELAY, SERVER].into_iter().find(|via| ways.contains(via))
    }

    /// Gives the ways of those that nobody answered, and after how long.
    fn tidy(&mut self, now: Timestamp) -> Vec<(&'static str, Duration)> {
        let over = self.offered.values().filter(|asked| asked.until <= now);
        let unanswered = over.filter(|asked| !asked.noted);
        let unanswered = unanswered.map(|asked| (asked.via, asked.took(now)));
        let unanswered = unanswered.collect();
        self.offered.retain(|_, asked| asked.until > now);
        self.sent.retain(|_, (.., until)| *until > now);
        self.expected.retain(|(_, until, _)| *until > now);
        unanswered
    }
}

impl Actor {
    /// Asks a member to meet.
    pub(super) fn offer_meeting(&mut self, tag: RoomTag, to: AuthorId) {
        let Some(id) = self.new_meeting(tag, to, RELAY) else {
            return self.way_failed(tag, to);
        };
        let addrs = self.addrs_inside_and_out();
        self.tell_place(tag, to, id, false, addrs);
    }

    /// A number for an offer, whose answer is waited for; `None` when too many are under way.
    pub(super) fn new_meeting(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        via: &'static str,
    ) -> Option<[u8; 8]> {
        let now = clock::now();
        self.tidy_meetings();
        if self.meetings.offered.len() >= MEETINGS_MAX {
            return None;
        }
        let id = entropy::bytes();
        let asked = Asked {
            room: tag,
            to,
            until: now.after(EXPECTED_FOR),
            via,
            noted: false,
        };
        self.meetings.offered.insert(id, asked);
        Some(id)
    }

    /// An offer is answered. False when it was none of ours to that member, or was answered before.
    fn end_meeting(&mut self, id: [u8; 8], tag: RoomTag, with: AuthorId) -> bool {
        let offered = self.meetings.offered.remove(&id);
        offered.is_some_and(|asked| asked.is_to(tag, with))
    }

    /// Signs and seals an offer or an answer.
    pub(super) fn meet_record(&mut self, tag: RoomTag, offer: Offer) -> Option<SignedRecord> {
        let meet = Meet {
            to: offer.to,
            id: offer.id,
            answer: offer.answer,
            addresses: told(offer.addrs),
            fingerprint: self.endpoint.fingerprint(),
            relay: offer.relay.then_some(true),
        };
        let room = self.rooms.get_mut(&tag)?;
        self.stats.meetings += 1;
        match room.seal_record(RecordKind::MEET, &codec::to_vec(&meet), clock::now()) {
            Ok(record) => Some(record),
            Err(e) => {
                tracing::error!(error = %e, "an offer could not be sealed");
                None
            }
        }
    }

    fn tell_place(
        &mut self,
        tag: RoomTag,
        to: AuthorId,
        id: [u8; 8],
        answer: bool,
        addrs: Vec<SocketAddr>,
    ) {
        let offer = Offer {
            to,
            id,
            answer,
            addrs,
            relay: false,
        };
        let Some(record) = self.meet_record(tag, offer) else {
            return;
        };
        let unicast = UnicastId(entropy::bytes());
        if !answer {
            let until = clock::now().after(EXPECTED_FOR);
            self.meetings.sent.insert(unicast, (tag, to, until));
        }
        self.feed(Input::SendTo {
            room: tag,
            to,
            id: unicast,
            payload: record.to_bytes(),
        });
    }

    /// [`Action::UnicastDone`](peddlenet_gossip::Action::UnicastDone).
    pub(super) fn on_unicast_done(&mut self, id: UnicastId, outcome: Outcome) {
        self.direct_done(id, outcome);
        if let Some((tag, author, _)) = self.meetings.sent.remove(&id)
            && outcome != Outcome::Delivered
        {
            tracing::debug!(?author, ?outcome, "offer");
            self.offer_failed(tag, author, RELAY);
            self.way_ended(tag, author);
        }
    }

    /// [`Action::DeliverTo`](peddlenet_gossip::Action::DeliverTo).
    pub(super) fn on_unicast(&mut self, tag: RoomTag, from: AuthorId, payload: &[u8]) {
        if payload.first() == Some(&PARCEL_VERSION) {
            return self.on_parcel(tag, from, payload);
        }
        let meet = self.read_meet(tag, from, payload);
        let Some(meet) = meet.filter(|meet| meet.to != AuthorId::ZERO) else {
            return tracing::debug!(?from, "a message that is no offer for this device");
        };
        if meet.answer {
            return self.follow_answer(tag, from, &meet, RELAY);
        }
        self.unless_linked(tag, from, move |actor| actor.answer_offer(tag, from, &meet));
    }

    fn answer_offer(&mut self, tag: RoomTag, from: AuthorId, meet: &Meet) {
        let full = self.link_count() >= LINKS_OPEN;
        let own = if full {
            Vec::new()
        } else {
            self.addrs_inside_and_out()
        };
        self.tell_place(tag, from, meet.id, true, own);
        if full {
            return;
        }
        self.dial_met(tag, from, meet, RELAY);
    }

    /// An offer did not get there: no dial of theirs comes of it.
    fn offer_failed(&mut self, tag: RoomTag, to: AuthorId, by: &'static str) {
        let now = clock::now();
        let record = &mut self.record;
        self.meetings.offered.retain(|_, asked| {
            let failed = asked.is_to(tag, to) && asked.via == by;
            if failed && !asked.noted {
                let ended = Ended::Failed(ErrorCode::NoAnswer);
                record.attempt(by, asked.took(now), ended);
            }
            !failed
        });
    }

    /// A link to that member is there, come by one of the offers or by none of them.
    pub(super) fn note_offers(&mut self, tag: RoomTag, author: AuthorId, by: Option<&str>) {
        let now = clock::now();
        for asked in self.meetings.offered.values_mut() {
            if asked.is_to(tag, author) && !std::mem::replace(&mut asked.noted, true) {
                let ended = match by == Some(asked.via) {
                    true => Ended::Opened,
                    false => Ended::Beaten,
                };
                self.record.attempt(asked.via, asked.took(now), ended);
            }
        }
    }

    /// Forgets what is over.
    pub(super) fn tidy_meetings(&mut self) {
        for (via, took) in self.meetings.tidy(clock::now()) {
            let ended = Ended::Failed(ErrorCode::NoAnswer);
            self.record.attempt(via, took, ended);
        }
    }

    /// A member answers an offer, and says where it is.
    pub(super) fn follow_answer(
        &mut self,
        tag: RoomTag,
        from: AuthorId,
        meet: &Meet,
        via: &'static str,
    ) {
        if !self.end_meeting(meet.id, tag, from) {
            return;
        }
        if !self.linked_to(tag, from) {
            self.dial_met(tag, from, meet, via);
        }
        // The dial, if there is one, is the way from here on.
        self.way_ended(tag, from);
    }

    /// Dials a member where it said that it is, as it dials this device.
    pub(super) fn dial_met(
        &mut self,
        tag: RoomTag,
        with: AuthorId,
        meet: &Meet,
        via: &'static str,
    ) {
        let addrs = addrs_of(&meet.addresses);
        self.expect(&addrs, via, EXPECTED_FOR);
        self.dial_device(tag, To::member(with, meet.fingerprint), addrs, via);
    }

    /// Goes on with a member's offer unless the two are linked all the same: it crossed with the dial that made a link, or
    /// was kept on its way for long. A link whose other end doesn't answer is what the member has lost (it was started
    /// anew, its network is another): this end goes, too.
    pub(super) fn unless_linked(
        &mut self,
        tag: RoomTag,
        with: AuthorId,
        then: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let theirs = |(_, link): &(&PeerId, &LinkState)| {
            let opening = link.rooms.get(&tag);
            opening.and_then(Opening::author) == Some(with)
        };
        let links = || self.links.iter().filter(theirs);
        if links().any(|(_, link)| link.since.elapsed() <= CROSSED) {
            return;
        }
        let links: Vec<_> = links().map(|(peer, l)| (*peer, l.sender.clone())).collect();
        if links.is_empty() {
            return then(self);
        }
        if self.meetings.asked.len() >= MEETINGS_MAX || !self.meetings.asked.insert((tag, with)) {
            return;
        }
        let net = self.net.clone();
        tokio::spawn(async move {
            let mut lost = Vec::new();
            for (peer, sender) in links {
                if sender.is_answered(ANSWERS_WITHIN).await {
                    lost.clear();
                    break;
                }
                lost.push(peer);
            }
            let then = move |actor: &mut Self| {
                actor.meetings.asked.remove(&(tag, with));
                if lost.is_empty() {
                    return;
                }
                tracing::debug!(?lost, "the other end has lost this link");
                lost.into_iter().for_each(|peer| actor.drop_link(peer));
                then(actor);
            };
            let _ = net.send(Net::Then(Box::new(then))).await;
        });
    }

    /// The other end is about to dial from there, as it was told that way.
    pub(super) fn expect(&mut self, addrs: &[SocketAddr], via: &'static str, span: Duration) {
        let now = clock::now();
        self.tidy_meetings();
        let until = now.after(span);
        let expected = &mut self.meetings.expected;
        expected.extend(addrs.iter().map(|addr| (*addr, until, via)));
        let skip = expected.len().saturating_sub(MEETINGS_MAX);
        expected.drain(..skip);
    }

    pub(super) fn read_meet(
        &mut self,
        tag: RoomTag,
        from: AuthorId,
        payload: &[u8],
    ) -> Option<Meet> {
        let room = self.rooms.get(&tag)?;
        let newest = self.meetings.heard.get(&(tag, from)).copied();
        let (meet, clock) = read(room, from, payload, newest, clock::now())?;
        self.meetings.heard.insert((tag, from), clock);
        Some(meet)
    }
}

/// What somebody said and when, once it is proven that this member said it, lately, to this one.
fn read(
    room: &Room,
    from: AuthorId,
    payload: &[u8],
    newest: Option<Hlc>,
    now: Timestamp,
) -> Option<(Meet, Hlc)> {
    let record = SignedRecord::from_bytes(payload).ok()?;
    let header = record.header();
    let signed = header.clock.timestamp();
    let fresh = now.since(signed) < FRESH && signed.since(now) < FRESH;
    let is_news = newest.is_none_or(|newest| newest < header.clock);
    let meant = (header.room, header.author, header.kind) == (room.tag, from, RecordKind::MEET);
    if !meant || !fresh || !is_news || !room.roster.is_member(from) {
        return None;
    }
    verify_record(&record).ok()?;
    let body = room.open_record(&record).ok()?;
    let meet: Meet = codec::from_slice("meet", &body, limits::RECORD_MAX).ok()?;
    let meant = meet.to == room.me() || meet.to == AuthorId::ZERO;
    (meant && from != room.me()).then_some((meet, header.clock))
}

#[cfg(test)]
mod tests {
    use peddlenet_wire::{Fingerprint, record::Address};

    use super::*;
    use crate::room::made::{ada_and_bea, room};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 4_000);

    fn offer(from: &mut Room, kind: RecordKind, to: AuthorId, at: Timestamp) -> Vec<u8> {
        let meet = Meet {
            to,
            id: [1; 8],
            answer: false,
            addresses: vec![Address(ADDRESS.into())].try_into().expect("one fits"),
            fingerprint: Fingerprint([3; 32]),
            relay: None,
        };
        let record = from.seal_record(kind, &codec::to_vec(&meet), at);
        record.expect("it can be sealed").to_bytes()
    }

    #[test]
    fn an_offer_is_followed_once() {
        let (mut ada, bea) = ada_and_bea();
        let payload = offer(&mut ada, RecordKind::MEET, bea.me(), NOW);
        let (meet, clock) = read(&bea, ada.me(), &payload, None, NOW).expect("it is meant");
        assert_eq!(meet.addresses.first().map(|a| a.0), Some(ADDRESS.into()));
        assert!(read(&bea, ada.me(), &payload, Some(clock), NOW).is_none());
        let again = offer(&mut ada, RecordKind::MEET, bea.me(), NOW);
        assert!(read(&bea, ada.me(), &again, Some(clock), NOW).is_some());
    }

    #[test]
    fn an_offer_to_another_by_another_or_of_another_time_is_not_followed() {
        let (mut ada, mut bea) = ada_and_bea();
        let to_bea = |ada: &mut Room, at| offer(ada, RecordKind::MEET, bea.me(), at);
        let good = to_bea(&mut ada, NOW);
        assert!(
            read(&bea, bea.me(), &good, None, NOW).is_none(),
            "handed on as one's own"
        );
        let late = Timestamp(NOW.0 + 301_000);
        assert!(
            read(&bea, ada.me(), &good, None, late).is_none(),
            "kept back"
        );
        let early = to_bea(&mut ada, late);
        assert!(
            read(&bea, ada.me(), &early, None, NOW).is_none(),
            "ahead of time"
        );
        let to_cyd = offer(&mut ada, RecordKind::MEET, AuthorId([7; 32]), NOW);
        assert!(
            read(&bea, ada.me(), &to_cyd, None, late).is_none(),
            "meant for Cyd"
        );
        let kind = offer(&mut ada, RecordKind::PRESENCE, bea.me(), late);
        assert!(
            read(&bea, ada.me(), &kind, None, late).is_none(),
            "another kind"
        );
        let mut damaged = good.clone();
        *damaged.last_mut().expect("it is not empty") ^= 1;
        assert!(
            read(&bea, ada.me(), &damaged, None, NOW).is_none(),
            "damaged"
        );
        let by_bea = offer(&mut bea, RecordKind::MEET, ada.me(), NOW);
        assert!(
            read(&ada, room(2).me(), &by_bea, None, NOW).is_none(),
            "by no member"
        );
    }
}
