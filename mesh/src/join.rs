//! The joiner's way into a room: dial, ask, be let in or hear why not.
//!
//! ```text
//!  the code's addresses ------------------------+
//!  devices nearby that say the code's tag ------+--> links, raced --> asked one after the other (see `asking`)
//!  devices that answer the code over a server --+                      --> let in, or why not
//! ```
//!
//! Runs outside the actor, on the caller's task, since nothing of this device's state is needed until
//! the room's keys are here. Every step has the one deadline of the join.
//!
//! Whoever has photographed the code may answer, too, but at the addresses and under the certificate that stand in it. So
//! what another device says, or leaves unsaid, ends no join: the next one is asked.

mod asking;
mod rungs;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use peddlenet_crypto::{InviteKeys, invite_gate};
use peddlenet_peer::{Dial, DialError, Endpoint, Gate, GateId, Interface, Kind, Link};
use peddlenet_wire::{Invite, limits};
use tokio::{sync::mpsc, task::JoinSet};

use asking::Asking;
use rungs::Rungs;

use crate::{
    actor::{Arrival, DIRECT, Ended, Found, named},
    api::JoinStage,
    error::{Error, ErrorCode},
};

/// Devices nearby that one join dials (count).
const DEVICES_TRIED: usize = 8;
/// Dials to the addresses of a code (count), side by side: where half of all packets are lost, a lost one
/// of the handshake takes a second or more to be said again, and a fresh dial is sooner through.
const DIALS: u32 = 3;
/// The pause between them.
const DIAL_AGAIN: Duration = Duration::from_millis(1200);
/// After the first failure others nearby get this long to show up.
const GRACE: Duration = Duration::from_millis(1500);

/// Dials whoever may answer a code, and asks to be let in: at the addresses that the code names, and at
/// devices of its room that are found nearby or over a server, all at once. Without `direct` the code's own addresses
/// are left alone; it is what a link there is called.
pub(crate) async fn knock(
    endpoint: &Endpoint,
    invite: &Invite,
    direct: Option<&'static str>,
    mut found: Ways,
    stage: impl Fn(JoinStage),
    note: impl Fn(&'static str, Duration, Ended),
) -> Result<Arrival, Error> {
    let mut rungs = Rungs::new(note, &found);
    let until = Instant::now() + limits::JOIN_DEADLINE;
    // Whoever shows up by then is dialled.
    let mut open_until = until;
    let mut asking = Asking::new(invite, until);
    let mut ways = JoinSet::new();
    let mut tried = BTreeSet::new();
    stage(JoinStage::Dialing);
    let addrs: Vec<_> = invite.endpoints().collect();
    let mut dial_at = (direct.is_some() && !addrs.is_empty()).then(Instant::now);
    let mut dials = 0;
    let (mut failure, mut refusal, mut over) = (None, None, false);
    loop {
        tokio::select! {
            Some(outcome) = ways.join_next() => match outcome {
                Ok((via, Ok(link))) => {
                    stage(JoinStage::Proving);
                    asking.ask(via, link);
                }
                Ok((via, Err(e))) => {
                    tracing::debug!(error = %e, via, "join");
                    rungs.failed(via, crate::error::code_of(&e));
                    if direct == Some(via) || failure.is_none() {
                        failure = Some(explain(e, endpoint, invite));
                    }
                }
                Err(_) => failure = failure.or(Some(ErrorCode::Internal.into())),
            },
            (via, answer) = asking.answer() => match answer {
                Ok(arrival) => {
                    rungs.end(Ok(via));
                    return Ok(*arrival);
                }
                Err(e) if may_differ(e.code) => {
                    rungs.failed(via, e.code);
                    failure = Some(e);
                }
                // The device that made the code.
                Err(e) if direct == Some(via) => {
                    rungs.failed(via, e.code);
                    rungs.end(Err(e.code));
                    return Err(e);
                }
                Err(e) => {
                    rungs.failed(via, e.code);
                    refusal = refusal.or(Some(e));
                }
            },
            Some(mut device) = found.next(), if !over && tried.len() < DEVICES_TRIED => {
                // Two dials to one address take two ports; and through a router only the one port leads that the
                // other side was told of.
                device.addrs.retain(|addr| direct.is_none() || !addrs.contains(addr));
                if !device.addrs.is_empty() && tried.insert(device.addrs.clone()) {
                    rungs.began(device.via);
                    ways.spawn(way(endpoint.clone(), invite.clone(), device, until));
                }
            }
            () = sleep_until(dial_at) => {
                let named = Found {
                    addrs: addrs.clone(),
                    fingerprint: named(invite.fingerprint),
                    via: direct.unwrap_or(DIRECT),
                };
                rungs.began(named.via);
                ways.spawn(way(endpoint.clone(), invite.clone(), named, until));
                dials += 1;
                dial_at = (dials < DIALS).then(|| Instant::now() + DIAL_AGAIN);
            }
            // Dials end at `until`, and say why.
            () = tokio::time::sleep_until(open_until.into()), if !over => over = true,
        }
        let failed = failure.is_some() || refusal.is_some();
        if failed {
            dial_at = None;
        }
        if ways.is_empty() && asking.is_empty() && dial_at.is_none() {
            if found.is_empty() || over {
                break;
            }
            if failed {
                open_until = open_until.min(Instant::now() + GRACE);
            }
        }
    }
    let failure = refusal
        .or(failure)
        .unwrap_or_else(|| match tried.is_empty() {
            true => ErrorCode::NobodyNear.into(),
            false => ErrorCode::NetworksApart.into(),
        });
    rungs.end(Err(failure.code));
    Err(failure)
}

/// Comes at that moment; never without one.
async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Where devices that may answer a code come from, beside the code itself.
pub(crate) struct Ways {
    /// On this network; `None` where nobody is looked for.
    pub(crate) near: Option<mpsc::Receiver<Found>>,
    /// At servers; `None` where none is known.
    pub(crate) there: Option<mpsc::Receiver<Found>>,
}

impl Ways {
    fn is_empty(&self) -> bool {
        self.near.is_none() && self.there.is_none()
    }

    /// The next device; for ever nothing where nobody is looked for.
    async fn next(&mut self) -> Option<Found> {
        tokio::select! {
            Some(device) = next(&mut self.near) => Some(device),
            Some(device) = next(&mut self.there) => Some(device),
            else => None,
        }
    }
}

async fn next(devices: &mut Option<mpsc::Receiver<Found>>) -> Option<Found> {
    devices.as_mut()?.recv().await
}

/// Dials one device.
async fn way(
    endpoint: Endpoint,
    invite: Invite,
    device: Found,
    until: Instant,
) -> (&'static str, Result<Link, DialError>) {
    let keys = invite_gate(&InviteKeys::from_secret(&invite.secret).public());
    let gate = Gate {
        id: GateId(u64::MAX),
        kind: Kind::Invite,
        ice_key: keys.ice_key,
        psk: keys.psk,
    };
    let Found {
        addrs,
        fingerprint,
        via,
    } = device;
    let dial = Dial {
        addrs,
        fingerprint,
        gate,
        deadline: until.saturating_duration_since(Instant::now()),
    };
    (via, endpoint.dial(dial).await)
}

/// Whether another device may answer better.
fn may_differ(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InviteUnknown | ErrorCode::NoAnswer | ErrorCode::WrongHost
    )
}

/// A dial that failed, with what this device knows of its own networks.
fn explain(e: DialError, endpoint: &Endpoint, invite: &Invite) -> Error {
    if !matches!(e, DialError::NobodyThere | DialError::NoAddress) {
        return e.into();
    }
    let mut here = peddlenet_peer::interfaces();
    let bound: Vec<_> = endpoint.local_addrs().iter().map(SocketAddr::ip).collect();
    here.retain(|interface| bound.contains(&interface.ip));
    match relation(&here, &invite.addresses) {
        Some(code) => code.into(),
        None => e.into(),
    }
}

/// Why devices at these addresses may not be reached from here.
fn relation(here: &[Interface], there: &[IpAddr]) -> Option<ErrorCode> {
    if there.iter().any(IpAddr::is_loopback) {
        return None;
    }
    let own: Vec<_> = here.iter().filter(|i| !i.ip.is_loopback()).collect();
    let shared = |ip: &IpAddr| own.iter().any(|interface| interface.has(*ip));
    match () {
        () if own.is_empty() => Some(ErrorCode::NoNetwork),
        () if there.iter().any(shared) => Some(ErrorCode::NetworksApart),
        () => Some(ErrorCode::OtherNetwork),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(ip: [u8; 4]) -> Interface {
        Interface {
            name: "wlan0".into(),
            ip: ip.into(),
            prefix: 24,
            index: 2,
        }
    }

    #[test]
    fn a_failed_dial_is_explained_by_the_networks_of_the_two() {
        let friend: [IpAddr; 1] = [[192, 168, 1, 9].into()];
        let lo = interface([127, 0, 0, 1]);
        let at = |here: &[Interface]| relation(here, &friend);
        assert_eq!(at(std::slice::from_ref(&lo)), Some(ErrorCode::NoNetwork));
        let same = interface([192, 168, 1, 4]);
        assert_eq!(at(&[lo.clone(), same]), Some(ErrorCode::NetworksApart));
        let other = interface([10, 0, 0, 4]);
        assert_eq!(at(&[lo.clone(), other]), Some(ErrorCode::OtherNetwork));
        // Two windows on one machine.
        assert_eq!(relation(&[lo], &[[127, 0, 0, 1].into()]), None);
    }
}
