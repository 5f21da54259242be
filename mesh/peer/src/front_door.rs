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
    /// From a member that expects a certificate of the past: answer with these bytes, which name today's. A
    /// joiner is not told, since all who saw a code could write that answer.
    Moved([u8; MOVED_LEN]),
    /// From who asks for ours: answer with these bytes, which name today's.
    Asked([u8; MOVED_LEN]),
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
                let told = || stun::moved(request.transaction, &self.today().0, &s_pwd);
                let certificate = match self.named(gate, &names) {
                    Named::Ours(certificate) => certificate,
                    Named::Gone => return Verdict::Moved(told()),
                    Named::Asked => return Verdict::Asked(told()),
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

    fn today(&self) -> Fingerprint {
        let today = self.certificates.first().copied();
        today.unwrap_or(Fingerprint::ZERO)
    }

    /// The certificate that a packet names; today's if it names none, or if the dialer is a joiner,
    /// who will say itself that it is the wrong one.
    fn named(&self, gate: &Gate, names: &Names<'_>) -> Named {
        let hint = names.c_ufrag.as_bytes();
        let today = self.today();
        if !gate::is_hint(hint) || self.certificates.is_empty() {
            return Named::Ours(today);
        }
        let is_it = |own: &&Fingerprint| {
            gate::certificate_hint(&gate.ice_key, names.s_ufrag, **own) == *hint
        };
        if is_it(&&gate::ASKED) {
            return Named::Asked;
        }
        match self.certificates.iter().find(is_it) {
            None if gate.kind == Kind::Member => Named::Gone,
            found => Named::Ours(found.copied().unwrap_or(today)),
        }
    }
}

/// What a packet expects of us.
enum Named {
    Ours(Fingerprint),
    /// A certificate that we no longer have.
    Gone,
    /// It expects nothing, and asks.
    Asked,
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
// By its path, since tests/fuzz includes this file.
#[path = "front_door/tests.rs"]
mod tests;
