//! The joiner's way into a room: dial, ask, be let in or hear why not.
//!
//! Runs outside the actor, on the caller's task, since nothing of this device's state is needed until
//! the room's keys are here. Every step has the one deadline of the join.

use std::time::Instant;

use peddlenet_crypto::{AuthorKey, InviteKeys, invite_gate, join_proof};
use peddlenet_peer::{
    Dial, DialError, Endpoint, Gate, GateId, Kind, Lane, LinkReceiver, LinkSender,
};
use peddlenet_wire::{
    Frame, Invite,
    join::{JoinRequest, Welcome},
    limits,
};
use tokio::time::timeout;

use crate::{
    actor::Arrival,
    api::JoinStage,
    entropy,
    error::{Error, ErrorCode},
};

/// Dials an invite's addresses and asks to be let in.
pub(crate) async fn knock(
    endpoint: &Endpoint,
    invite: &Invite,
    stage: impl Fn(JoinStage),
) -> Result<Arrival, Error> {
    let started = Instant::now();
    let invite_keys = InviteKeys::from_secret(&invite.secret);
    let keys = invite_gate(&invite_keys.public());
    let gate = Gate {
        id: GateId(u64::MAX),
        kind: Kind::Invite,
        ice_key: keys.ice_key,
        psk: keys.psk,
    };
    stage(JoinStage::Dialing);
    let dial = Dial {
        addrs: invite.endpoints().collect(),
        fingerprint: invite.fingerprint,
        gate,
        deadline: limits::JOIN_DEADLINE,
    };
    let link = endpoint
        .dial(dial)
        .await
        .map_err(|e| explain(e, endpoint, invite))?;
    let (sender, mut receiver) = link.split();
    stage(JoinStage::Proving);
    let key = AuthorKey::from_seed(entropy::bytes());
    let request = JoinRequest {
        room: invite.room,
        author: key.id(),
        proof: join_proof(&key, &sender.handshake_hash(), invite.room),
        invite: invite_keys.public(),
        voucher: invite_keys.voucher(invite.room, key.id()),
    };
    let rest = limits::JOIN_DEADLINE.saturating_sub(started.elapsed());
    let welcome = timeout(rest, ask(&sender, &mut receiver, request))
        .await
        .unwrap_or_else(|_| Err(ErrorCode::NoAnswer.into()))?;
    Ok(Arrival {
        sender,
        receiver,
        welcome,
        room: invite.room,
        key,
    })
}

async fn ask(
    sender: &LinkSender,
    receiver: &mut LinkReceiver,
    request: JoinRequest,
) -> Result<Welcome, Error> {
    let gone = || Error::from(ErrorCode::NoAnswer);
    let frame = Frame::JoinRequest(request).to_bytes();
    sender
        .send(Lane::Ordered, frame)
        .await
        .map_err(|_| gone())?;
    loop {
        let received = receiver.recv().await.ok_or_else(gone)?;
        match Frame::from_bytes(&received.bytes) {
            Ok(Frame::Welcome(welcome)) => return Ok(welcome),
            Ok(Frame::Refuse(refuse)) => return Err(Error::refused(&refuse)),
            // A newer app may say more before it answers.
            Ok(Frame::Unknown(_)) => {}
            Ok(_) | Err(_) => return Err(ErrorCode::WrongHost.into()),
        }
    }
}

/// A dial that failed, with what this device knows of its own network.
fn explain(e: DialError, endpoint: &Endpoint, invite: &Invite) -> Error {
    tracing::debug!(error = %e, "join");
    let only_loopback = endpoint.local_addrs().iter().all(|a| a.ip().is_loopback());
    let elsewhere = invite.addresses.iter().any(|ip| !ip.is_loopback());
    match e {
        DialError::NobodyThere | DialError::NoAddress if only_loopback && elsewhere => {
            ErrorCode::NoNetwork.into()
        }
        e => e.into(),
    }
}
