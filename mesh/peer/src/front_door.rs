//! The front door: decides whether a packet from an unknown source may open a link.
//!
//! ```text
//! datagram from an unknown source
//!   | a whole STUN Binding Request?  USERNAME = ours ":" theirs?      no -> Ignore
//!   | may this source still fail, and are there tries left?           no -> PutOff
//!   | MESSAGE-INTEGRITY under one of the gates of its kind?           no -> Refuse (28 bytes)
//!   | a certificate that we still have?                               no -> Moved (88 bytes), to members and who asks
//!   v
//! Open { gate, both ufrags, both passwords, both certificate hashes }
//! ```
//!
//! The key that verified the first packet selects the psk of the link handshake: one trial there,
//! however many keys stand. A packet is tried against at most [`MEMBER_GATES_MAX`] of them, and all
//! packets of a second against [`TRIES_A_SECOND`], so that made-up sources buy no more time.
//!
//! Pure: bytes and a time in, a verdict out. Nothing is allocated on the way to any verdict
//! (tests/webrtc/front_door_alloc.rs counts), and failures are limited, not successes: many
//! joiners may share one address, so only a source that keeps failing is put off.

use crate::bans::network;
use crate::bucket::Bucket;
use crate::gate::{self, C_PWD_LEN, Gate, Kind, S_PWD_LEN, S_UFRAG_LEN, ServerUfrag};
use crate::stun::{self, BindingRequest, MOVED_LEN, REFUSAL_LEN};
use crate::{Fingerprint, GateId};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Invites that can be open at a time.
pub const INVITE_GATES_MAX: usize = 16;
/// Member keys that a packet is tried against.
pub const MEMBER_GATES_MAX: usize = 256;
/// Own certificates that a packet can name: today's and those that open invites name.
pub const CERTIFICATES_MAX: usize = 32;
/// Keys that packets are tried with a second, all sources together: a fifth of a core's time.
pub const TRIES_A_SECOND: u32 = 50_000;
/// Longest ICE user name fragment a dialer may have (RFC 8839 allows 256; agents use 4 to 32).
const C_UFRAG_MAX: usize = 32;
const C_UFRAG_MIN: usize = 4;
/// Failed packets a second that one (address, port) may cost us work for.
const FAILURES_PER_SOURCE: u16 = 10;
/// Failed packets a second from one address, all ports together.
const FAILURES_PER_ADDRESS: u16 = 100;
/// Failure counters; sources that share one share its budget.
const COUNTERS: usize = 512;
const WINDOW: Duration = Duration::from_secs(1);

/// What to do with a packet.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<'p> {
    /// No first packet of ours: drop it without a word.
    Ignore,
    /// Its source has failed too often, or there are no tries left in this second: drop it unread.
    PutOff,
    /// Well formed, and no key of ours made it: answer with these bytes.
    Refuse([u8; REFUSAL_LEN]),
    /// From a member that expects a certificate of the past, or from who asks for ours: answer with these
    /// bytes, which name today's. A joiner that named one is not told, since all who saw a code could
    /// write that answer.
    Moved([u8; MOVED_LEN]),
    /// The sender knows the key of a gate.
    Open(Knock<'p>),
}

/// An authenticated first packet. Borrows from the packet.
pub struct Knock<'p> {
    /// The gate whose key made the packet.
    pub gate: GateId,
    /// SHA-256 of the certificate the dialer will show in DTLS.
    pub client: Fingerprint,
    /// Which certificate of ours it expects.
    pub certificate: Fingerprint,
    pub(crate) psk: Zeroizing<[u8; 32]>,
    pub(crate) s_ufrag: &'p ServerUfrag,
    pub(crate) c_ufrag: &'p str,
    pub(crate) c_pwd: &'p str,
    pub(crate) s_pwd: [u8; S_PWD_LEN],
}

impl fmt::Debug for Knock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Knock({:?}, {:?})", self.gate, self.client)
    }
}

/// Gates and failure counters.
#[derive(Debug)]
pub struct FrontDoor {
    gates: Vec<Gate>,
    /// Today's first.
    certificates: Vec<Fingerprint>,
    failures: Failures,
    tries: Bucket,
}

impl Default for FrontDoor {
    fn default() -> Self {
        Self::new()
    }
}

impl FrontDoor {
    /// A door without gates: nobody comes in.
    pub fn new() -> Self {
        Self {
            gates: Vec::new(),
            certificates: Vec::new(),
            failures: Failures::new(),
            tries: Bucket::new(TRIES_A_SECOND),
        }
    }

    /// Replaces the own certificates that can be asked for, today's first. Beyond
    /// [`CERTIFICATES_MAX`] the last are left out.
    pub fn set_certificates(&mut self, mut certificates: Vec<Fingerprint>) {
        certificates.truncate(CERTIFICATES_MAX);
        self.certificates = certificates;
    }

    /// Whether a gate stands.
    pub(crate) fn has_gate(&self, id: GateId) -> bool {
        self.gates.iter().any(|gate| gate.id == id)
    }

    /// Replaces the gates, the most important first: beyond [`INVITE_GATES_MAX`] and
    /// [`MEMBER_GATES_MAX`] the last are left out, and a packet is tried in this order.
    pub fn set_gates(&mut self, gates: Vec<Gate>) {
        let (mut invites, mut members) = (0, 0);
        self.gates = gates;
        self.gates.retain(|gate| {
            let (count, max) = match gate.kind {
                Kind::Invite => (&mut invites, INVITE_GATES_MAX),
                Kind::Member => (&mut members, MEMBER_GATES_MAX),
            };
            *count += 1;
            *count <= max
        });
    }

    /// Judges a packet from a source that no link owns.
    pub fn judge<'p>(&mut self, packet: &'p [u8], source: SocketAddr, now: Instant) -> Verdict<'p> {
        let Some(request) = BindingRequest::read(packet) else {
            return Verdict::Ignore;
        };
        let Some(names) = Names::read(request.username) else {
            return Verdict::Ignore;
        };
        if !self.failures.may_try(source, now) {
            return Verdict::PutOff;
        }
        for gate in &self.gates {
            if gate.kind != names.kind {
                continue;
            }
            if !self.tries.take(1, now) {
                self.failures.count(source, now);
                return Verdict::PutOff;
            }
            let s_pwd = gate::server_pwd(&gate.ice_key, names.s_ufrag);
            if request.verify(&s_pwd) {
                let Some(certificate) = self.named(gate, &names) else {
                    let today = self.certificates.first().copied();
                    let today = today.unwrap_or(Fingerprint([0; 32]));
                    return Verdict::Moved(stun::moved(request.transaction, &today.0, &s_pwd));
                };
                return Verdict::Open(Knock {
                    gate: gate.id,
                    client: names.client,
                    certificate,
                    psk: Zeroizing::new(gate.psk),
                    s_ufrag: names.s_ufrag,
                    c_ufrag: names.c_ufrag,
                    c_pwd: names.c_pwd,
                    s_pwd,
                });
            }
        }
        self.failures.count(source, now);
        Verdict::Refuse(stun::refusal(request.transaction))
    }

    /// The certificate that a packet names; today's if it names none, or if the dialer is a joiner,
    /// who will say itself that it is the wrong one. `None`: it asks for ours, or names one that we no
    /// longer have.
    fn named(&self, gate: &Gate, names: &Names<'_>) -> Option<Fingerprint> {
        let hint = names.c_ufrag.as_bytes();
        let today = self.certificates.first().copied();
        let today = today.unwrap_or(Fingerprint([0; 32]));
        if !gate::is_hint(hint) || self.certificates.is_empty() {
            return Some(today);
        }
        let is_it = |own: &&Fingerprint| {
            gate::certificate_hint(&gate.ice_key, names.s_ufrag, **own) == *hint
        };
        if is_it(&&gate::ASKED) {
            return None;
        }
        match self.certificates.iter().find(is_it) {
            None if gate.kind == Kind::Member => None,
            found => Some(found.copied().unwrap_or(today)),
        }
    }
}

/// The two halves of USERNAME, checked.
pub(crate) struct Names<'p> {
    pub(crate) s_ufrag: &'p ServerUfrag,
    kind: Kind,
    client: Fingerprint,
    c_pwd: &'p str,
    c_ufrag: &'p str,
}

impl<'p> Names<'p> {
    pub(crate) fn read(username: &'p [u8]) -> Option<Self> {
        let (s_ufrag, rest) = username.split_first_chunk::<S_UFRAG_LEN>()?;
        let (b':', c_ufrag) = rest.split_first()? else {
            return None;
        };
        if !(C_UFRAG_MIN..=C_UFRAG_MAX).contains(&c_ufrag.len())
            || !c_ufrag.iter().copied().all(gate::is_ice_char)
        {
            return None;
        }
        let announced = gate::read_ufrag(s_ufrag)?;
        debug_assert_eq!(announced.client_pwd.len(), C_PWD_LEN);
        Some(Self {
            s_ufrag,
            kind: announced.kind,
            client: announced.client,
            c_pwd: announced.client_pwd,
            c_ufrag: std::str::from_utf8(c_ufrag).ok()?,
        })
    }
}

/// Failures a source has had in the current second, in two fixed tables.
#[derive(Debug)]
struct Failures {
    hasher: RandomState,
    sources: Box<[Counter; COUNTERS]>,
    addresses: Box<[Counter; COUNTERS]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    since: Option<Instant>,
    failed: u16,
}

impl Failures {
    fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            sources: Box::new([Counter::default(); COUNTERS]),
            addresses: Box::new([Counter::default(); COUNTERS]),
        }
    }

    fn may_try(&mut self, source: SocketAddr, now: Instant) -> bool {
        let (by_source, by_address) = self.counters(source);
        by_source.failed_at(now) < FAILURES_PER_SOURCE
            && by_address.failed_at(now) < FAILURES_PER_ADDRESS
    }

    fn count(&mut self, source: SocketAddr, now: Instant) {
        let (by_source, by_address) = self.counters(source);
        for counter in [by_source, by_address] {
            counter.failed = counter.failed_at(now).saturating_add(1);
        }
    }

    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "the index is a remainder, so it lies inside the table"
    )]
    fn counters(&mut self, source: SocketAddr) -> (&mut Counter, &mut Counter) {
        let by_source = self.hasher.hash_one(source) as usize % COUNTERS;
        let by_address = self.hasher.hash_one(network(source.ip())) as usize % COUNTERS;
        (
            &mut self.sources[by_source],
            &mut self.addresses[by_address],
        )
    }
}

impl Counter {
    /// Failures in the running window; starts a new one when the last is over.
    fn failed_at(&mut self, now: Instant) -> u16 {
        let fresh = self
            .since
            .is_some_and(|since| now.saturating_duration_since(since) < WINDOW);
        if !fresh {
            self.since = Some(now);
            self.failed = 0;
        }
        self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::server_ufrag;
    use crate::stun::tests::request;
    use proptest::prelude::*;

    const SOURCE: ([u8; 4], u16) = ([127, 0, 0, 1], 4000);

    fn gate(id: u64, kind: Kind, key: u8) -> Gate {
        Gate {
            id: GateId(id),
            kind,
            ice_key: [key; 32],
            psk: [key; 32],
        }
    }

    fn ufrag_of(kind: Kind) -> ServerUfrag {
        server_ufrag(kind, Fingerprint([3; 32]), b"abcdefghijklmnopqrstuvwx")
    }

    fn knock(kind: Kind, key: u8) -> Vec<u8> {
        knock_for(kind, key, None)
    }

    fn knock_for(kind: Kind, key: u8, expected: Option<Fingerprint>) -> Vec<u8> {
        let ufrag = ufrag_of(kind);
        let mut username = ufrag.to_vec();
        username.push(b':');
        match expected {
            None => username.extend(b"abcdefgh"),
            Some(own) => username.extend(gate::certificate_hint(&[key; 32], &ufrag, own)),
        }
        request(&username, &gate::server_pwd(&[key; 32], &ufrag))
    }

    fn opened(verdict: &Verdict<'_>) -> Option<GateId> {
        match verdict {
            Verdict::Open(knock) => Some(knock.gate),
            _ => None,
        }
    }

    #[test]
    fn the_key_selects_the_gate() {
        let mut door = FrontDoor::new();
        door.set_gates(vec![
            gate(1, Kind::Invite, 1),
            gate(2, Kind::Invite, 2),
            gate(3, Kind::Member, 3),
        ]);
        let now = Instant::now();
        for (kind, key, expected) in [
            (Kind::Invite, 1, Some(GateId(1))),
            (Kind::Invite, 2, Some(GateId(2))),
            (Kind::Member, 3, Some(GateId(3))),
            // The right key in the wrong family opens nothing.
            (Kind::Invite, 3, None),
            (Kind::Member, 4, None),
        ] {
            let packet = knock(kind, key);
            assert_eq!(opened(&door.judge(&packet, SOURCE.into(), now)), expected);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_and_garbage_ignored() {
        let mut door = FrontDoor::new();
        let now = Instant::now();
        let packet = knock(Kind::Invite, 1);
        assert!(matches!(
            door.judge(&packet, SOURCE.into(), now),
            Verdict::Refuse(_)
        ));
        for garbage in [&b""[..], b"hello", &[0; 600], &packet[..packet.len() - 1]] {
            assert!(matches!(
                door.judge(garbage, SOURCE.into(), now),
                Verdict::Ignore
            ));
        }
    }

    #[test]
    fn a_failing_source_is_put_off_and_its_neighbour_is_not() {
        let mut door = FrontDoor::new();
        door.set_gates(vec![gate(1, Kind::Invite, 1)]);
        let now = Instant::now();
        let (bad, good) = (knock(Kind::Invite, 9), knock(Kind::Invite, 1));
        for _ in 0..FAILURES_PER_SOURCE {
            assert!(matches!(
                door.judge(&bad, SOURCE.into(), now),
                Verdict::Refuse(_)
            ));
        }
        assert!(matches!(
            door.judge(&bad, SOURCE.into(), now),
            Verdict::PutOff
        ));
        let neighbours = (1..20).map(|port| SocketAddr::from(([127, 0, 0, 1], 5000 + port)));
        let let_in = neighbours
            .filter(|source| opened(&door.judge(&good, *source, now)).is_some())
            .count();
        // A neighbour can share the failing source's counter, by a chance of 1 in 512.
        assert!(let_in >= 17, "{let_in} of 19");
        assert!(opened(&door.judge(&good, SOURCE.into(), now + WINDOW)).is_some());
    }

    #[test]
    fn made_up_sources_buy_no_more_tries() {
        let mut door = FrontDoor::new();
        door.set_gates(
            (0..=255)
                .map(|key| gate(key.into(), Kind::Member, key))
                .collect(),
        );
        let (mut bad, now) = (knock(Kind::Member, 7), Instant::now());
        *bad.last_mut().unwrap() ^= 1;
        let sources = (0..2000u16).map(|n| {
            let [high, low] = n.to_be_bytes();
            SocketAddr::from(([10, 1, high, low], 7))
        });
        let tried = sources
            .filter(|source| !matches!(door.judge(&bad, *source, now), Verdict::PutOff))
            .count();
        assert_eq!(tried, usize::try_from(TRIES_A_SECOND).unwrap() / 256);
    }

    #[test]
    fn a_packet_names_the_certificate_it_expects() {
        let (today, yesterday) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let mut door = FrontDoor::new();
        door.set_gates(vec![gate(1, Kind::Member, 1), gate(2, Kind::Invite, 2)]);
        door.set_certificates(vec![today, yesterday]);
        let now = Instant::now();
        let mut ask = |kind, key, expected: Option<Fingerprint>| {
            let packet = knock_for(kind, key, expected);
            match door.judge(&packet, SOURCE.into(), now) {
                Verdict::Open(knock) => Ok(knock.certificate),
                Verdict::Moved(answer) => {
                    let ufrag = ufrag_of(kind);
                    let pwd = gate::server_pwd(&[key; 32], &ufrag);
                    Err(stun::read_moved(&answer, &pwd))
                }
                other => panic!("{other:?}"),
            }
        };
        for (kind, key) in [(Kind::Member, 1), (Kind::Invite, 2)] {
            assert_eq!(ask(kind, key, Some(today)), Ok(today));
            assert_eq!(ask(kind, key, Some(yesterday)), Ok(yesterday));
            assert_eq!(ask(kind, key, None), Ok(today), "a browser names none");
        }
        let long_ago = Some(Fingerprint([3; 32]));
        assert_eq!(ask(Kind::Member, 1, long_ago), Err(Some(today)));
        // A holder of the code could forge that answer, so a joiner gets none.
        assert_eq!(ask(Kind::Invite, 2, long_ago), Ok(today));
    }

    #[test]
    fn the_first_packet_selects_the_psk_among_256_keys() {
        let mut door = FrontDoor::new();
        let gates = (0..300u64).map(|id| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&id.to_be_bytes());
            Gate {
                id: GateId(id),
                kind: Kind::Member,
                ice_key: key,
                psk: key,
            }
        });
        let gates: Vec<_> = gates.collect();
        door.set_gates(gates.clone());
        let packet_of = |gate: &Gate| {
            let ufrag = ufrag_of(Kind::Member);
            let mut username = ufrag.to_vec();
            username.extend(b":abcdefgh");
            request(&username, &gate::server_pwd(&gate.ice_key, &ufrag))
        };
        let (mut now, mut slowest) = (Instant::now(), Duration::ZERO);
        for gate in &gates {
            // Each in a second of its own: tries are limited.
            now += WINDOW;
            let packet = packet_of(gate);
            let started = Instant::now();
            let verdict = door.judge(&packet, SOURCE.into(), now);
            slowest = slowest.max(started.elapsed());
            match (gate.id.0, verdict) {
                (..256, Verdict::Open(knock)) => {
                    assert_eq!((knock.gate, *knock.psk), (gate.id, gate.psk));
                }
                (256.., Verdict::Refuse(_)) => {}
                (id, other) => panic!("gate {id}: {other:?}"),
            }
        }
        println!("a first packet against {MEMBER_GATES_MAX} keys: at most {slowest:?}");
    }

    #[test]
    fn successes_are_not_limited() {
        let mut door = FrontDoor::new();
        door.set_gates(vec![gate(1, Kind::Invite, 1)]);
        let (packet, now) = (knock(Kind::Invite, 1), Instant::now());
        for _ in 0..1000 {
            assert!(opened(&door.judge(&packet, SOURCE.into(), now)).is_some());
        }
    }

    #[test]
    fn gates_are_capped_by_kind() {
        let mut door = FrontDoor::new();
        let invites = (0..=255).map(|key| gate(key.into(), Kind::Invite, key));
        door.set_gates(invites.chain([gate(999, Kind::Member, 7)]).collect());
        assert_eq!(door.gates.len(), INVITE_GATES_MAX + 1);
        let packet = knock(Kind::Member, 7);
        let verdict = door.judge(&packet, SOURCE.into(), Instant::now());
        assert_eq!(opened(&verdict), Some(GateId(999)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_open_and_never_panic(
            packet in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let mut door = FrontDoor::new();
            door.set_gates(vec![gate(1, Kind::Invite, 1)]);
            prop_assert!(opened(&door.judge(&packet, SOURCE.into(), Instant::now())).is_none());
        }

        #[test]
        fn a_damaged_knock_never_opens(at in 0usize..148, xor in 1u8..) {
            let mut door = FrontDoor::new();
            door.set_gates(vec![gate(1, Kind::Invite, 1)]);
            let mut packet = knock(Kind::Invite, 1);
            if let Some(byte) = packet.get_mut(at) {
                *byte ^= xor;
                prop_assert!(opened(&door.judge(&packet, SOURCE.into(), Instant::now())).is_none());
            }
        }
    }
}
