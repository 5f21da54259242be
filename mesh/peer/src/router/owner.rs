//! What a session that owns a source says to the next packet from there.

use crate::Fingerprint;
use crate::front_door::Names;
use crate::session::{Role, Session};
use crate::stun::{self, BindingRequest, Class};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A link silent for this long beyond the pause between keep-alives gives way when its own address knocks anew:
/// the device restarted.
const STALE: Duration = Duration::from_millis(500);

/// Whether a session yields to an authenticated knock from its own source, which named one of our
/// certificates.
pub(super) fn gives_way(owner: &Session, named: Fingerprint) -> bool {
    if owner.is_open() {
        return is_stale(owner);
    }
    match &owner.role {
        // A dialer dials an address once at a time: the older attempt is dead.
        Role::Accepted { .. } => true,
        // Two dials have crossed.
        Role::Dialed { expected, .. } => {
            *expected < named || owner.facts.refused.load(Ordering::Relaxed)
        }
    }
}

/// Whether a packet from a session's source is that session's. Everything but a Binding Request
/// with another listener's fragment is. (`rtc` 0.21.1 checks back even when it is lite; those
/// checks name the dialer's fragment first, which has no listener's form.)
pub(super) fn belongs(session: &Session, datagram: &[u8]) -> bool {
    let Some((Class::Request, _)) = stun::classify(datagram) else {
        return true;
    };
    let names = BindingRequest::read(datagram).and_then(|request| Names::read(request.username));
    match (&session.role, names) {
        (Role::Accepted { ufrag, .. }, Some(names)) => names.s_ufrag == ufrag,
        (Role::Dialed { .. }, Some(_)) => false,
        (_, None) => true,
    }
}

pub(super) fn is_stale(session: &Session) -> bool {
    session.is_open() && session.is_silent_for(STALE)
}
