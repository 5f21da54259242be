//! The front door: decides whether a packet from an unknown source may open a link.
//!
//! ```text
//! datagram from an unknown source
//!   | a whole STUN Binding Request?  USERNAME = ours ":" theirs?      no -> Ignore
//!   | may this source still fail?                                     no -> Ignore
//!   | MESSAGE-INTEGRITY under one of the gates of its kind?           no -> Refuse (28 bytes)
//!   v
//! Open { gate, both ufrags, both passwords, the dialer's certificate hash }
//! ```
//!
//! Pure: bytes and a time in, a verdict out. Nothing is allocated on the way to any verdict
//! (tests/webrtc/front_door_alloc.rs counts), and failures are limited, not successes: many
//! joiners may share one address, so only a source that keeps failing is put off.

use crate::gate::{self, C_PWD_LEN, Gate, Kind, S_PWD_LEN, S_UFRAG_LEN, ServerUfrag};
use crate::stun::{self, BindingRequest, REFUSAL_LEN};
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
    /// Drop it without a word.
    Ignore,
    /// Well formed, and no key of ours made it: answer with these bytes.
    Refuse([u8; REFUSAL_LEN]),
    /// The sender knows the key of a gate.
    Open(Knock<'p>),
}

/// An authenticated first packet. Borrows from the packet.
pub struct Knock<'p> {
    /// The gate whose key made the packet.
    pub gate: GateId,
    /// SHA-256 of the certificate the dialer will show in DTLS.
    pub client: Fingerprint,
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
    failures: Failures,
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
            failures: Failures::new(),
        }
    }

    /// Replaces the gates. Beyond [`INVITE_GATES_MAX`] and [`MEMBER_GATES_MAX`] the last are left out.
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
            return Verdict::Ignore;
        }
        for gate in &self.gates {
            if gate.kind != names.kind {
                continue;
            }
            let s_pwd = gate::server_pwd(&gate.ice_key, names.s_ufrag);
            if request.verify(&s_pwd) {
                return Verdict::Open(Knock {
                    gate: gate.id,
                    client: names.client,
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
        let by_address = self.hasher.hash_one(source.ip()) as usize % COUNTERS;
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

    fn knock(kind: Kind, key: u8) -> Vec<u8> {
        let ufrag = server_ufrag(kind, Fingerprint([3; 32]), b"abcdefghijklmnopqrstuvwx");
        let mut username = ufrag.to_vec();
        username.extend(b":abcdefgh");
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
            Verdict::Ignore
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
